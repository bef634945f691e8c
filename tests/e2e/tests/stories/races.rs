//! Two things at one instant: each is whole, and none that was acknowledged is lost.

use std::collections::BTreeSet;

use e2e::{PASSWORD, Portcullis};
use futures_util::future::{join, join_all};
use serde_json::json;

#[tokio::test]
async fn no_acknowledged_change_is_lost_among_twelve() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let me = client.with(&client.log_in(&ann).await);
    let changes = (0..12).map(|n| {
        let (me, path) = (me.clone(), ann.path());
        async move { me.patch(&path, json!({ format!("field{n}"): n })).await.status }
    });
    let statuses = join_all(changes).await;
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 409)),
        "{statuses:?}"
    );
    let user = me.get(&ann.path()).await.expect(200).json();
    for (n, status) in statuses.iter().enumerate() {
        let kept = user.get(format!("field{n}")).is_some();
        assert_eq!(kept, *status == 200, "change {n} was answered {status}");
    }
}

#[tokio::test]
async fn of_two_users_who_want_one_name_one_gets_it() {
    let server = Portcullis::start().await;
    let client = server.client();
    let mut wishes = Vec::new();
    for n in 0..6 {
        let person = client.sign_up(&format!("user{n}")).await;
        let me = client.with(&client.log_in(&person).await);
        wishes.push(async move {
            me.patch(&person.path(), json!({ "username": "wanted" }))
                .await
                .status
        });
    }
    let statuses = join_all(wishes).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 422)),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_login_beside_a_deletion_leaves_no_session() {
    let server = Portcullis::start().await;
    let client = server.client();
    for round in 0..6 {
        let ann = client.sign_up(&format!("ann{round}")).await;
        let me = client.with(&client.log_in(&ann).await);
        let body = json!({ "email": ann.email, "password": PASSWORD });
        let logins = join_all((0..6).map(|_| client.post("/api/Users/login", body.clone())));
        let path = ann.path();
        let (logins, gone) = join(logins, me.delete(&path)).await;
        gone.expect(200).done();
        for login in logins {
            assert!(matches!(login.status, 200 | 401), "{}", login.text);
            if login.status == 200 {
                assert!(!client.opens(&login.at("id"), &ann).await, "round {round}");
            }
        }
        assert_eq!(client.try_password(&ann, PASSWORD).await, 401);
    }
}

#[tokio::test]
async fn a_login_with_the_old_password_beside_its_change_leaves_no_session() {
    let server = Portcullis::start().await;
    let client = server.client();
    for round in 0..6 {
        let ann = client.sign_up(&format!("ann{round}")).await;
        let me = client.with(&client.log_in(&ann).await);
        let body = json!({ "email": ann.email, "password": PASSWORD });
        let logins = join_all((0..6).map(|_| client.post("/api/Users/login", body.clone())));
        let change = json!({ "oldPassword": PASSWORD, "newPassword": "another long password" });
        let (logins, changed) = join(logins, me.post("/api/Users/change-password", change)).await;
        changed.expect(204).done();
        for login in logins.iter().filter(|login| login.status == 200) {
            assert!(
                !client.opens(&login.at("id"), &ann).await,
                "round {round}: an old password's session lives"
            );
        }
    }
}

#[tokio::test]
async fn sixty_guesses_from_sixty_addresses_at_one_instant_are_limited_per_account() {
    let config = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[hash]\nqueue = 100\n[limits.login_per_account]\nfree = 20";
    let server = Portcullis::setup().limited().config(config).start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let guesses = (0..60).map(|n| {
        let request = client
            .request("POST", "/api/Users/login")
            .header("X-Forwarded-For", format!("198.51.100.{n}"));
        client.send(request.json(&json!({ "email": ann.email, "password": format!("wrong {n}") })))
    });
    let statuses: Vec<u16> = join_all(guesses).await.iter().map(|reply| reply.status).collect();
    let judged = statuses.iter().filter(|status| **status == 401).count();
    assert!((1..=21).contains(&judged), "{judged} were judged: {statuses:?}");
}

#[tokio::test]
async fn codes_of_one_account_at_one_instant_leave_one_that_works() {
    let server = Portcullis::with("[users.Employees]\nsecond_factor = \"required\"").await;
    let client = server.client();
    let ann = client.sign_up_in("Employees", "ann").await;
    let credentials = json!({ "email": ann.email, "password": PASSWORD });
    let asked =
        join_all((0..8).map(|_| client.post("/api/Employees/requestCode", credentials.clone()))).await;
    let mut challenges = BTreeSet::new();
    for reply in asked {
        challenges.insert(reply.expect(200).at("challenge"));
    }
    assert_eq!(challenges.len(), 8);
    let mut codes = Vec::new();
    for _ in 0..8 {
        codes.push(server.console().code(&ann.email).await);
    }
    let mut opened = 0;
    for challenge in &challenges {
        for code in &codes {
            let typed = json!({ "email": ann.email, "twofactor": code, "challenge": challenge });
            let status = client.post("/api/Employees/loginWithCode", typed).await.status;
            opened += usize::from(status == 200);
        }
    }
    assert!(
        opened <= 3,
        "{opened} pending logins at one address lived at once"
    );
}

#[tokio::test]
async fn ending_the_other_sessions_beside_new_logins_leaves_each_whole() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let me = client.with(&client.log_in(&ann).await);
    let before = client.log_in(&ann).await;
    let body = json!({ "email": "new@example.com", "currentPassword": PASSWORD });
    let path = ann.path();
    let reading = join_all((0..20).map(|_| client.opens(&before, &ann)));
    let (changed, _) = join(me.patch(&path, body), reading).await;
    changed.expect(200).done();
    assert!(!client.opens(&before, &ann).await);
    me.get(&path).await.expect(200).done();
}

//! Logging in by what an enterprise has already, against real servers of each kind: `tests/counterparties`.

use e2e::{Person, Portcullis};

use crate::providers::entries::{self, Arrived};

mod kerberos;
mod ldap;
mod ldap_abuse;
mod openid2;
mod readme;
mod saml;
mod saml_answers;
mod saml_forged;
mod saml_logout;
mod second_factor;
mod tickets;

/// Who has this role may read everybody's record.
const AUDITORS: &str = "[[users.Users.acls]]\nprincipalType = \"ROLE\"\nprincipalId = \"auditor\"\npermission = \"ALLOW\"\n\
                        property = \"findById\"";

/// The roles of whoever holds a token, as a reverse proxy hears them.
async fn roles(server: &Portcullis, who: &Arrived) -> String {
    let checked = server.client().with(&who.token).get("/auth/check").await;
    checked.expect(200).header("x-user-roles").to_owned()
}

/// Whether somebody reads another person's record.
async fn audits(server: &Portcullis, who: &Arrived, other: &Person) -> bool {
    server.client().opens(&who.token, other).await
}

/// Waits until the log says that an entry refused somebody for this reason.
async fn told_the_operator(server: &Portcullis, entry: &str, code: &str) {
    let detail = format!("{entry} {code}");
    let is_it = |line: &str| (line.contains("provider.refused") && line.contains(&detail)).then_some(());
    server.log().wait(&detail, 0, is_it).await;
}

/// Somebody who arrived, as one with an account here.
fn person(who: &Arrived, email: &str) -> Person {
    Person {
        pool: "/api/Users".to_owned(),
        id: who.user.clone(),
        email: email.to_owned(),
        password: String::new(),
    }
}

/// Takes the one linked account from somebody.
async fn unlink(server: &Portcullis, who: &Arrived) {
    let identities = entries::identities(server, who).await;
    assert_eq!(identities.len(), 1);
    let id = identities[0]["id"].as_str().unwrap();
    let path = format!("/api/Users/{}/identities/{id}", who.user);
    let client = server.client().with(&who.token);
    client.delete(&path).await.expect(204).done();
    assert!(entries::identities(server, who).await.is_empty());
}

//! Names and passwords beyond ASCII: look-alikes are one, impostors none.

use e2e::{PASSWORD, Portcullis};
use serde_json::{Value, json};

#[tokio::test]
async fn spellings_of_a_taken_address_make_no_second_account() {
    let server = Portcullis::start().await;
    let client = server.client();
    client.sign_up("ann").await;
    for email in [
        "ANN@example.com",
        "Ann@Example.COM",
        " ann@example.com",
        "ann@example.com ",
        "ann@example.com.",
        "ann@example.com\n",
        "\u{feff}ann@example.com",
        "ａｎｎ@example.com",
        "ann@ｅｘａｍｐｌｅ.com",
        "ann@example。com",
        "an\u{200b}n@example.com",
    ] {
        let reply = client
            .post(
                "/api/Users",
                json!({ "email": email, "password": "another long password" }),
            )
            .await;
        assert_eq!(reply.status, 422, "{email:?}: {}", reply.text);
    }
}

#[tokio::test]
async fn an_internationalised_domain_is_one_in_both_forms() {
    let server = Portcullis::start().await;
    let client = server.client();
    client
        .post(
            "/api/Users",
            json!({ "email": "ann@bücher.example", "password": PASSWORD }),
        )
        .await
        .expect(200)
        .done();
    for email in [
        "ann@xn--bcher-kva.example",
        "ann@BÜCHER.example",
        "ann@bu\u{308}cher.example",
    ] {
        client
            .post("/api/Users", json!({ "email": email, "password": PASSWORD }))
            .await
            .expect(422)
            .done();
        let log_in = json!({ "email": email, "password": PASSWORD });
        client.post("/api/Users/login", log_in).await.expect(200).done();
    }
}

#[tokio::test]
async fn invisible_and_directional_characters_make_no_name() {
    let server = Portcullis::start().await;
    let client = server.client();
    let odd = [
        "\u{200b}",
        "\u{200c}",
        "\u{200d}",
        "\u{2060}",
        "\u{feff}",
        "\u{202e}",
        "\u{2066}",
        "\u{e0041}",
        "\u{0}",
        "\u{7}",
        "\u{ad}",
        "\u{115f}",
        "\u{3164}",
        "\u{180e}",
        "\u{fe0f}",
        "\r\n",
        "\u{2028}",
    ];
    for (n, character) in odd.iter().enumerate() {
        for name in [
            format!("ad{character}min"),
            format!("{character}admin"),
            format!("admin{character}"),
        ] {
            let body =
                json!({ "username": name, "email": format!("user{n}@example.com"), "password": PASSWORD });
            let reply = client.post("/api/Users", body).await;
            assert_eq!(reply.status, 422, "{name:?}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn compositions_widths_and_cases_of_a_username_are_one() {
    let server = Portcullis::start().await;
    let client = server.client();
    let sign_up = async |name: &str, n: u32| {
        client
            .post(
                "/api/Users",
                json!({ "username": name, "email": format!("user{n}@example.com"), "password": PASSWORD }),
            )
            .await
            .status
    };
    assert_eq!(sign_up("Zoë ﬁne", 0).await, 200);
    for (n, name) in (1..).zip(["Zoe\u{308} ﬁne", "ZOË FINE", "zoë fine", "Ｚｏë fine"]) {
        assert_eq!(sign_up(name, n).await, 422, "{name}");
        let log_in = json!({ "username": name, "password": PASSWORD });
        client.post("/api/Users/login", log_in).await.expect(200).done();
    }
    assert_eq!(
        sign_up("zoe fine", 9).await,
        200,
        "without its dots it is another name"
    );
}

#[tokio::test]
async fn a_password_is_one_in_every_composition_and_no_other() {
    let server = Portcullis::start().await;
    let client = server.client();
    client
        .post(
            "/api/Users",
            json!({ "email": "ann@example.com", "password": "caf\u{e9} au lait \u{ac00}" }),
        )
        .await
        .expect(200)
        .done();
    let log_in = async |password: &str| {
        client
            .post(
                "/api/Users/login",
                json!({ "email": "ann@example.com", "password": password }),
            )
            .await
            .status
    };
    assert_eq!(log_in("cafe\u{301} au lait \u{1100}\u{1161}").await, 200);
    assert_eq!(log_in("cafe au lait \u{ac00}").await, 401);
    assert_eq!(log_in("CAF\u{c9} AU LAIT \u{ac00}").await, 401);
}

#[tokio::test]
async fn texts_come_back_as_they_were_sent() {
    let server = Portcullis::start().await;
    let client = server.client();
    let texts = json!({ "emoji": "👩‍👩‍👧", "rtl": "שלום", "han": "漢字", "nul": "a\u{0}b", "quote": "\"'\\<script>", "escaped": "\u{1f600}" });
    let mut body = texts.clone();
    body["email"] = json!("ann@example.com");
    body["password"] = json!(PASSWORD);
    client.post("/api/Users", body).await.expect(200).done();
    let token = client
        .post(
            "/api/Users/login",
            json!({ "email": "ann@example.com", "password": PASSWORD }),
        )
        .await
        .at("id");
    let user: Value = client.with(&token).get("/api/Users/me").await.expect(200).json();
    for (name, text) in texts.as_object().unwrap() {
        assert_eq!(&user[name], text, "{name}");
    }
}

#[tokio::test]
async fn half_a_surrogate_is_no_text() {
    let server = Portcullis::start().await;
    for body in [
        r#"{"email":"ann@example.com","password":"\ud800 half a surrogate"}"#,
        r#"{"email":"\udc00@example.com","password":"x"}"#,
    ] {
        server
            .client()
            .post_raw("/api/Users", body)
            .await
            .expect(400)
            .done();
    }
}

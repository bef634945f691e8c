//! Before the provider's page: where people are sent, and with what.

use domain::identity::ProviderClient;
use domain::ports::{AuthorizationRequest, IdentityProvider as _};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_openid2::{OpenId2Config, OpenId2ConfigError, OpenId2Provider};

use crate::support::{
    CALLBACK, NS, SELECT, Site, code_of, document, entry, outbound, param, provider, query, request, sent,
    xrds,
};

async fn site() -> Site {
    Site::start(|heard| match heard.path() {
        "/" => document(&xrds("server", &format!("{}/server?a=b", heard.base()), None)),
        _ => document(&xrds(
            "signon",
            &format!("{}/server", heard.base()),
            Some("https://op.example/local"),
        )),
    })
    .await
}

#[tokio::test]
async fn a_provider_asks_people_who_they_are() {
    let site = site().await;
    let start = entry(&site, "/").begin(&request()).await.unwrap();
    assert!(
        start
            .url
            .starts_with(&format!("{}/server?a=b&openid.ns=", site.base)),
        "{}",
        start.url
    );
    assert!(start.form.is_none() && start.handle.is_none() && start.carry.is_none());
    let asked = query(&start.url);
    let back = format!("{CALLBACK}?state=the-state&nonce=the-nonce");
    for (name, value) in [
        ("openid.ns", NS),
        ("openid.mode", "checkid_setup"),
        ("openid.claimed_id", SELECT),
        ("openid.identity", SELECT),
        ("openid.return_to", &back),
        ("openid.realm", "http://localhost:3000/"),
        ("openid.ns.sreg", "http://openid.net/extensions/sreg/1.1"),
        ("openid.sreg.required", "email"),
        ("openid.ns.ax", "http://openid.net/srv/ax/1.0"),
        ("openid.ax.mode", "fetch_request"),
        ("openid.ax.type.email", "http://axschema.org/contact/email"),
    ] {
        assert_eq!(param(&asked, name), Some(value), "{name}");
    }
    assert_eq!(
        param(&asked, "openid.assoc_handle"),
        None,
        "there are no associations"
    );
}

#[tokio::test]
async fn the_identifier_of_one_person_is_asked_for_by_name() {
    let site = site().await;
    let start = entry(&site, "/id/ann#2").begin(&request()).await.unwrap();
    let asked = sent(&start);
    assert_eq!(
        param(&asked, "openid.claimed_id"),
        Some(format!("{}/id/ann", site.base).as_str())
    );
    assert_eq!(param(&asked, "openid.identity"), Some("https://op.example/local"));
}

#[tokio::test]
async fn nothing_is_asked_of_a_person_where_no_profile_is_wanted() {
    let site = site().await;
    let config = OpenId2Config {
        profile: false,
        ..OpenId2Config::discovered(&site.base)
    };
    let asked = sent(&provider(config).begin(&request()).await.unwrap());
    assert!(
        asked
            .iter()
            .all(|(name, _)| !name.contains("sreg") && !name.contains("ax")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn further_attributes_are_asked_for_by_their_types() {
    let site = site().await;
    let config = OpenId2Config {
        profile: false,
        attributes: vec![("teams".to_owned(), "http://example.com/schema/teams".to_owned())],
        groups_attribute: Some("teams".to_owned()),
        ..OpenId2Config::discovered(&site.base)
    };
    let asked = sent(&provider(config).begin(&request()).await.unwrap());
    assert_eq!(param(&asked, "openid.ax.required"), Some("teams"));
    assert_eq!(
        param(&asked, "openid.ax.type.teams"),
        Some("http://example.com/schema/teams")
    );
    assert_eq!(param(&asked, "openid.ax.count.teams"), Some("unlimited"));
}

#[tokio::test]
async fn what_is_too_long_for_an_address_is_posted() {
    let site = site().await;
    let long = AuthorizationRequest {
        state: Secret::new("s".repeat(1500)),
        ..request()
    };
    let start = entry(&site, "/").begin(&long).await.unwrap();
    assert_eq!(start.url, format!("{}/server?a=b", site.base));
    let form = start.form.unwrap();
    assert!(
        param(&form, "openid.return_to")
            .unwrap()
            .contains(&"s".repeat(1500))
    );
    assert_eq!(param(&form, "openid.mode"), Some("checkid_setup"));
}

#[tokio::test]
async fn a_site_is_looked_up_once_for_many_people() {
    let site = site().await;
    let openid = std::sync::Arc::new(entry(&site, "/"));
    let begun = (0..20).map(|_| {
        let openid = std::sync::Arc::clone(&openid);
        tokio::spawn(async move { openid.begin(&request()).await.map(|_| ()) })
    });
    for begun in begun.collect::<Vec<_>>() {
        begun.await.unwrap().unwrap();
    }
    assert_eq!(site.asked("/"), 1);
}

#[tokio::test]
async fn a_callback_that_is_not_below_the_realm_is_not_sent() {
    let site = site().await;
    for (realm, good) in [
        ("http://localhost:3000/auth/", true),
        ("http://localhost:3000/other/", false),
        ("https://localhost:3000/", false),
    ] {
        let config = OpenId2Config {
            realm: Some(realm.to_owned()),
            ..OpenId2Config::discovered(&site.base)
        };
        let started = provider(config).begin(&request()).await;
        match started {
            Ok(start) => assert_eq!(param(&sent(&start), "openid.realm"), Some(realm)),
            Err(error) => assert!(!good && code_of(&error) == "OPENID_RETURN_TO", "{realm} {error}"),
        }
    }
}

#[tokio::test]
async fn steam_is_sent_to_without_asking_anybody() {
    let as_steam = OpenId2Config::steam("http://localhost:3000/");
    let as_passport_is_told = OpenId2Config {
        identifier: "https://steamcommunity.com/openid".to_owned(),
        ..as_steam.clone()
    };
    for config in [as_steam, as_passport_is_told] {
        let start = provider(config).begin(&request()).await.unwrap();
        let endpoint = "https://steamcommunity.com/openid/login?openid.ns=";
        assert!(start.url.starts_with(endpoint), "{}", start.url);
        let asked = query(&start.url);
        assert_eq!(asked.len(), 6, "{asked:?}");
        assert_eq!(param(&asked, "openid.claimed_id"), Some(SELECT));
    }
}

#[tokio::test]
async fn there_are_no_clients_and_nothing_is_refreshed() {
    let steam = provider(OpenId2Config::steam("http://localhost:3000/"));
    let client = Some(ProviderClient {
        client_id: "theirs".to_owned(),
        client_secret: None,
    });
    let error = steam
        .begin(&AuthorizationRequest { client, ..request() })
        .await
        .unwrap_err();
    assert_eq!(code_of(&error), "PROVIDER_CLIENT_REFUSED");
    let tokens = domain::identity::ProviderTokens {
        access_token: Secret::new("a"),
        token_secret: None,
        refresh_token: None,
        token_type: String::new(),
        expires: None,
        scopes: None,
    };
    let error = steam
        .refresh(&tokens, None, Timestamp::from_millis(0))
        .await
        .unwrap_err();
    assert_eq!(code_of(&error), "NOT_REFRESHABLE");
}

#[test]
fn a_configuration_that_will_not_do_says_which_key() {
    let new = |config| OpenId2Provider::new(config, outbound()).map(|_| ());
    let good = || OpenId2Config::discovered("https://id.example.com");
    assert_eq!(new(good()), Ok(()));
    assert_eq!(new(OpenId2Config::steam("https://www.example.com/")), Ok(()));
    for bad in [
        "",
        "id.example.com",
        "=ann",
        "xri://=ann",
        "http://id.example.com/",
        "https://ann@id.example.com/",
        "ldap://id.example.com/",
    ] {
        assert_eq!(
            new(OpenId2Config::discovered(bad)),
            Err(OpenId2ConfigError::Identifier),
            "{bad}"
        );
    }
    let realm = |text: &str| OpenId2Config {
        realm: Some(text.to_owned()),
        ..good()
    };
    assert_eq!(new(realm("https://*.example.com/")), Ok(()));
    assert_eq!(new(realm("www.example.com")), Err(OpenId2ConfigError::Realm));
    let attribute = |name: &str, kind: &str| OpenId2Config {
        attributes: vec![(name.to_owned(), kind.to_owned())],
        ..good()
    };
    assert_eq!(new(attribute("teams", "http://example.com/teams")), Ok(()));
    for (name, kind) in [
        ("email", "http://example.com/a"),
        ("", "http://example.com/a"),
        ("a.b", "http://example.com/a"),
        ("a", "b"),
    ] {
        let name = name.to_owned();
        assert_eq!(
            new(attribute(&name, kind)),
            Err(OpenId2ConfigError::Attribute { name })
        );
    }
    let groups = OpenId2Config {
        groups_attribute: Some("teams".to_owned()),
        ..good()
    };
    assert_eq!(
        new(groups),
        Err(OpenId2ConfigError::Groups {
            name: "teams".to_owned()
        })
    );
    let base = OpenId2Config {
        api_base: "http://api.example.com".to_owned(),
        ..good()
    };
    assert_eq!(new(base), Err(OpenId2ConfigError::ApiBase));
    let key = OpenId2Config {
        api_key: Some(Secret::new("a\nb")),
        ..good()
    };
    assert_eq!(new(key.clone()), Err(OpenId2ConfigError::ApiKey));
    assert!(!format!("{key:?}").contains("a\\nb"));
}

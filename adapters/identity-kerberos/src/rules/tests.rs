use super::*;

/// Any file that is there.
const KEYTAB: &str = env!("CARGO_MANIFEST_DIR");

fn config() -> KerberosConfig {
    KerberosConfig::new("TEST.LOCALHOST", "HTTP/localhost", format!("{KEYTAB}/Cargo.toml"))
}

fn rules(change: impl FnOnce(&mut KerberosConfig)) -> Rules {
    let mut config = config();
    change(&mut config);
    Rules::of(&config).unwrap()
}

fn at(domain: &str) -> Addresses {
    Addresses {
        domain: domain.to_owned(),
        trusted: true,
    }
}

fn fault(refused: Result<Principal, ProviderError>) -> ProviderFault {
    match refused.unwrap_err() {
        ProviderError::Refused { fault, .. } => fault,
        ProviderError::Unavailable(why) => panic!("{why}"),
    }
}

#[test]
fn a_service_may_be_written_in_three_ways() {
    for service in [
        "HTTP/localhost@TEST.LOCALHOST",
        "HTTP/localhost",
        "HTTP@localhost",
    ] {
        let rules = rules(|config| config.services = vec![service.to_owned()]);
        assert_eq!(rules.service(), "HTTP/localhost@TEST.LOCALHOST");
        assert!(rules.is_ours("HTTP/localhost@TEST.LOCALHOST"));
        for other in [
            "HTTP/localhost@OTHER",
            "http/localhost@TEST.LOCALHOST",
            "host/localhost@TEST.LOCALHOST",
            "",
        ] {
            assert!(!rules.is_ours(other), "{other}");
        }
    }
}

#[test]
fn what_the_operator_wrote_is_checked() {
    type Change = fn(&mut KerberosConfig);
    let changes: [(&str, Change); 12] = [
        ("realm:", |config| config.realm = String::new()),
        ("realm:", |config| config.realm = "A@B".to_owned()),
        ("realm:", |config| config.realms = vec!["A B".to_owned()]),
        ("service:", |config| config.services.clear()),
        ("service:", |config| {
            config.services = vec!["localhost".to_owned()];
        }),
        ("service:", |config| config.services.push("HTTP/a/b".to_owned())),
        ("instances:", |config| config.instances = vec![String::new()]),
        ("emailDomain:", |config| {
            config.addresses = Some(at("@example.com"));
        }),
        ("keytab:", |config| config.keytab = "Cargo.toml".into()),
        ("keytab:", |config| config.keytab = "/nonexistent/keytab".into()),
        ("krb5Conf:", |config| {
            config.krb5_conf = Some("/nonexistent/krb5.conf".into());
        }),
        ("maxConcurrent:", |config| config.max_concurrent = 0),
    ];
    for (field, change) in changes {
        let mut config = config();
        change(&mut config);
        let refused = Rules::of(&config).err().map(|error| error.to_string());
        assert!(
            refused.as_ref().is_some_and(|said| said.starts_with(field)),
            "{field} {refused:?}"
        );
    }
}

#[test]
fn one_name_is_one_principal_however_its_realm_is_spelt() {
    let rules = rules(|config| config.realms = vec!["OTHER.LOCALHOST".to_owned()]);
    for name in ["alice", "alice@TEST.LOCALHOST", "alice@test.localhost"] {
        assert_eq!(rules.typed(name).unwrap().to_string(), "alice@TEST.LOCALHOST");
    }
    assert_eq!(
        rules.typed("alice@other.localhost").unwrap().to_string(),
        "alice@OTHER.LOCALHOST"
    );
    assert_eq!(rules.typed("Alice").unwrap().to_string(), "Alice@TEST.LOCALHOST");
}

#[test]
fn names_that_are_nobodys_are_not_asked_for() {
    let rules = rules(|_| {});
    for name in [
        "alice@OTHER.LOCALHOST",
        "alice@example.com",
        "root/admin",
        "HTTP/localhost",
        "WELLKNOWN/ANONYMOUS",
        "alice@@TEST.LOCALHOST",
        r"alice\@TEST.LOCALHOST",
        r"alice\/admin",
        "@TEST.LOCALHOST",
        "@",
        "",
        " ",
        &"a".repeat(10_000),
    ] {
        assert!(rules.typed(name).is_none(), "{name:?}");
    }
}

#[test]
fn only_those_who_may_are_let_in_by_a_ticket() {
    let rules = rules(|config| config.instances = vec!["admin".to_owned()]);
    assert!(rules.shown("alice@TEST.LOCALHOST").is_ok());
    assert!(rules.shown("root/admin@TEST.LOCALHOST").is_ok());
    for realm in ["OTHER.LOCALHOST", "test.localhost", "TEST.LOCALHOST.EVIL"] {
        assert_eq!(
            fault(rules.shown(&format!("alice@{realm}"))),
            ProviderFault::RealmRefused
        );
    }
    for name in [
        "host/localhost@TEST.LOCALHOST",
        "admin/alice@TEST.LOCALHOST",
        "krbtgt/TEST.LOCALHOST@TEST.LOCALHOST",
        r"alice\@TEST.LOCALHOST@TEST.LOCALHOST",
        "alice",
    ] {
        assert_eq!(fault(rules.shown(name)), ProviderFault::TicketRefused, "{name}");
    }
}

#[test]
fn a_realms_people_are_its_own() {
    let rules = rules(|config| {
        config.realms = vec!["OTHER.LOCALHOST".to_owned()];
        config.addresses = Some(at("example.com"));
    });
    let ours = rules.arrival(&rules.shown("alice@TEST.LOCALHOST").unwrap());
    let theirs = rules.arrival(&rules.shown("alice@OTHER.LOCALHOST").unwrap());
    assert_eq!(ours.issuer, "kerberos:TEST.LOCALHOST");
    assert_eq!(ours.subject, "alice@TEST.LOCALHOST");
    assert_eq!(ours.profile.username.as_deref(), Some("alice"));
    assert_eq!(ours.profile.emails[0].value, "alice@example.com");
    assert!(ours.profile.emails[0].verified);
    assert_eq!(
        ours.raw,
        json!({"principal": "alice@TEST.LOCALHOST", "name": "alice", "realm": "TEST.LOCALHOST"})
    );
    assert_eq!(theirs.issuer, "kerberos:OTHER.LOCALHOST");
    assert_eq!(theirs.subject, "alice@OTHER.LOCALHOST");
    assert_eq!(theirs.profile.username.as_deref(), Some("alice@OTHER.LOCALHOST"));
    assert_eq!(theirs.profile.emails, []);
}

#[test]
fn nothing_is_made_up_about_a_person() {
    let arrival = rules(|config| config.strip_realm = false)
        .arrival(&Principal::parse("alice@TEST.LOCALHOST").unwrap());
    assert_eq!(arrival.profile.username.as_deref(), Some("alice@TEST.LOCALHOST"));
    assert_eq!(arrival.profile.emails, []);
    assert!(arrival.groups.is_empty() && arrival.once.is_none() && arrival.tokens.is_none());
}

#[test]
fn where_case_does_not_count_spellings_are_one_account() {
    let rules = rules(|config| config.fold_case = true);
    assert_eq!(rules.typed("Alice").unwrap().to_string(), "alice@TEST.LOCALHOST");
    assert_eq!(
        rules.shown("ALICE@TEST.LOCALHOST").unwrap().to_string(),
        "alice@TEST.LOCALHOST"
    );
    assert_eq!(
        fault(rules.shown("ALICE@test.localhost")),
        ProviderFault::RealmRefused
    );
}

//! Where a provider is asked, and by what name it signs.

use super::fields::Fields;
use super::place;
use super::remote::{Dialect, Endpoints};

/// The addresses that the entry gives.
pub fn endpoints(fields: &mut Fields<'_>, dialect: Dialect) -> Endpoints {
    let keys: Names = if dialect.is_oauth1() { OF_OAUTH1 } else { OF_OAUTH2 };
    let found = Endpoints {
        authorization: endpoint(fields, &[keys.authorization]),
        token: endpoint(fields, &[keys.token]),
        request_token: if dialect.is_oauth1() {
            endpoint(fields, &["requestTokenURL"])
        } else {
            None
        },
        profile: if matches!(dialect, Dialect::Microsoft | Dialect::Apple) {
            None
        } else {
            endpoint(fields, &PROFILE)
        },
        emails: if dialect == Dialect::GitHub {
            endpoint(fields, &["userEmailURL"])
        } else {
            None
        },
        keys: if dialect.is_oidc() {
            endpoint(fields, &["jwksURL"])
        } else {
            None
        },
    };
    if matches!(dialect, Dialect::OAuth1 | Dialect::OAuth2) {
        let needed = [
            (keys.authorization, found.authorization.is_none()),
            (keys.token, found.token.is_none()),
            (
                "requestTokenURL",
                dialect.is_oauth1() && found.request_token.is_none(),
            ),
            ("userProfileURL", found.profile.is_none()),
        ];
        for (key, missing) in needed {
            if missing && !fields.was_faulty(key) {
                fields.refuse(
                    key,
                    "is missing: no module says where the provider is, and only the provider can say who came",
                );
            }
        }
    }
    found
}

/// What the addresses are called.
struct Names {
    authorization: &'static str,
    token: &'static str,
}

const OF_OAUTH1: Names = Names {
    authorization: "userAuthorizationURL",
    token: "accessTokenURL",
};
const OF_OAUTH2: Names = Names {
    authorization: "authorizationURL",
    token: "tokenURL",
};
const PROFILE: [&str; 3] = ["userProfileURL", "userInfoURL", "profileURL"];

fn endpoint(fields: &mut Fields<'_>, names: &[&'static str]) -> Option<String> {
    let key = names
        .iter()
        .copied()
        .find(|key| fields.has(key))
        .unwrap_or_default();
    let text = fields.text(names)?;
    match place::endpoint(&text) {
        Ok(_) => Some(text),
        Err(why) => {
            fields.refuse(key, why);
            None
        }
    }
}

/// Where every OpenID provider tells of itself, seen from its issuer (OpenID Connect Discovery section 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// The issuer: as it is written, or as the address of the discovery document says.
pub fn issuer(fields: &mut Fields<'_>, dialect: Dialect) -> Option<String> {
    if !dialect.is_oidc() {
        // Within what ids are unique; an authorization server may also name itself in its answers (RFC 9207).
        return endpoint(fields, &["issuer"]);
    }
    let there = ["issuer", "discovery", "identityMetadata"]
        .iter()
        .any(|key| fields.has(key));
    let written = endpoint(fields, &["issuer"]);
    let key = if fields.has("identityMetadata") {
        "identityMetadata"
    } else {
        "discovery"
    };
    let discovered = endpoint(fields, &["discovery", "identityMetadata"]).and_then(|url| {
        let issuer = url.strip_suffix(WELL_KNOWN).map(str::to_owned);
        if issuer.is_none() {
            fields.refuse(
                key,
                format!("must be the issuer with `{WELL_KNOWN}` behind it, but is `{url}`"),
            );
        }
        issuer
    });
    if let (Some(written), Some(discovered)) = (&written, &discovered)
        && written.trim_end_matches('/') != discovered
    {
        fields.refuse(
            key,
            format!("is not below the issuer `{written}`: take one of them out"),
        );
    }
    if dialect == Dialect::OpenIdConnect && !there {
        fields.refuse(
            "issuer",
            format!("is missing: without it nobody can tell who signed. The provider tells it below `{WELL_KNOWN}`"),
        );
    }
    written.or(discovered)
}

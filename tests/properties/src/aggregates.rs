//! Arbitrary aggregates, with everything in them that a store may have to keep.

use std::sync::Arc;

use domain::access::RoleMapping;
use domain::application::{Application, ApplicationCredential, ApplicationDetails, ApplicationKey, KeyType};
use domain::audit::{Actor, AuditEvent, AuditKind, NetworkHash};
use domain::credential::{Passkey, PasswordHash, RecoveryCodes, TotpApp};
use domain::flow_record::{FlowBody, FlowKind, FlowRecord, PendingLink, Purpose};
use domain::id::{
    ApplicationId, CredentialId, DeviceId, EntryName, FactorId, IdentityId, PoolName, ProviderName,
    RefreshId, RoleId, RoleMappingId, RoleName, SessionId, UserId, UserKey,
};
use domain::identity::{
    CredentialStatus, FederatedSession, Identity, IdentityKey, PersonName, Profile, ProfileEmail,
    ProviderSession, UserCredential,
};
use domain::origin::{Agent, RequestId};
use domain::secret::{Sealed, Token, TokenHash};
use domain::session::{Factor, Impersonator, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::tombstone::Tombstone;
use domain::user::{Attributes, Device, Email, Factors, Phone, Revision, SessionEpoch, User, Username};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::moves::PLACES;
use crate::scenes::{begun, kind, scene};
use crate::system::place;

/// Any text, short.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        "[a-z0-9@.-]{0,12}",
        Just("\u{0}'\"\\\u{1f600}".to_owned())
    ]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 0..3)
}

fn moment() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn token() -> impl Strategy<Value = TokenHash> {
    any::<[u8; 32]>().prop_map(TokenHash::from_bytes)
}

fn sealed() -> impl Strategy<Value = Sealed> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Sealed::from_bytes)
}

fn user_key() -> impl Strategy<Value = UserKey> {
    (text(), text()).prop_map(|(pool, id)| UserKey::new(PoolName::new(pool), UserId::new(id)))
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    prop::collection::vec((text(), json()), 0..4)
        .prop_map(|fields| Attributes::restore(fields.into_iter().collect::<Map<_, _>>()))
}

fn profile() -> impl Strategy<Value = Profile> {
    let name =
        (of(text()), of(text()), of(text())).prop_map(|(family_name, given_name, middle_name)| PersonName {
            family_name,
            given_name,
            middle_name,
        });
    let mail = (text(), any::<bool>()).prop_map(|(value, verified)| ProfileEmail { value, verified });
    let emails = prop::collection::vec(mail, 0..3);
    (of(text()), of(text()), name, emails, texts(), of(text())).prop_map(
        |(username, display_name, name, emails, photos, profile_url)| Profile {
            username,
            display_name,
            name,
            emails,
            photos,
            profile_url,
        },
    )
}

fn identity_key() -> impl Strategy<Value = IdentityKey> {
    (text(), text(), text(), of(text())).prop_map(|(provider, issuer, subject, client)| IdentityKey {
        provider: ProviderName::new(provider),
        issuer,
        subject,
        client,
    })
}

/// Any account elsewhere.
pub fn identity() -> BoxedStrategy<Identity> {
    let roles = proptest::collection::vec(text().prop_map(RoleName::new), 0..3);
    (
        text(),
        identity_key(),
        text(),
        profile(),
        roles,
        moment(),
        moment(),
    )
        .prop_map(
            |(id, key, auth_scheme, profile, roles, created, modified)| Identity {
                id: IdentityId::new(id),
                key,
                auth_scheme,
                profile,
                roles,
                created,
                modified,
            },
        )
        .boxed()
}

/// Any grant.
pub fn credential() -> BoxedStrategy<UserCredential> {
    let names = (text(), text(), text(), text(), of(text()));
    let status = prop_oneof![
        Just(CredentialStatus::Active),
        Just(CredentialStatus::ScopeLost),
        Just(CredentialStatus::Revoked),
    ];
    let state = (any::<bool>(), sealed(), of(moment()), texts(), status);
    (names, state, moment(), moment())
        .prop_map(|(names, state, created, modified)| UserCredential {
            id: CredentialId::new(names.0),
            identity: IdentityId::new(names.1),
            entry: EntryName::new(names.2),
            linked: state.0,
            client_id: names.3,
            application: names.4.map(ApplicationId::new),
            tokens: state.1,
            expires: state.2,
            scopes: state.3,
            status: state.4,
            created,
            modified,
        })
        .boxed()
}

fn links() -> impl Strategy<Value = (Arc<Vec<Identity>>, Arc<Vec<UserCredential>>)> {
    let identities = prop::collection::vec(identity(), 0..3);
    let credentials = prop::collection::vec(credential(), 0..3);
    (identities, credentials)
        .prop_map(|(identities, credentials)| (Arc::new(identities), Arc::new(credentials)))
}

fn proofs() -> impl Strategy<Value = (Arc<Factors>, Arc<Vec<Device>>)> {
    let app = (text(), text(), any::<u64>(), moment(), of(moment())).prop_map(
        |(id, name, last_step, created, last_used)| TotpApp {
            id: FactorId::new(id),
            secret: Sealed::from_bytes(name.as_bytes().to_vec()),
            name,
            last_step,
            created,
            last_used,
        },
    );
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<u32>());
    let passkey =
        (text(), text(), flags, moment(), of(moment())).prop_map(|(id, name, flags, created, last_used)| {
            Passkey {
                id: FactorId::new(id),
                credential: name.clone(),
                material: name.clone(),
                name,
                sign_count: flags.3,
                user_verifying: flags.0,
                backup_eligible: flags.1,
                backed_up: flags.2,
                created,
                last_used,
            }
        });
    let codes = (prop::collection::vec(token(), 0..4), moment())
        .prop_map(|(left, created)| RecoveryCodes { left, created });
    let factors = (
        prop::collection::vec(app, 0..3),
        of(codes),
        prop::collection::vec(passkey, 0..3),
    )
        .prop_map(|(totp, recovery, passkeys)| {
            Arc::new(Factors {
                totp,
                recovery,
                passkeys,
            })
        });
    let device = (text(), token(), of(text()), (moment(), moment()), of(moment())).prop_map(
        |(id, token, name, (created, last_used), trusted_until)| Device {
            id: DeviceId::new(id),
            token,
            name,
            created,
            last_used,
            trusted_until,
        },
    );
    (factors, prop::collection::vec(device, 0..3).prop_map(Arc::new))
}

fn mappings() -> impl Strategy<Value = Vec<RoleMapping>> {
    let mapping = (text(), text(), moment()).prop_map(|(id, role, created)| RoleMapping {
        id: RoleMappingId::new(id),
        role: RoleId::new(role),
        created,
    });
    prop::collection::vec(mapping, 0..3)
}

fn details() -> impl Strategy<Value = ApplicationDetails> {
    (of(text()), of(text()), texts(), texts(), of(text()), json()).prop_map(
        |(description, owner, collaborators, callback_urls, status, other)| ApplicationDetails {
            description,
            owner,
            collaborators,
            callback_urls,
            status,
            others: Map::from_iter([("pushSettings".to_owned(), other)]),
            ..ApplicationDetails::default()
        },
    )
}

/// Any user, with everything a user may have. Names and their keys need not fit: how keys are made may have changed since.
pub fn user() -> BoxedStrategy<User> {
    let names = (of(text()), of((text(), text())), of((text(), text())));
    let contacts = (any::<bool>(), of(text()), of(text()), of(text()));
    let counts = (any::<u64>(), any::<u32>(), of(text()));
    let moments = (moment(), moment());
    (
        user_key(),
        names,
        contacts,
        links(),
        (attributes(), proofs(), (mappings(), of(moment()))),
        (counts, moments),
    )
        .prop_map(
            |(
                key,
                (realm, username, email),
                contacts,
                links,
                (attributes, proofs, access),
                (counts, moments),
            )| {
                User {
                    key,
                    revision: Revision::new(counts.0),
                    realm,
                    username: username.map(|(name, key)| Username::restore(name, key)),
                    email: email.map(|(address, key)| Email::restore(address, key)),
                    email_verified: contacts.0,
                    phone: contacts.1.map(Phone::restore),
                    factor_phone: contacts.2.map(Phone::restore),
                    password: contacts.3.map(PasswordHash::new),
                    identities: links.0,
                    credentials: links.1,
                    factors: proofs.0,
                    devices: proofs.1,
                    mappings: Arc::new(access.0),
                    disabled: access.1,
                    attributes,
                    session_epoch: SessionEpoch::new(counts.1),
                    spared_session: counts.2.map(SessionId::new),
                    created: moments.0,
                    modified: moments.1,
                }
            },
        )
        .boxed()
}

fn life() -> impl Strategy<Value = TokenLife> {
    prop_oneof![
        Just(TokenLife::Eternal),
        any::<u64>().prop_map(|millis| TokenLife::Finite(Lifetime::from_millis(millis))),
    ]
}

fn impersonator() -> impl Strategy<Value = Impersonator> {
    (user_key(), text(), any::<u32>()).prop_map(|(user, session, epoch)| Impersonator {
        user,
        session: SessionId::new(session),
        epoch: SessionEpoch::new(epoch),
    })
}

/// Any session.
pub fn session() -> impl Strategy<Value = Session> {
    let factor = prop_oneof![
        Just(Factor::Password),
        Just(Factor::Sms),
        Just(Factor::Federated),
        Just(Factor::Email),
        Just(Factor::Totp),
        Just(Factor::Recovery),
        Just(Factor::Passkey),
        Just(Factor::VerifiedPasskey),
    ];
    let factors = prop::collection::vec(factor, 0..4);
    (
        text(),
        token(),
        user_key(),
        any::<u32>(),
        (moment(), life()),
        (
            factors,
            (moment(), of(moment()), of(any::<u64>())),
            (
                of(text()),
                of(0..PLACES.len()),
                of(text()),
                of(federated()),
                of(impersonator()),
            ),
        ),
    )
        .prop_map(
            |(id, token, user, epoch, (created, life), (factors, times, more))| Session {
                id: SessionId::new(id),
                token,
                user,
                epoch: SessionEpoch::new(epoch),
                created,
                life,
                factors,
                proven: times.0,
                last_used: times.1,
                idle: times.2.map(Lifetime::from_millis),
                agent: more.0.as_deref().and_then(Agent::of),
                address: more.1.map(place),
                refresh: more.2.map(RefreshId::new),
                federated: more.3.map(Box::new),
                impersonator: more.4.map(Box::new),
            },
        )
}

/// Any kind of flow, those about accounts elsewhere too.
pub fn every_kind() -> impl Strategy<Value = FlowKind> {
    let elsewhere = prop_oneof![
        Just(FlowKind::Authorization),
        Just(FlowKind::Exchange),
        Just(FlowKind::Join),
        Just(FlowKind::Passkey),
        Just(FlowKind::EnrolTotp),
        Just(FlowKind::MagicLink),
        Just(FlowKind::RevertEmail),
        Just(FlowKind::SetUp),
        Just(FlowKind::Refresh)
    ];
    prop_oneof![kind(), elsewhere]
}

fn federated() -> impl Strategy<Value = FederatedSession> {
    (text(), text(), text(), text()).prop_map(|(entry, identity, index, subject)| FederatedSession {
        entry: EntryName::new(entry),
        identity: IdentityId::new(identity),
        session: ProviderSession { index, subject },
    })
}

fn pending_link() -> BoxedStrategy<PendingLink> {
    (identity(), of(credential()), of(federated()))
        .prop_map(|(identity, credential, session)| PendingLink {
            identity,
            credential,
            session,
        })
        .boxed()
}

/// Fills in what a flow that was just begun leaves empty.
fn filled(
    body: FlowBody,
    link: Option<PendingLink>,
    carry: Option<Sealed>,
    said: Option<String>,
) -> FlowBody {
    match body {
        FlowBody::PendingLogin(mut pending) => {
            pending.link = link.map(Box::new);
            FlowBody::PendingLogin(pending)
        }
        FlowBody::Exchange(mut exchange) => {
            exchange.link = link.map(Box::new);
            FlowBody::Exchange(exchange)
        }
        FlowBody::Join(mut join) => {
            join.link = link.unwrap_or_else(|| join.link.clone());
            join.return_to.clone_from(&said);
            join.code_challenge = said;
            FlowBody::Join(join)
        }
        FlowBody::Authorization(mut begun) => {
            begun.purpose = said.as_ref().map_or(Purpose::LogIn, |user| Purpose::Link {
                user: UserId::new(user),
                session: Token::presented(user).hash(),
            });
            begun.application = said.as_ref().map(ApplicationId::new);
            begun.carry = carry;
            begun.return_to = said;
            FlowBody::Authorization(begun)
        }
        plain => plain,
    }
}

/// Any flow, of anybody or of nobody yet.
pub fn flow() -> impl Strategy<Value = FlowRecord> {
    let begun = (scene(), every_kind()).prop_flat_map(|(scene, kind)| begun(scene, kind));
    let begun = begun.boxed();
    let owner = (text(), of(text()));
    let extra = (of(pending_link()), of(sealed()), of(text()));
    (begun, owner, extra).prop_map(|(begun, (pool, user), (link, carry, said))| FlowRecord {
        pool: PoolName::new(pool),
        user: user.map(UserId::new),
        body: filled(begun.record.body.clone(), link, carry, said),
        ..begun.record
    })
}

/// Any client application.
pub fn application() -> impl Strategy<Value = Application> {
    let key = (prop::sample::select(&KeyType::ALL[..]), token());
    let keys = prop::collection::vec(key.prop_map(|(kind, hash)| ApplicationKey { kind, hash }), 0..5);
    let client = (
        text(),
        text(),
        text(),
        of(sealed()),
        of(text()),
        (moment(), moment()),
    )
        .prop_map(
            |(provider, auth_scheme, client_id, client_secret, callback_url, moments)| {
                ApplicationCredential {
                    provider: ProviderName::new(provider),
                    auth_scheme,
                    client_id,
                    client_secret,
                    callback_url,
                    created: moments.0,
                    modified: moments.1,
                }
            },
        );
    let clients = prop::collection::vec(client, 0..3);
    let rights = (mappings(), of(moment()), details());
    (
        text(),
        any::<u64>(),
        text(),
        keys,
        clients,
        rights,
        (moment(), moment()),
    )
        .prop_map(
            |(id, revision, name, keys, credentials, rights, moments)| Application {
                id: ApplicationId::new(id),
                revision: Revision::new(revision),
                name,
                keys,
                credentials,
                mappings: rights.0,
                disabled: rights.1,
                details: rights.2,
                created: moments.0,
                modified: moments.1,
            },
        )
}

/// Any audit event.
pub fn event() -> impl Strategy<Value = AuditEvent> {
    let kind = prop::sample::select(AuditKind::ALL);
    let actor = prop_oneof![
        Just(Actor::Client),
        Just(Actor::Operator),
        Just(Actor::Server),
        text().prop_map(|id| Actor::Application(ApplicationId::new(id))),
    ];
    (
        moment(),
        kind,
        of(user_key()),
        (actor, of(text()), of(text())),
        of(text()),
    )
        .prop_map(|(at, kind, user, (actor, network, request), detail)| AuditEvent {
            at,
            kind,
            user,
            actor,
            network: network.map(NetworkHash::restore),
            request: request.map(RequestId::new),
            detail,
        })
}

/// Any tombstone.
pub fn tombstone() -> impl Strategy<Value = Tombstone> {
    (token(), of(moment())).prop_map(|(token, until)| Tombstone { token, until })
}

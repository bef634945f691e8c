//! Cases of [`SingleLogout`].

use std::sync::Arc;

use async_trait::async_trait;
use domain::identity::ProviderSession;
use domain::ports::{LogoutHeard, LogoutMessage, LogoutRequested, ProviderError, SingleLogout};
use domain::secret::Secret;
use domain::time::Timestamp;

/// All cases of the port, as tests. `$fixture` makes a `SingleLogoutFixture`.
#[macro_export]
macro_rules! single_logout {
    ($fixture:ident) => {
        $crate::cases!(
            single_logout,
            $fixture,
            [
                a_wish_that_is_signed_is_heard,
                nothing_is_believed_that_is_not_signed,
                a_wish_is_known_again,
                who_leaves_is_led_to_the_provider,
                where_there_is_no_place_for_it_nobody_is_led_away,
                a_wish_is_answered,
                an_answer_is_told_from_a_wish,
            ]
        );
    };
}

/// What a provider says, and what others say in its name.
#[async_trait]
pub trait Partner: Send + Sync {
    /// A new wish that ends the session of [`SingleLogoutFixture::account`], signed.
    async fn wish(&self) -> LogoutMessage;

    /// The provider's answer to a log-out that was begun with `relay` and led to this address.
    async fn answer(&self, url: &str, relay: &str) -> LogoutMessage;

    /// Wishes in which something is wrong: unsigned, signed by somebody else, changed afterwards.
    async fn forged(&self) -> Vec<LogoutMessage>;
}

/// An adapter, and its provider.
pub struct SingleLogoutFixture {
    /// The adapter under test.
    pub port: Arc<dyn SingleLogout>,
    /// The same for a provider that has no place for log-outs.
    pub placeless: Arc<dyn SingleLogout>,
    /// The provider.
    pub partner: Arc<dyn Partner>,
    /// Whom its wishes are about: issuer and subject.
    pub account: (String, String),
    /// The session they end.
    pub session: ProviderSession,
    /// The moment it is.
    pub now: Timestamp,
}

impl SingleLogoutFixture {
    async fn wished(&self, message: &LogoutMessage) -> LogoutRequested {
        match self.port.receive(message).await {
            Ok(LogoutHeard::Requested(requested)) => requested,
            other => panic!("no wish: {other:?}"),
        }
    }
}

pub async fn a_wish_that_is_signed_is_heard(fixture: &SingleLogoutFixture) {
    let wish = fixture.wished(&fixture.partner.wish().await).await;
    assert_eq!((wish.issuer, wish.subject), fixture.account.clone());
    assert!(wish.indexes.is_empty() || wish.indexes.contains(&fixture.session.index));
    assert!(wish.once.until > fixture.now);
}

pub async fn nothing_is_believed_that_is_not_signed(fixture: &SingleLogoutFixture) {
    let forged = fixture.partner.forged().await;
    assert!(forged.len() >= 3);
    for message in forged {
        let heard = fixture.port.receive(&message).await;
        assert!(matches!(heard, Err(ProviderError::Refused { .. })), "{heard:?}");
    }
}

pub async fn a_wish_is_known_again(fixture: &SingleLogoutFixture) {
    let (one, two) = (fixture.partner.wish().await, fixture.partner.wish().await);
    let (first, second) = (fixture.wished(&one).await, fixture.wished(&two).await);
    assert_eq!(fixture.wished(&one).await.once.id, first.once.id);
    assert_ne!(first.once.id, second.once.id);
}

pub async fn who_leaves_is_led_to_the_provider(fixture: &SingleLogoutFixture) {
    let relay = Secret::new("relay-of-this-log-out");
    let begun = fixture.port.begin(&fixture.session, &relay, fixture.now).await;
    let begun = begun.expect("it can be asked").expect("a place to go");
    let carried = begun
        .form
        .iter()
        .flatten()
        .any(|(_, value)| value == relay.expose());
    assert!(carried || begun.url.contains(relay.expose()), "{begun:?}");
}

pub async fn where_there_is_no_place_for_it_nobody_is_led_away(fixture: &SingleLogoutFixture) {
    let relay = Secret::new("relay");
    let begun = fixture
        .placeless
        .begin(&fixture.session, &relay, fixture.now)
        .await;
    assert!(matches!(begun, Ok(None)), "{begun:?}");
}

pub async fn a_wish_is_answered(fixture: &SingleLogoutFixture) {
    let wish = fixture.wished(&fixture.partner.wish().await).await;
    for done in [true, false] {
        let answer = fixture.port.answer(&wish, done, fixture.now).await;
        assert!(matches!(answer, Ok(Some(_))), "{answer:?}");
    }
}

pub async fn an_answer_is_told_from_a_wish(fixture: &SingleLogoutFixture) {
    let relay = Secret::new("relay-of-this-log-out");
    let begun = fixture.port.begin(&fixture.session, &relay, fixture.now).await;
    let begun = begun.expect("it can be asked").expect("a place to go");
    let answer = fixture.partner.answer(&begun.url, relay.expose()).await;
    match fixture.port.receive(&answer).await {
        Ok(LogoutHeard::Answered {
            relay: back,
            complete,
        }) => {
            assert_eq!((back.expose(), complete), (relay.expose(), true));
        }
        other => panic!("no answer: {other:?}"),
    }
}

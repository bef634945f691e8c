//! Cases of [`IdentityProvider`].

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use domain::identity::{ProviderClient, ProviderTokens};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, IdentityProvider,
    ProviderError, ProviderFault as Fault,
};
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};

use crate::counterpart::{Behaviour, Counterpart, Params, application, other_client, own_client, secret_of};
use crate::desk::challenge_of;
use crate::{log, race};

mod ahead;
mod protocol;
mod swap;

pub use protocol::Protocol;

/// All cases of the port, as tests. `$fixture` makes a `ProviderFixture`.
#[macro_export]
macro_rules! identity_provider {
    ($fixture:ident) => {
        $crate::cases!(
            identity_provider,
            $fixture,
            [
                the_person_who_agreed_is_who_arrives,
                an_account_is_the_same_subject_every_time,
                an_equal_id_elsewhere_has_another_issuer,
                people_who_arrive_at_once_are_not_mixed_up,
                the_provider_is_told_what_binds_its_answer,
                the_verifier_is_not_told_before_the_answer,
                an_answer_of_another_authorization_is_refused,
                an_answer_of_another_provider_is_refused,
                an_answer_that_lacks_a_part_is_refused_unasked,
                a_person_who_refuses_is_told_apart,
                a_spent_code_is_refused,
                an_account_without_an_id_is_refused,
                another_client_takes_the_place_of_the_own_one,
                a_provider_that_is_not_there_is_unavailable,
                a_provider_that_does_not_answer_in_time_is_unavailable,
                a_provider_in_trouble_is_unavailable_until_it_is_not,
                an_answer_that_makes_no_sense_is_refused,
                a_refresh_buys_another_access_token,
                what_a_refresh_omits_is_kept,
                a_revoked_grant_is_told_apart,
                a_grant_without_a_refresh_token_is_not_refreshable,
                no_secret_and_no_claim_is_in_an_error_or_in_the_log,
            ]
        );
    };
}

/// An entry, and the provider it is for.
pub struct Entry {
    /// The adapter.
    pub port: Arc<dyn IdentityProvider>,
    /// The provider.
    pub provider: Arc<dyn Counterpart>,
}

/// Two entries for two providers.
pub struct ProviderFixture {
    /// What they speak.
    pub protocol: Protocol,
    /// The adapter under test, with the client [`own_client`]; its provider knows [`application`] too.
    pub here: Entry,
    /// One with [`other_client`], for another provider.
    pub there: Entry,
    /// One for a provider that is not there.
    pub nowhere: Arc<dyn IdentityProvider>,
}

const ANN: &str = "ann-38895958";
const BOB: &str = "bob-38895959";
/// When everything comes back.
pub const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// How long access tokens live, where they die.
const LIFE: Lifetime = Lifetime::from_secs(3600);

/// An authorization that has begun.
struct Begun {
    request: AuthorizationRequest,
    start: AuthorizationStart,
}

impl Begun {
    fn response(&self, params: Params) -> AuthorizationResponse {
        AuthorizationResponse {
            params,
            redirect_uri: self.request.redirect_uri.clone(),
            nonce: self.request.nonce.clone(),
            code_verifier: self.request.code_verifier.clone(),
            carry: self.start.carry.clone(),
            client: self.request.client.clone(),
            now: NOW,
        }
    }
}

fn request(number: usize, client: Option<ProviderClient>) -> AuthorizationRequest {
    let drawn = |kind: &str| Secret::new(format!("{kind}-drawn-for-authorization-number-{number:08}"));
    AuthorizationRequest {
        redirect_uri: "http://localhost:3000/auth/conformance/callback".to_owned(),
        state: drawn("state"),
        nonce: drawn("nonce"),
        code_verifier: drawn("verifier"),
        client,
    }
}

impl Entry {
    async fn begin_as(&self, number: usize, client: Option<ProviderClient>) -> Begun {
        let request = request(number, client);
        let start = self.port.begin(&request).await;
        let start = start.expect("an authorization begins");
        Begun { request, start }
    }

    async fn begin(&self, number: usize) -> Begun {
        self.begin_as(number, None).await
    }

    /// What comes back when somebody agreed.
    async fn agreed(&self, number: usize, person: &str) -> AuthorizationResponse {
        let begun = self.begin(number).await;
        begun.response(self.provider.agree(&begun.start.url, person))
    }

    async fn arrive(&self, number: usize, person: &str) -> Arrival {
        let response = self.agreed(number, person).await;
        let arrival = self.port.complete(&response).await;
        arrival.expect("whoever agreed arrives")
    }

    async fn granted(&self, number: usize) -> ProviderTokens {
        let arrival = self.arrive(number, ANN).await;
        // Of a protocol without tokens any will do: none is refreshed.
        arrival.tokens.unwrap_or_else(|| ProviderTokens {
            access_token: Secret::new("never-handed-out"),
            token_secret: None,
            refresh_token: None,
            token_type: String::new(),
            expires: None,
            scopes: None,
        })
    }

    fn behave(&self, behaviour: Behaviour) {
        self.provider.front().behave(behaviour);
    }
}

impl ProviderFixture {
    /// What stands in no error and in no log.
    fn hidden(&self) -> Vec<String> {
        let both = [&self.here, &self.there];
        let minted = both
            .into_iter()
            .flat_map(|entry| entry.provider.front().handed_out());
        let clients = [own_client(), other_client(), application()];
        let secrets = clients.iter().map(|client| secret_of(client).to_owned());
        let told = ["state-drawn", "nonce-drawn", "verifier-drawn", ANN, BOB];
        let told = told.into_iter().map(str::to_owned);
        minted.chain(secrets).chain(told).collect()
    }

    fn assert_tells_nothing(&self, error: &ProviderError) {
        let told = format!("{error} {error:?}");
        for hidden in self.hidden() {
            assert!(!told.contains(&hidden), "{told}");
        }
    }

    fn refused<T: Debug>(&self, answer: Result<T, ProviderError>, why: &str) -> Fault {
        let error = answer.expect_err(why);
        self.assert_tells_nothing(&error);
        match error {
            ProviderError::Refused { fault, .. } => fault,
            ProviderError::Unavailable(reason) => panic!("{why}: unavailable: {reason}"),
        }
    }

    fn unavailable<T: Debug>(&self, answer: Result<T, ProviderError>, why: &str) {
        let error = answer.expect_err(why);
        self.assert_tells_nothing(&error);
        assert!(matches!(error, ProviderError::Unavailable(_)), "{why}: {error:?}");
    }

    /// Refreshes where that can be; else sees to it that it is refused.
    async fn refresh(&self, tokens: &ProviderTokens) -> Option<Result<ProviderTokens, ProviderError>> {
        let answer = self.here.port.refresh(tokens, None, NOW.plus(LIFE)).await;
        if !self.protocol.refreshes() {
            assert_eq!(self.refused(answer, "nothing to refresh"), Fault::NotRefreshable);
            return None;
        }
        Some(answer)
    }
}

pub async fn the_person_who_agreed_is_who_arrives(fixture: &ProviderFixture) {
    for (number, person) in [ANN, BOB].into_iter().enumerate() {
        let arrival = fixture.here.arrive(number, person).await;
        assert_eq!(arrival.subject, fixture.here.provider.subject_of(person));
        let email = arrival.profile.emails.first().map(|email| email.value.as_str());
        assert_eq!(email, Some(format!("{person}@example.com").as_str()));
        if !fixture.protocol.has_clients() {
            assert_eq!(arrival.tokens, None);
            continue;
        }
        let tokens = arrival.tokens.expect("tokens were handed out");
        let minted = fixture.here.provider.front().handed_out();
        assert!(minted.iter().any(|minted| minted == tokens.access_token.expose()));
        assert!(tokens.expires.is_none_or(|expires| expires == NOW.plus(LIFE)));
    }
}

pub async fn an_account_is_the_same_subject_every_time(fixture: &ProviderFixture) {
    let first = fixture.here.arrive(1, ANN).await;
    let second = fixture.here.arrive(2, ANN).await;
    assert_eq!((&first.issuer, &first.subject), (&second.issuer, &second.subject));
    if fixture.protocol.has_clients() {
        assert_ne!(first.tokens, second.tokens, "two grants");
    }
    assert_ne!(fixture.here.arrive(3, BOB).await.subject, first.subject);
}

pub async fn an_equal_id_elsewhere_has_another_issuer(fixture: &ProviderFixture) {
    let (here, there) = (
        fixture.here.arrive(1, ANN).await,
        fixture.there.arrive(1, ANN).await,
    );
    if fixture.protocol == Protocol::OpenId2 {
        assert_ne!(here.subject, there.subject, "accounts are addresses");
    } else {
        assert_eq!(here.subject, there.subject);
    }
    assert_ne!(here.issuer, there.issuer);
}

pub async fn people_who_arrive_at_once_are_not_mixed_up(fixture: &ProviderFixture) {
    race(16, |number| {
        let (port, provider) = (Arc::clone(&fixture.here.port), Arc::clone(&fixture.here.provider));
        async move {
            let entry = Entry { port, provider };
            let person = format!("person-{number}");
            let subject = entry.provider.subject_of(&person);
            assert_eq!(entry.arrive(number, &person).await.subject, subject);
        }
    })
    .await;
}

pub async fn the_provider_is_told_what_binds_its_answer(fixture: &ProviderFixture) {
    let mut handles = BTreeSet::new();
    for number in 1..=3 {
        let Begun { request, start } = fixture.here.begin(number).await;
        let asked = fixture.here.provider.asked(&start);
        assert_eq!(asked.redirect_uri, request.redirect_uri);
        if fixture.protocol.has_clients() {
            assert_eq!(asked.client_id, own_client().client_id);
        }
        if fixture.protocol == Protocol::OAuth1 {
            let handle = start.handle.expect("something comes back in place of the state");
            assert!(start.url.contains(handle.expose()), "{}", start.url);
            assert!(handles.insert(handle.expose().to_owned()), "each has its own");
            let carry = start.carry.expect("it has a secret");
            assert!(
                !start.url.contains(carry.expose()),
                "which the browser is not told"
            );
            continue;
        }
        assert!(start.handle.is_none() && start.carry.is_none(), "the state does");
        assert_eq!(asked.state.as_deref(), Some(request.state.expose()));
        if fixture.protocol.has_clients() {
            let challenge = challenge_of(request.code_verifier.expose());
            assert_eq!(asked.challenge, Some(challenge));
        }
        if fixture.protocol != Protocol::OAuth2 {
            assert_eq!(asked.nonce.as_deref(), Some(request.nonce.expose()));
        }
    }
}

pub async fn the_verifier_is_not_told_before_the_answer(fixture: &ProviderFixture) {
    let begun = fixture.here.begin(1).await;
    let verifier = begun.request.code_verifier.expose();
    assert!(!begun.start.url.contains(verifier), "{}", begun.start.url);
    let heard = fixture.here.provider.front().heard();
    assert!(heard.iter().all(|heard| !heard.contains(verifier)), "{heard:?}");
}

pub async fn an_answer_of_another_authorization_is_refused(fixture: &ProviderFixture) {
    for (what, swap) in swap::swaps(fixture.protocol) {
        let mut response = fixture.here.agreed(1, ANN).await;
        let other = fixture.here.begin(2).await;
        swap(&mut response, &other);
        fixture.refused(fixture.here.port.complete(&response).await, what);
    }
}

pub async fn an_answer_of_another_provider_is_refused(fixture: &ProviderFixture) {
    let response = fixture.there.agreed(1, ANN).await;
    fixture.refused(fixture.here.port.complete(&response).await, "it is from there");
    let begun = fixture.here.begin(1).await;
    let response = begun.response(response.params);
    fixture.refused(fixture.here.port.complete(&response).await, "its parts are");
}

pub async fn an_answer_that_lacks_a_part_is_refused_unasked(fixture: &ProviderFixture) {
    for part in fixture.protocol.parts() {
        let whole = fixture.here.agreed(1, ANN).await;
        let told = fixture.here.provider.front().heard().len();
        let mut without = whole.clone();
        without.params.retain(|(name, _)| name != part);
        assert!(without.params.len() < whole.params.len(), "{part} was there");
        fixture.refused(fixture.here.port.complete(&without).await, part);
        without.params.push(((*part).to_owned(), String::new()));
        fixture.refused(fixture.here.port.complete(&without).await, part);
        without.params.clear();
        fixture.refused(fixture.here.port.complete(&without).await, "nothing came");
        assert_eq!(
            fixture.here.provider.front().heard().len(),
            told,
            "nobody is asked"
        );
    }
}

pub async fn a_person_who_refuses_is_told_apart(fixture: &ProviderFixture) {
    let begun = fixture.here.begin(1).await;
    let told = fixture.here.provider.front().heard().len();
    let response = begun.response(fixture.here.provider.refuse(&begun.start.url));
    let fault = fixture.refused(fixture.here.port.complete(&response).await, "they said no");
    assert_eq!(fault, fixture.protocol.refusal());
    assert_eq!(
        fixture.here.provider.front().heard().len(),
        told,
        "nobody is asked"
    );
}

pub async fn a_spent_code_is_refused(fixture: &ProviderFixture) {
    let response = fixture.here.agreed(1, ANN).await;
    let first = fixture.here.port.complete(&response).await;
    let first = first.expect("the first time");
    if !fixture.protocol.spends() {
        return ahead::it_is_known_again(fixture, &response, &first).await;
    }
    for _ in 0..2 {
        fixture.refused(fixture.here.port.complete(&response).await, "it is spent");
    }
}

pub async fn an_account_without_an_id_is_refused(fixture: &ProviderFixture) {
    // Where the browser brings the id along, the account has to be without one before.
    if fixture.protocol.browser_brings_the_id() {
        fixture.here.behave(Behaviour::Anonymous);
    }
    let response = fixture.here.agreed(1, ANN).await;
    fixture.here.behave(Behaviour::Anonymous);
    let fault = fixture.refused(fixture.here.port.complete(&response).await, "who?");
    assert_eq!(fault, fixture.protocol.nobody());
}

pub async fn another_client_takes_the_place_of_the_own_one(fixture: &ProviderFixture) {
    let here = &fixture.here;
    if !fixture.protocol.has_clients() {
        let began = here.port.begin(&request(1, Some(application()))).await;
        assert_eq!(fixture.refused(began, "no clients"), Fault::ClientRefused);
        let mut response = here.agreed(1, ANN).await;
        response.client = Some(application());
        let arrived = here.port.complete(&response).await;
        assert_eq!(fixture.refused(arrived, "no clients"), Fault::ClientRefused);
        return;
    }
    let begin = || here.begin_as(1, Some(application()));
    let begun = begin().await;
    let asked = here.provider.asked(&begun.start);
    assert_eq!(asked.client_id, application().client_id);
    let response = begun.response(here.provider.agree(&begun.start.url, ANN));
    let arrival = here.port.complete(&response).await.expect("the application's");
    assert_eq!(arrival.subject, ANN);

    let pretended = ProviderClient {
        client_secret: own_client().client_secret,
        ..application()
    };
    let unproven = ProviderClient {
        client_secret: None,
        ..application()
    };
    for wrong in [None, Some(pretended), Some(unproven)] {
        let begun = begin().await;
        let mut response = begun.response(here.provider.agree(&begun.start.url, ANN));
        response.client = wrong;
        fixture.refused(here.port.complete(&response).await, "not by that client");
    }

    let tokens = arrival.tokens.expect("tokens were handed out");
    if fixture.protocol.refreshes() {
        let fresh = here.port.refresh(&tokens, Some(application()), NOW).await;
        let fresh = fresh.expect("the application's");
        let answer = here.port.refresh(&fresh, None, NOW).await;
        fixture.refused(answer, "not by the own client");
    }
}

pub async fn a_provider_that_is_not_there_is_unavailable(fixture: &ProviderFixture) {
    let nowhere = &fixture.nowhere;
    // Some protocols need nobody in order to begin.
    if let Err(error) = nowhere.begin(&request(1, None)).await {
        fixture.unavailable::<()>(Err(error), "nobody is there");
    }
    let response = fixture.here.agreed(1, ANN).await;
    fixture.unavailable(nowhere.complete(&response).await, "nobody is there");
    if fixture.protocol.refreshes() {
        let tokens = fixture.here.granted(2).await;
        fixture.unavailable(nowhere.refresh(&tokens, None, NOW).await, "nobody is there");
    }
}

pub async fn a_provider_that_does_not_answer_in_time_is_unavailable(fixture: &ProviderFixture) {
    if !fixture.protocol.asks_when_answered() {
        return ahead::only_who_begins_notices(fixture, Behaviour::Late).await;
    }
    let (response, tokens) = (fixture.here.agreed(1, ANN).await, fixture.here.granted(2).await);
    fixture.here.behave(Behaviour::Late);
    fixture.unavailable(fixture.here.port.complete(&response).await, "late");
    if let Some(answer) = fixture.refresh(&tokens).await {
        fixture.unavailable(answer, "late");
    }
}

pub async fn a_provider_in_trouble_is_unavailable_until_it_is_not(fixture: &ProviderFixture) {
    let page = "<html>We are sorry</html>";
    for behaviour in [
        Behaviour::HangsUp,
        Behaviour::Says(500, page),
        Behaviour::Says(502, ""),
        Behaviour::Says(503, "{}"),
        Behaviour::Says(429, page),
    ] {
        if !fixture.protocol.asks_when_answered() {
            ahead::only_who_begins_notices(fixture, behaviour).await;
            continue;
        }
        let why = format!("{behaviour:?}");
        let (response, tokens) = (fixture.here.agreed(1, ANN).await, fixture.here.granted(2).await);
        fixture.here.behave(behaviour);
        fixture.unavailable(fixture.here.port.complete(&response).await, &why);
        if let Some(answer) = fixture.refresh(&tokens).await {
            fixture.unavailable(answer, &why);
        }
        fixture.here.behave(Behaviour::Well);
        let arrival = fixture.here.port.complete(&response).await;
        let subject = fixture.here.provider.subject_of(ANN);
        assert_eq!(arrival.expect("it is well again").subject, subject);
    }
    if !fixture.protocol.asks_when_answered() {
        ahead::it_is_well_again(fixture).await;
    }
}

pub async fn an_answer_that_makes_no_sense_is_refused(fixture: &ProviderFixture) {
    // Neither is spent: nobody looks at them.
    let response = fixture.here.agreed(1, ANN).await;
    let tokens = fixture.here.granted(2).await;
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "\"text\"",
        "{\"access_token\":",
        "{\"access_token\":\"\"}",
        "{\"access_token\":7}",
        "oauth_token=&oauth_token_secret=",
        "oauth_token=one&oauth_token=two",
        "<html>Log in here</html>",
        "\u{0}\u{1}\u{1f600}",
    ] {
        if !fixture.protocol.asks_when_answered() {
            ahead::nonsense_is_no_metadata(fixture, &response, body).await;
            continue;
        }
        for status in [200, 400, 403, 302] {
            fixture.here.behave(Behaviour::Says(status, body));
            fixture.refused(fixture.here.port.complete(&response).await, body);
            if let Some(answer) = fixture.refresh(&tokens).await {
                fixture.refused(answer, body);
            }
        }
    }
}

pub async fn a_refresh_buys_another_access_token(fixture: &ProviderFixture) {
    let mut tokens = fixture.here.granted(1).await;
    for _ in 0..3 {
        let Some(fresh) = fixture.refresh(&tokens).await else {
            return;
        };
        let fresh = fresh.expect("it is refreshed");
        assert_ne!(fresh.access_token, tokens.access_token);
        let rotated = fresh.refresh_token.is_some() && fresh.refresh_token != tokens.refresh_token;
        assert!(rotated, "the newest refresh token is the one that is kept");
        assert_eq!(
            fresh.expires,
            Some(NOW.plus(LIFE).plus(LIFE)),
            "from the given moment"
        );
        assert_eq!(fresh.scopes, Some(vec!["email".to_owned(), "profile".to_owned()]));
        tokens = fresh;
    }
}

pub async fn what_a_refresh_omits_is_kept(fixture: &ProviderFixture) {
    let mut tokens = fixture.here.granted(1).await;
    fixture.here.behave(Behaviour::Terse);
    for _ in 0..3 {
        let Some(fresh) = fixture.refresh(&tokens).await else {
            return;
        };
        let fresh = fresh.expect("it is refreshed");
        assert_ne!(fresh.access_token, tokens.access_token);
        assert!(fresh.refresh_token.is_some());
        assert_eq!(fresh.refresh_token, tokens.refresh_token);
        assert_eq!(fresh.scopes, tokens.scopes);
        tokens = fresh;
    }
}

pub async fn a_revoked_grant_is_told_apart(fixture: &ProviderFixture) {
    let tokens = fixture.here.granted(1).await;
    fixture.here.provider.revoke();
    for _ in 0..2 {
        if let Some(answer) = fixture.refresh(&tokens).await {
            let fault = fixture.refused(answer, "it is revoked");
            assert_eq!(fault, Fault::GrantRevoked);
        }
    }
}

pub async fn a_grant_without_a_refresh_token_is_not_refreshable(fixture: &ProviderFixture) {
    fixture.here.behave(Behaviour::Terse);
    let tokens = fixture.here.granted(1).await;
    assert_eq!(tokens.refresh_token, None);
    let told = fixture.here.provider.front().heard().len();
    for client in [None, Some(application())] {
        let answer = fixture.here.port.refresh(&tokens, client, NOW).await;
        assert_eq!(fixture.refused(answer, "by what?"), Fault::NotRefreshable);
    }
    assert_eq!(
        fixture.here.provider.front().heard().len(),
        told,
        "nobody is asked"
    );
}

pub async fn no_secret_and_no_claim_is_in_an_error_or_in_the_log(fixture: &ProviderFixture) {
    log::listen();
    for behaviour in [
        Behaviour::Well,
        Behaviour::Echoes,
        Behaviour::HangsUp,
        Behaviour::Says(200, "{}"),
        Behaviour::Says(500, ""),
        Behaviour::Anonymous,
    ] {
        let response = fixture.here.agreed(1, ANN).await;
        let tokens = fixture.here.granted(2).await;
        fixture.here.behave(behaviour);
        let begun = fixture.here.port.begin(&request(3, None)).await.err();
        let arrived = fixture.here.port.complete(&response).await.err();
        let client = Some(application());
        let refreshed = fixture.here.port.refresh(&tokens, client, NOW).await.err();
        for error in [begun, arrived, refreshed].into_iter().flatten() {
            fixture.assert_tells_nothing(&error);
        }
        fixture.here.behave(Behaviour::Well);
    }
    for hidden in fixture.hidden() {
        assert!(!log::holds(&hidden), "{hidden} is logged");
    }
}

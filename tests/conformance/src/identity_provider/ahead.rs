//! Of a protocol whose provider is asked before somebody leaves, and never when they come back.

use domain::ports::{Arrival, AuthorizationResponse};

use super::{ANN, Behaviour, Fault, ProviderFixture, request};

/// What came twice is told by its `once`, which another authorization does not share.
pub(super) async fn it_is_known_again(
    fixture: &ProviderFixture,
    response: &AuthorizationResponse,
    first: &Arrival,
) {
    let once = first.once.as_ref().expect("it counts once");
    assert!(once.until > response.now, "and is remembered");
    let again = fixture.here.port.complete(response).await;
    let again = again.expect("nobody but the core knows").once;
    assert_eq!(again.map(|again| again.id), Some(once.id.clone()));
    let other = fixture.here.arrive(2, ANN).await.once;
    assert_ne!(other.map(|other| other.id), Some(once.id.clone()));
}

/// Who was sent off before arrives; an entry that was never told anything sends nobody off.
pub(super) async fn only_who_begins_notices(fixture: &ProviderFixture, behaviour: Behaviour) {
    fixture.here.behave(Behaviour::Well);
    let response = fixture.here.agreed(1, ANN).await;
    fixture.here.behave(behaviour);
    let arrival = fixture.here.port.complete(&response).await;
    assert_eq!(
        arrival.expect("nobody is asked").subject,
        fixture.here.provider.subject_of(ANN)
    );
    fixture.there.behave(behaviour);
    let told = fixture.there.provider.front().heard().len();
    let begun = fixture.there.port.begin(&request(2, None)).await;
    fixture.unavailable(begun, &format!("{behaviour:?}"));
    assert!(
        fixture.there.provider.front().heard().len() > told,
        "it was asked"
    );
}

/// A failure is not remembered by an entry that knows nothing yet.
pub(super) async fn it_is_well_again(fixture: &ProviderFixture) {
    fixture.there.behave(Behaviour::Well);
    let subject = fixture.there.provider.subject_of(ANN);
    assert_eq!(fixture.there.arrive(3, ANN).await.subject, subject);
}

/// Neither the provider nor the browser is believed.
pub(super) async fn nonsense_is_no_metadata(
    fixture: &ProviderFixture,
    response: &AuthorizationResponse,
    body: &'static str,
) {
    fixture.there.behave(Behaviour::Says(200, body));
    let begun = fixture.there.port.begin(&request(2, None)).await;
    assert_eq!(fixture.refused(begun, body), Fault::MetadataInvalid);
    for status in [400, 403, 302] {
        fixture.there.behave(Behaviour::Says(status, body));
        let begun = fixture.there.port.begin(&request(2, None)).await;
        fixture.unavailable(begun, body);
    }
    let mut brought = response.clone();
    for (_, value) in &mut brought.params {
        body.clone_into(value);
    }
    fixture.refused(fixture.here.port.complete(&brought).await, body);
}

//! A source that is followed: what is new, changed or gone there, and what was changed here meanwhile.

use domain::user::Attributes;

use super::*;

/// A source of a few records, which can be read at any time.
#[derive(Clone, Default)]
struct There {
    access: Option<AccessState>,
    users: Vec<User>,
    applications: Vec<Application>,
    sessions: Vec<Session>,
}

impl There {
    fn some() -> Self {
        let users: Vec<User> = ["ann", "ben", "carl"]
            .into_iter()
            .map(|name| sample::with_email(name, &format!("{name}@example.com")))
            .collect();
        Self {
            access: None,
            sessions: users
                .iter()
                .map(|user| session_of(user, user.key.id.as_str()))
                .collect(),
            applications: vec![sample::application("shop")],
            users,
        }
    }

    fn file(&self) -> String {
        let mut sink = Sink::begin(Vec::new(), &header()).unwrap();
        let access = self.access.iter().cloned().map(Record::Access);
        let users = self
            .users
            .iter()
            .cloned()
            .map(|user| Record::User(Box::new(user)));
        let applications = self.applications.iter().cloned().map(Record::Application);
        let sessions = self.sessions.iter().cloned().map(Record::Session);
        for record in access.chain(users).chain(applications).chain(sessions) {
            sink.record(&record).unwrap();
        }
        let (bytes, _) = sink.finish().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Taken over as a whole, and followed from now on.
    async fn taken(&self, place: &Place) -> Followed {
        let file = self.file();
        let (report, _) = place.import(&file, Way::WriteFirst).await;
        assert_eq!(report.conflicts, 0, "{report:?}");
        Followed::since(&mut reading(&file)).unwrap()
    }

    async fn again(&self, place: &Place, followed: &mut Followed) -> Round {
        let mut reading = reading(&self.file());
        followed.again(&place.stores, &mut reading, true).await.unwrap()
    }
}

fn coloured(user: &User, colour: &str) -> User {
    let colour = json!({ "colour": colour });
    User {
        attributes: Attributes::restore(colour.as_object().unwrap().clone()),
        ..user.clone()
    }
}

async fn stored(place: &Place, user: &User) -> Option<User> {
    place.stores.users.find(&user.key).await.unwrap()
}

fn amounts(round: &Round) -> (u64, u64, u64, u64) {
    (round.new, round.changed, round.gone, round.conflicts)
}

#[tokio::test]
async fn what_happens_there_happens_here() {
    for place in [in_memory(), on_disk()] {
        let mut there = There::some();
        let mut followed = there.taken(&place).await;
        assert_eq!(amounts(&there.again(&place, &mut followed).await), (0, 0, 0, 0));

        let dora = sample::with_email("dora", "dora@example.com");
        there.users.push(dora.clone());
        there.sessions.push(session_of(&dora, "dora"));
        there.users[0] = coloured(&there.users[0], "green");
        there.applications[0].name = "store".to_owned();
        there.access = Some(full());
        let ended = there.sessions.remove(1);
        assert_eq!(amounts(&there.again(&place, &mut followed).await), (3, 2, 1, 0));
        let ann = stored(&place, &there.users[0]).await.unwrap();
        assert_eq!(ann.attributes, there.users[0].attributes);
        assert_eq!(stored(&place, &dora).await, Some(dora));
        assert_eq!(place.sessions().find(&ended.token).await.unwrap(), None);
        assert_eq!(amounts(&there.again(&place, &mut followed).await), (0, 0, 0, 0));

        // Changed again: what was put here last is what counts.
        there.users[0] = coloured(&there.users[0], "blue");
        let carl = there.users.remove(2);
        there.sessions.retain(|session| session.user != carl.key);
        there.access = None;
        assert_eq!(amounts(&there.again(&place, &mut followed).await), (0, 1, 3, 0));
        assert_eq!(stored(&place, &carl).await, None);
        let access = place
            .stores
            .access
            .read_access(None)
            .await
            .unwrap()
            .unwrap_or_default();
        assert!(access.roles.is_empty() && access.rows.is_empty());

        // A plain import of the same source finds it all there.
        let (report, verified) = place.import(&there.file(), Way::WriteFirst).await;
        assert_eq!((report.new, report.conflicts), (0, 0), "{report:?}");
        assert!(verified.is_complete(&checked(&there.file()).unwrap()));
    }
}

#[tokio::test]
async fn who_was_changed_here_stays_as_they_are_and_is_told_once() {
    let place = on_disk();
    let mut there = There::some();
    let mut followed = there.taken(&place).await;
    for user in &there.users[..2] {
        let mut here = coloured(user, "white");
        here.revision = user.revision.next();
        place.stores.users.commit(&here, user.revision).await.unwrap();
    }
    there.users[0] = coloured(&there.users[0], "green");
    let ben = there.users.remove(1);
    let round = there.again(&place, &mut followed).await;
    assert_eq!(amounts(&round), (0, 0, 0, 2), "{round:?}");
    assert!(
        round
            .examples
            .iter()
            .all(|example| example.contains("changed here"))
    );
    for user in [&there.users[0], &ben] {
        let here = stored(&place, user).await.unwrap();
        assert_eq!(here.attributes.as_map()["colour"], "white");
    }
    assert_eq!(amounts(&there.again(&place, &mut followed).await), (0, 0, 0, 0));
}

#[tokio::test]
async fn what_could_not_be_read_is_not_taken_for_gone() {
    let place = on_disk();
    let mut there = There::some();
    let mut followed = there.taken(&place).await;
    let left_out = there.users.remove(0);
    let mut file = reading(&there.file());
    let round = followed.again(&place.stores, &mut file, false).await.unwrap();
    assert_eq!(amounts(&round), (0, 0, 0, 1), "{round:?}");
    assert!(stored(&place, &left_out).await.is_some());
    let round = there.again(&place, &mut followed).await;
    assert_eq!(
        amounts(&round),
        (0, 0, 1, 0),
        "whole again, and still not there: {round:?}"
    );
    assert!(stored(&place, &left_out).await.is_none());
}

#[tokio::test]
async fn a_source_that_is_suddenly_empty_empties_nothing() {
    let place = on_disk();
    let there = There {
        users: (0..120)
            .map(|number| sample::with_email(&format!("u{number}"), &format!("u{number}@example.com")))
            .collect(),
        ..There::default()
    };
    let mut followed = there.taken(&place).await;
    let round = There::default().again(&place, &mut followed).await;
    assert_eq!(amounts(&round), (0, 0, 0, 1), "{round:?}");
    assert!(round.examples[0].contains("accident"), "{round:?}");
    assert!(stored(&place, &there.users[7]).await.is_some());
    assert_eq!(amounts(&there.again(&place, &mut followed).await), (0, 0, 0, 0));
}

#[tokio::test]
async fn what_is_in_the_way_of_somebody_new_is_asked_for_again() {
    let place = on_disk();
    let mut there = There::some();
    let mut followed = there.taken(&place).await;
    let here = sample::with_email("here", "dora@example.com");
    place.stores.users.create(&here).await.unwrap();
    there.users.push(sample::with_email("dora", "dora@example.com"));
    for _ in 0..2 {
        let round = there.again(&place, &mut followed).await;
        assert_eq!(amounts(&round), (0, 0, 0, 1), "{round:?}");
        assert!(round.examples[0].contains("e-mail address"), "{round:?}");
    }
    place.stores.users.delete(&here.key, here.revision).await.unwrap();
    assert_eq!(amounts(&there.again(&place, &mut followed).await), (1, 0, 0, 0));
}

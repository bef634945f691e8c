//! The laws of every flow, on random moves: the model says what must come of a move, the services do it.
#![cfg(test)]

use domain::audit::AuditKind;
use properties::agreement::assert_agreement;
use properties::cases;
use properties::model::Model;
use properties::moves::{Made, Move, Outcome};
use properties::reference::Reference;
use properties::system::{System, unlimited};
use proptest_state_machine::{StateMachineTest, prop_state_machine};

struct Services;

impl StateMachineTest for Services {
    type SystemUnderTest = System;
    type Reference = Reference;

    fn init_test(model: &Model) -> System {
        System::new(&model.rules, unlimited())
    }

    fn apply(mut system: System, model: &Model, made: Made) -> System {
        let before = system.world.contents().clone();
        let outcome = system.make(&made);
        assert_eq!(outcome, model.expected, "{made:?}");
        let once = !matches!(
            made.what,
            Move::TypeCode { times: 2.., .. } | Move::TypeNumberCode { times: 2.., .. }
        );
        let after = system.world.contents().clone();
        if outcome == Outcome::Denied("LoginFailed") && matches!(made.what, Move::LogIn { .. }) {
            assert_eq!(after.compared, before.compared + 1, "it costs one comparison");
            // A right password of an old hash is hashed again, also where an unverified address must not show.
            let silent = model.rules.verification && model.rules.hide_existing;
            assert!(silent || after.hashed == before.hashed, "and no hash");
            assert_eq!(after.audited_since(before.audit.len()), [AuditKind::LoginFailed]);
        }
        if once && matches!(outcome, Outcome::Denied(_)) {
            assert_eq!(after.users, before.users, "a refusal changes nobody");
            assert_eq!(after.sms.len(), before.sms.len(), "a refusal sends nothing");
            assert_eq!(after.mails.len(), before.mails.len(), "a refusal mails nothing");
        }
        system
    }

    fn check_invariants(system: &System, model: &Model) {
        assert_agreement(system, model);
    }
}

prop_state_machine! {
    #![proptest_config(cases(400))]

    /// Whatever people do, in whatever order: what comes of it is what they proved.
    #[test]
    fn what_comes_of_a_move_is_what_was_proven(sequential 1..60 => Services);
}

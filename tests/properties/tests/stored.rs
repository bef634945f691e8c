//! State survives its stored form.
#![cfg(test)]

use domain::flow_record::{FlowBody, FlowKind};
use domain::session::{Factor, TokenLife};
use domain::time::Lifetime;
use properties::cases;
use properties::scenes::{begun, kind, scene};
use proptest::prelude::*;
use serde_json::Value;

/// Any kind of flow, those about accounts elsewhere too.
fn every_kind() -> impl Strategy<Value = FlowKind> {
    let elsewhere = prop_oneof![
        Just(FlowKind::Authorization),
        Just(FlowKind::Exchange),
        Just(FlowKind::Join)
    ];
    prop_oneof![kind(), elsewhere]
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_flow_reads_back_as_it_was_written(
        begun in (scene(), every_kind()).prop_flat_map(|(scene, kind)| begun(scene, kind)),
    ) {
        let body = &begun.record.body;
        let text = serde_json::to_string(body)?;
        prop_assert_eq!(&serde_json::from_str::<FlowBody>(&text)?, body);
        prop_assert!(!text.contains(begun.digits.expose()), "a code is stored in clear");
        let stored: Value = serde_json::from_str(&text)?;
        prop_assert_eq!(stored.get("kind").and_then(Value::as_str), Some(begun.record.kind().name()));
    }

    #[test]
    fn a_flow_of_a_newer_server_reads_without_what_it_added(
        begun in (scene(), every_kind()).prop_flat_map(|(scene, kind)| begun(scene, kind)),
    ) {
        let mut stored = serde_json::to_value(&begun.record.body)?;
        if let Some(fields) = stored.as_object_mut() {
            fields.insert("added_later".to_owned(), Value::from(true));
        }
        prop_assert_eq!(serde_json::from_value::<FlowBody>(stored)?, begun.record.body);
    }

    #[test]
    fn anything_else_is_no_flow(text in any::<String>()) {
        prop_assert!(serde_json::from_str::<FlowBody>(&text).is_err());
    }

    #[test]
    fn a_life_reads_back(millis in any::<u64>(), eternal in any::<bool>()) {
        let life = if eternal { TokenLife::Eternal } else { TokenLife::Finite(Lifetime::from_millis(millis)) };
        let text = serde_json::to_string(&life)?;
        prop_assert_eq!(serde_json::from_str::<TokenLife>(&text)?, life);
    }
}

#[test]
fn factors_are_stored_by_their_registered_names() {
    for factor in [Factor::Password, Factor::Sms] {
        let stored = serde_json::to_value(factor).expect("a factor is plain data");
        assert_eq!(stored, Value::from(factor.name()));
    }
}

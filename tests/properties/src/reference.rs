//! The model as the reference of a state machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use crate::model::Model;
use crate::moves::Made;
use crate::strategies;

/// Tells the strategy that a move was made: it drops the others first when it looks for a shorter story.
pub fn seen(counter: Option<&Arc<AtomicUsize>>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

/// Random rules, random moves.
pub struct Reference;

impl ReferenceStateMachine for Reference {
    type State = Model;
    type Transition = Made;

    fn init_state() -> BoxedStrategy<Model> {
        strategies::rules().prop_map(Model::new).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Made> {
        strategies::made(model)
    }

    fn apply(mut model: Model, made: &Made) -> Model {
        model.make(made, true);
        model
    }
}

//! What a browser finds on the machine it runs on.

use serde_json::{Value, json};

/// What one window has that others have not.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Environment variables of the driver, which its Chromium inherits.
    pub variables: Vec<(String, String)>,
    /// Further arguments of Chromium, each with its dashes.
    pub arguments: Vec<String>,
}

impl Surroundings {
    /// With an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With an argument of Chromium.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Adds the arguments to those that every Chromium gets.
    pub(crate) fn add_to(&self, capabilities: &mut Value) {
        let place = capabilities.pointer_mut("/goog:chromeOptions/args");
        if let Some(all) = place.and_then(Value::as_array_mut) {
            all.extend(self.arguments.iter().map(|argument| json!(argument)));
        }
    }
}

//! What chromedriver knows and fantoccini does not: virtual authenticators, and the browser's own tools.

use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::Browser;

#[derive(Debug)]
struct Command {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (self.method.clone(), self.body.as_ref().map(Value::to_string))
    }
}

impl Browser {
    /// A command of the driver.
    ///
    /// # Panics
    /// When it is refused.
    pub(crate) async fn drive(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let path = path.to_owned();
        let done = self.page.issue_cmd(Command { method, path, body }).await;
        done.expect("a command of the driver")
    }

    /// A command of the browser's own tools, as the Chrome DevTools Protocol names it.
    ///
    /// # Panics
    /// When it is refused.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.drive(Method::POST, "goog/cdp/execute", Some(body)).await
    }

    /// Runs a script before those of every page that comes; how to stop that.
    ///
    /// # Panics
    /// When the browser does not take it.
    pub async fn before_pages(&self, script: &str) -> Value {
        let source = json!({"source": script});
        let made = self
            .devtools("Page.addScriptToEvaluateOnNewDocument", source)
            .await;
        made.get("identifier").expect("its name").clone()
    }

    /// Runs a script of [`Browser::before_pages`] no more.
    ///
    /// # Panics
    /// When there is no such script.
    pub async fn no_more_of(&self, script: Value) {
        let named = json!({"identifier": script});
        self.devtools("Page.removeScriptToEvaluateOnNewDocument", named)
            .await;
    }
}

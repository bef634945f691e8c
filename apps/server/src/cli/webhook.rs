//! `portcullis webhook …`

use clap::{Args, Subcommand};
use domain::id::MessageId;
use domain::ports::{Clock as _, Delivery, EntropySource as _};
use domain::webhook::trial;
use serde_json::{Value, json};

use super::Said;
use super::table::{plain, table};
use crate::adapters;
use crate::config::{Config, Secret, Webhook};
use crate::serve::Fault;

/// `portcullis webhook`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct WebhookArgs {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum Verb {
    /// List the services that hear what happens to users, and what each hears
    List,
    /// Send a signed event of the type `webhook.test` now, and tell what the service said
    Test {
        /// The webhook's name in the configuration
        name: String,
    },
}

impl WebhookArgs {
    /// Does it, and says what came of it.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        match &self.verb {
            Verb::List => self.list(&config.webhooks),
            Verb::Test { name } => self.test(config, name).await,
        }
    }

    fn list(&self, webhooks: &[Webhook]) -> Result<Said, Fault> {
        if self.json {
            return Ok(Said::json(&webhooks.iter().map(view).collect::<Vec<_>>())?);
        }
        let row = |webhook: &Webhook| {
            [
                webhook.name.clone(),
                shown(&webhook.url),
                webhook.pool.clone().unwrap_or_else(|| "all".to_owned()),
                webhook.events.join(" "),
            ]
        };
        let rows: Vec<_> = webhooks.iter().map(row).collect();
        Ok(Said::printed(table(["NAME", "URL", "POOL", "EVENTS"], &rows)))
    }

    async fn test(&self, config: &Config, name: &str) -> Result<Said, Fault> {
        let known = config.webhooks.iter().find(|webhook| webhook.name == name);
        let (Some(webhook), Some(sender)) = (known, adapters::open_webhooks(config)?) else {
            let names: Vec<&str> = config
                .webhooks
                .iter()
                .map(|webhook| webhook.name.as_str())
                .collect();
            let have = if names.is_empty() {
                "none is configured".to_owned()
            } else {
                format!("there is {}", names.join(", "))
            };
            return Err(format!("no webhook is called `{}`: {have}", plain(name)).into());
        };
        let now = system::SystemClock.now();
        let id = MessageId::draw(now, system::SystemEntropy.open().as_mut());
        let told = match sender.send(&id, &trial(&webhook.name, now)).await? {
            Delivery::Sent => {
                if self.json {
                    return Ok(Said::json(
                        &json!({ "webhook": name, "id": id.as_str(), "taken": true }),
                    )?);
                }
                return Ok(Said::printed(format!("{name} took {id}")));
            }
            Delivery::Unknown => "gave no whole answer in time",
            Delivery::NotNow { reason, .. }
            | Delivery::Unreachable { reason }
            | Delivery::Refused { reason } => reason,
        };
        Err(format!("{name} did not take {id}: {told}").into())
    }
}

/// Where it is, no more: some services are known by a secret in the path.
fn shown(url: &Secret) -> String {
    let parsed = url::Url::parse(url.expose());
    parsed.map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
}

fn view(webhook: &Webhook) -> Value {
    json!({
        "name": webhook.name,
        "url": shown(&webhook.url),
        "pool": webhook.pool,
        "events": webhook.events,
        "exchangesSecret": webhook.former_secret.is_some(),
    })
}

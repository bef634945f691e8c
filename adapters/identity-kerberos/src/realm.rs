use async_trait::async_trait;
use domain::ports::{
    Arrival, DirectoryAttempt, Negotiated, Negotiator, Once, PasswordDirectory, ProviderError, ProviderFault,
};
use domain::time::{Lifetime, Timestamp};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::offer::{self, Unfit};
use crate::pool::Pool;
use crate::rules::Rules;
use crate::wire::{Answer, Question};
use crate::{KerberosConfig, KerberosConfigError, fault};

/// For clocks of our own nodes that differ, on top of those that Kerberos forgives.
const MARGIN: Lifetime = Lifetime::from_secs(60);

/// A Kerberos realm whose people log in by ticket or by password.
pub struct KerberosRealm {
    rules: Rules,
    /// Apart from each other: a KDC that does not answer keeps those waiting who type passwords, not those who have tickets.
    tickets: Pool,
    passwords: Pool,
    allow_passwords: bool,
    clock_skew: Lifetime,
}

/// What a worker found out.
struct Taken {
    person: String,
    service: String,
    until: Timestamp,
    reply: Option<Vec<u8>>,
}

impl KerberosRealm {
    /// A realm as it is configured. Asks nobody yet; no process is started.
    pub fn new(config: &KerberosConfig) -> Result<Self, KerberosConfigError> {
        Ok(Self {
            rules: Rules::of(config)?,
            tickets: Pool::new(config),
            passwords: Pool::new(config),
            allow_passwords: config.allow_passwords,
            clock_skew: config.clock_skew,
        })
    }

    async fn ask(pool: &Pool, question: Question) -> Result<Taken, ProviderError> {
        match pool.ask(question).await? {
            Answer::Taken {
                person,
                service,
                until,
                reply,
            } => Ok(Taken {
                person,
                service,
                until: Timestamp::from_millis(until),
                reply,
            }),
            Answer::Failed { stage, major, minor } => Err(fault::of(stage, major, minor)),
            Answer::Keys => Err(out_of_turn()),
        }
    }

    /// As long as the authenticator could be taken: its time may be as much ahead of us now as behind us then.
    fn once(&self, authenticator: &[u8], now: Timestamp) -> Once {
        let digest = Sha256::digest(authenticator);
        Once {
            id: hex(&digest),
            until: now.plus(self.clock_skew).plus(self.clock_skew).plus(MARGIN),
        }
    }
}

fn hex(octets: &[u8]) -> String {
    let digits = octets.iter().flat_map(|octet| [octet >> 4, octet & 0xf]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

fn out_of_turn() -> ProviderError {
    ProviderError::Unavailable("the Kerberos worker answers something else".to_owned())
}

fn unfit(why: Unfit) -> ProviderError {
    match why {
        Unfit::Ntlm => ProviderError::refused(ProviderFault::NtlmRefused, "the browser offers NTLM"),
        Unfit::Malformed(what) => ProviderError::refused(ProviderFault::TicketMalformed, what),
    }
}

#[async_trait]
impl Negotiator for KerberosRealm {
    async fn accept(&self, token: &[u8], now: Timestamp) -> Result<Negotiated, ProviderError> {
        let offer = offer::read(token).map_err(unfit)?;
        let question = Question::Ticket {
            token: Zeroizing::new(offer.token.to_vec()),
        };
        let found = Self::ask(&self.tickets, question).await?;
        let refused = |detail| ProviderError::refused(ProviderFault::TicketRefused, detail);
        if !self.rules.is_ours(&found.service) {
            return Err(refused("it is for another service of the same keytab"));
        }
        if now > found.until.plus(self.clock_skew) {
            return Err(refused("the ticket is over"));
        }
        let person = self.rules.shown(&found.person)?;
        Ok(Negotiated {
            arrival: Arrival {
                once: Some(self.once(offer.authenticator, now)),
                ..self.rules.arrival(&person)
            },
            reply: offer::answer(offer.mechanism, found.reply.as_deref()),
        })
    }

    /// The worker starts, and there is a key for each of our services in the keytab.
    async fn ready(&self) -> Result<(), ProviderError> {
        for service in self.rules.services() {
            let question = Question::Keys {
                service: service.clone(),
            };
            match self.tickets.ask(question).await? {
                Answer::Keys => {}
                Answer::Failed { stage, major, minor } => {
                    return Err(match fault::of(stage, major, minor) {
                        ProviderError::Unavailable(why) => {
                            ProviderError::Unavailable(format!("{service}: {why}"))
                        }
                        refused @ ProviderError::Refused { .. } => refused,
                    });
                }
                Answer::Taken { .. } => return Err(out_of_turn()),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl PasswordDirectory for KerberosRealm {
    async fn check(&self, attempt: &DirectoryAttempt) -> Result<Arrival, ProviderError> {
        if !self.allow_passwords {
            let detail = "this entry takes tickets alone";
            return Err(ProviderError::refused(ProviderFault::DirectoryRefused, detail));
        }
        let wrong = |detail| ProviderError::refused(ProviderFault::DirectoryPassword, detail);
        let password = attempt.password.expose();
        // To the library an empty password is one it was not given.
        if password.trim().is_empty() || password.contains('\0') {
            return Err(wrong("no password"));
        }
        let person = self
            .rules
            .typed(&attempt.name)
            .ok_or_else(|| wrong("a name that is nobody's here"))?;
        let question = Question::Password {
            person: person.to_string(),
            service: self.rules.service(),
            password: Zeroizing::new(password.as_bytes().to_vec()),
        };
        let taken = Self::ask(&self.passwords, question).await?;
        let proven = taken.service == self.rules.service() && self.rules.shown(&taken.person)? == person;
        if !proven {
            let detail = "the KDC's ticket names somebody else";
            return Err(ProviderError::refused(ProviderFault::KdcUnproven, detail));
        }
        Ok(self.rules.arrival(&person))
    }
}

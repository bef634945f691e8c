//! Carrying a command out, wherever the stores are open.

use domain::error::{Denial, DomainError};

use super::protocol::{Answer, Command};
use super::{Operated, app, audit, keys, role, user};

/// Why a command was not carried out: a sentence for the operator.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(String);

impl Refusal {
    /// A sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl From<DomainError> for Refusal {
    fn from(error: DomainError) -> Self {
        match error {
            DomainError::Denied(Denial::Invalid(faults)) => {
                let faults = faults
                    .iter()
                    .map(|fault| format!("{} {}", fault.property, fault.message));
                Self(faults.collect::<Vec<_>>().join("; "))
            }
            // Operators may know what users may not: a port's error has its cause in it.
            other => Self(other.to_string()),
        }
    }
}

/// Carries a command out.
///
/// # Errors
/// Why not, for whoever asked.
pub async fn execute(command: Command, operated: &Operated) -> Result<Answer, Refusal> {
    match command {
        Command::Keys(command) => keys::execute(command, operated).await.map(Answer::Keys),
        Command::App(command) => app::execute(command, operated).await.map(Answer::App),
        Command::Role(command) => role::execute(command, operated).await.map(Answer::Role),
        Command::User(command) => user::execute(command, operated).await.map(Answer::User),
        Command::Audit(command) => audit::execute(command, operated).await.map(Answer::Audit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::error::Fault;

    #[test]
    fn faults_are_told_one_by_one() {
        let fault = |property| Fault {
            property,
            code: "presence",
            message: "can't be blank",
            value: None,
        };
        let error = DomainError::Denied(Denial::Invalid(vec![fault("name"), fault("provider")]));
        assert_eq!(
            Refusal::from(error).to_string(),
            "name can't be blank; provider can't be blank"
        );
    }
}

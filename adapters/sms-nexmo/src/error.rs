use domain::ports::PortError;
use outbound_http::OutboundError;

/// Why no sender can be made of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NexmoConfigError {
    /// The key is empty, or holds what no key does.
    #[error("the key is empty, or holds what no key does")]
    ApiKey,
    /// The secret is empty, or holds what no secret does.
    #[error("the secret is empty, or holds what no secret does")]
    ApiSecret,
    /// The sender is none.
    #[error("a sender is a number of up to 15 digits, or up to 11 of the letters A to Z, digits and blanks")]
    From,
    /// The gateway's address is none.
    #[error(
        "the gateway's address is an origin, as https://rest.nexmo.com; plain http is for this machine alone"
    )]
    BaseUrl,
}

/// What the end of a call without a whole answer means: an error where certainly nothing was sent, none where nobody knows.
pub fn not_sent(error: OutboundError) -> Option<PortError> {
    match error {
        OutboundError::Connect { .. } => Some(PortError::unavailable(error)),
        // The request was not even made; the next will not be either.
        OutboundError::Config(_) | OutboundError::Address(_) | OutboundError::Plaintext { .. } => {
            Some(PortError::Unavailable {
                source: Box::new(error),
                retry: false,
            })
        }
        OutboundError::TooLarge { .. } | OutboundError::Timeout { .. } | OutboundError::Broken { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_connection_is_certain() {
        let host = || "rest.nexmo.com".to_owned();
        let refused = OutboundError::Connect {
            host: host(),
            reason: "refused".to_owned(),
        };
        assert!(not_sent(refused).unwrap().may_pass());
        for unknown in [
            OutboundError::Timeout { host: host() },
            OutboundError::Broken {
                host: host(),
                reason: "reset".to_owned(),
            },
            OutboundError::TooLarge {
                host: host(),
                limit: 1,
            },
        ] {
            assert!(not_sent(unknown).is_none());
        }
        assert!(
            !not_sent(OutboundError::Plaintext { host: host() })
                .unwrap()
                .may_pass()
        );
    }
}

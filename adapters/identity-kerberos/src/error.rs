use std::path::PathBuf;

/// Why nobody could log in: the configuration will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KerberosConfigError {
    /// A realm is empty, or holds what no realm does.
    #[error("realm: {realm:?} is no realm; it is written like EXAMPLE.COM")]
    Realm {
        /// What is there.
        realm: String,
    },
    /// There is no service, or one that cannot be read.
    #[error("service: {service:?} is no service; it is written like HTTP/login.example.com@EXAMPLE.COM")]
    Service {
        /// What is there.
        service: String,
    },
    /// A path that says another thing in another folder.
    #[error("{field}: {path:?} has to be an absolute path")]
    Relative {
        /// Which field, in the spelling of `providers.json`.
        field: &'static str,
        /// What is there.
        path: PathBuf,
    },
    /// A file that cannot be read.
    #[error(
        "{field}: {path:?} cannot be read ({kind}): it must exist and be readable by the user that the server runs as"
    )]
    Unreadable {
        /// Which field, in the spelling of `providers.json`.
        field: &'static str,
        /// What is there.
        path: PathBuf,
        /// Why.
        kind: std::io::ErrorKind,
    },
    /// Instances or a domain that cannot be part of a name.
    #[error("{field}: {value:?} cannot be part of a name")]
    Part {
        /// Which field, in the spelling of `providers.json`.
        field: &'static str,
        /// What is there.
        value: String,
    },
    /// A number that would let nobody in.
    #[error("{field}: more than nothing is needed")]
    Nothing {
        /// Which field, in the spelling of `providers.json`.
        field: &'static str,
    },
}

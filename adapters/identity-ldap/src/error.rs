/// Why a directory cannot be asked: the configuration will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LdapConfigError {
    /// There is no address.
    #[error("url: a directory needs an address, as in ldaps://ldap.example.com")]
    NoAddress,
    /// An address is none of a directory.
    #[error(
        "url: {0:?} is no address of a directory: ldaps://HOST or ldap://HOST, with nothing behind but a port"
    )]
    Address(String),
    /// Passwords would cross the network in the clear.
    #[error("url: {0:?} sends passwords in the clear: say ldaps://, or set starttls")]
    Plaintext(String),
    /// The authorities cannot be read.
    #[error("tlsOptions.ca: {0}")]
    Authorities(String),
    /// The system's authorities cannot be read.
    #[error("the certificate authorities of this system cannot be used: {0}")]
    System(String),
    /// Something is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A filter is none, or has a place that does not exist.
    #[error("{field}: {text:?} is no filter, or has places in it other than {places}")]
    Filter {
        /// Which.
        field: &'static str,
        /// As it was written.
        text: String,
        /// What may be in braces.
        places: &'static str,
    },
    /// A principal is none.
    #[error(
        "principal: {0:?} needs {{{{username}}}} in it, once, as in uid={{{{username}}}},ou=people,dc=example,dc=com"
    )]
    Principal(String),
    /// The service account has a name and no password: that would be nobody in particular.
    #[error("bindDn and bindCredentials go together, and neither is empty")]
    ServiceAccount,
    /// A distinguished name says where an entry is, not whose it is.
    #[error("the subject cannot be the dn: an entry that moves would be somebody else")]
    Subject,
    /// A limit of none.
    #[error("{0} must be more than nothing")]
    Limit(&'static str),
}

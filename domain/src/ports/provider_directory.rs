use std::sync::Arc;

use super::{IdentityProvider, Negotiator, PasswordDirectory, SingleLogout};
use crate::id::EntryName;
use crate::identity::ProviderEntry;

/// How an entry's people prove who they are.
#[derive(Clone)]
pub enum ProviderAdapter {
    /// They are sent to the provider, and come back.
    Redirect {
        /// Speaks to it.
        provider: Arc<dyn IdentityProvider>,
        /// Ends sessions there and here, where the protocol has that.
        logout: Option<Arc<dyn SingleLogout>>,
    },
    /// They type a name and a password here, and the directory judges them.
    Directory(Arc<dyn PasswordDirectory>),
    /// Their browser shows a ticket by itself.
    Tickets {
        /// Judges it.
        negotiator: Arc<dyn Negotiator>,
        /// Judges a name and a password where the browser has no ticket; none to leave it at tickets.
        passwords: Option<Arc<dyn PasswordDirectory>>,
    },
}

impl ProviderAdapter {
    /// One that people are sent to.
    pub fn redirect(provider: Arc<dyn IdentityProvider>) -> Self {
        Self::Redirect {
            provider,
            logout: None,
        }
    }

    /// Who people are sent to, where they are.
    pub fn provider(&self) -> Option<&Arc<dyn IdentityProvider>> {
        match self {
            Self::Redirect { provider, .. } => Some(provider),
            Self::Directory(_) | Self::Tickets { .. } => None,
        }
    }

    /// Who judges names and passwords, where somebody does.
    pub fn directory(&self) -> Option<&Arc<dyn PasswordDirectory>> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::Tickets { passwords, .. } => passwords.as_ref(),
            Self::Redirect { .. } => None,
        }
    }

    /// Who judges tickets, where somebody does.
    pub fn negotiator(&self) -> Option<&Arc<dyn Negotiator>> {
        match self {
            Self::Tickets { negotiator, .. } => Some(negotiator),
            Self::Redirect { .. } | Self::Directory(_) => None,
        }
    }

    /// Who ends sessions there, where the protocol has that.
    pub fn single_logout(&self) -> Option<&Arc<dyn SingleLogout>> {
        match self {
            Self::Redirect { logout, .. } => logout.as_ref(),
            Self::Directory(_) | Self::Tickets { .. } => None,
        }
    }
}

/// A configured entry and the adapter that speaks to its provider.
#[derive(Clone)]
pub struct ProviderBinding {
    /// The entry.
    pub entry: ProviderEntry,
    /// Its adapter.
    pub adapter: ProviderAdapter,
}

/// Knows the configured entries, as the file has them now.
pub trait ProviderDirectory: Send + Sync {
    /// The entry of that name.
    fn find(&self, name: &EntryName) -> Option<Arc<ProviderBinding>>;

    /// All entries, in the order of the file.
    fn all(&self) -> Vec<Arc<ProviderBinding>>;
}

//! What goes wrong.

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source is not where it is said to be, or is no source.
    #[error("{0}")]
    Source(String),
    /// The models have names that this does not find by itself.
    #[error("{0}")]
    Names(String),
}

impl ImportError {
    /// A source that does not answer. What drivers say of an address may hold its password: `place` never does.
    pub(crate) fn reading(place: &str, error: impl std::fmt::Display) -> Self {
        Self::Source(format!("{place} cannot be read: {error}"))
    }
}

//! The parsers of what strangers send, for those who throw everything at them.

/// An XRDS document; how many services it names.
pub fn xrds(bytes: &[u8]) -> usize {
    crate::xrds::parse(bytes).map_or(0, |services| services.len())
}

/// The head of a page; whether it names a provider.
pub fn html(bytes: &[u8]) -> bool {
    crate::html::head(bytes).provider.is_some()
}

/// A direct answer; how many pairs it has.
pub fn key_value(bytes: &[u8]) -> usize {
    crate::key_value::parse(bytes).map_or(0, |pairs| pairs.len())
}

/// A nonce; whether it has a time.
pub fn nonce(text: &str) -> bool {
    crate::nonce::made_at(text).is_some()
}

//! What reads bytes and texts from outside, for those who try it with any.

use crate::template::Template;
use crate::{dn, entry, message, sid, verdict};

/// A message from a server.
pub fn message(bytes: &[u8]) {
    if let Ok(message) = message::read(bytes)
        && let message::Response::Entry(entry) = message.response
    {
        let _ = entry.told();
    }
}

/// What stands in an attribute, a name, a diagnostic message.
pub fn value(bytes: &[u8]) {
    let _ = (sid::text(bytes), entry::guid(bytes));
    let text = String::from_utf8_lossy(bytes);
    let _ = (dn::first_value(&text), dn::folded(&text), dn::parent(&text));
    let _ = verdict::reason(&text);
}

/// A name on its way into a filter. Whether it stayed in its place.
pub fn name(text: &str) -> bool {
    let template = Template::parse("(uid={{username}})", &["username"]);
    let whole = template.and_then(|template| template.filter(&[("username", text)]));
    whole.is_some_and(|bytes| bytes.ends_with(text.as_bytes()))
}

//! Messages of LDAP (RFC 4511 section 4): those we send, and those we take.

use zeroize::Zeroizing;

use crate::ber::{
    BOOLEAN, ENUMERATED, INTEGER, Malformed, OCTETS, Reader, SEQUENCE, SET, number, put, put_number,
};
use crate::entry::Entry;

const BIND_REQUEST: u8 = 0x60;
const BIND_RESPONSE: u8 = 0x61;
const UNBIND_REQUEST: u8 = 0x42;
const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const SEARCH_REFERENCE: u8 = 0x73;
const EXTENDED_REQUEST: u8 = 0x77;
const EXTENDED_RESPONSE: u8 = 0x78;
const CONTROLS: u8 = 0xa0;
/// A password, in a bind (`AuthenticationChoice`).
const SIMPLE: u8 = 0x80;
/// The name of an extended request.
const REQUEST_NAME: u8 = 0x80;
const VERSION: u32 = 3;

/// "Speak TLS with me" (RFC 4511 section 4.14).
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// Why a password will not do (draft-behera-ldap-password-policy), which OpenLDAP and 389 Directory Server tell whoever asks.
const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// "Not all at once" (RFC 2696), of requests and of answers.
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// Longest diagnostic text that is kept, in characters.
const LONGEST_TEXT: usize = 512;
/// Longest mark of a page that is sent back, in bytes.
const LONGEST_COOKIE: usize = 64 * 1024;

/// How far below its base a search goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The base itself (`base`).
    Base,
    /// What is directly below it (`one`).
    One,
    /// It and everything below (`sub`).
    #[default]
    Subtree,
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Query {
    /// Below what.
    pub base: String,
    /// How far.
    pub scope: Scope,
    /// The filter, in BER.
    pub filter: Vec<u8>,
    /// Which attributes.
    pub attributes: Vec<String>,
    /// Most entries; more is an answer of its own ([`Outcome::SIZE_LIMIT`]).
    pub most: u32,
    /// Seconds the server may take.
    pub seconds: u32,
    /// Which part of a long answer, and how long it may be; none for all at once. A server that does not know of parts gives all.
    pub page: Option<Page>,
}

/// A part of a long answer (RFC 2696).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most entries of it.
    pub size: u32,
    /// Where it begins: what the server gave with the part before ([`Outcome::cookie`]); empty for the first one.
    pub cookie: Vec<u8>,
}

/// What a server says is wrong with a password, where it says so in a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// It is over.
    PasswordExpired,
    /// Locked, or disabled: many servers say the one for the other.
    AccountLocked,
    /// Somebody else set it; nothing but changing it is allowed.
    ChangeAfterReset,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The result code (RFC 4511 appendix A).
    pub code: u32,
    /// The diagnostic message. May hold names: not for the log.
    pub text: String,
    /// The password policy's word.
    pub policy: Option<PolicyError>,
    /// Where the next part of a long answer begins; empty when there is none.
    pub cookie: Vec<u8>,
}

impl Outcome {
    /// `sizeLimitExceeded`.
    pub const SIZE_LIMIT: u32 = 4;
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// To a bind.
    Bound(Outcome),
    /// One entry of a search.
    Entry(Entry),
    /// Where else a search might go on. Never followed.
    Reference,
    /// The end of a search.
    Done(Outcome),
    /// To an extended request; or, unasked, that it is about to hang up.
    Extended(Outcome),
}

/// A message from a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which request it answers; 0 for none.
    pub id: u32,
    /// What it says.
    pub response: Response,
}

fn message(id: u32, operation: &[u8], controls: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::with_capacity(operation.len() + 64));
    put_number(&mut body, INTEGER, id);
    body.extend_from_slice(operation);
    if let Some(controls) = controls {
        put(&mut body, CONTROLS, controls);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(body.len() + 8));
    put(&mut out, SEQUENCE, &body);
    out
}

/// A simple bind, with the wish to be told what the password policy says.
pub fn bind(id: u32, name: &str, password: &str) -> Zeroizing<Vec<u8>> {
    let room = name.len() + password.len() + 32;
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    put_number(&mut body, INTEGER, VERSION);
    put(&mut body, OCTETS, name.as_bytes());
    put(&mut body, SIMPLE, password.as_bytes());
    let mut operation = Zeroizing::new(Vec::with_capacity(room));
    put(&mut operation, BIND_REQUEST, &body);
    let mut policy = Vec::new();
    put(&mut policy, OCTETS, PASSWORD_POLICY.as_bytes());
    let mut controls = Vec::new();
    put(&mut controls, SEQUENCE, &policy);
    message(id, &operation, Some(&controls))
}

/// A search that follows no alias.
pub fn search(id: u32, query: &Query) -> Vec<u8> {
    let mut body = Vec::new();
    put(&mut body, OCTETS, query.base.as_bytes());
    put_number(&mut body, ENUMERATED, query.scope as u32);
    put_number(&mut body, ENUMERATED, 0);
    put_number(&mut body, INTEGER, query.most);
    put_number(&mut body, INTEGER, query.seconds);
    put(&mut body, BOOLEAN, &[0]);
    body.extend_from_slice(&query.filter);
    let mut attributes = Vec::new();
    for attribute in &query.attributes {
        put(&mut attributes, OCTETS, attribute.as_bytes());
    }
    put(&mut body, SEQUENCE, &attributes);
    let mut operation = Vec::new();
    put(&mut operation, SEARCH_REQUEST, &body);
    let controls = query.page.as_ref().map(paged);
    message(id, &operation, controls.as_deref()).to_vec()
}

/// The wish for a part of an answer. Not critical: a server without parts may give all of it.
fn paged(page: &Page) -> Vec<u8> {
    let mut fields = Vec::new();
    put_number(&mut fields, INTEGER, page.size);
    put(&mut fields, OCTETS, &page.cookie);
    let mut value = Vec::new();
    put(&mut value, SEQUENCE, &fields);
    let mut control = Vec::new();
    put(&mut control, OCTETS, PAGED_RESULTS.as_bytes());
    put(&mut control, OCTETS, &value);
    let mut controls = Vec::new();
    put(&mut controls, SEQUENCE, &control);
    controls
}

/// The wish to go on in TLS.
pub fn start_tls(id: u32) -> Vec<u8> {
    let mut body = Vec::new();
    put(&mut body, REQUEST_NAME, START_TLS.as_bytes());
    let mut operation = Vec::new();
    put(&mut operation, EXTENDED_REQUEST, &body);
    message(id, &operation, None).to_vec()
}

/// A goodbye.
pub fn unbind(id: u32) -> Vec<u8> {
    let mut operation = Vec::new();
    put(&mut operation, UNBIND_REQUEST, &[]);
    message(id, &operation, None).to_vec()
}

/// Reads one message from a server.
pub fn read(bytes: &[u8]) -> Result<Message, Malformed> {
    let mut envelope = Reader::new(bytes);
    let mut parts = envelope.within(SEQUENCE)?;
    if !envelope.is_empty() {
        return Err(Malformed);
    }
    let id = parts.number(INTEGER)?;
    let operation = parts.element()?;
    let body = Reader::new(operation.body);
    // Whatever else stands behind is passed over: Active Directory puts a notice's name there (RFC 4511 section 4.4.1).
    let mut said = Controls::default();
    while !parts.is_empty() {
        let further = parts.element()?;
        if further.tag == CONTROLS {
            said = controls(further.body)?;
        }
    }
    let response = match operation.tag {
        BIND_RESPONSE => Response::Bound(outcome(body, said)?),
        SEARCH_ENTRY => Response::Entry(entry(body)?),
        SEARCH_REFERENCE => Response::Reference,
        SEARCH_DONE => Response::Done(outcome(body, said)?),
        EXTENDED_RESPONSE => Response::Extended(outcome(body, said)?),
        _ => return Err(Malformed),
    };
    Ok(Message { id, response })
}

/// Result code, matched name, diagnostic message. Referrals are passed over unread: they are never followed.
fn outcome(mut parts: Reader<'_>, said: Controls) -> Result<Outcome, Malformed> {
    let code = parts.number(ENUMERATED)?;
    parts.expect(OCTETS)?;
    let text = parts.text()?.chars().take(LONGEST_TEXT).collect();
    let Controls { policy, cookie } = said;
    Ok(Outcome {
        code,
        text,
        policy,
        cookie,
    })
}

fn entry(mut parts: Reader<'_>) -> Result<Entry, Malformed> {
    let name = parts.expect(OCTETS)?;
    let name = String::from_utf8(name.to_vec()).map_err(|_| Malformed)?;
    let mut entry = Entry::named(name);
    let mut attributes = parts.within(SEQUENCE)?;
    while !attributes.is_empty() {
        let mut attribute = attributes.within(SEQUENCE)?;
        let description = attribute.text()?;
        let mut values = attribute.within(SET)?;
        while !values.is_empty() {
            entry.add(&description, values.expect(OCTETS)?.to_vec());
        }
    }
    Ok(entry)
}

/// What stands in the controls of an answer.
#[derive(Default)]
struct Controls {
    policy: Option<PolicyError>,
    cookie: Vec<u8>,
}

fn controls(list: &[u8]) -> Result<Controls, Malformed> {
    let (mut list, mut said) = (Reader::new(list), Controls::default());
    while !list.is_empty() {
        let mut control = list.within(SEQUENCE)?;
        let name = control.expect(OCTETS)?;
        let mut value = None;
        while value.is_none() && !control.is_empty() {
            let part = control.element()?;
            value = (part.tag == OCTETS).then_some(part.body);
        }
        match value {
            Some(value) if name == PASSWORD_POLICY.as_bytes() => said.policy = policy_value(value)?,
            Some(value) if name == PAGED_RESULTS.as_bytes() => said.cookie = cookie(value)?,
            _ => {}
        }
    }
    Ok(said)
}

/// `realSearchControlValue` (RFC 2696 section 2): how many there may be in all, which servers guess at, and where to go on.
fn cookie(value: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut fields = Reader::new(value).within(SEQUENCE)?;
    fields.expect(INTEGER)?;
    let cookie = fields.expect(OCTETS)?;
    let bounded = cookie.len() <= LONGEST_COOKIE;
    bounded.then(|| cookie.to_vec()).ok_or(Malformed)
}

/// `PasswordPolicyResponseValue`: perhaps a warning (0), perhaps an error (1).
fn policy_value(bytes: &[u8]) -> Result<Option<PolicyError>, Malformed> {
    const ERROR: u8 = 0x81;
    let mut parts = Reader::new(bytes).within(SEQUENCE)?;
    while !parts.is_empty() {
        let part = parts.element()?;
        if part.tag == ERROR {
            return Ok(match number(part.body)? {
                0 => Some(PolicyError::PasswordExpired),
                1 => Some(PolicyError::AccountLocked),
                2 => Some(PolicyError::ChangeAfterReset),
                _ => None,
            });
        }
    }
    Ok(None)
}

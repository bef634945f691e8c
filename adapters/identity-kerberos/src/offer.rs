//! What a browser sends behind `Negotiate` (RFC 4178, RFC 4121 section 4.1), read before any of it gets near the C library.
//!
//! Only one shape is let through: Kerberos as the browser's first choice, with its ticket at once. The ticket goes on by itself,
//! without the negotiation around it; so what is judged by the library is what was read here, octet by octet.

use crate::der::{Reader, element, only};

/// Longest token that is read, in bytes. Tickets of people in some hundred groups stay below.
pub const LONGEST: usize = 64 * 1024;

/// 1.3.6.1.5.5.2
const SPNEGO: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
/// 1.2.840.113554.1.2.2
const KRB5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// 1.2.840.48018.1.2.2: the same with a bit lost, as Windows has asked for it since 2000.
const KRB5_OF_WINDOWS: &[u8] = &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// 1.3.6.1.4.1.311.2.2.10
const NTLM: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a];
/// How every message of NTLM begins.
const NTLM_SIGNATURE: &[u8] = b"NTLMSSP\0";
/// The token id of an AP-REQ (RFC 4121 section 4.1).
const AP_REQ: &[u8] = &[0x01, 0x00];

const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;
/// `InitialContextToken` of GSS-API (RFC 2743 section 3.1).
const INITIAL_TOKEN: u8 = 0x60;
const TICKET: u8 = 0x61;
const AP_REQ_TAG: u8 = 0x6e;

/// The tag `[number]`, explicit.
const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// A ticket as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The GSS-API token of Kerberos: what the library is given.
    pub token: &'a [u8],
    /// The encrypted authenticator: what makes it this showing of the ticket and no other. Its cipher has a checksum by a key that
    /// only its maker and the KDC know: nobody else can change it and have it taken.
    pub authenticator: &'a [u8],
    /// What Kerberos was called in the negotiation; none where there was none.
    pub mechanism: Option<&'a [u8]>,
}

/// Why it is no offer we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The browser has no ticket and offers NTLM.
    Ntlm,
    /// Anything else; with what it is, for the log.
    Malformed(&'static str),
}

/// Reads what was sent.
pub fn read(sent: &[u8]) -> Result<Offer<'_>, Unfit> {
    if sent.len() > LONGEST {
        return Err(Unfit::Malformed("the token is too long"));
    }
    if sent.starts_with(NTLM_SIGNATURE) {
        return Err(Unfit::Ntlm);
    }
    if sent.first() == Some(&context(1)) {
        return Err(Unfit::Malformed("the second leg of a negotiation"));
    }
    let (mechanism, inner) = framed(sent).ok_or(Unfit::Malformed("no token of GSS-API"))?;
    match mechanism {
        SPNEGO => negotiated(inner),
        KRB5 => ticket(sent, None),
        _ => Err(Unfit::Malformed("a mechanism that is not known")),
    }
}

/// The mechanism of a GSS-API token, and what it says.
fn framed(token: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(only(INITIAL_TOKEN, token)?);
    let mechanism = reader.element(OID)?;
    Some((mechanism, reader.rest()))
}

/// `NegTokenInit` (RFC 4178 section 4.2.1).
struct Negotiation<'a> {
    mechanisms: &'a [u8],
    token: Option<&'a [u8]>,
}

fn negotiation(bytes: &[u8]) -> Option<Negotiation<'_>> {
    let mut reader = Reader::new(only(SEQUENCE, only(context(0), bytes)?)?);
    let mechanisms = only(SEQUENCE, reader.element(context(0))?)?;
    let (flags, token, signature) = (context(1), context(2), context(3));
    reader.pass(flags)?;
    let token = if reader.comes(token) {
        Some(only(OCTETS, reader.element(token)?)?)
    } else {
        None
    };
    reader.pass(signature)?;
    reader.is_done().then_some(Negotiation { mechanisms, token })
}

fn negotiated(bytes: &[u8]) -> Result<Offer<'_>, Unfit> {
    let negotiation = negotiation(bytes).ok_or(Unfit::Malformed("the negotiation cannot be read"))?;
    let token = negotiation.token;
    if token.is_some_and(|token| token.starts_with(NTLM_SIGNATURE)) {
        return Err(Unfit::Ntlm);
    }
    let mechanisms =
        Mechanisms::of(negotiation.mechanisms).ok_or(Unfit::Malformed("the mechanisms cannot be read"))?;
    match mechanisms.first {
        KRB5 | KRB5_OF_WINDOWS => {
            let token = token.ok_or(Unfit::Malformed("Kerberos without a ticket"))?;
            ticket(token, Some(mechanisms.first))
        }
        NTLM => Err(Unfit::Ntlm),
        _ if mechanisms.ntlm && !mechanisms.kerberos => Err(Unfit::Ntlm),
        _ => Err(Unfit::Malformed("Kerberos is not the first choice")),
    }
}

/// What is offered, by preference.
struct Mechanisms<'a> {
    first: &'a [u8],
    kerberos: bool,
    ntlm: bool,
}

impl<'a> Mechanisms<'a> {
    fn of(list: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(list);
        let first = reader.element(OID)?;
        let mut mechanisms = Self {
            first,
            kerberos: false,
            ntlm: false,
        };
        mechanisms.note(first);
        while !reader.is_done() {
            mechanisms.note(reader.element(OID)?);
        }
        Some(mechanisms)
    }

    fn note(&mut self, mechanism: &[u8]) {
        self.kerberos |= mechanism == KRB5 || mechanism == KRB5_OF_WINDOWS;
        self.ntlm |= mechanism == NTLM;
    }
}

fn ticket<'a>(token: &'a [u8], mechanism: Option<&'a [u8]>) -> Result<Offer<'a>, Unfit> {
    let authenticator = authenticator(token).ok_or(Unfit::Malformed("the ticket cannot be read"))?;
    Ok(Offer {
        token,
        authenticator,
        mechanism,
    })
}

/// The cipher of the authenticator within an AP-REQ (RFC 4120 sections 5.5.1 and 5.2.9). Every field has its place and nothing comes
/// between or behind: no other reader could take other octets for it.
fn authenticator(token: &[u8]) -> Option<&[u8]> {
    let (mechanism, inner) = framed(token)?;
    if mechanism != KRB5 {
        return None;
    }
    let mut inner = Reader::new(inner);
    inner.exactly(AP_REQ)?;
    let mut fields = Reader::new(only(SEQUENCE, only(AP_REQ_TAG, inner.rest())?)?);
    let _version = fields.element(context(0))?;
    let _kind = fields.element(context(1))?;
    let _options = fields.element(context(2))?;
    only(TICKET, fields.element(context(3))?)?;
    let sealed = only(SEQUENCE, fields.element(context(4))?)?;
    let mut sealed = fields.is_done().then_some(Reader::new(sealed))?;
    let _kind = sealed.element(context(0))?;
    sealed.pass(context(1))?;
    let cipher = only(OCTETS, sealed.element(context(2))?)?;
    (sealed.is_done() && !cipher.is_empty()).then_some(cipher)
}

/// What the browser is told: `NegTokenResp` with `accept-completed` (RFC 4178 section 4.2.2) around what Kerberos answers, if the
/// ticket came in a negotiation. The mechanism is called as the browser called it; its first choice needs no signature (section 5).
pub fn answer(mechanism: Option<&[u8]>, reply: Option<&[u8]>) -> Option<Vec<u8>> {
    let Some(mechanism) = mechanism else {
        return reply.map(<[u8]>::to_vec);
    };
    let mut fields = element(context(0), &element(ENUMERATED, &[0]));
    fields.extend(element(context(1), &element(OID, mechanism)));
    if let Some(reply) = reply {
        fields.extend(element(context(2), &element(OCTETS, reply)));
    }
    Some(element(context(1), &element(SEQUENCE, &fields)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn gss(mechanism: &[u8], inner: &[u8]) -> Vec<u8> {
        element(INITIAL_TOKEN, &[&element(OID, mechanism)[..], inner].concat())
    }

    fn ap_req(cipher: &[u8]) -> Vec<u8> {
        let number = |tag, value| element(tag, &element(0x02, &[value]));
        let sealed = [
            number(context(0), 18),
            element(context(2), &element(OCTETS, cipher)),
        ]
        .concat();
        let fields = [
            number(context(0), 5),
            number(context(1), 14),
            element(context(2), &[3, 5, 0, 0x20, 0, 0, 0]),
            element(context(3), &element(TICKET, &element(SEQUENCE, &[1, 2, 3]))),
            element(context(4), &element(SEQUENCE, &sealed)),
        ];
        let request = element(AP_REQ_TAG, &element(SEQUENCE, &fields.concat()));
        gss(KRB5, &[AP_REQ, &request].concat())
    }

    fn wrapped(mechanisms: &[&[u8]], token: Option<&[u8]>) -> Vec<u8> {
        let list: Vec<u8> = mechanisms.iter().flat_map(|one| element(OID, one)).collect();
        let mut fields = element(context(0), &element(SEQUENCE, &list));
        if let Some(token) = token {
            fields.extend(element(context(2), &element(OCTETS, token)));
        }
        gss(SPNEGO, &element(context(0), &element(SEQUENCE, &fields)))
    }

    #[test]
    fn a_ticket_is_found_bare_and_in_a_negotiation() {
        let token = ap_req(b"cipher");
        let bare = read(&token).unwrap();
        assert_eq!(
            (bare.token, bare.authenticator, bare.mechanism),
            (&token[..], &b"cipher"[..], None)
        );
        for first in [KRB5, KRB5_OF_WINDOWS] {
            let sent = wrapped(&[first, NTLM], Some(&token));
            let offer = read(&sent).unwrap();
            assert_eq!(offer.token, token);
            assert_eq!(offer.authenticator, b"cipher");
            assert_eq!(offer.mechanism, Some(first));
        }
    }

    #[test]
    fn ntlm_is_told_apart_however_it_comes() {
        let message = [NTLM_SIGNATURE, &[1, 0, 0, 0]].concat();
        assert_eq!(read(&message), Err(Unfit::Ntlm));
        for sent in [
            wrapped(&[NTLM], Some(&message)),
            wrapped(&[NTLM], None),
            wrapped(&[NTLM, KRB5], Some(&message)),
            wrapped(&[KRB5], Some(&message)),
            // Windows without a ticket: its own negotiation first.
            wrapped(
                &[
                    &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x1e],
                    NTLM,
                ],
                Some(b"NEGOEXTS"),
            ),
        ] {
            assert_eq!(read(&sent), Err(Unfit::Ntlm), "{sent:x?}");
        }
    }

    #[test]
    fn whatever_is_no_first_leg_with_a_ticket_is_malformed() {
        let token = ap_req(b"cipher");
        let reply = answer(Some(KRB5), Some(b"reply")).unwrap();
        let behind = [&token[..], &[0]].concat();
        let deep = (0..5_000).fold(vec![], |inner, _| element(SEQUENCE, &inner));
        for (what, sent) in [
            ("nothing", vec![]),
            ("garbage", b"garbage".to_vec()),
            ("a second leg", reply),
            ("no ticket", wrapped(&[KRB5], None)),
            ("no mechanisms", wrapped(&[], Some(&token))),
            (
                "another mechanism first",
                wrapped(&[&[0x2b, 5], KRB5], Some(&token)),
            ),
            ("another mechanism", gss(&[0x2b, 5], AP_REQ)),
            ("an AP-REP", gss(KRB5, &[2, 0, 0x6f, 0])),
            ("an empty cipher", ap_req(b"")),
            ("something behind", behind.clone()),
            ("something behind, wrapped", wrapped(&[KRB5], Some(&behind))),
            (
                "a negotiation in a negotiation",
                wrapped(&[KRB5], Some(&wrapped(&[KRB5], Some(&token)))),
            ),
            ("depth", deep.clone()),
            ("depth, wrapped", wrapped(&[KRB5], Some(&deep))),
            ("60 kB", vec![0x60; 60_000]),
            ("60 kB, wrapped", wrapped(&[KRB5], Some(&vec![0x30; 60_000]))),
            ("too much", ap_req(&vec![7; LONGEST])),
        ] {
            assert!(matches!(read(&sent), Err(Unfit::Malformed(_))), "{what}");
        }
    }

    #[test]
    fn a_token_that_is_cut_anywhere_is_malformed() {
        let sent = wrapped(&[KRB5, NTLM], Some(&ap_req(&[9; 300])));
        for place in 0..sent.len() {
            assert!(
                matches!(read(&sent[..place]), Err(Unfit::Malformed(_))),
                "{place}"
            );
        }
    }

    #[test]
    fn the_largest_ticket_of_windows_is_read() {
        assert!(read(&wrapped(&[KRB5], Some(&ap_req(&vec![7; 48_000])))).is_ok());
    }

    #[test]
    fn the_answer_calls_the_mechanism_as_the_browser_did() {
        assert_eq!(answer(None, None), None);
        assert_eq!(answer(None, Some(b"reply")), Some(b"reply".to_vec()));
        let said = answer(Some(KRB5), Some(b"reply")).unwrap();
        let fields = only(SEQUENCE, only(context(1), &said).unwrap()).unwrap();
        let mut fields = Reader::new(fields);
        assert_eq!(fields.element(context(0)), Some(&[ENUMERATED, 1, 0][..]));
        assert_eq!(
            fields.element(context(1)).and_then(|name| only(OID, name)),
            Some(KRB5)
        );
        assert_eq!(
            fields.element(context(2)).and_then(|text| only(OCTETS, text)),
            Some(&b"reply"[..])
        );
        assert!(fields.is_done());
        let short = answer(Some(KRB5_OF_WINDOWS), None).unwrap();
        assert_eq!(
            only(SEQUENCE, only(context(1), &short).unwrap()).unwrap().len(),
            18
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in vec(any::<u8>(), 0..600)) {
            let _ = read(&bytes);
        }

        /// Whatever is changed in a token: if it is still one, what it holds lies within it.
        #[test]
        fn changed_bytes_are_judged(place in 0_usize..200, value: u8, cut in 0_usize..200, more in vec(any::<u8>(), 0..9)) {
            let mut sent = wrapped(&[KRB5, NTLM], Some(&ap_req(b"a cipher of some length")));
            let place = place % sent.len();
            sent[place] = value;
            let cut = cut % sent.len();
            sent.splice(cut..cut, more);
            if let Ok(offer) = read(&sent) {
                prop_assert!(offer.token.len() <= sent.len());
                prop_assert!(!offer.authenticator.is_empty());
            }
        }
    }
}

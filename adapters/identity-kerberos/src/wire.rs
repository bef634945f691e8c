//! What the server and its worker say to each other through a pipe: frames of a length, a kind and fields.
//!
//! A frame that cannot be read ends the conversation: whoever wrote it is not what it should be.

use zeroize::Zeroizing;

/// Longest frame, in bytes: a token and some names.
const LONGEST: usize = 160 * 1024;
/// Octets of a length.
const LENGTH: usize = 4;

/// What the worker is asked. Passwords may be in it: wiped when dropped.
pub enum Question {
    /// Whether there are keys for this service.
    Keys { service: String },
    /// Who showed this token.
    Ticket { token: Zeroizing<Vec<u8>> },
    /// Whether this is the person's password, proven by a ticket for the service.
    Password {
        person: String,
        service: String,
        password: Zeroizing<Vec<u8>>,
    },
}

/// Where it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The keys cannot be had.
    Keys,
    /// The ticket was not taken.
    Ticket,
    /// The ticket alone is not enough for this mechanism.
    Unfinished,
    /// The KDC gave nothing for the password.
    Password,
    /// The KDC gave no ticket for our service.
    Service,
    /// The ticket that the KDC gave for our service was not taken.
    Proof,
}

/// What it says. Numbers in place of the library's texts: those name people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There are keys.
    Keys,
    /// Who it is.
    Taken {
        person: String,
        /// Whose key opened the ticket.
        service: String,
        /// When the ticket ends, in milliseconds since 1970.
        until: i64,
        /// What proves us to the browser, where it asked for that.
        reply: Option<Vec<u8>>,
    },
    /// It is nobody; with GSS-API's and the mechanism's own number.
    Failed { stage: Stage, major: u32, minor: u32 },
}

const STAGES: [(Stage, u8); 6] = [
    (Stage::Keys, 1),
    (Stage::Ticket, 2),
    (Stage::Unfinished, 3),
    (Stage::Password, 4),
    (Stage::Service, 5),
    (Stage::Proof, 6),
];

impl Stage {
    fn number(self) -> u8 {
        let mut stages = STAGES.iter();
        stages
            .find(|(stage, _)| *stage == self)
            .map_or(0, |(_, number)| *number)
    }

    fn of(number: u8) -> Option<Self> {
        let mut stages = STAGES.iter();
        stages
            .find(|(_, given)| *given == number)
            .map(|(stage, _)| *stage)
    }
}

/// The length that stands before a frame. None where it is too long for one.
pub fn frame_length(head: [u8; LENGTH]) -> Option<usize> {
    let length = usize::try_from(u32::from_be_bytes(head)).ok()?;
    (length <= LONGEST).then_some(length)
}

fn frame(kind: u8, fields: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length = 1 + fields.iter().map(|field| LENGTH + field.len()).sum::<usize>();
    // At once as large as it gets: what is left behind by growing would not be wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH + length));
    let measure = |bytes: &mut Vec<u8>, length: usize| {
        // Too long for a length is too long for a frame, which the other side refuses by this very number.
        bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    };
    measure(&mut bytes, length);
    bytes.push(kind);
    for field in fields {
        measure(&mut bytes, field.len());
        bytes.extend_from_slice(field);
    }
    bytes
}

/// The next field.
fn field<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (head, after) = bytes.split_first_chunk::<LENGTH>()?;
    let (field, after) = after.split_at_checked(frame_length(*head)?)?;
    *bytes = after;
    Some(field)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    String::from_utf8(field(bytes)?.to_vec()).ok()
}

fn number<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    field(bytes)?.try_into().ok()
}

fn secret(bytes: &mut &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    Some(Zeroizing::new(field(bytes)?.to_vec()))
}

impl Question {
    /// As it is sent, with its length.
    pub fn to_frame(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Keys { service } => frame(b'K', &[service.as_bytes()]),
            Self::Ticket { token } => frame(b'T', &[token]),
            Self::Password {
                person,
                service,
                password,
            } => frame(b'P', &[person.as_bytes(), service.as_bytes(), password]),
        }
    }

    /// Reads what came behind the length.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let (kind, mut rest) = frame.split_first()?;
        let rest = &mut rest;
        let question = match kind {
            b'K' => Self::Keys { service: text(rest)? },
            b'T' => Self::Ticket { token: secret(rest)? },
            b'P' => Self::Password {
                person: text(rest)?,
                service: text(rest)?,
                password: secret(rest)?,
            },
            _ => return None,
        };
        rest.is_empty().then_some(question)
    }
}

impl Answer {
    /// As it is sent, with its length.
    pub fn to_frame(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Keys => frame(b'k', &[]),
            Self::Taken {
                person,
                service,
                until,
                reply,
            } => {
                let (person, service, until) = (person.as_bytes(), service.as_bytes(), until.to_be_bytes());
                match reply {
                    Some(reply) => frame(b'r', &[person, service, &until, reply]),
                    None => frame(b't', &[person, service, &until]),
                }
            }
            Self::Failed { stage, major, minor } => frame(
                b'f',
                &[&[stage.number()], &major.to_be_bytes(), &minor.to_be_bytes()],
            ),
        }
    }

    /// Reads what came behind the length.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let (kind, mut rest) = frame.split_first()?;
        let rest = &mut rest;
        let answer = match kind {
            b'k' => Self::Keys,
            b't' | b'r' => Self::Taken {
                person: text(rest)?,
                service: text(rest)?,
                until: i64::from_be_bytes(number(rest)?),
                reply: if *kind == b'r' {
                    Some(field(rest)?.to_vec())
                } else {
                    None
                },
            },
            b'f' => {
                let [stage] = number(rest)?;
                Self::Failed {
                    stage: Stage::of(stage)?,
                    major: u32::from_be_bytes(number(rest)?),
                    minor: u32::from_be_bytes(number(rest)?),
                }
            }
            _ => return None,
        };
        rest.is_empty().then_some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn body(frame: &[u8]) -> &[u8] {
        let (head, body) = frame.split_first_chunk().unwrap();
        assert_eq!(frame_length(*head), Some(body.len()));
        body
    }

    fn answers() -> Vec<Answer> {
        let taken = |reply| Answer::Taken {
            person: "alice@TEST".to_owned(),
            service: "HTTP/localhost@TEST".to_owned(),
            until: 1_795_000_000_000,
            reply,
        };
        let failed = STAGES.map(|(stage, _)| Answer::Failed {
            stage,
            major: 0x000d_0000,
            minor: 0x96c7_3a18,
        });
        let mut answers = vec![
            Answer::Keys,
            taken(None),
            taken(Some(vec![])),
            taken(Some(vec![1, 2])),
        ];
        answers.extend(failed);
        answers
    }

    #[test]
    fn answers_arrive_as_they_were_sent() {
        for answer in answers() {
            assert_eq!(Answer::read(body(&answer.to_frame())), Some(answer));
        }
    }

    #[test]
    fn questions_arrive_as_they_were_sent() {
        let asked = Question::Password {
            person: "alice@TEST".to_owned(),
            service: "HTTP/localhost@TEST".to_owned(),
            password: Zeroizing::new(b"alice-krb".to_vec()),
        };
        let Some(Question::Password {
            person,
            service,
            password,
        }) = Question::read(body(&asked.to_frame()))
        else {
            panic!("another question");
        };
        assert_eq!(
            (person.as_str(), service.as_str()),
            ("alice@TEST", "HTTP/localhost@TEST")
        );
        assert_eq!(password.as_slice(), b"alice-krb");
        let token = Question::Ticket {
            token: Zeroizing::new(vec![7; 64 * 1024]),
        };
        assert!(
            matches!(Question::read(body(&token.to_frame())), Some(Question::Ticket { token }) if token.len() == 64 * 1024)
        );
    }

    #[test]
    fn parts_of_a_frame_are_none() {
        for answer in answers() {
            let frame = answer.to_frame();
            let body = body(&frame);
            for place in 0..body.len() {
                assert_eq!(Answer::read(&body[..place]), None);
            }
            assert_eq!(Answer::read(&[body, &[0]].concat()), None);
        }
        assert_eq!(frame_length([0xff; 4]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in vec(any::<u8>(), 0..80)) {
            let _ = Answer::read(&bytes);
            let _ = Question::read(&bytes);
        }
    }
}

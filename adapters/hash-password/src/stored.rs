//! Stored hashes, read before anything they ask for is done.

use argon2::password_hash::phc::{self, Output, Salt};
use argon2::{ARGON2ID_IDENT, Params, Version};

use crate::config::cost;

/// Most memory of one hash in KiB: 256 MiB, libsodium's "moderate" and twice what any other common library chooses.
pub const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// Most KiB times passes of one hash: about half a second of one core.
pub const MAX_WORK_KIB: u64 = 1024 * 1024;
/// Most lanes of one hash.
pub const MAX_LANES: u32 = 16;
/// Shortest Argon2 output taken, in bytes: 128 bits.
const MIN_OUTPUT_BYTES: usize = 16;

/// bcrypt's own costs begin at 4; 14 is sixteen times LoopBack's 10, about a second.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// Length of every bcrypt hash in its printable form.
const BCRYPT_LENGTH: usize = 60;
/// bcrypt looks at no more bytes of a password.
const BCRYPT_BYTES: usize = 72;

/// A stored hash of a kind we verify and a cost we are ready to pay.
pub enum Stored<'a> {
    /// Ours, or another program's of the same kind.
    Argon2id(Argon2idHash),
    /// LoopBack's, in its printable form.
    Bcrypt(&'a str),
}

/// The parts of a `$argon2id$` hash.
pub struct Argon2idHash {
    pub params: Params,
    pub salt: Salt,
    pub output: Output,
}

impl<'a> Stored<'a> {
    /// Reads a printable hash; `None` for an unknown kind, a damaged one, or one beyond the caps.
    pub fn read(text: &'a str) -> Option<Self> {
        if text.starts_with("$argon2id$") {
            Argon2idHash::read(text).map(Self::Argon2id)
        } else {
            is_bcrypt(text).then_some(Self::Bcrypt(text))
        }
    }
}

impl Argon2idHash {
    fn read(text: &str) -> Option<Self> {
        let parts = phc::PasswordHash::new(text).ok()?;
        let (salt, output) = (parts.salt?, parts.hash?);
        let is_current_version = parts.version == Some(Version::V0x13.into());
        // A fourth parameter would be a secret key or associated data: neither is ours.
        let only_costs = parts.params.iter().count() == 3;
        if parts.algorithm != ARGON2ID_IDENT
            || !is_current_version
            || !only_costs
            || output.len() < MIN_OUTPUT_BYTES
        {
            return None;
        }
        let number = |name| parts.params.get_decimal(name);
        let params = cost(number("m")?, number("t")?, number("p")?, output.len()).ok()?;
        Some(Self { params, salt, output })
    }
}

/// Whether a text is a bcrypt hash of a cost we pay. Its base64 is left to the bcrypt crate.
fn is_bcrypt(text: &str) -> bool {
    let prefixed = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    prefixed
        && text.len() == BCRYPT_LENGTH
        && bcrypt_cost(text).is_some_and(|cost| BCRYPT_COSTS.contains(&cost))
}

/// The two digits after the prefix.
fn bcrypt_cost(text: &str) -> Option<u32> {
    let digits = text.get(4..6)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Whether bcrypt would look at every byte of a password, and at nothing but the password: it ends and repeats keys with a NUL.
pub fn fits_bcrypt(password: &str) -> bool {
    password.len() <= BCRYPT_BYTES && !password.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argon2id(costs: &str) -> String {
        format!("$argon2id$v=19${costs}$MDEyMzQ1Njc4OWFiY2RlZg$AZJroWc0Dmm57rXXHJrqAWKosk7CbCT211FegJmYyaM")
    }

    fn is_read(text: &str) -> bool {
        Stored::read(text).is_some()
    }

    #[test]
    fn costs_up_to_the_caps_are_read_and_no_others() {
        for fine in ["m=8,t=1,p=1", "m=65536,t=3,p=4", "m=262144,t=4,p=16"] {
            assert!(is_read(&argon2id(fine)), "{fine}");
        }
        for dear in [
            "m=262145,t=1,p=1",
            "m=4294967295,t=1,p=1",
            "m=8,t=4294967295,p=1",
            "m=262144,t=5,p=1",
            "m=65536,t=1,p=17",
        ] {
            assert!(!is_read(&argon2id(dear)), "{dear}");
        }
    }

    #[test]
    fn only_whole_argon2id_hashes_of_version_19_are_read() {
        let good = argon2id("m=8,t=1,p=1");
        for bad in [
            good.replace("argon2id", "argon2i"),
            good.replace("argon2id", "argon2d"),
            good.replace("$v=19", "$v=16"),
            good.replace("$v=19", ""),
            good.replace("p=1", "p=1,keyid=AAAA"),
            good.replace(",p=1", ""),
            good.replace("m=8", "m=7"),
            good.replace("$MDEyMzQ1Njc4OWFiY2RlZg", ""),
            good.replace("$AZJroWc0Dmm57rXXHJrqAWKosk7CbCT211FegJmYyaM", ""),
            good.replace("AZJroWc0Dmm57rXXHJrqAWKosk7CbCT211FegJmYyaM", "AZJroWc0Dmm57rXX"),
            format!("{good}$"),
            format!(" {good}"),
        ] {
            assert!(!is_read(&bad), "{bad}");
        }
    }

    #[test]
    fn bcrypt_is_read_by_prefix_length_and_cost() {
        let rest = "x".repeat(53);
        for fine in ["$2a$10$", "$2b$04$", "$2y$14$"] {
            assert!(is_read(&format!("{fine}{rest}")), "{fine}");
        }
        for bad in [
            "$2a$03$", "$2a$15$", "$2a$31$", "$2x$10$", "$2a$+9$", "$2a$1x$", "$2$$10$",
        ] {
            assert!(!is_read(&format!("{bad}{rest}")), "{bad}");
        }
        assert!(!is_read(&format!("$2a$10$x{rest}")));
        assert!(!is_read("$2a$10$"));
    }

    #[test]
    fn bcrypt_is_never_asked_about_bytes_it_would_not_see() {
        assert!(fits_bcrypt(&"a".repeat(72)));
        assert!(!fits_bcrypt(&"a".repeat(73)));
        assert!(!fits_bcrypt(&"é".repeat(37)));
        assert!(!fits_bcrypt("ab\0ab"));
    }
}

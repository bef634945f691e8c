//! Ids as LoopBack writes them in JSON: what was a number there is one here, too. Ours are UUIDs, so no text becomes a number by chance.

use serde::{Serialize, Serializer};

/// The greatest number that every JSON reader keeps exactly (RFC 8259 section 6): 2^53 − 1.
const GREATEST: u64 = (1 << 53) - 1;

/// An id on its way out: a number where its text is the plain writing of one, from 0 to 2^53 − 1, else the text. What comes in as a
/// number is read as that same writing, so an id is one whichever way it is sent.
#[derive(Clone, Copy, Debug)]
pub struct WireId<'a>(pub &'a str);

impl WireId<'_> {
    /// The number whose plain writing this is: digits alone, and none in vain.
    fn number(self) -> Option<u64> {
        let plain =
            self.0.bytes().all(|byte| byte.is_ascii_digit()) && (self.0 == "0" || !self.0.starts_with('0'));
        let number = if plain { self.0.parse().ok() } else { None };
        number.filter(|number| *number <= GREATEST)
    }
}

impl Serialize for WireId<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(number) => serializer.serialize_u64(number),
            None => serializer.serialize_str(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_loopback_counted_goes_out_as_a_number() {
        for (id, written) in [
            ("0", json!(0)),
            ("1", json!(1)),
            ("42", json!(42)),
            ("9007199254740991", json!(9_007_199_254_740_991_u64)),
        ] {
            assert_eq!(json!(WireId(id)), written);
        }
    }

    #[test]
    fn every_other_id_stays_the_text_it_is() {
        for id in [
            "",
            "-1",
            "+1",
            "01",
            "00",
            "1.0",
            "1e3",
            " 1",
            "١",
            "9007199254740992",
            "18446744073709551616",
            "5f2b8c1e9d3a4b0017c6e8aa",
            "0190a7c2-5b1e-7c3a-9a53-0d6f1b2c3d4e",
            "me",
        ] {
            assert_eq!(json!(WireId(id)), json!(id));
        }
    }

    #[test]
    fn a_number_is_read_back_as_the_id_it_was() {
        for id in ["0", "7", "9007199254740991"] {
            assert_eq!(json!(WireId(id)).to_string(), id);
        }
    }
}

//! Which numbers are worth a message.

use domain::user::Phone;
use phonenumber::Type;
use phonenumber::metadata::DATABASE;

/// A number no message is sent to, and why, in stable words.
pub const INVALID: &str = "invalid_number";
/// As [`INVALID`].
pub const PREMIUM: &str = "premium_number";

/// Unpacks the numbering plans of the world beside everything else, so that the first code need not wait for it. Where no thread is to
/// be had it waits.
pub fn warm_up() {
    let _ = std::thread::Builder::new().spawn(|| DATABASE.by_id("DE").is_some());
}

/// The digits to send to, without `+`.
///
/// # Errors
/// Why nothing is sent there.
pub fn digits(phone: &Phone) -> Result<&str, &'static str> {
    let number = phonenumber::parse(None, phone.as_str()).map_err(|_| INVALID)?;
    if !number.is_valid() {
        return Err(INVALID);
    }
    match number.number_type(&DATABASE) {
        // Nobody reads messages there, and somebody earns by them.
        Type::PremiumRate | Type::SharedCost => Err(PREMIUM),
        _ => Ok(phone.as_str().trim_start_matches('+')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(number: &str) -> Result<String, &'static str> {
        digits(&Phone::parse(number).unwrap()).map(str::to_owned)
    }

    #[test]
    fn a_number_that_exists_is_its_digits() {
        for number in [
            "+491701234567",
            "+12025550123",
            "+447911123456",
            "+8613912345678",
            "+34612345678",
            "+393471234567",
        ] {
            assert_eq!(judged(number).unwrap(), number.trim_start_matches('+'));
        }
    }

    #[test]
    fn a_number_that_no_network_has_is_refused() {
        // No such country, a wrong length for its country, no such area.
        for number in [
            "+9991234567",
            "+49170123",
            "+12025550",
            "+10005550123",
            "+4470000000",
        ] {
            assert_eq!(judged(number), Err(INVALID), "{number}");
        }
    }

    #[test]
    fn a_number_that_charges_its_callers_is_refused() {
        for number in ["+499001234567", "+449012345678"] {
            assert_eq!(judged(number), Err(PREMIUM), "{number}");
        }
    }
}

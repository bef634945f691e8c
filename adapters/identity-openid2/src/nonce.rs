//! The time in a response's nonce (section 10.1): `2005-05-15T17:11:51Z`, and what makes it unique.

use domain::time::Timestamp;

/// Longest nonce, in characters.
const LONGEST: usize = 255;

/// As long as its time is.
const TIME: usize = 20;

/// When it was made. None if it is no nonce: another form, characters that are none, a day the calendar does not have.
pub fn made_at(nonce: &str) -> Option<Timestamp> {
    let printable = |byte: u8| (33..=126).contains(&byte);
    if nonce.len() > LONGEST || !nonce.bytes().all(printable) {
        return None;
    }
    let time = nonce.get(..TIME)?;
    let shape = time.bytes().zip("0000-00-00T00:00:00Z".bytes());
    let fits = |(byte, like): (u8, u8)| {
        if like == b'0' {
            byte.is_ascii_digit()
        } else {
            byte == like
        }
    };
    if !shape.into_iter().all(fits) {
        return None;
    }
    let part = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    // A leap second is written as the 60th; it counts as the first of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = ((days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp::from_millis(seconds * 1000))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whole years by the calendar's rule, then the months of this one.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before = |year: i64| {
        let last = year - 1;
        365 * last + last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
    };
    let months: i64 = (1..month).map(|earlier| days_of(year, earlier)).sum();
    before(year) - before(1970) + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_time_is_the_one_that_is_written() {
        for (nonce, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2005-05-15T17:11:51ZUNIQUE", 1_116_177_111),
            ("2000-02-29T23:59:59Zx", 951_868_799),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
        ] {
            assert_eq!(made_at(nonce).unwrap().as_millis(), seconds * 1000, "{nonce}");
        }
    }

    #[test]
    fn what_is_no_time_is_no_nonce() {
        let long = format!("2005-05-15T17:11:51Z{}", "x".repeat(236));
        for bad in [
            "",
            "UNIQUE",
            "2005-05-15T17:11:51",
            "2005-05-15t17:11:51Z",
            "2005-05-15 17:11:51Z",
            "2005-13-15T17:11:51Z",
            "2005-00-15T17:11:51Z",
            "2005-02-29T17:11:51Z",
            "1900-02-29T17:11:51Z",
            "2005-04-31T17:11:51Z",
            "2005-05-00T17:11:51Z",
            "2005-05-15T24:11:51Z",
            "2005-05-15T17:60:51Z",
            "2005-05-15T17:11:61Z",
            "2005-05-15T17:11:51+00:00",
            "+005-05-15T17:11:51Z",
            "2005-05-15T17:11:51Za b",
            "2005-05-15T17:11:51Za\n",
            "2005-05-15T17:11:51Zé",
            "2005-5-15T17:11:51Z",
            long.as_str(),
        ] {
            assert_eq!(made_at(bad), None, "{bad}");
        }
        assert!(made_at(&long[..255]).is_some());
    }

    proptest! {
        #[test]
        fn every_moment_comes_back(seconds in 0_i64..253_402_300_799, unique in "[!-~]{0,20}") {
            let written = Timestamp::from_millis(seconds * 1000).to_iso8601().replace(".000", "");
            prop_assert_eq!(made_at(&format!("{written}{unique}")).unwrap().as_millis(), seconds * 1000);
        }

        #[test]
        fn whatever_comes_is_read_or_refused(text in ".{0,300}") {
            made_at(&text);
        }
    }
}

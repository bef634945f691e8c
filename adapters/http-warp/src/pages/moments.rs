//! Moments as people write them, in UTC.

use domain::time::Timestamp;

/// Months, as people write them.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The day of a moment: `22 November 2026`.
pub fn day(moment: Timestamp) -> String {
    let iso = moment.to_iso8601();
    let date = iso.split_once('T').map_or(iso.as_str(), |(date, _)| date);
    let mut parts = date.rsplitn(3, '-');
    let (day, month, year) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok()?.checked_sub(1));
    let month = month.and_then(|month| MONTHS.get(month));
    match (day, month, year) {
        (Some(day), Some(month), Some(year)) => format!("{} {month} {year}", day.trim_start_matches('0')),
        _ => date.to_owned(),
    }
}

/// The minute of a moment: `22 November 2026, 07:45 UTC`.
pub fn minute(moment: Timestamp) -> String {
    let iso = moment.to_iso8601();
    let time = iso
        .split_once('T')
        .and_then(|(_, time)| time.get(..5))
        .unwrap_or_default();
    format!("{}, {time} UTC", day(moment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_as_people_write_it() {
        let moment = Timestamp::from_millis(1_795_287_972_795);
        assert_eq!(day(moment), "21 November 2026");
        assert_eq!(day(Timestamp::from_millis(0)), "1 January 1970");
        assert_eq!(minute(moment), "21 November 2026, 19:06 UTC");
    }
}

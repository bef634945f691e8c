//! Words that depend on a value, in the languages the built-in templates are written in; other languages get the English ones, and
//! the bare values beside them.

use domain::time::{Lifetime, Timestamp};
use domain::user::FactorKind;

/// Longest name of a device or a factor that is told, in characters.
const MAX_NAME: usize = 60;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
}

impl Unit {
    /// As templates call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// One of it, and several.
    const fn words(self, language: &str) -> (&'static str, &'static str) {
        match (language.as_bytes(), self) {
            (b"de", Self::Second) => ("Sekunde", "Sekunden"),
            (b"de", Self::Minute) => ("Minute", "Minuten"),
            (b"de", Self::Hour) => ("Stunde", "Stunden"),
            (b"de", Self::Day) => ("Tag", "Tage"),
            (b"es", Self::Second) => ("segundo", "segundos"),
            (b"es", Self::Minute) => ("minuto", "minutos"),
            (b"es", Self::Hour) => ("hora", "horas"),
            (b"es", Self::Day) => ("día", "días"),
            (b"zh", Self::Second) => ("秒", "秒"),
            (b"zh", Self::Minute) => ("分钟", "分钟"),
            (b"zh", Self::Hour) => ("小时", "小时"),
            (b"zh", Self::Day) => ("天", "天"),
            (_, Self::Second) => ("second", "seconds"),
            (_, Self::Minute) => ("minute", "minutes"),
            (_, Self::Hour) => ("hour", "hours"),
            (_, Self::Day) => ("day", "days"),
        }
    }
}

/// A span in the largest unit that says it without a fraction.
pub const fn whole(span: Lifetime) -> (u64, Unit) {
    let seconds = span.as_secs_ceil();
    let unit = if seconds == 0 {
        Unit::Second
    } else if seconds.is_multiple_of(Unit::Day.seconds()) {
        Unit::Day
    } else if seconds.is_multiple_of(Unit::Hour.seconds()) {
        Unit::Hour
    } else if seconds.is_multiple_of(Unit::Minute.seconds()) {
        Unit::Minute
    } else {
        Unit::Second
    };
    (seconds / unit.seconds(), unit)
}

/// A span in words.
pub fn span(language: &str, span: Lifetime) -> String {
    let (count, unit) = whole(span);
    let (one, several) = unit.words(language);
    format!("{count} {}", if count == 1 { one } else { several })
}

/// A moment, to the minute, in the one zone that is nobody's own.
pub fn moment(at: Timestamp) -> String {
    let iso = at.to_iso8601();
    let minutes = iso.rsplit_once(':').map_or(iso.as_str(), |(minutes, _)| minutes);
    format!("{} UTC", minutes.replace('T', " "))
}

/// What people call a kind of second factor.
pub const fn factor(language: &str, kind: FactorKind) -> &'static str {
    match (language.as_bytes(), kind) {
        (b"de", FactorKind::Sms) => "Codes per SMS",
        (b"de", FactorKind::Totp) => "Authenticator-App",
        (b"de", FactorKind::Recovery) => "Wiederherstellungscodes",
        (b"es", FactorKind::Sms) => "códigos por SMS",
        (b"es", FactorKind::Totp) => "aplicación de autenticación",
        (b"es", FactorKind::Recovery) => "códigos de recuperación",
        (b"es", FactorKind::Passkey) => "llave de acceso",
        (b"zh", FactorKind::Sms) => "短信验证码",
        (b"zh", FactorKind::Totp) => "身份验证器应用",
        (b"zh", FactorKind::Recovery) => "恢复码",
        (b"zh", FactorKind::Passkey) => "通行密钥",
        (b"de", FactorKind::Passkey) => "Passkey",
        (_, FactorKind::Sms) => "codes by text message",
        (_, FactorKind::Totp) => "authenticator app",
        (_, FactorKind::Recovery) => "recovery codes",
        (_, FactorKind::Passkey) => "passkey",
    }
}

/// Text that stays on its line and in its direction.
pub fn one_line(text: &str) -> String {
    text.chars().map(printable).collect()
}

/// A name that a stranger may have chosen (of a device, of a factor): short, on one line, and nothing that a mail program would make
/// a link of.
pub fn tame(name: &str) -> String {
    let mut tame = String::new();
    let mut letters = name.chars().take(MAX_NAME).peekable();
    while let Some(letter) = letters.next() {
        let names_a_place = match letter {
            '@' => true,
            '.' | '。' | '．' | '｡' => letters.peek().is_some_and(|next| next.is_alphabetic()),
            ':' => letters.peek() == Some(&'/'),
            _ => false,
        };
        tame.push(if names_a_place { ' ' } else { printable(letter) });
    }
    tame
}

fn printable(c: char) -> char {
    let is_line_end = matches!(c, '\u{2028}' | '\u{2029}');
    let is_direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    if c.is_control() || is_line_end || is_direction {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_words_of_the_language() {
        let told = |language, seconds| span(language, Lifetime::from_secs(seconds));
        assert_eq!(told("en", 600), "10 minutes");
        assert_eq!(told("en", 90), "90 seconds");
        assert_eq!(told("en", 0), "0 seconds");
        assert_eq!(told("de", 3600), "1 Stunde");
        assert_eq!(told("de", 172_800), "2 Tage");
        assert_eq!(told("es", 86_400), "1 día");
        assert_eq!(told("zh", 900), "15 分钟");
        assert_eq!(told("fr", 60), "1 minute");
    }

    #[test]
    fn a_moment_is_told_to_the_minute() {
        assert_eq!(
            moment(Timestamp::from_millis(1_763_797_098_123)),
            "2025-11-22 07:38 UTC"
        );
    }

    #[test]
    fn a_stranger_s_name_forges_no_line_and_becomes_no_link() {
        for name in [
            "https://evil.example/now",
            "evil.example",
            "me@evil.example",
            "a\r\nBcc: b",
            "x\u{202e}y",
            "evil。example",
        ] {
            let tame = tame(name);
            for bad in ["://", "l.e", "l。e", "@", "\n", "\r", "\u{202e}"] {
                assert!(!tame.contains(bad), "{name}: {tame}");
            }
        }
        assert_eq!(tame("Firefox on Linux"), "Firefox on Linux");
        assert_eq!(tame("curl/8.5.0"), "curl/8.5.0");
        assert_eq!(tame(&"x".repeat(500)).len(), MAX_NAME);
    }
}

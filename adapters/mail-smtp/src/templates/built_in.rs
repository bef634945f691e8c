//! The templates that come along. Every name that ends in `.html` is escaped as HTML.

/// The languages.
pub const LANGUAGES: [&str; 4] = ["en", "de", "es", "zh"];

/// What mails in HTML share.
pub const FRAMES: [(&str, &str); 2] = [
    ("layout.html", include_str!("../../templates/layout.html")),
    ("parts.html", include_str!("../../templates/parts.html")),
];

macro_rules! mails {
    ($($name:literal,)*) => {
        /// What the mails are called.
        pub const NAMES: &[&str] = &[$($name,)*];
        /// Every mail in every language, in both forms.
        pub const TEMPLATES: &[(&str, &str)] = &[$(
            form!("en/", $name, ".txt"), form!("en/", $name, ".html"),
            form!("de/", $name, ".txt"), form!("de/", $name, ".html"),
            form!("es/", $name, ".txt"), form!("es/", $name, ".html"),
            form!("zh/", $name, ".txt"), form!("zh/", $name, ".html"),
        )*];
    };
}

macro_rules! form {
    ($language:literal, $name:literal, $ending:literal) => {
        (
            concat!($language, $name, $ending),
            include_str!(concat!("../../templates/", $language, $name, $ending)),
        )
    };
}

mails![
    "verify_email",
    "reset_password",
    "already_registered",
    "join_code",
    "magic_link",
    "notice_new_device",
    "notice_email_changed",
    "notice_email_is_now",
    "notice_phone_changed",
    "notice_password_changed",
    "notice_factor_added",
    "notice_factor_removed",
    "notice_recovery_code_used",
    "notice_codes_held_back",
];

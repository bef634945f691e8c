//! The names of what is counted.

macro_rules! buckets {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What is counted, whomever it is counted for. The names are a promise to whoever reads the audit log, and begin the keys of
        /// counters in every store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Bucket { $($(#[$doc])* $variant),+ }

        impl Bucket {
            /// Every bucket there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

buckets! {
    /// Failed passwords from one address.
    LoginAddress = "login-address",
    /// Failed passwords on one account from one address.
    LoginAccountAddress = "login-account-address",
    /// Failed passwords on one account from one of its known devices.
    LoginAccountDevice = "login-account-device",
    /// Failed passwords on one account from everywhere else.
    LoginAccount = "login-account",
    /// Failed passwords on all accounts of a pool.
    LoginPool = "login-pool",
    /// New users from one address.
    SignUp = "sign-up",
    /// Codes sent to one account.
    CodeSend = "code-send",
    /// Codes sent for one address.
    CodeSendAddress = "code-send-address",
    /// Codes sent to one number.
    CodeSendNumber = "code-send-number",
    /// Codes sent to one country.
    CodeSendCountry = "code-send-country",
    /// Codes sent in all.
    CodeSendDay = "code-send-day",
    /// Failed codes by text message on one account.
    CodeTry = "code-try",
    /// Failed codes of authenticator apps on one account.
    TotpTry = "totp-try",
    /// Failed recovery codes on one account.
    RecoveryTry = "recovery-try",
    /// Failed passkeys on one account.
    PasskeyTry = "passkey-try",
    /// Failed codes for a number that is to be confirmed.
    ConfirmPhoneTry = "confirm-phone-try",
    /// Failed first codes of an app that is being added.
    EnrolTry = "enrol-try",
    /// Authenticators asked from one address.
    PasskeyCall = "passkey-call",
    /// Failed mailed codes to join an account elsewhere with a user.
    JoinCodeTry = "join-code-try",
    /// Failed codes without a challenge from one address.
    CodeTryAddress = "code-try-address",
    /// Tries of one code.
    Code = "code",
    /// Verification mails to one account.
    MailVerify = "mail-verify",
    /// Reset mails to one account.
    MailReset = "mail-reset",
    /// Mails that sign-ups cause to one account.
    MailSignUp = "mail-sign-up",
    /// Codes to join, mailed to one account.
    MailJoin = "mail-join",
    /// Links to log in with, mailed to one account.
    MailMagicLink = "mail-magic-link",
    /// Changes of the address told to one account.
    MailEmailChange = "mail-email-change",
    /// Mails caused by one address.
    MailAddress = "mail-address",
    /// People sent to providers from one address.
    Authorization = "authorization",
    /// Failed tokens and application keys from one address.
    TokenTry = "token-try",
    /// Calls of one application with its key.
    ApplicationCall = "application-call",
    /// A proof that counts once: an assertion, a ticket, a nonce.
    Once = "once",
}

impl Bucket {
    /// The one that the text of a key begins with.
    pub(super) fn of(key: &str) -> Option<Self> {
        let (name, _) = key.split_once(':')?;
        Self::ALL.iter().copied().find(|bucket| bucket.name() == name)
    }
}

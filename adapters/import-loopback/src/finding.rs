//! What cannot be taken over as it was.

use std::collections::BTreeMap;

/// Most examples of one kind.
const EXAMPLES: usize = 5;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody will not come in as before, or a decision is due.
    Conflict,
    /// It becomes something else here, or is left behind for a reason.
    Note,
}

/// Declares the findings: code, severity, sentence.
macro_rules! findings {
    ($($name:ident $severity:ident $code:literal $sentence:literal)*) => {
        /// Kinds of findings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum What {
            $(#[doc = $sentence] $name,)*
        }

        impl What {
            /// The stable name, for scripts.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means and what becomes of it.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

findings! {
    SameEmail Conflict "same_email" "users whose e-mail address is another user's in other case: only the first is taken. `caseSensitiveEmail = true` for the pool takes both"
    SameUsername Conflict "same_username" "users whose username is another user's in other case or width: only the first is taken"
    BadId Conflict "bad_id" "records without an id: left out"
    BadEmail Conflict "bad_email" "e-mail addresses that are none here: the users come without them"
    UnknownHash Conflict "unknown_hash" "passwords hashed in a way that is not known here: the users come without a password, and set one by mail"
    SharedIdentity Conflict "shared_identity" "accounts at providers that belong to several users: only the first user keeps them"
    UnknownProvider Conflict "unknown_provider" "accounts at providers that providers.json does not have: left out. Add the entries, or name the issuer by --issuer PROVIDER=URL"
    InventedEmail Note "invented_email" "addresses that LoopBack invented (@loopback.PROVIDER.com) and somebody else may own: the users come without them"
    OrphanedIdentity Note "orphaned_identity" "accounts at providers whose user is gone: left out. In LoopBack they locked their people out for good"
    OrphanedCredential Note "orphaned_credential" "linked accounts whose user is gone: left out"
    IdentityWithoutSubject Note "identity_without_subject" "accounts at providers without an id: left out. In LoopBack anybody could log in by them"
    LinkedAccount Note "linked_account" "accounts that were only linked: here one logs in by them as well"
    BadUsername Note "bad_username" "usernames that are none here: the users come without them"
    BadRealm Note "bad_realm" "realms that are none here: the users come without them"
    BadPhone Note "bad_phone" "telephone numbers without their country code: left out"
    LargeAttributes Note "large_attributes" "users whose own properties are too large or too deep: they come without them"
    PendingVerification Note "pending_verification" "users who have not followed the link in their mail: the link is void, they ask for another"
    ExpiredToken Note "expired_token" "access tokens whose life is over: left out"
    OddToken Note "odd_token" "access tokens with a life that is none: left out. In LoopBack each use of them was an error"
    ScopedToken Note "scoped_token" "access tokens for one purpose (a password reset under way): left out, their owners ask for another mail"
    EternalToken Note "eternal_token" "access tokens that live for ever: left out, as the pool does not allow them"
    OrphanedToken Note "orphaned_token" "access tokens whose user is gone, or is left out: left out"
    BadRole Conflict "bad_role" "roles whose name is taken or is none here: left out"
    MappingWithoutRole Note "mapping_without_role" "role mappings whose role is gone: left out, they gave nothing"
    MappingWithoutHolder Note "mapping_without_holder" "role mappings whose user or application is gone: left out"
    NestedRole Note "nested_role" "role mappings from role to role: left out. In LoopBack 3 they had no effect; here they give rights. --nested-roles takes them"
    Administrators Note "administrators" "users with the role `admin`: they administer this server, if their pool is the admin pool"
    RuleWithoutMeaning Conflict "rule_without_meaning" "stored rules that say nothing that is known here: left out"
    AlarmOrAudit Note "alarm_or_audit" "stored rules that say ALARM or AUDIT, which LoopBack let pass: they become ALLOW"
    DefaultDeny Note "default_deny" "where no rule matches, LoopBack allows and this server denies: write rules for the models that stood open"
    OddKey Note "odd_key" "applications without all of their five keys: those they have go on working"
    DroppedSecrets Note "dropped_secrets" "applications with push settings or authentication schemes, which hold secrets in clear: those are left out"
    BadApplication Conflict "bad_application" "applications without a name or an id: left out"
}

/// One kind of finding, how often, and some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub what: What,
    /// How often.
    pub count: u64,
    /// Some, by id.
    pub examples: Vec<String>,
}

/// All there are.
#[derive(Clone, Debug, Default)]
pub struct Findings(BTreeMap<What, Finding>);

impl Findings {
    /// Notes one, with whom it is about: by ids, which are no secrets.
    pub fn note(&mut self, what: What, whom: impl Into<String>) {
        self.many(what, 1, Some(whom.into()));
    }

    /// Notes several of a kind.
    pub(crate) fn many(&mut self, what: What, count: u64, whom: Option<String>) {
        let finding = self.0.entry(what).or_insert_with(|| Finding {
            what,
            count: 0,
            examples: Vec::new(),
        });
        finding.count += count;
        if let Some(whom) = whom
            && finding.examples.len() < EXAMPLES
        {
            finding.examples.push(whom);
        }
    }

    /// Each kind, conflicts first.
    pub fn each(&self) -> impl Iterator<Item = &Finding> {
        let of = |severity| {
            self.0
                .values()
                .filter(move |finding| finding.what.severity() == severity)
        };
        of(Severity::Conflict).chain(of(Severity::Note))
    }

    /// How many conflicts there are.
    pub fn conflicts(&self) -> u64 {
        let conflicts = self
            .0
            .values()
            .filter(|it| it.what.severity() == Severity::Conflict);
        conflicts.map(|finding| finding.count).sum()
    }
}

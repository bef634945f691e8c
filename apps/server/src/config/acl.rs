//! LoopBack's ACL objects, in LoopBack's own spelling.

use super::read::Reader;

/// One rule. Rules of the configuration are added to the built-in ones of the user model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// `ROLE`, `USER` or `APP`.
    pub principal_type: String,
    /// Name of a role (`$everyone`, `$owner`, `admin` …), or the id of a user or an application.
    pub principal_id: String,
    /// `ALLOW` or `DENY`.
    pub permission: String,
    /// Names of methods or properties; `*` is all.
    pub property: Vec<String>,
    /// `*`, `READ`, `WRITE`, `REPLICATE` or `EXECUTE`.
    pub access_type: String,
}

impl Acl {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            principal_type: word(reader, "principalType", &["ROLE", "USER", "APP"]),
            principal_id: reader.required_id("principalId"),
            permission: word(reader, "permission", &["ALLOW", "DENY"]),
            property: reader.text_or_list("property", "*"),
            access_type: reader.parsed("accessType", "*", "*".to_owned(), |text| {
                one_of(text, &["*", "READ", "WRITE", "REPLICATE", "EXECUTE"])
            }),
        }
    }
}

/// A required word: a rule that says less than it means would open or shut the wrong door.
fn word(reader: &mut Reader, key: &str, words: &[&str]) -> String {
    let text = reader.required_id(key);
    if text.is_empty() {
        return text;
    }
    if let Err(message) = one_of(&text, words) {
        reader.refuse(key, message);
    }
    text
}

fn one_of(text: &str, words: &[&str]) -> Result<String, String> {
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("must be one of {}, but is `{text}`", words.join(", ")))
}

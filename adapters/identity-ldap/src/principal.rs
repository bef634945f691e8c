use crate::error::LdapConfigError;
use crate::template::{Template, as_it_is, in_name};

/// What no account of Active Directory may have in its name ([`sAMAccountName`'s rule](https://learn.microsoft.com/windows/win32/adschema/a-samaccountname)),
/// and what would make another domain or a distinguished name of it.
const FORBIDDEN: &str = "\"/\\[]:;|=,+*?<>@";

/// How the entry of a principal is found where the configuration does not say.
pub const USUAL_FILTER: &str = "(userPrincipalName={{principal}})";

/// Who binds, made from the name that was typed.
#[derive(Clone, Debug)]
pub struct Principal {
    template: Template,
    is_name: bool,
}

impl Principal {
    /// Reads `uid={{username}},ou=people,dc=example`, or `{{username}}@corp.example` and the like.
    pub fn parse(text: &str) -> Result<Self, LdapConfigError> {
        let wrong = || LdapConfigError::Principal(text.to_owned());
        let template = Template::parse(text.trim(), &["username"]).ok_or_else(wrong)?;
        let is_name = text.contains('=');
        if !template.has("username") || (is_name && !text.contains(',')) {
            return Err(wrong());
        }
        Ok(Self { template, is_name })
    }

    /// Whether it is a distinguished name, so that the entry is known with it.
    pub const fn is_name(&self) -> bool {
        self.is_name
    }

    /// Who that is; none where no account can have the name. In a distinguished name every name is escaped; elsewhere there is no
    /// escaping, so what would mean something is refused. A bare `{{username}}` takes a whole `ann@corp.example`.
    pub fn render(&self, name: &str) -> Option<String> {
        let values = [("username", name)];
        if self.is_name {
            return Some(self.template.render(&values, in_name));
        }
        let bare = self.template.is_only("username");
        let forbidden = |character| FORBIDDEN.contains(character) && !(bare && character == '@');
        (!name.contains(forbidden)).then(|| self.template.render(&values, as_it_is))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, name: &str) -> Option<String> {
        Principal::parse(template).unwrap().render(name)
    }

    #[test]
    fn a_name_is_escaped_inside_a_distinguished_name() {
        let template = "uid={{username}},ou=people,dc=example";
        let rendered = render(template, "a,ou=x+b");
        assert_eq!(
            rendered.as_deref(),
            Some(r"uid=a\2cou\3dx\2bb,ou=people,dc=example")
        );
    }

    #[test]
    fn a_name_that_would_be_of_another_domain_is_refused() {
        for name in [
            "ann@evil.example",
            r"EVIL\ann",
            "cn=ann,dc=x",
            "ann/admin",
            "ann@",
        ] {
            assert_eq!(render("{{username}}@corp.example", name), None, "{name}");
            assert_eq!(render(r"CORP\{{username}}", name), None, "{name}");
        }
        assert_eq!(
            render("{{username}}@corp.example", "ann").as_deref(),
            Some("ann@corp.example")
        );
    }

    #[test]
    fn a_bare_principal_takes_a_whole_name_but_no_distinguished_one() {
        assert_eq!(
            render("{{username}}", "ann@corp.example").as_deref(),
            Some("ann@corp.example")
        );
        assert_eq!(render("{{username}}", "cn=admin,dc=x"), None);
        assert_eq!(render("{{username}}", r"CORP\ann"), None);
    }

    #[test]
    fn a_principal_that_is_the_same_for_everybody_is_refused() {
        for template in [
            "uid=ann,dc=example",
            "",
            "uid={{username}}",
            "{{name}}@corp.example",
        ] {
            assert!(Principal::parse(template).is_err(), "{template}");
        }
    }
}

//! The query string: names and values, decoded, in order.

/// A parsed query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query string; broken percent codes stay as they are, as browsers and Express leave them.
    pub fn parse(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The value of a name that stands there exactly once. A doubled name has no value: which one would be meant?
    pub fn one(&self, name: &str) -> Option<&str> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// All pairs, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_name_has_no_value() {
        let query = Query::parse("a=1&b=2&a=3&c=%20x");
        assert_eq!(query.one("a"), None);
        assert_eq!(query.one("b"), Some("2"));
        assert_eq!(query.one("c"), Some(" x"));
    }
}

//! `portcullis adapters`

use crate::adapters::{Kind, kinds};

use super::table::table;

/// All adapters of the product by kind, whether this binary holds them, and how the configuration names them.
pub fn adapters() -> String {
    let rows: Vec<_> = kinds().iter().flat_map(|(name, kind)| rows(name, kind)).collect();
    table(["HAS", "ADAPTER", "KIND", "CONFIGURED BY"], &rows)
}

fn rows(name: &str, kind: &Kind) -> Vec<[String; 4]> {
    let row = |known: &crate::adapters::Known| {
        let here = if known.compiled { "yes" } else { "no" };
        let words = known.words.join(", ");
        [
            here.to_owned(),
            known.feature.to_owned(),
            name.to_owned(),
            format!("{} = {words}", kind.key),
        ]
    };
    kind.known.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_adapter_is_listed_with_its_kind_and_its_words() {
        let listed = adapters();
        let line = |feature: &str| {
            let found = listed
                .lines()
                .find(|line| line.split_whitespace().nth(1) == Some(feature));
            found.unwrap_or_else(|| panic!("{feature}: {listed}")).to_owned()
        };
        assert!(line("storage-postgres").ends_with("storage.url = postgres, postgresql"));
        assert!(line("sessions-redis").contains("redis-sentinel"));
        assert!(line("sms-console").starts_with("yes  "));
    }
}

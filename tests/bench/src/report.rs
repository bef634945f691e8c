//! The figures, for eyes and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::stats::Spread;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Aim {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", number(bound)),
            Self::AtMost(bound) => format!("≤ {}", number(bound)),
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug)]
struct Figure {
    subject: String,
    name: String,
    unit: &'static str,
    spread: Option<Spread>,
    aim: Option<Aim>,
}

/// All figures of a run.
#[derive(Clone, Debug)]
pub struct Report {
    facts: Vec<(&'static str, String)>,
    figures: Vec<Figure>,
}

impl Report {
    /// A report without figures, of a run under these circumstances.
    pub fn new(facts: Vec<(&'static str, String)>) -> Self {
        Self {
            facts,
            figures: Vec::new(),
        }
    }

    /// Notes a figure, one value per round.
    pub fn note(&mut self, subject: &str, name: &str, unit: &'static str, values: &[f64]) {
        self.add(subject, name, unit, values, None);
    }

    /// Notes a figure that has an aim; its median is judged.
    pub fn judge(&mut self, subject: &str, name: &str, unit: &'static str, values: &[f64], aim: Aim) {
        self.add(subject, name, unit, values, Some(aim));
    }

    fn add(&mut self, subject: &str, name: &str, unit: &'static str, values: &[f64], aim: Option<Aim>) {
        self.figures.push(Figure {
            subject: subject.to_owned(),
            name: name.to_owned(),
            unit,
            spread: Spread::of(values),
            aim,
        });
    }

    /// A table for a terminal.
    pub fn table(&self) -> String {
        let facts = self.facts.iter().map(|(name, value)| format!("{name}: {value}"));
        let mut text = facts.collect::<Vec<_>>().join(" · ");
        let mut subject = "";
        for figure in &self.figures {
            if figure.subject != subject {
                subject = &figure.subject;
                let _ = write!(
                    text,
                    "\n\n{subject:<58} {:>10} {:>10} {:>10} {:<7} aim",
                    "median", "min", "max", "unit"
                );
            }
            text.push('\n');
            text.push_str(&figure.line());
        }
        text
    }

    /// The same as JSON.
    pub fn json(&self) -> Value {
        let facts: serde_json::Map<String, Value> = self
            .facts
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        json!({"facts": facts, "figures": figures})
    }
}

impl Figure {
    fn is_met(&self) -> Option<bool> {
        Some(self.aim?.is_met(self.spread?.median))
    }

    fn line(&self) -> String {
        let shown = |pick: fn(&Spread) -> f64| {
            self.spread
                .as_ref()
                .map_or_else(|| "-".to_owned(), |spread| number(pick(spread)))
        };
        let aim = match (self.aim, self.is_met()) {
            (None, _) => String::new(),
            (Some(aim), Some(true)) => format!("{} met", aim.text()),
            (Some(aim), Some(false)) => format!("{} NOT MET", aim.text()),
            (Some(aim), None) => format!("{} unknown", aim.text()),
        };
        let line = format!(
            "  {:<56} {:>10} {:>10} {:>10} {:<7} {aim}",
            self.name,
            shown(|spread| spread.median),
            shown(|spread| spread.min),
            shown(|spread| spread.max),
            self.unit
        );
        line.trim_end().to_owned()
    }

    fn json(&self) -> Value {
        json!({
            "subject": self.subject,
            "name": self.name,
            "unit": self.unit,
            "median": self.spread.map(|spread| spread.median),
            "min": self.spread.map(|spread| spread.min),
            "max": self.spread.map(|spread| spread.max),
            "rounds": self.spread.map(|spread| spread.count),
            "aim": self.aim.map(Aim::text),
            "met": self.is_met(),
        })
    }
}

/// Three to four digits that matter.
fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::new(vec![("cores", "2".to_owned())]);
        report.judge(
            "token",
            "beside bare",
            "ratio",
            &[0.7, 0.9, 0.8],
            Aim::AtLeast(0.8),
        );
        report.judge("token", "slower", "ratio", &[1.3], Aim::AtMost(1.2));
        report.note("token", "rate", "req/s", &[12_345.6]);
        report.judge("token", "none", "ratio", &[], Aim::AtMost(1.0));
        report
    }

    #[test]
    fn the_median_is_judged_and_the_spread_is_shown() {
        let table = report().table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "cores: 2");
        assert!(lines[3].contains("0.80       0.70       0.90") && lines[3].ends_with("≥ 0.80 met"));
        assert!(lines[4].ends_with("≤ 1.20 NOT MET"));
        assert!(lines[5].contains("12346") && lines[5].ends_with("req/s"));
        assert!(lines[6].ends_with("≤ 1.00 unknown"));
    }

    #[test]
    fn programs_read_the_same_figures() {
        let json = report().json();
        assert_eq!(json["facts"]["cores"], "2");
        assert_eq!(json["figures"][0]["median"], 0.8);
        assert_eq!(json["figures"][0]["met"], true);
        assert_eq!(json["figures"][1]["met"], false);
        assert_eq!(json["figures"][2]["met"], Value::Null);
        assert_eq!(json["figures"][3]["median"], Value::Null);
    }
}

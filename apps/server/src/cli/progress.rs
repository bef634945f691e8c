//! Telling people how far something came, on standard error: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::transfer::{Progress, Unit};

/// How often a line is written where there is no terminal: often enough to see that it lives, seldom enough for a log.
const A_LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows stages and how far they came.
pub struct Meter {
    look: Look,
    stage: Mutex<Option<Stage>>,
}

#[derive(Clone, Copy)]
enum Look {
    Bar,
    Lines,
    Nothing,
}

enum Stage {
    Bar(ProgressBar),
    Lines(Lines),
}

struct Lines {
    name: &'static str,
    unit: Unit,
    total: Option<u64>,
    told: Instant,
}

impl Meter {
    /// One that fits what standard error is.
    pub fn new(quiet: bool) -> Self {
        let look = match (quiet, io::stderr().is_terminal()) {
            (true, _) => Look::Nothing,
            (false, true) => Look::Bar,
            (false, false) => Look::Lines,
        };
        Self {
            look,
            stage: Mutex::new(None),
        }
    }

    fn with_stage<T>(&self, act: impl FnOnce(&mut Option<Stage>) -> T) -> T {
        act(&mut self.stage.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Meter {
    fn begin(&self, name: &'static str, unit: Unit, total: Option<u64>) {
        let stage = match self.look {
            Look::Nothing => None,
            Look::Bar => Some(Stage::Bar(bar(name, unit, total))),
            Look::Lines => Some(Stage::Lines(Lines {
                name,
                unit,
                total,
                told: Instant::now(),
            })),
        };
        self.with_stage(|now| *now = stage);
    }

    fn at(&self, done: u64) {
        self.with_stage(|stage| match stage {
            Some(Stage::Bar(bar)) => bar.set_position(done),
            Some(Stage::Lines(lines)) if lines.told.elapsed() >= A_LINE_EVERY => {
                lines.told = Instant::now();
                // Nobody may be reading; that is no reason to stop.
                let _ = writeln!(io::stderr(), "portcullis: {}", line(lines, done));
            }
            None | Some(Stage::Lines(_)) => {}
        });
    }

    fn end(&self) {
        if let Some(Stage::Bar(bar)) = self.with_stage(Option::take) {
            bar.finish_and_clear();
        }
    }
}

fn bar(name: &'static str, unit: Unit, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match (unit, total) {
        (_, None) => (
            ProgressBar::new_spinner(),
            "{spinner} {msg}: {human_pos} records, {per_sec}",
        ),
        (Unit::Records, Some(total)) => (
            ProgressBar::new(total),
            "{msg} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} to go",
        ),
        (Unit::Bytes, Some(total)) => (
            ProgressBar::new(total),
            "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} to go",
        ),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_message(name)
}

fn line(lines: &Lines, done: u64) -> String {
    let unit = match lines.unit {
        Unit::Records => "records",
        Unit::Bytes => "bytes",
    };
    let name = lines.name;
    match lines.total.filter(|total| *total > 0) {
        None => format!("{name}: {done} {unit}"),
        Some(total) => {
            let percent = u128::from(done) * 100 / u128::from(total);
            format!("{name}: {done} of {total} {unit} ({percent} %)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(unit: Unit, total: Option<u64>) -> Lines {
        Lines {
            name: "importing",
            unit,
            total,
            told: Instant::now(),
        }
    }

    #[test]
    fn a_line_says_how_far_it_came() {
        assert_eq!(line(&lines(Unit::Records, None), 7), "importing: 7 records");
        assert_eq!(line(&lines(Unit::Records, Some(0)), 0), "importing: 0 records");
        assert_eq!(
            line(&lines(Unit::Bytes, Some(200)), 50),
            "importing: 50 of 200 bytes (25 %)"
        );
    }

    #[test]
    fn every_bar_can_be_drawn() {
        for (unit, total) in [
            (Unit::Records, None),
            (Unit::Records, Some(7)),
            (Unit::Bytes, Some(7)),
        ] {
            let bar = bar("importing", unit, total);
            bar.set_position(3);
            bar.finish_and_clear();
        }
    }
}

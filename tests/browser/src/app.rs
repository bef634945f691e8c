//! An authenticator app on somebody's phone.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rqrr::{Grid, SimpleGrid};
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// Seconds that a code is shown (RFC 6238 section 5.2).
const STEP: u64 = 30;
/// Seconds that a given code is good for at least: longer than typing it takes on a busy machine.
const LEEWAY: u64 = 10;
/// Light squares around the picture of a key (ISO/IEC 18004 section 9.1).
const MARGIN: usize = 4;

/// Holds one key. It gives each code once, as the server takes each once: the one of the step before, which clocks that are slow
/// still show, the present one, the next one; then it waits for another.
pub struct App {
    codes: Totp,
    given: u64,
}

impl App {
    /// One that was told this key as pages show it: base32, in groups.
    ///
    /// # Panics
    /// When that is no key.
    pub fn told(key: &str) -> Self {
        let key: String = key.split_whitespace().collect();
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(STEP)
            .with_secret(Secret::try_from_base32(&key).expect("base32"));
        Self {
            codes: builder.build().expect("a key that is long enough"),
            given: 0,
        }
    }

    /// The key that a picture of squares shows to a camera: `drawing` is the path of its dark squares, each drawn as
    /// `M{column} {row}h1v1h-1z`, and `side` how many there are in a row, with the light margin.
    ///
    /// # Panics
    /// When no camera could read it, or it says something else than a key.
    pub fn scanned(drawing: &str, side: usize) -> String {
        let dark = drawing.split('M').filter_map(|square| {
            let (column, row) = square.strip_suffix("h1v1h-1z")?.split_once(' ')?;
            Some((column.parse::<usize>().ok()?, row.parse::<usize>().ok()?))
        });
        let dark: BTreeSet<(usize, usize)> = dark.collect();
        let outside = |at: &usize| *at < MARGIN || *at >= side - MARGIN;
        let margin = dark.iter().any(|(column, row)| outside(column) || outside(row));
        assert!(!margin, "a light margin all around");
        let grid = SimpleGrid::from_func(side - 2 * MARGIN, |column, row| {
            dark.contains(&(column + MARGIN, row + MARGIN))
        });
        let (_, said) = Grid::new(grid).decode().expect("a picture that can be read");
        let asked = said
            .strip_prefix("otpauth://totp/")
            .and_then(|rest| rest.split_once('?'));
        let (_, asked) = asked.unwrap_or_else(|| panic!("no authenticator app takes {said}"));
        let secret = asked.split('&').find_map(|pair| pair.strip_prefix("secret="));
        secret.expect("a key").to_owned()
    }

    /// A code that was not given before.
    pub async fn code(&mut self) -> String {
        loop {
            let oldest = (now() + LEEWAY) / STEP - 1;
            let next = oldest.max(self.given + 1);
            if next <= now() / STEP + 1 {
                self.given = next;
                return self.at(next);
            }
            // Here time itself is the matter.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// A code that it shows neither now nor soon.
    ///
    /// # Panics
    /// Never: it shows fewer codes than are tried.
    pub fn wrong(&self) -> String {
        let present = now() / STEP;
        let shown: Vec<String> = (present - 2..present + 4).map(|step| self.at(step)).collect();
        let wrong = (0..10_u8).map(|digit| digit.to_string().repeat(6));
        wrong
            .into_iter()
            .find(|code| !shown.contains(code))
            .expect("one of ten")
    }

    fn at(&self, step: u64) -> String {
        self.codes.generate(step * STEP).to_string()
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

//! Asking before something is destroyed.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::control::Refusal;

/// Asks whoever sits at the terminal whether they mean it. A script says so with `--yes`; one that does not is refused, never
/// left waiting.
///
/// # Errors
/// A sentence when it is not confirmed.
pub fn confirmed(what: &str, yes: bool) -> Result<(), Refusal> {
    if yes {
        return Ok(());
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Refusal::new(format!(
            "{what}: nobody can be asked here; add --yes to do it"
        )));
    }
    answered(what, &mut stdin.lock(), &mut io::stderr())
}

fn answered(what: &str, from: &mut impl BufRead, to: &mut impl Write) -> Result<(), Refusal> {
    let failed = |error: io::Error| Refusal::new(format!("{what}: {error}"));
    write!(to, "{what}. Go on? [y/N] ")
        .and_then(|()| to.flush())
        .map_err(failed)?;
    let mut line = String::new();
    from.read_line(&mut line).map_err(failed)?;
    match line.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Refusal::new("nothing was done")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_confirms() {
        for (said, goes_on) in [
            ("y\n", true),
            ("yes\n", true),
            ("n\n", false),
            ("\n", false),
            ("", false),
            ("yy\n", false),
        ] {
            let mut asked = Vec::new();
            let answer = answered("All is lost", &mut said.as_bytes(), &mut asked);
            assert_eq!(answer.is_ok(), goes_on, "{said:?}");
            assert_eq!(String::from_utf8_lossy(&asked), "All is lost. Go on? [y/N] ");
        }
    }
}

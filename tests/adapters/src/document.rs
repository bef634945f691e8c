//! What a page tells its reader to do.

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make this file.
    File {
        /// Its path from the root.
        path: String,
        /// Its text.
        text: String,
    },
    /// Change a file that is there.
    Change {
        /// Its path from the root.
        path: String,
        /// Lines that stand in it, in one place.
        old: String,
        /// What stands there then.
        new: String,
    },
    /// Run these commands at the root.
    Run(String),
}

/// The steps of a page, in their order: a block under a line with nothing but a file's name in bold is that file or, as a `diff`, a
/// change to it; a block of `sh` is commands. A block of `text` is an illustration.
///
/// # Errors
/// A sentence about the first block that is none of these.
pub fn steps(page: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut path = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: String = lines
                .by_ref()
                .take_while(|line| *line != "```")
                .flat_map(|line| [line, "\n"])
                .collect();
            steps.extend(step(language, path, text)?);
        } else if !line.is_empty() {
            path = line.strip_prefix("**`").and_then(|rest| rest.strip_suffix("`**"));
        }
    }
    Ok(steps)
}

fn step(language: &str, path: Option<&str>, text: String) -> Result<Option<Step>, String> {
    match (language, path.map(str::to_owned)) {
        ("text", _) => Ok(None),
        ("sh", _) => Ok(Some(Step::Run(text))),
        ("diff", Some(path)) => change(path, &text).map(Some),
        (_, Some(path)) => Ok(Some(Step::File { path, text })),
        (language, None) => Err(format!(
            "a block of `{language}` says of no file that it is it:\n{text}"
        )),
    }
}

fn change(path: String, diff: &str) -> Result<Step, String> {
    let (mut old, mut new) = (String::new(), String::new());
    for line in diff.lines() {
        let (mark, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
        if !matches!(mark, " " | "-" | "+") {
            return Err(format!("{path}: `{line}` begins with neither blank, + nor -"));
        }
        for (wanted, side) in [("-", &mut old), ("+", &mut new)] {
            if mark == wanted || mark == " " {
                side.push_str(rest);
                side.push('\n');
            }
        }
    }
    Ok(Step::Change { path, old, new })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_a_file_a_change_or_commands() {
        let page = "# A page\n\n**`a/b.rs`**\n\n```rust\nfn b() {}\n```\n\nThen:\n\n**`c.toml`**\n\n```diff\n one\n-two\n+three\n```\n\n\
                    ```diff\n+four\n five\n```\n\n```sh\ncargo run\n```\n\n```text\nlook\n```\n";
        let path = || "c.toml".to_owned();
        assert_eq!(
            steps(page).unwrap(),
            [
                Step::File {
                    path: "a/b.rs".to_owned(),
                    text: "fn b() {}\n".to_owned()
                },
                Step::Change {
                    path: path(),
                    old: "one\ntwo\n".to_owned(),
                    new: "one\nthree\n".to_owned()
                },
                Step::Change {
                    path: path(),
                    old: "five\n".to_owned(),
                    new: "four\nfive\n".to_owned()
                },
                Step::Run("cargo run\n".to_owned()),
            ]
        );
    }

    #[test]
    fn a_block_that_belongs_to_nothing_is_found() {
        assert!(steps("Some code:\n\n```rust\nfn a() {}\n```\n").is_err());
        assert!(steps("**`a`**\n\nprose\n\n```toml\na = 1\n```\n").is_err());
        assert!(steps("**`a`**\n\n```diff\n@@ -1 +1 @@\n```\n").is_err());
    }
}

//! Rust as text: enough of the grammar to leave out comments and strings and to find enums, traits and step tables.

/// The code without comments; string and character literals are emptied, line breaks stay.
pub fn code(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = |index: usize| letters.get(index).copied().unwrap_or('\0');
    let mut code = String::with_capacity(text.len());
    let mut index = 0;
    while index < letters.len() {
        let end = match (at(index), at(index + 1)) {
            ('/', '/') => end_of_line(&letters, index),
            ('/', '*') => end_of_comment(&letters, index),
            ('"', _) => {
                code.push_str("\"\"");
                end_of_string(&letters, index, 0)
            }
            ('r', '"' | '#') if !is_word(at(index.wrapping_sub(1))) => match raw_hashes(&letters, index) {
                Some(hashes) => {
                    code.push_str("\"\"");
                    end_of_string(&letters, index + 1 + hashes, hashes.max(1))
                }
                None => index,
            },
            ('\'', '\\') => {
                code.push_str("' '");
                (index + 2..=letters.len())
                    .find(|end| at(*end) == '\'' && *end > index + 2 || at(*end) == '\0')
                    .unwrap_or(index)
                    + 1
            }
            ('\'', _) if at(index + 2) == '\'' => {
                code.push_str("' '");
                index + 3
            }
            _ => index,
        };
        if end == index {
            code.push(at(index));
            index += 1;
        } else {
            let skipped = letters.get(index..end.min(letters.len())).unwrap_or_default();
            code.extend(skipped.iter().filter(|letter| **letter == '\n'));
            index = end;
        }
    }
    code
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn end_of_line(letters: &[char], from: usize) -> usize {
    let rest = letters.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|letter| *letter == '\n')
        .unwrap_or(rest.len())
}

fn end_of_comment(letters: &[char], from: usize) -> usize {
    let (mut depth, mut index) = (0_usize, from);
    while index < letters.len() {
        match (letters.get(index), letters.get(index + 1)) {
            (Some('/'), Some('*')) => depth += 1,
            (Some('*'), Some('/')) => depth -= 1,
            _ => {
                index += 1;
                continue;
            }
        }
        index += 2;
        if depth == 0 {
            break;
        }
    }
    index
}

fn raw_hashes(letters: &[char], from: usize) -> Option<usize> {
    let hashes = letters
        .get(from + 1..)?
        .iter()
        .take_while(|letter| **letter == '#')
        .count();
    (letters.get(from + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// `hashes` is zero for a plain string, in which a backslash escapes; else the number of `#` of a raw one, at least one.
fn end_of_string(letters: &[char], from: usize, hashes: usize) -> usize {
    let raw = letters
        .get(from.wrapping_sub(1))
        .is_some_and(|letter| matches!(letter, 'r' | '#'))
        && hashes > 0;
    let closing = if raw && letters.get(from.wrapping_sub(1)) == Some(&'#') {
        hashes
    } else {
        0
    };
    let mut index = from + 1;
    while let Some(letter) = letters.get(index) {
        match letter {
            '\\' if !raw => index += 1,
            '"' => {
                let after = letters.get(index + 1..).unwrap_or_default();
                if after.iter().take(closing).filter(|hash| **hash == '#').count() == closing {
                    return index + 1 + closing;
                }
            }
            _ => {}
        }
        index += 1;
    }
    index
}

/// The part of a file that is not its own test module.
pub fn production(text: &str) -> &str {
    let start = text.find("#[cfg(test)]\nmod tests");
    start.and_then(|start| text.get(..start)).unwrap_or(text)
}

/// The block in braces that begins at the first `{` behind `from`, without its braces.
pub fn block(code: &str, from: usize) -> &str {
    let rest = code.get(from..).unwrap_or_default();
    let Some(open) = rest.find('{') else {
        return "";
    };
    let body = rest.get(open + 1..).unwrap_or_default();
    let mut depth = 1_usize;
    for (index, letter) in body.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return body.get(..index).unwrap_or_default();
        }
    }
    body
}

/// A named block of code: an enum with its variants, a trait with its methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// The names in it.
    pub members: Vec<String>,
}

/// The public enums of some code (see [`code`]) and their variants.
pub fn enums(code: &str) -> Vec<Item> {
    named_blocks(code, "pub enum ")
        .map(|(name, body)| Item {
            name,
            members: variants(body),
        })
        .collect()
}

/// The public traits of some code and their methods.
pub fn traits(code: &str) -> Vec<Item> {
    let methods = |body: &str| {
        let rest = body.split("fn ").skip(1);
        rest.map(first_word).collect()
    };
    named_blocks(code, "pub trait ")
        .map(|(name, body)| Item {
            name,
            members: methods(body),
        })
        .collect()
}

fn named_blocks<'a>(code: &'a str, keyword: &'static str) -> impl Iterator<Item = (String, &'a str)> {
    code.match_indices(keyword).map(move |(at, _)| {
        let after = at + keyword.len();
        (
            first_word(code.get(after..).unwrap_or_default()),
            block(code, after),
        )
    })
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| is_word(*letter)).collect()
}

fn variants(body: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let mut top = String::new();
    for letter in body.chars() {
        match letter {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ if depth == 0 => top.push(letter),
            _ => {}
        }
    }
    let names = top
        .split(',')
        .map(|part| part.trim_start_matches(|letter: char| !is_word(letter)));
    names.map(first_word).filter(|name| !name.is_empty()).collect()
}

/// The pairs of state and event that a step table names: `(Login::Start, LoginEvent::Identified(…))` gives `Start`, `Identified`.
pub fn pairs(code: &str, state: &str, event: &str) -> Vec<(String, String)> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let (state, event) = (format!("({state}::"), format!("{event}::"));
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&state) {
        let rest = code.get(at + state.len()..).unwrap_or_default();
        let name = first_word(rest);
        let after = behind_group(rest.get(name.len()..).unwrap_or_default());
        if let Some(after) = after
            .strip_prefix(',')
            .and_then(|after| after.strip_prefix(&event))
        {
            found.push((name, first_word(after)));
        }
    }
    found
}

/// What stands behind the brackets a text begins with, if it begins with any.
fn behind_group(text: &str) -> &str {
    let mut depth = 0_i32;
    for (index, letter) in text.char_indices() {
        match letter {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let end = if matches!(letter, ')' | '}') {
                index + 1
            } else {
                index
            };
            return text.get(end..).unwrap_or_default();
        }
    }
    ""
}

/// The section of a Markdown text under the heading of that name, down to the next one.
pub fn section<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let start = text.find(&format!("\n## {heading}\n"))?;
    let body = text.get(start + heading.len() + 5..)?;
    Some(body.find("\n## ").and_then(|end| body.get(..end)).unwrap_or(body))
}

/// Whether a text has this word, not as a part of another.
pub fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_left_out_of_the_code() {
        let text = "let a = \"std::fs\"; // std::fs\n/* std::fs /* */ */ let b = r#\"std::\"fs\"#; let c = '\"'; let d = '\\n';\n//! x\nfn e<'a>() {}";
        let code = code(text);
        assert!(!code.contains("std"), "{code}");
        assert_eq!(code.lines().count(), text.lines().count());
        assert!(
            code.contains("let c = ' '; let d = ' ';") && code.contains("fn e<'a>() {}"),
            "{code}"
        );
    }

    #[test]
    fn variants_are_the_names_at_the_top() {
        let code = "pub enum A {\n #[default]\n One,\n Two(Box<B>),\n Three { x: u8, y: C },\n}";
        assert_eq!(
            enums(code),
            [Item {
                name: "A".into(),
                members: vec!["One".into(), "Two".into(), "Three".into()]
            }]
        );
    }

    #[test]
    fn pairs_are_read_through_every_layout() {
        let code = "match (s, e) { (S::A, E::X(f)) => y(f), ( S::B(b), E::Y { g, h }, ) => z(), (S::C { i }, E::Z) => w(), _ => v() }";
        let expected = [("A", "X"), ("B", "Y"), ("C", "Z")].map(|(s, e)| (s.to_owned(), e.to_owned()));
        assert_eq!(pairs(code, "S", "E"), expected);
    }

    #[test]
    fn production_ends_where_the_tests_begin() {
        assert_eq!(production("a\n#[cfg(test)]\nmod tests {}"), "a\n");
    }

    #[test]
    fn a_word_is_not_a_part_of_another() {
        assert!(has_word("`Sent`: sent", "Sent"));
        assert!(!has_word("CodeSent", "Sent"));
    }
}

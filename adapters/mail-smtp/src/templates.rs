//! The words of every mail: built-in templates, and those an operator puts in their place.

mod built_in;
mod sample;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::message::MailMessage;
use minijinja::{Environment, UndefinedBehavior};

use crate::values::{self, Values};
use crate::words::one_line;
use built_in::{FRAMES, LANGUAGES, NAMES, TEMPLATES};

/// The language of whom none is known, and of whatever is not written in theirs.
const FALLBACK: &str = "en";

/// A template that does not compile or does not fit what it is given. Names the place and what is wrong, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}{}: {reason}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct TemplateError {
    /// The file, or a built-in template's name.
    pub place: String,
    /// The line, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// A mail in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What it is about, on one line.
    pub subject: String,
    /// For programs that show text.
    pub text: String,
    /// For those that show more.
    pub html: String,
}

/// All templates, ready to be filled in.
pub struct Templates {
    environment: Environment<'static>,
    service: String,
    folder: Option<PathBuf>,
    /// The names that come from the folder.
    replaced: BTreeSet<String>,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Templates")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Templates {
    /// The built-in templates, with those in `folder` in their place; each is tried once with every kind of mail.
    ///
    /// # Errors
    /// [`TemplateError`] for the first that will not do.
    pub fn load(folder: Option<&Path>, service: &str) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        // The engine's debug reports quote the values in scope, among them tokens.
        environment.set_debug(false);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut templates = Self {
            environment,
            service: one_line(service),
            folder: folder.map(Path::to_owned),
            replaced: BTreeSet::new(),
        };
        for (name, source) in FRAMES.iter().chain(TEMPLATES) {
            templates.add(name, source)?;
        }
        if let Some(folder) = folder {
            templates.add_folder(folder)?;
        }
        templates.complete()?;
        templates.rehearse()?;
        Ok(templates)
    }

    /// The mail in words of its receiver's language.
    ///
    /// # Errors
    /// [`TemplateError`], which names no value; the rehearsal leaves little that can go wrong.
    pub fn write(&self, message: &MailMessage) -> Result<Words, TemplateError> {
        let name = values::name(&message.kind);
        let language = self.language(&message.language, name);
        self.write_in(
            &language,
            name,
            values::of(&message.kind, &language, &self.service),
        )
    }

    fn write_in(&self, language: &str, name: &str, mut values: Values) -> Result<Words, TemplateError> {
        let text = self.fill(&format!("{language}/{name}.txt"), &values)?;
        let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
        let subject = one_line(subject.trim());
        let text = format!("{}\n", text.trim());
        values.insert("subject", subject.as_str().into());
        let html = self.fill(&format!("{language}/{name}.html"), &values)?;
        Ok(Words { subject, text, html })
    }

    fn fill(&self, name: &str, values: &Values) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name);
        let filled = template.and_then(|template| template.render(values.clone()));
        filled.map_err(|error| self.fault(&error, name))
    }

    /// The language a mail of that name is written in for whoever reads `asked`.
    fn language(&self, asked: &str, name: &str) -> String {
        let primary = asked
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if self.has(&primary, name) {
            primary
        } else {
            FALLBACK.to_owned()
        }
    }

    fn has(&self, language: &str, name: &str) -> bool {
        self.environment
            .get_template(&format!("{language}/{name}.txt"))
            .is_ok()
    }

    fn add(&mut self, name: &str, source: &str) -> Result<(), TemplateError> {
        let added = self
            .environment
            .add_template_owned(name.to_owned(), source.to_owned());
        added.map_err(|error| self.fault(&error, name))
    }

    /// The first fault, as it is told to an operator.
    fn fault(&self, error: &minijinja::Error, asked: &str) -> TemplateError {
        let reason = error.kind().to_string();
        TemplateError {
            place: self.place(error.name().unwrap_or(asked)),
            line: error.line(),
            // The detail is about the template's own text where that does not compile, and may be about a value elsewhere.
            reason: match error.detail() {
                Some(detail) if error.kind() == minijinja::ErrorKind::SyntaxError => {
                    format!("{reason}: {detail}")
                }
                _ => reason,
            },
        }
    }

    fn place(&self, name: &str) -> String {
        match &self.folder {
            Some(folder) if self.replaced.contains(name) => folder.join(name).display().to_string(),
            _ => name.to_owned(),
        }
    }
}

/// What an operator's folder may hold.
impl Templates {
    fn add_folder(&mut self, folder: &Path) -> Result<(), TemplateError> {
        for (path, name, is_folder) in entries(folder)? {
            if is_folder {
                if !(2..=3).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_lowercase()) {
                    return Err(no_template(
                        &path,
                        "a folder here is a language in two or three small letters, such as `de`",
                    ));
                }
                for (path, file, is_folder) in entries(&path)? {
                    if is_folder {
                        return Err(no_template(&path, "there are no folders in a language's folder"));
                    }
                    self.add_file(&path, &format!("{name}/{file}"), &file)?;
                }
            } else {
                self.add_file(&path, &name, &name)?;
            }
        }
        Ok(())
    }

    /// Takes a file that is a template; others may lie beside them.
    fn add_file(&mut self, path: &Path, name: &str, file: &str) -> Result<(), TemplateError> {
        let Some((stem, "txt" | "html")) = file.rsplit_once('.') else {
            return Ok(());
        };
        let is_own = stem.starts_with('_');
        let is_frame = FRAMES.iter().any(|(frame, _)| *frame == name);
        if !(is_own || is_frame || name != file && NAMES.contains(&stem)) {
            let names = NAMES.join(", ");
            let reason =
                format!("no mail is called so; there are {names}; a file of your own begins with `_`");
            return Err(no_template(path, reason));
        }
        let source = std::fs::read_to_string(path).map_err(|error| no_template(path, error.to_string()))?;
        self.replaced.insert(name.to_owned());
        self.add(name, &source)
    }

    /// In a language that is not built in, a mail has both forms: half of it would come in English.
    fn complete(&self) -> Result<(), TemplateError> {
        for name in &self.replaced {
            let Some((stem, ending)) = name.rsplit_once('.').filter(|(stem, _)| !stem.contains("/_")) else {
                continue;
            };
            let other = format!("{stem}.{}", if ending == "txt" { "html" } else { "txt" });
            if stem.contains('/') && self.environment.get_template(&other).is_err() {
                let reason = format!("{other} is missing beside it");
                return Err(TemplateError {
                    place: self.place(name),
                    line: None,
                    reason,
                });
            }
        }
        Ok(())
    }

    /// Writes every mail once, so that nobody has to wait for one to learn that it cannot be written.
    fn rehearse(&self) -> Result<(), TemplateError> {
        let own = self.replaced.iter().filter_map(|name| name.split_once('/'));
        let languages: BTreeSet<&str> = LANGUAGES
            .into_iter()
            .chain(own.map(|(language, _)| language))
            .collect();
        for language in languages {
            for kind in sample::kinds() {
                let name = values::name(&kind);
                if self.has(language, name) {
                    let values = values::of(&kind, language, &self.service);
                    self.judge(
                        language,
                        name,
                        &self.write_in(language, name, values)?,
                        sample::key(&kind),
                    )?;
                }
            }
        }
        Ok(())
    }

    fn judge(
        &self,
        language: &str,
        name: &str,
        words: &Words,
        key: Option<&str>,
    ) -> Result<(), TemplateError> {
        let wrong = |ending: &str, reason: &str| TemplateError {
            place: self.place(&format!("{language}/{name}.{ending}")),
            line: None,
            reason: reason.to_owned(),
        };
        if words.subject.is_empty() {
            return Err(wrong("txt", "its first line is the subject, and is empty"));
        }
        let Some(key) = key else { return Ok(()) };
        if words.subject.contains(key) {
            return Err(wrong(
                "txt",
                "a link or a code has no place in a subject, which is shown on locked screens",
            ));
        }
        let missing = "the link or the code is missing: `{{ link }}` or `{{ code }}`";
        if !words.text.contains(key) {
            return Err(wrong("txt", missing));
        }
        if !words.html.contains(key) {
            return Err(wrong("html", missing));
        }
        Ok(())
    }
}

/// What is in a folder, in order, but for what is hidden.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, String, bool)>, TemplateError> {
    let unreadable = |error: std::io::Error| no_template(folder, error.to_string());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| !name.starts_with('.')) {
            let (name, is_folder) = (name.to_owned(), path.is_dir());
            found.push((path, name, is_folder));
        }
    }
    found.sort();
    Ok(found)
}

fn no_template(path: &Path, reason: impl Into<String>) -> TemplateError {
    TemplateError {
        place: path.display().to_string(),
        line: None,
        reason: reason.into(),
    }
}

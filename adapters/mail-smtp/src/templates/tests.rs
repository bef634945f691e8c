//! Every template, in every language, with every kind of mail.

use super::*;
use domain::id::{PoolName, UserId, UserKey};
use domain::message::{MailKind, Notice};
use domain::secret::Secret;
use domain::time::Lifetime;
use domain::user::{Email, FactorKind};

fn built_in() -> Templates {
    Templates::load(None, "Example").unwrap()
}

fn message(kind: MailKind, language: &str) -> MailMessage {
    MailMessage {
        user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
        to: Email::parse("ada@example.com", false).unwrap(),
        kind,
        language: language.to_owned(),
    }
}

fn verify() -> MailKind {
    MailKind::VerifyEmail {
        link: Secret::new("https://login.example.com/verify?uid=1&token=abc"),
    }
}

/// A folder of templates, and what comes of it.
fn with(files: &[(&str, &str)]) -> Result<Templates, TemplateError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, source) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, source).unwrap();
    }
    Templates::load(Some(folder.path()), "Example")
}

#[test]
fn every_mail_is_written_in_every_language() {
    let templates = built_in();
    for language in LANGUAGES {
        let mut names = BTreeSet::new();
        let mut subjects = BTreeSet::new();
        for kind in sample::kinds() {
            let name = values::name(&kind);
            let words = templates.write(&message(kind, language)).unwrap();
            names.insert(name);
            subjects.insert(words.subject.clone());
            assert!(
                words.text.contains("Example"),
                "{language}/{name}: {}",
                words.text
            );
            assert!(
                words.html.contains(&format!("<html lang=\"{language}\">")),
                "{language}/{name}"
            );
            let all = format!("{}{}{}", words.subject, words.text, words.html);
            for odd in ["{{", "{%", "none", "undefined", "\n\n\n", " ,", "  ("] {
                assert!(
                    !words.text.contains(odd),
                    "{language}/{name}: {odd:?} in {}",
                    words.text
                );
            }
            for remote in ["src=", "<script", "<style", "url(", "http://"] {
                assert!(!all.contains(remote), "{language}/{name}: {remote}");
            }
        }
        assert_eq!(
            names.into_iter().collect::<BTreeSet<_>>(),
            NAMES.iter().copied().collect(),
            "{language}"
        );
        assert_eq!(subjects.len(), NAMES.len(), "{language}: a subject for each");
    }
}

#[test]
fn languages_tell_the_same_things() {
    let templates = built_in();
    let used = |name: &str| {
        let template = templates.environment.get_template(name).unwrap();
        let mut used = template.undeclared_variables(false);
        // Helpers of the frame, and what it alone uses.
        used.retain(|name| !["button", "shown"].contains(&name.as_str()));
        used.into_iter().collect::<BTreeSet<_>>()
    };
    for name in NAMES {
        let english = used(&format!("en/{name}.txt"));
        for language in LANGUAGES {
            let (text, html) = (
                used(&format!("{language}/{name}.txt")),
                used(&format!("{language}/{name}.html")),
            );
            assert_eq!(text, english, "{language}/{name}.txt");
            // The frame names the service for all mails in HTML.
            let with_frame: BTreeSet<String> = html.into_iter().chain(["service".to_owned()]).collect();
            assert_eq!(with_frame, english, "{language}/{name}.html");
        }
    }
}

#[test]
fn no_language_is_another_one_s_copy() {
    let templates = built_in();
    for kind in sample::kinds() {
        let texts: BTreeSet<String> = LANGUAGES
            .iter()
            .map(|language| templates.write(&message(kind.clone(), language)).unwrap().text)
            .collect();
        assert_eq!(texts.len(), LANGUAGES.len(), "{}", values::name(&kind));
    }
}

#[test]
fn who_speaks_another_language_reads_english() {
    let templates = built_in();
    let subject = |language| templates.write(&message(verify(), language)).unwrap().subject;
    assert_eq!(subject("en"), "Thanks for Registering");
    assert_eq!(subject("de-AT"), "Bitte bestätigen Sie Ihre E-Mail-Adresse");
    assert_eq!(subject("ZH_hant"), "请确认您的电子邮件地址");
    for other in ["tlh", "", "../de", "en/../de", "x y"] {
        assert_eq!(subject(other), "Thanks for Registering", "{other}");
    }
}

#[test]
fn a_life_is_told_in_the_language() {
    let templates = built_in();
    let text = |language| {
        let link = Secret::new("https://login.example.com/reset?token=abc");
        let kind = MailKind::ResetPassword {
            link,
            life: Lifetime::from_secs(900),
        };
        templates.write(&message(kind, language)).unwrap().text
    };
    assert!(text("en").contains("for 15 minutes:"), "{}", text("en"));
    assert!(text("de").contains("15 Minuten lang"), "{}", text("de"));
    assert!(text("es").contains("en 15 minutos"), "{}", text("es"));
    assert!(text("zh").contains("15 分钟内"), "{}", text("zh"));
}

#[test]
fn what_people_named_is_escaped() {
    let templates = built_in();
    let kind = MailKind::Notice(Notice::FactorAdded {
        factor: FactorKind::Passkey,
        name: Some("<img src=x>\r\nBcc: \"&".to_owned()),
    });
    for language in LANGUAGES {
        let words = templates.write(&message(kind.clone(), language)).unwrap();
        assert!(!words.html.contains("<img"), "{}", words.html);
        assert!(!words.text.contains("\nBcc"), "{}", words.text);
    }
}

#[test]
fn a_link_is_whole_in_the_text_and_escaped_in_html() {
    let words = built_in().write(&message(verify(), "en")).unwrap();
    assert!(
        words
            .text
            .contains("\n    https://login.example.com/verify?uid=1&token=abc\n"),
        "{}",
        words.text
    );
    assert!(
        words.html.contains("verify?uid=1&amp;token=abc\""),
        "{}",
        words.html
    );
}

#[test]
fn a_template_in_the_folder_takes_the_place_of_ours_and_the_others_stay() {
    let templates = with(&[
        (
            "de/verify_email.txt",
            "Hallo von {{ service }}\n\nBitte hier: {{ link }}\n",
        ),
        (
            "layout.html",
            "<b>{{ service }}</b>{% block content %}{% endblock %}",
        ),
        ("notes.md", "not a template"),
    ])
    .unwrap();
    let words = templates.write(&message(verify(), "de")).unwrap();
    assert_eq!(words.subject, "Hallo von Example");
    assert_eq!(
        words.text,
        "Bitte hier: https://login.example.com/verify?uid=1&token=abc\n"
    );
    assert!(
        words.html.starts_with("<b>Example</b>") && words.html.contains("Adresse bestätigen"),
        "{}",
        words.html
    );
    assert_eq!(
        templates.write(&message(verify(), "en")).unwrap().subject,
        "Thanks for Registering"
    );
}

#[test]
fn a_new_language_is_a_folder() {
    let text = "Bienvenue\n\nOuvrez : {{ link }}{% include \"_foot.txt\" %}\n";
    let templates = with(&[
        ("fr/verify_email.txt", text),
        ("fr/verify_email.html", "<a href=\"{{ link }}\">{{ lang }}</a>"),
        ("_foot.txt", "\n\n{{ service }}"),
    ])
    .unwrap();
    let words = templates.write(&message(verify(), "fr")).unwrap();
    assert_eq!(
        (words.subject.as_str(), words.html.contains(">fr<")),
        ("Bienvenue", true)
    );
    assert!(words.text.ends_with("\n\nExample\n"), "{}", words.text);
    let other = templates
        .write(&message(MailKind::AlreadyRegistered, "fr"))
        .unwrap();
    assert_eq!(other.subject, "You already have an account");
}

/// A file, what it holds, the line that is to blame, and what is said.
const BROKEN: [(&str, &str, &str, &str); 12] = [
    (
        "de/verify_email.txt",
        "Hallo\n\n{{ link }\n",
        "line 3",
        "syntax error",
    ),
    (
        "de/verify_email.txt",
        "Hallo\n\n{{ lnik }}\n",
        "line 3",
        "undefined",
    ),
    (
        "de/verify_email.txt",
        "Hallo\n{% for x in %}\n",
        "line 2",
        "syntax error",
    ),
    (
        "de/verify_email.txt",
        "Hallo\n\nnichts\n",
        "",
        "link or the code is missing",
    ),
    (
        "de/verify_email.html",
        "<p>nichts</p>",
        "",
        "link or the code is missing",
    ),
    (
        "de/verify_email.txt",
        "\n\n{{ link }}",
        "",
        "first line is the subject",
    ),
    (
        "de/join_code.txt",
        "{{ code }}\n\n{{ code }}",
        "",
        "no place in a subject",
    ),
    (
        "de/verify_email.html",
        "{% extends \"gone.html\" %}",
        "",
        "template not found",
    ),
    ("de/verify_mail.txt", "Hallo", "", "no mail is called so"),
    ("verify_email.txt", "Hallo", "", "no mail is called so"),
    (
        "deutsch/verify_email.txt",
        "Hallo",
        "",
        "a language in two or three",
    ),
    (
        "fr/verify_email.txt",
        "A\n\n{{ link }}",
        "",
        "fr/verify_email.html is missing",
    ),
];

#[test]
fn a_broken_template_is_refused_with_its_file_and_line() {
    for (name, source, line, reason) in BROKEN {
        let error = with(&[(name, source)]).unwrap_err();
        let (told, folder) = (error.to_string(), name.split('/').next().unwrap());
        let place = if reason.contains("two or three") {
            folder
        } else {
            name
        };
        assert!(
            error.place.ends_with(place) && error.place.starts_with('/'),
            "{told}"
        );
        assert!(told.contains(line) && told.contains(reason), "{name}: {told}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    let error = Templates::load(Some(Path::new("/tmp/no-such-folder-of-templates")), "Example").unwrap_err();
    assert!(error.place.contains("no-such-folder"), "{error}");
}

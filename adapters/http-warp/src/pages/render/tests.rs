use super::super::view::{
    AccountErrors, FieldErrors, GrantView, LinkedView, Next, ProviderLink, ResetAskView, ResetChooseView,
    VerifyEmailView, VerifyPhoneView, VerifyResultView,
};
use super::*;

mod external;
mod factors;

/// Breaks out of text, of a quoted attribute, and of a script.
const NASTY: &str = r#""><script>alert('x')</script><b onload="y">&amp;"#;

fn pages() -> Pages {
    Pages::new().unwrap()
}

fn errors(fields: &[&'static str], message: &str) -> FieldErrors {
    fields.iter().fold(FieldErrors::form(message), |errors, field| {
        errors.with(field, message)
    })
}

fn providers(value: &str) -> Vec<ProviderLink> {
    let url = format!("/auth/google?returnTo={}", value.len());
    vec![ProviderLink {
        label: value.to_owned(),
        url,
    }]
}

fn login(value: &str, errors: FieldErrors) -> LoginView {
    LoginView {
        csrf: format!("csrf-{value}"),
        pool: format!("Users{value}"),
        return_to: Some(value.to_owned()),
        realm: Some(value.to_owned()),
        identifier: value.to_owned(),
        unverified: Some(value.to_owned()),
        providers: providers(value),
        passkey_url: Some(format!("/api/Users{value}/passkey/options")),
        magic_link: true,
        errors,
        notice: Some(value.to_owned()),
    }
}

fn signup(value: &str, errors: FieldErrors) -> SignupView {
    SignupView {
        csrf: format!("csrf-{value}"),
        pool: "Users".to_owned(),
        return_to: Some(value.to_owned()),
        realm: Some(value.to_owned()),
        email: value.to_owned(),
        username: value.to_owned(),
        phone: value.to_owned(),
        shortest_password: 8,
        providers: providers(value),
        errors,
        notice: Some(value.to_owned()),
    }
}

fn account(value: &str, settled: bool, problems: AccountErrors) -> AccountView {
    AccountView {
        csrf: format!("csrf-{value}"),
        pool: "Users".to_owned(),
        email: value.to_owned(),
        email_verified: settled,
        username: Some(value.to_owned()),
        phone: Some(value.to_owned()),
        phone_confirmed: settled,
        codes_go_to: (!settled).then(|| value.to_owned()),
        second_step: settled.then(|| value.to_owned()),
        has_password: true,
        linked: vec![linked(value), linked(value)],
        linkable: providers(value),
        grants: grants(value),
        new_email: value.to_owned(),
        new_phone: value.to_owned(),
        shortest_password: 8,
        problems,
        notice: Some(value.to_owned()),
    }
}

fn linked(value: &str) -> LinkedView {
    LinkedView {
        id: value.to_owned(),
        provider: value.to_owned(),
        account: Some(value.to_owned()),
        email: Some(value.to_owned()),
        since: "1 January 2026".to_owned(),
    }
}

fn grants(value: &str) -> Vec<GrantView> {
    let grant = |status| GrantView {
        id: value.to_owned(),
        provider: value.to_owned(),
        status,
        scopes: value.to_owned(),
        since: "1 January 2026".to_owned(),
    };
    ["active", "scope_lost", "revoked"].map(grant).into()
}

/// Somebody who came by a provider and has nothing else yet.
fn guest(value: &str) -> AccountView {
    AccountView {
        csrf: format!("csrf-{value}"),
        linked: vec![linked(value)],
        problems: account_errors(value),
        ..AccountView::default()
    }
}

fn account_errors(message: &str) -> AccountErrors {
    AccountErrors {
        page: FieldErrors::form(message),
        password: errors(&["current_password", "new_password"], message),
        email: errors(&["email", "current_password"], message),
        phone: errors(&["phone", "current_password"], message),
        code: errors(&["code"], message),
        linked: FieldErrors::form(message),
    }
}

fn reset_ask(value: &str, errors: FieldErrors) -> ResetView {
    let (csrf, email) = (format!("csrf-{value}"), value.to_owned());
    ResetView::Ask(ResetAskView {
        csrf,
        pool: "Users".to_owned(),
        realm: Some(value.to_owned()),
        email,
        errors,
        notice: Some(value.to_owned()),
    })
}

fn reset_choose(value: &str, errors: FieldErrors) -> ResetView {
    let (csrf, token) = (format!("csrf-{value}"), value.to_owned());
    ResetView::Choose(ResetChooseView {
        csrf,
        pool: "Users".to_owned(),
        token,
        shortest_password: 8,
        errors,
        notice: Some(value.to_owned()),
    })
}

fn verify_email(value: &str) -> VerifyView {
    let (csrf, uid, token) = (format!("csrf-{value}"), value.to_owned(), value.to_owned());
    VerifyView::Email(VerifyEmailView {
        csrf,
        uid,
        token,
        pool: "Users".to_owned(),
    })
}

fn verify_phone(value: &str, errors: FieldErrors) -> VerifyView {
    let csrf = format!("csrf-{value}");
    VerifyView::Phone(VerifyPhoneView {
        csrf,
        pool: "Users".to_owned(),
        return_to: Some(value.to_owned()),
        sent_to: Some(value.to_owned()),
        errors,
        notice: Some(value.to_owned()),
    })
}

fn verify_result(value: &str, done: bool, next: Next) -> VerifyView {
    let (title, message, pool) = (value.to_owned(), value.to_owned(), value.to_owned());
    VerifyView::Result(VerifyResultView {
        done,
        title,
        message,
        pool,
        next,
    })
}

fn error(value: &str) -> ErrorView {
    ErrorView {
        status: 400,
        title: value.to_owned(),
        message: value.to_owned(),
        request_id: Some(value.to_owned()),
    }
}

/// Every page in every state, filled with `value` wherever a view has room for one.
fn gallery(value: &str) -> Vec<(&'static str, String)> {
    let pages = pages();
    let rendered = [
        gate(&pages, value, &|_| FieldErrors::none()),
        gate(&pages, value, &|fields| errors(fields, value)),
        inside(&pages, value),
        endings(&pages, value),
        external::gallery(&pages, value),
        factors::gallery(&pages, value, &|_| FieldErrors::none()),
        factors::gallery(&pages, value, &|fields| errors(fields, value)),
    ];
    rendered
        .into_iter()
        .flatten()
        .map(|(name, page)| (name, page.unwrap()))
        .collect()
}

type Rendered = Vec<(&'static str, Result<String, PageError>)>;

/// The pages with one form about one thing, fresh or refused.
fn gate(pages: &Pages, value: &str, errors: &dyn Fn(&[&'static str]) -> FieldErrors) -> Rendered {
    vec![
        (
            "login",
            pages.login(&login(value, errors(&["identifier", "password"]))),
        ),
        (
            "signup",
            pages.signup(&signup(
                value,
                errors(&["email", "username", "phone", "password"]),
            )),
        ),
        ("reset ask", pages.reset(&reset_ask(value, errors(&["email"])))),
        (
            "reset choose",
            pages.reset(&reset_choose(value, errors(&["new_password"]))),
        ),
        (
            "verify phone",
            pages.verify(&verify_phone(value, errors(&["code"]))),
        ),
    ]
}

fn inside(pages: &Pages, value: &str) -> Rendered {
    vec![
        (
            "account settled",
            pages.account(&account(value, true, AccountErrors::default())),
        ),
        (
            "account open",
            pages.account(&account(value, false, AccountErrors::default())),
        ),
        (
            "account refused",
            pages.account(&account(value, false, account_errors(value))),
        ),
        ("account of a guest", pages.account(&guest(value))),
    ]
}

fn endings(pages: &Pages, value: &str) -> Rendered {
    let wait = RateLimitedView {
        retry_after_seconds: 45,
        back: Some("/login"),
    };
    vec![
        ("verify e-mail", pages.verify(&verify_email(value))),
        (
            "verify done",
            pages.verify(&verify_result(value, true, Next::Account)),
        ),
        (
            "verify failed",
            pages.verify(&verify_result(value, false, Next::LogIn)),
        ),
        (
            "verify over",
            pages.verify(&verify_result(value, true, Next::Nothing)),
        ),
        ("error", pages.error(&error(value))),
        ("not found", pages.error(&ErrorView::not_found())),
        ("stale form", pages.error(&ErrorView::stale_form())),
        ("internal", pages.error(&ErrorView::internal(value))),
        ("rate limited", pages.rate_limited(&wait)),
    ]
}

/// The opening tags of one element, from `<name` to `>`. Values are escaped, so none holds a bare `>`.
fn tags<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let ends_name = |rest: &str| rest.starts_with([' ', '>', '\n']);
    let opening = format!("<{name}");
    page.match_indices(&opening)
        .map(|(at, _)| &page[at..])
        .filter(|rest| ends_name(&rest[opening.len()..]))
        .map(|rest| &rest[..rest.find('>').unwrap()])
        .collect()
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    Some(rest.split_once('"')?.0)
}

fn ids(page: &str) -> Vec<&str> {
    page.split(" id=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0)
        .collect()
}

#[test]
fn every_page_is_a_whole_document_with_title_language_and_one_heading() {
    for (name, page) in gallery("alice@example.com") {
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
        assert!(page.trim_end().ends_with("</html>"), "{name}");
        assert!(
            page.contains("<title>") && page.contains(" · Portcullis</title>"),
            "{name}"
        );
        assert_eq!(tags(&page, "h1").len(), 1, "{name}");
        assert_eq!(tags(&page, "main").len(), 1, "{name}");
        assert!(!page.contains("{{") && !page.contains("{%"), "{name}");
    }
}

#[test]
fn html_in_a_value_is_shown_and_never_obeyed() {
    for (name, page) in gallery(NASTY) {
        assert!(!without_script(&page).contains("<script"), "{name}");
        assert!(!page.contains("<b onload"), "{name}");
        assert!(
            !page.contains("onload=\""),
            "{name} lets a value end its attribute"
        );
    }
}

/// A page without the one script that pages with passkeys have.
fn without_script(page: &str) -> String {
    page.replace(&format!("<script src=\"{SCRIPT_PATH}\" defer></script>"), "")
}

#[test]
fn no_page_needs_what_the_policy_forbids() {
    for (name, page) in gallery("alice@example.com") {
        for forbidden in [
            "<script",
            "<style",
            " style=",
            " onclick",
            "javascript:",
            "http://",
            "https://",
            "<iframe",
        ] {
            assert!(
                !without_script(&page).contains(forbidden),
                "{name} has {forbidden}"
            );
        }
        for link in tags(&page, "link") {
            let address = attribute(link, "href").unwrap();
            assert!(
                address == STYLESHEET_PATH || address.starts_with("data:image/"),
                "{name}: {address}"
            );
        }
        for form in tags(&page, "form") {
            assert_eq!(attribute(form, "method"), Some("post"), "{name}");
            assert!(attribute(form, "action").unwrap().starts_with('/'), "{name}");
        }
    }
    for forbidden in ["url(", "@import", "http:", "https:"] {
        assert!(!STYLESHEET.contains(forbidden), "the stylesheet has {forbidden}");
    }
}

#[test]
fn every_form_carries_the_anti_forgery_value_exactly_once() {
    for (name, page) in gallery("alice") {
        for form in page.split("<form").skip(1) {
            let form = form.split_once("</form>").unwrap().0;
            let field = r#"<input type="hidden" name="csrf" value="csrf-alice">"#;
            assert_eq!(form.matches(field).count(), 1, "{name}: {form}");
        }
    }
}

#[test]
fn every_visible_input_has_a_label_and_a_purpose() {
    for (name, page) in gallery("alice") {
        for input in tags(&page, "input") {
            if attribute(input, "type") == Some("hidden") || input.ends_with(" hidden") {
                continue;
            }
            let id = attribute(input, "id").unwrap();
            assert_eq!(
                page.matches(&format!("<label for=\"{id}\">")).count(),
                1,
                "{name}: {id}"
            );
            assert!(attribute(input, "autocomplete").is_some(), "{name}: {id}");
        }
    }
}

#[test]
fn every_id_is_unique_and_every_reference_finds_one() {
    for (name, page) in gallery("alice") {
        let mut ids = ids(&page);
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name} has one id twice");
        for kind in [" aria-describedby=\"", " aria-labelledby=\"", " href=\"#"] {
            for rest in page.split(kind).skip(1) {
                for id in rest.split_once('"').unwrap().0.split(' ') {
                    assert!(ids.contains(&id), "{name}: {id}");
                }
            }
        }
    }
}

#[test]
fn no_password_or_code_is_ever_sent_back() {
    for (name, page) in gallery("alice") {
        for input in tags(&page, "input") {
            let secret =
                attribute(input, "type") == Some("password") || attribute(input, "name") == Some("code");
            assert!(!secret || attribute(input, "value").is_none(), "{name}: {input}");
        }
    }
}

#[test]
fn a_wrong_field_says_so_beside_itself_and_in_the_summary() {
    let view = login(
        "alice",
        FieldErrors::none().with("password", "Enter your password."),
    );
    let page = pages().login(&view).unwrap();
    let input = tags(&page, "input")
        .into_iter()
        .find(|tag| attribute(tag, "id") == Some("password"))
        .unwrap();
    assert_eq!(attribute(input, "aria-invalid"), Some("true"));
    assert_eq!(attribute(input, "aria-describedby"), Some("password-error"));
    assert!(page.contains(r#"<p class="error" id="password-error">Enter your password.</p>"#));
    assert!(page.contains(r##"<a href="#password">Enter your password.</a>"##));
    assert!(page.contains(r#"role="alert""#) && page.contains("<title>Error: Log in"));
}

#[test]
fn a_message_without_a_field_on_the_page_is_still_shown() {
    let page = pages()
        .login(&login("alice", FieldErrors::none().with("weather", "It rains.")))
        .unwrap();
    assert!(page.contains("<li>It rains.</li>"));
}

#[test]
fn a_refused_account_form_is_the_one_that_stands_open() {
    let email = FieldErrors::none().with("current_password", "That is not your password.");
    let problems = AccountErrors {
        email,
        ..AccountErrors::default()
    };
    assert!(!problems.is_empty() && AccountErrors::default().is_empty());
    let page = pages().account(&account("alice", true, problems)).unwrap();
    let open: Vec<_> = tags(&page, "details")
        .into_iter()
        .filter(|tag| tag.ends_with(" open"))
        .collect();
    assert_eq!(open.len(), 1);
    assert_eq!(attribute(open[0], "id"), Some("change-email"));
    assert!(page.contains("<title>Error: Your account"));
}

#[test]
fn a_new_account_page_without_phone_or_username_renders() {
    let view = AccountView {
        csrf: "c".to_owned(),
        email: "a@example.com".to_owned(),
        ..AccountView::default()
    };
    let page = pages().account(&view).unwrap();
    assert!(page.contains("Add a phone") && page.contains("Not verified"));
    assert!(!page.contains("/account/phone/confirm") && !page.contains("Username"));
}

#[test]
fn the_phone_code_form_is_there_until_the_phone_is_confirmed() {
    let show = |settled| {
        pages()
            .account(&account("alice", settled, AccountErrors::default()))
            .unwrap()
    };
    for action in [
        "/account/phone/send-code",
        "/account/phone/confirm",
        "/account/verify-email",
    ] {
        assert!(show(false).contains(&format!("action=\"{action}\"")), "{action}");
        assert!(!show(true).contains(&format!("action=\"{action}\"")), "{action}");
    }
}

#[test]
fn links_between_pages_keep_the_pool_and_the_way_back() {
    assert_eq!(page_url("/login", "", None).to_string(), "/login");
    let url = page_url("/signup", "Employees", Some("/a?b=c&d=\"e"));
    assert_eq!(
        url.to_string(),
        "/signup?pool=Employees&amp;return_to=%2Fa%3Fb%3Dc%26d%3D%22e"
    );
}

#[test]
fn a_wait_is_told_as_people_say_it_and_never_too_short() {
    let told = [0, 1, 45, 119, 120, 121, 7_200, 86_400].map(duration);
    let expected = [
        "1 second",
        "1 second",
        "45 seconds",
        "119 seconds",
        "2 minutes",
        "3 minutes",
        "2 hours",
        "24 hours",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_page_fault_names_the_template_and_quotes_nothing() {
    let broken = pages()
        .render("login.html", &serde_json::json!({ "csrf": "secret-value" }))
        .unwrap_err();
    assert!(
        broken.to_string().starts_with("page template parts.html, line "),
        "{broken}"
    );
    assert!(!format!("{broken:?}").contains("secret-value"));
}

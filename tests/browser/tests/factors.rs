//! Each kind of second factor as a person meets it: added, used to log in, lost, and replaced by a way that was kept.

use browser::{
    ACCOUNT, Desk, FAILED, NO_SUGGESTIONS, PASSKEY_LOGIN, PASSKEY_STEP, SECOND_STEP, SECURITY, at_localhost,
};
use e2e::{Person, Portcullis};

/// Changes its title by script: shows whether scripts run.
const PROBE: &str = "data:text/html,<title>off</title><script>document.title='on'</script>";

/// Somebody's window on a server, and who they are.
async fn somebody(name: &str, javascript: bool) -> (Portcullis, Person, Desk) {
    let server = at_localhost(Portcullis::setup()).await;
    let ann = server.client().sign_up("ann").await;
    let desk = Desk::open(name, &server, javascript).await;
    desk.browser.go(PROBE).await;
    let title = desk.browser.page.title().await.unwrap_or_default();
    assert_eq!(
        title,
        if javascript { "on" } else { "off" },
        "whether scripts run"
    );
    desk.log_in_by_password(&ann, ACCOUNT).await;
    (server, ann, desk)
}

async fn a_lost_app_is_replaced(name: &str, javascript: bool) {
    let (server, ann, mut desk) = somebody(name, javascript).await;
    let mut lost = desk.add_app("Pocket phone").await;
    desk.is_asked_for_proof().await;
    desk.proves_by(&mut lost).await;
    let [kept, ..] = desk.make_codes().await;
    desk.log_out("/login").await;

    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.is_outside().await;
    desk.go(SECOND_STEP).await;
    desk.browser.shoot("second-step").await;
    desk.stays_out_by(&lost.wrong()).await;
    desk.go(SECOND_STEP).await;
    let code = lost.code().await;
    desk.comes_in_by(&code).await;
    desk.says(&ann.email).await;
    desk.log_out("/login").await;

    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.stays_out_by(&code).await;

    // The phone is gone.
    desk.by_other_way("recovery").await;
    desk.browser.shoot("recovery").await;
    desk.comes_in_by(&kept).await;
    desk.remove_first("app", "Pocket phone").await;
    let mut found = desk.add_app("New phone").await;
    desk.log_out("/login").await;

    desk.log_in_by_password(&ann, SECOND_STEP).await;
    let others = desk.browser.words("a[href*='method=recovery']").await;
    assert!(others.is_empty(), "codes go with the last factor: {others:?}");
    desk.stays_out_by(&lost.code().await).await;
    desk.go(SECOND_STEP).await;
    desk.comes_in_by(&found.code().await).await;
    desk.says(&ann.email).await;
    assert_eq!(server.console().codes_in_all(), 0, "an app needs no message");
}

async fn recovery_codes_open_once_each(name: &str, javascript: bool) {
    let (_server, ann, mut desk) = somebody(name, javascript).await;
    let mut app = desk.add_app("Pocket phone").await;
    desk.is_asked_for_proof().await;
    desk.proves_by(&mut app).await;
    let [first, second, third, ..] = desk.make_codes().await;
    desk.log_out("/login").await;

    // As somebody types who reads it off a paper.
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.by_other_way("recovery").await;
    let typed = first.to_lowercase().replace('-', "");
    desk.comes_in_by(&typed).await;
    desk.go(SECURITY).await;
    desk.says("9 left").await;
    desk.log_out("/login").await;

    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.by_other_way("recovery").await;
    desk.stays_out_by(&first).await;
    desk.by_other_way("recovery").await;
    desk.comes_in_by(&second).await;

    let [newer, unused, ..] = desk.make_codes().await;
    desk.log_out("/login").await;
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.by_other_way("recovery").await;
    desk.stays_out_by(&third).await;
    desk.by_other_way("recovery").await;
    desk.comes_in_by(&newer).await;
    desk.log_out("/login").await;

    // The paper is gone.
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.comes_in_by(&app.code().await).await;
    let [newest, ..] = desk.make_codes().await;
    desk.log_out("/login").await;
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.by_other_way("recovery").await;
    desk.stays_out_by(&unused).await;
    desk.by_other_way("recovery").await;
    desk.comes_in_by(&newest).await;
    desk.says(&ann.email).await;
}

#[tokio::test]
async fn whoever_loses_the_phone_with_the_app_comes_in_by_a_recovery_code_and_adds_a_new_one() {
    a_lost_app_is_replaced("app-lost", true).await;
}

#[tokio::test]
async fn a_lost_app_is_replaced_without_javascript_too() {
    a_lost_app_is_replaced("app-lost-without-javascript", false).await;
}

#[tokio::test]
async fn recovery_codes_are_shown_once_open_once_and_are_made_anew_when_the_paper_is_lost() {
    recovery_codes_open_once_each("recovery", true).await;
}

#[tokio::test]
async fn recovery_codes_do_the_same_without_javascript() {
    recovery_codes_open_once_each("recovery-without-javascript", false).await;
}

#[tokio::test]
async fn whoever_loses_the_only_passkey_comes_in_by_a_recovery_code_and_makes_another() {
    let server = at_localhost(Portcullis::setup()).await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::with_authenticator("passkey-lost", &server, "internal", true).await;
    desk.browser.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, ACCOUNT).await;
    desk.add_passkey("Old laptop").await;
    desk.is_asked_for_proof().await;
    desk.browser
        .press("form[action='/account/confirm/passkey'] button", SECURITY)
        .await;
    let [kept, ..] = desk.make_codes().await;
    desk.log_out("/login").await;
    desk.browser.press(PASSKEY_LOGIN, ACCOUNT).await;
    desk.says(&ann.email).await;
    desk.log_out("/login").await;

    // The laptop is gone.
    let lost = desk.lose_keys().await;
    assert_eq!(lost.len(), 1);
    desk.go("/login").await;
    desk.click(PASSKEY_LOGIN).await;
    desk.browser.find(FAILED).await;
    desk.is_outside().await;
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.click(PASSKEY_STEP).await;
    desk.browser.find(FAILED).await;
    desk.browser.shoot("no-passkey-here").await;
    desk.is_outside().await;
    desk.by_other_way("recovery").await;
    desk.comes_in_by(&kept).await;
    desk.remove_first("passkey", "Old laptop").await;
    desk.log_out("/login").await;

    // Somebody found it.
    for key in lost {
        desk.find_key(key).await;
    }
    desk.press(PASSKEY_LOGIN, "That passkey did not let you in").await;
    desk.is_outside().await;
    desk.lose_keys().await;

    desk.log_in_by_password(&ann, ACCOUNT).await;
    desk.add_passkey("New laptop").await;
    desk.log_out("/login").await;
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.is_outside().await;
    desk.go(SECOND_STEP).await;
    desk.browser.press(PASSKEY_STEP, ACCOUNT).await;
    desk.log_out("/login").await;
    desk.browser.press(PASSKEY_LOGIN, ACCOUNT).await;
    desk.says(&ann.email).await;
}

#[tokio::test]
async fn where_a_second_factor_is_required_a_newcomer_adds_an_app_before_the_door_opens() {
    // A carrier that nobody is: no code may be sent to who has no number.
    let carrier = "[sms]\nkind = \"nexmo\"\napi_key = \"key\"\napi_secret = \"secret\"\nfrom = \"Site\"\nbase_url = \"http://127.0.0.1:9\"";
    let required = "[users.Users]\nsecond_factor = \"required\"";
    let server = at_localhost(Portcullis::setup().config(carrier).config(required)).await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::open("app-required", &server, false).await;
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.says("Add a second step").await;
    desk.browser.shoot("asked-to-add").await;
    desk.is_outside().await;
    desk.go(SECOND_STEP).await;
    desk.browser
        .press("form[action='/two-factor/app'] button", "/two-factor/app")
        .await;
    let mut app = desk.reads_key().await;
    desk.stays_out_by(&app.wrong()).await;
    desk.go(SECOND_STEP).await;
    desk.browser.shoot("key-is-read").await;
    desk.comes_in_by(&app.code().await).await;
    desk.says("Authenticator app").await;
    desk.log_out("/login").await;

    desk.log_in_by_password(&ann, SECOND_STEP).await;
    let adds = desk.browser.words("form[action='/two-factor/app']").await;
    assert!(
        adds.is_empty(),
        "whoever stole the password adds no app: {adds:?}"
    );
    desk.is_outside().await;
    desk.go(SECOND_STEP).await;
    desk.comes_in_by(&app.code().await).await;
    desk.says(&ann.email).await;
}

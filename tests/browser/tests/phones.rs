//! A phone number as a second factor: confirmed, used to log in, lost with the phone, and changed.

use std::time::{Duration, Instant};

use browser::{ACCOUNT, Desk, SECOND_STEP, SECURITY, at_localhost};
use e2e::{Counterparty, PASSWORD, Portcullis};
use serde_json::{Value, json};

const LOST: &str = "+49 170 1234567";
const NEW: &str = "+49 171 7654321";

/// Those who carry text messages, read in order.
struct Carrier {
    gateway: Counterparty,
    read: usize,
}

impl Carrier {
    async fn start() -> Self {
        Self {
            gateway: Counterparty::sms().await,
            read: 0,
        }
    }

    fn config(&self) -> String {
        format!(
            "[sms]\nkind = \"nexmo\"\napi_key = \"abcd1234\"\napi_secret = \"ABCDEF0123456789\"\nfrom = \"Portcullis\"\nbase_url = \"{}\"",
            self.gateway.address()
        )
    }

    /// The code of the next message, which must go to this number.
    async fn code_to(&mut self, number: &str) -> String {
        let begun = Instant::now();
        loop {
            let messages = self.gateway.tell("messages", &json!({})).await;
            if let Some(message) = messages.get(self.read) {
                self.read += 1;
                let digits: String = number.chars().filter(char::is_ascii_digit).collect();
                assert_eq!(message.get("to"), Some(&Value::from(digits)));
                let text = message.get("text").and_then(Value::as_str).unwrap_or_default();
                return text.rsplit(' ').next().unwrap_or_default().to_owned();
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "no message in {messages}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Gives a number on the account's page, and the code that came to it.
async fn confirm_number(desk: &mut Desk, carrier: &mut Carrier, number: &str) {
    desk.go(ACCOUNT).await;
    desk.click("#change-phone summary").await;
    desk.browser.fill("#phone-phone", number).await;
    desk.browser.fill("#phone-current_password", PASSWORD).await;
    desk.browser.shoot("number").await;
    desk.press("form[action='/account/phone'] button", "Not confirmed")
        .await;
    desk.browser.shoot("number-unconfirmed").await;
    desk.press(
        "form[action='/account/phone/send-code'] button",
        "A code is on its way",
    )
    .await;
    let code = carrier.code_to(number).await;
    let confirm = "form[action='/account/phone/confirm'] button";
    desk.browser.fill("#confirm-code", &other_than(&code)).await;
    desk.press(confirm, "That code is wrong").await;
    desk.browser.shoot("number-refused").await;
    desk.browser.fill("#confirm-code", &code).await;
    desk.press(confirm, "Your phone number is confirmed").await;
    desk.browser.shoot("number-confirmed").await;
}

fn other_than(code: &str) -> String {
    if code == "111111" { "222222" } else { "111111" }.to_owned()
}

#[tokio::test]
async fn whoever_loses_the_phone_comes_in_by_a_recovery_code_and_gets_codes_at_a_new_number() {
    let mut carrier = Carrier::start().await;
    let server = at_localhost(Portcullis::setup().config(&carrier.config())).await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::open("phone-lost", &server, true).await;
    desk.log_in_by_password(&ann, ACCOUNT).await;
    confirm_number(&mut desk, &mut carrier, LOST).await;
    desk.log_out("/login").await;

    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.says("the number ending in 67").await;
    let page = desk.browser.text().await;
    assert!(!page.contains("1234"), "the number is masked: {page}");
    desk.browser.shoot("second-step").await;
    let code = carrier.code_to(LOST).await;
    desk.stays_out_by(&other_than(&code)).await;
    desk.go(SECOND_STEP).await;
    desk.comes_in_by(&code).await;
    let [kept, ..] = desk.make_codes().await;
    desk.log_out("/login").await;

    // The phone is gone: whoever has it reads what comes.
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    let read_by_others = carrier.code_to(LOST).await;
    desk.by_other_way("recovery").await;
    desk.comes_in_by(&kept).await;
    confirm_number(&mut desk, &mut carrier, NEW).await;
    desk.go(SECURITY).await;
    desk.says("Codes go to •••• 21").await;
    desk.browser.shoot("security").await;
    desk.log_out("/login").await;

    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.says("the number ending in 21").await;
    let code = carrier.code_to(NEW).await;
    desk.stays_out_by(&read_by_others).await;
    desk.go(SECOND_STEP).await;
    desk.comes_in_by(&code).await;
    desk.says(&ann.email).await;
}

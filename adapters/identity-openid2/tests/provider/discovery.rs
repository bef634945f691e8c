//! Looking up the configured identifier: what is found, and all that is not believed.

use std::time::Instant;

use domain::ports::{IdentityProvider as _, ProviderError};
use identity_openid2::OpenId2Config;

use crate::support::{Site, code_of, document, entry, onward, page, provider, reply, request, xrds};

/// Where people would be sent, by the identifier at `/`.
async fn endpoint(site: &Site) -> Result<String, ProviderError> {
    let start = entry(site, "/").begin(&request()).await?;
    Ok(start.url.split('?').next().unwrap().to_owned())
}

async fn fault(answer: impl Fn(&crate::support::Heard) -> String + Send + Sync + 'static) -> &'static str {
    let site = Site::start(answer).await;
    code_of(&endpoint(&site).await.unwrap_err())
}

fn op(base: &str) -> String {
    xrds("server", &format!("{base}/server"), None)
}

#[tokio::test]
async fn a_provider_is_found_in_every_way_there_is() {
    for way in [
        "content-type",
        "header",
        "meta",
        "redirect",
        "relative redirect",
        "link",
    ] {
        let site = Site::start(move |heard| {
            let base = heard.base();
            let meta = format!("<head><meta http-equiv=X-XRDS-Location content={base}/xrds></head>");
            match (way, heard.path()) {
                ("header", "/") => reply(200, &format!("X-XRDS-Location: {base}/xrds\r\n"), "<html>"),
                ("meta", "/") => page(&meta),
                ("redirect", "/") => onward(&format!("{base}/xrds#part")),
                ("relative redirect", "/") => onward("xrds"),
                ("link", "/") => page(&format!("<head><link rel=openid2.provider href='{base}/server'>")),
                // It may be sent as anything, where it was named.
                ("header" | "meta", "/xrds") => page(&op(&base)),
                ("content-type", "/") | (_, "/xrds") => document(&op(&base)),
                _ => reply(404, "", ""),
            }
        })
        .await;
        assert_eq!(
            endpoint(&site).await.unwrap(),
            format!("{}/server", site.base),
            "{way}"
        );
        let accept = site.heard()[0].header("accept").unwrap().to_owned();
        assert!(accept.starts_with("application/xrds+xml"), "{accept}");
    }
}

#[tokio::test]
async fn a_document_without_openid_leaves_the_links_of_the_page() {
    let site = Site::start(|heard| match heard.path() {
        "/" => reply(
            200,
            &format!("X-XRDS-Location: {}/xrds\r\n", heard.base()),
            &format!("<link rel=openid2.provider href={}/linked>", heard.base()),
        ),
        _ => document(&xrds("other", "https://other.example/", None)),
    })
    .await;
    assert_eq!(endpoint(&site).await.unwrap(), format!("{}/linked", site.base));
}

#[tokio::test]
async fn a_page_that_only_seems_to_name_a_provider_names_none() {
    let link = "<link rel=openid2.provider href=http://127.0.0.1:9/>";
    for body in [
        String::new(),
        "{}".to_owned(),
        format!("<html><body>{link}</body></html>"),
        format!("<html><head><!-- {link} --></head></html>"),
        format!("<html><head><script>var a = '{link}'</script></head></html>"),
        format!("<html><head><title>{link}</title></head></html>"),
        "<html><head><link rel=openid.server href=http://127.0.0.1:9/></head></html>".to_owned(),
    ] {
        assert_eq!(fault(move |_| page(&body)).await, "OPENID_DISCOVERY");
    }
}

#[tokio::test]
async fn a_document_with_tricks_is_refused() {
    let good = op("http://127.0.0.1:9");
    let with = |dtd: &str| good.replace("<xrds:XRDS", &format!("{dtd}<xrds:XRDS"));
    let documents = [
        with("<!DOCTYPE a>"),
        with("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"),
        with("<!DOCTYPE a [<!ENTITY e 'x'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;'>]>")
            .replace("<URI>", "<URI>&f;"),
        good.replace("<URI>", &format!("{}<URI>", "<a>".repeat(3000))),
        good.replace("<Service>", &format!("<Service>{}", "<b/>".repeat(9000))),
        good.replace("<Service>", &format!("<Service>{}", " ".repeat(100_000))),
        good.replace("</xrds:XRDS>", ""),
        "<XRDS/>".to_owned(),
        String::new(),
    ];
    for body in documents {
        assert_eq!(fault(move |_| document(&body)).await, "OPENID_DISCOVERY");
    }
    // More than is ever read.
    assert_eq!(
        fault(|_| document(&" ".repeat(400_000))).await,
        "OPENID_DISCOVERY"
    );
}

#[tokio::test]
async fn redirections_that_go_round_are_left() {
    let site = Site::start(|_| onward("/")).await;
    let begun = Instant::now();
    assert_eq!(code_of(&endpoint(&site).await.unwrap_err()), "OPENID_DISCOVERY");
    assert_eq!(site.heard().len(), 6);
    assert!(begun.elapsed().as_secs() < 5);
    let site = Site::start(|heard| {
        reply(
            200,
            &format!(
                "X-XRDS-Location: {}/x\r\nContent-Type: text/html\r\n",
                heard.base()
            ),
            "",
        )
    })
    .await;
    assert_eq!(code_of(&endpoint(&site).await.unwrap_err()), "OPENID_DISCOVERY");
    assert_eq!(
        site.heard().len(),
        2,
        "a document is not looked for in a document"
    );
}

#[tokio::test]
async fn nobody_sends_us_to_what_only_we_can_reach() {
    // Anything but this machine, where these sites are.
    for away in [
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://192.168.1.1:8443/admin",
        "http://example.com/",
        "https://db.internal/",
        "https://[fd00::1]/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:70/",
        "//",
        "",
    ] {
        assert_eq!(fault(move |_| onward(away)).await, "OPENID_DISCOVERY", "{away}");
        let named =
            move |_: &crate::support::Heard| reply(200, &format!("X-XRDS-Location: {away}\r\n"), "<html>");
        assert_eq!(fault(named).await, "OPENID_DISCOVERY", "{away}");
        assert_eq!(
            fault(move |_| document(&xrds("server", away, None))).await,
            "OPENID_DISCOVERY",
            "{away}"
        );
        assert_eq!(
            fault(move |_| document(&xrds("signon", away, None))).await,
            "OPENID_DISCOVERY",
            "{away}"
        );
    }
}

#[tokio::test]
async fn a_site_in_trouble_is_asked_again_and_one_that_refuses_is_told_apart() {
    for status in [500, 502, 503, 429] {
        assert_eq!(
            fault(move |_| reply(status, "", "")).await,
            "unavailable",
            "{status}"
        );
    }
    for status in [201, 204, 304, 400, 401, 403, 404, 410] {
        assert_eq!(
            fault(move |_| reply(status, "", "")).await,
            "OPENID_DISCOVERY",
            "{status}"
        );
    }
    assert_eq!(fault(|_| String::new()).await, "unavailable");
    assert_eq!(fault(|_| reply(302, "", "")).await, "OPENID_DISCOVERY");
    let nobody = provider(OpenId2Config::discovered("http://127.0.0.1:1/"));
    assert_eq!(
        code_of(&nobody.begin(&request()).await.unwrap_err()),
        "unavailable"
    );

    let told = std::sync::atomic::AtomicUsize::new(0);
    let site = Site::start(
        move |heard| match told.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => reply(503, "", ""),
            _ => document(&op(&heard.base())),
        },
    )
    .await;
    let openid = entry(&site, "/");
    assert_eq!(
        code_of(&openid.begin(&request()).await.unwrap_err()),
        "unavailable"
    );
    assert!(openid.begin(&request()).await.is_ok(), "an error is not kept");
}

#[tokio::test]
async fn no_error_tells_an_address() {
    let site = Site::start(|_| onward("https://10.0.0.1/secret-path")).await;
    let error = entry(&site, "/secret-path").begin(&request()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret-path"), "{error}");
}

//! Pictures of pages, as wide as a desk's window and as wide as a phone.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Browser;

/// Widths in CSS pixels: a window, and the narrowest screen that a page must fit (WCAG 2.2, 1.4.10).
const WINDOW: u32 = 1100;
const PHONE: u32 = 320;

/// Where the screenshots of a test are: a folder below the system's place for temporary files.
pub fn screenshots(test: &str) -> PathBuf {
    std::env::temp_dir().join("portcullis-screenshots").join(test)
}

impl Browser {
    /// Takes two pictures of the whole page: in a window, and on a phone.
    ///
    /// # Panics
    /// When they cannot be kept, or when people on a phone would have to push the page sideways to read it.
    pub async fn shoot(&mut self, what: &str) {
        self.shots += 1;
        let name = format!("{:02}-{what}", self.shots);
        self.picture(&name, WINDOW, false).await;
        self.picture(&format!("{name}-phone"), PHONE, true).await;
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({}))
            .await;
    }

    async fn picture(&self, name: &str, width: u32, phone: bool) {
        let device = json!({"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": phone});
        self.devtools("Emulation.setDeviceMetricsOverride", device).await;
        let sizes = self.devtools("Page.getLayoutMetrics", json!({})).await;
        let size = |side: &str| {
            let size = sizes.pointer(&format!("/cssContentSize/{side}"));
            size.and_then(Value::as_f64).expect("the size of the page")
        };
        assert!(
            size("width") <= f64::from(width),
            "{name}: the page is {} wide, the screen {width}",
            size("width")
        );
        let clip = json!({"x": 0, "y": 0, "width": width, "height": size("height"), "scale": 1});
        let taken = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let taken = self.devtools("Page.captureScreenshot", taken).await;
        let picture = taken.get("data").and_then(Value::as_str).expect("a picture");
        let picture = STANDARD.decode(picture).expect("base64");
        let path = screenshots(&self.name).join(format!("{name}.png"));
        std::fs::write(path, picture).expect("a kept screenshot");
    }
}

//! A real browser, without a screen, driven through `chromedriver`.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

pub(crate) struct Browser {
    driver: Child,
    url: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by scripts/test");
        let profile = tempfile::tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", data,
            ] },
        } } });
        let root = format!("http://127.0.0.1:{port}");
        let began = Instant::now();
        let session = loop {
            match ask("POST", &format!("{root}/session"), &capabilities) {
                Some(answer) => break answer["sessionId"].as_str().unwrap().to_owned(),
                None => assert!(began.elapsed() < Duration::from_mins(1), "no browser"),
            }
        };
        Self { driver, url: format!("{root}/session/{session}"), _profile: profile }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        ask("POST", &format!("{}/{path}", self.url), body).unwrap_or_else(|| panic!("{path}"))
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    pub(crate) fn find(&self, css: &str) -> String {
        let found = self.post("element", &json!({ "using": "css selector", "value": css }));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    pub(crate) fn enter(&self, css: &str, text: &str) {
        self.post(&format!("element/{}/value", self.find(css)), &json!({ "text": text }));
    }

    pub(crate) fn click(&self, css: &str) {
        self.post(&format!("element/{}/click", self.find(css)), &json!({}));
    }

    /// Waits until a page has this heading: a click returns before the next page is there.
    pub(crate) fn arrive(&self, heading: &str) {
        let began = Instant::now();
        while self.heading().as_deref() != Some(heading) {
            assert!(began.elapsed() < Duration::from_secs(20), "no page {heading:?} came");
        }
    }

    pub(crate) fn wait_for(&self, css: &str) {
        let by = json!({ "using": "css selector", "value": css });
        let (url, began) = (format!("{}/element", self.url), Instant::now());
        while ask("POST", &url, &by).is_none() {
            assert!(began.elapsed() < Duration::from_secs(20), "no {css:?} came");
        }
    }

    pub(crate) fn heading(&self) -> Option<String> {
        let by = json!({ "using": "css selector", "value": "h1" });
        let found = ask("POST", &format!("{}/element", self.url), &by)?;
        let element = found.as_object()?.values().next()?.as_str()?;
        let text = ask("GET", &format!("{}/element/{element}/text", self.url), &Value::Null)?;
        text.as_str().map(str::to_owned)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without this the browser stays when its driver goes.
        ask("DELETE", &self.url, &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn ask(method: &str, url: &str, body: &Value) -> Option<Value> {
    let request = ureq::http::Request::builder().method(method).uri(url);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = ureq::run(request.body(body).unwrap()).ok()?.body_mut().read_to_string();
    let mut answer: Value = serde_json::from_str(&answer.ok()?).ok()?;
    Some(answer["value"].take())
}

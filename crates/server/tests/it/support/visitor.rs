//! Somebody with a cookie jar.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A client that keeps cookies and repeats the CSRF token, as a page of ours does.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) origin: String,
    agent: ureq::Agent,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: Option<String>,
    /// Headers sent with every request.
    pub(crate) headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Visitor {
    pub(crate) fn new(origin: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(std::time::Duration::from_mins(1)))
            .build();
        Self {
            origin: origin.to_owned(),
            agent: config.into(),
            cookies: BTreeMap::new(),
            csrf: None,
            headers: Vec::new(),
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(("application/json", body.to_string())))
    }

    pub(crate) fn put(&mut self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(("application/json", body.to_string())))
    }

    pub(crate) fn patch(&mut self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(("application/json", body.to_string())))
    }

    pub(crate) fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// A form, as a browser sends it.
    pub(crate) fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        self.headers.push(("origin".to_owned(), self.origin.clone()));
        let kind = "application/x-www-form-urlencoded";
        let answer = self.send("POST", path, Some((kind, fields.join("&"))));
        self.headers.pop();
        answer
    }

    /// Any request at all; cookies and the CSRF token go along as a page of ours sends them.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        body: Option<(&str, String)>,
    ) -> Answer {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.origin));
        if !self.cookies.is_empty() {
            let jar: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header("cookie", jar.join("; "));
        }
        if let Some(token) = self.csrf.as_ref().filter(|_| method != "GET") {
            request = request.header("x-csrf-token", token);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let (kind, body) = match body {
            Some((kind, body)) => (Some(kind), body),
            None => (None, String::new()),
        };
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        self.try_send(request.body(body).unwrap()).expect("an answer")
    }

    /// Sends a request to a server that may be gone; keeps the cookies of its answer.
    pub(crate) fn try_send(&mut self, request: ureq::http::Request<String>) -> Option<Answer> {
        let mut response = self.agent.run(request).ok()?;
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
            .collect();
        let text = response.body_mut().read_to_string().ok()?;
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap_or_default();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(Answer { status: response.status().as_u16(), headers, text })
    }

    pub(crate) fn log_in(&mut self, username: &str, password: &str) -> Answer {
        let body = json!({ "username": username, "password": password });
        let answer = self.post("/api/v1/login", &body);
        if answer.status == 200 {
            self.csrf = answer.json()["csrf_token"].as_str().map(str::to_owned);
        }
        answer
    }

    /// Whether the visitor is logged in.
    pub(crate) fn is_in(&mut self) -> bool {
        match self.get("/api/v1/session").status {
            200 => true,
            401 => false,
            other => panic!("GET /api/v1/session answered {other}"),
        }
    }

    /// The session's cookie.
    pub(crate) fn token(&self) -> String {
        self.cookies.get("vestibule").expect("a session cookie").clone()
    }

    /// A visitor with a session cookie of that value.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        let mut other = Self::new(&self.origin);
        other.cookies.insert("vestibule".to_owned(), token.to_owned());
        other
    }

    /// The same cookies at another server of the same site.
    pub(crate) fn at(&self, origin: &str) -> Self {
        let mut other = self.clone();
        origin.clone_into(&mut other.origin);
        other
    }
}

impl Answer {
    /// Insists on a status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Insists on a status and the stable word of a problem.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["code"], code, "{}", answer.text);
        answer
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn id(&self) -> String {
        self.json()["id"].as_str().expect("an id").to_owned()
    }
}

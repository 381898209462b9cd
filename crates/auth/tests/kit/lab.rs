//! A laboratory's service with everything: groups, one-time codes, visits; asked by the backend
//! `remote`.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use vestibule_auth::{
    backends::RemoteFactory,
    testkit::{
        Asked, Reply, Service,
        conformance::{Code, Extras, Fixture},
    },
};
use vestibule_core::{
    Secret,
    ports::backend::{BackendFactory, Section},
};

use super::{OTHER, RIGHT, pair};

const TOKEN: &str = "token-of-the-hall-4711";

/// What the service knows just now.
#[derive(Default)]
struct Lab {
    groups: Mutex<Option<Vec<String>>>,
    /// For whom each state is good.
    states: Mutex<HashMap<String, String>>,
    given: AtomicU32,
}

impl Lab {
    /// A state that is good for this, once.
    fn keep(&self, whom: &str) -> String {
        let state = format!("state-{}", self.given.fetch_add(1, Ordering::SeqCst));
        self.states.lock().unwrap().insert(state.clone(), whom.to_owned());
        state
    }

    fn is_kept(&self, state: &Value, whom: &str) -> bool {
        let states = self.states.lock().unwrap();
        states.get(state.as_str().unwrap_or_default()).is_some_and(|known| known == whom)
    }

    fn answer(&self, question: &Value) -> Value {
        let credential = &question["credential"];
        let no = |reason: &str| json!({ "verdict": "rejected", "reason": reason });
        let name = credential["username"].as_str().unwrap_or_default().to_lowercase();
        let password = credential["password"].as_str().unwrap_or_default();
        match (credential["kind"].as_str(), name.as_str(), password) {
            (Some("visit"), ..) => {
                let token = credential["token"].as_str().unwrap();
                let state = self.keep(token);
                let url = format!("https://id.example/?state={token}");
                json!({ "verdict": "challenge", "step": "redirect", "url": url, "state": state })
            }
            (Some("return"), ..) => self.returned(credential),
            (_, "ann", RIGHT) => self.person("4711"),
            (_, "bert", OTHER) => json!({ "verdict": "verified", "subject": "4712" }),
            (_, "carl", "dry ice") => no("disabled"),
            (_, "dora" | "emil", "frozen carbon dioxide") => self.coded(&name, credential),
            _ => no("bad_or_unknown"),
        }
    }

    fn person(&self, subject: &str) -> Value {
        let mut told = json!({ "verdict": "verified", "subject": subject });
        if let Some(groups) = &*self.groups.lock().unwrap() {
            told["groups"] = json!(groups);
        }
        told
    }

    fn coded(&self, name: &str, credential: &Value) -> Value {
        if credential["code"].is_null() {
            let state = self.keep(name);
            return json!({ "verdict": "challenge", "step": "code", "state": state });
        }
        let code = if name == "dora" { "123456" } else { "654321" };
        if credential["code"] == code && self.is_kept(&credential["state"], name) {
            return json!({ "verdict": "verified", "subject": name });
        }
        json!({ "verdict": "rejected", "reason": "bad" })
    }

    fn returned(&self, credential: &Value) -> Value {
        let no = |reason: &str| json!({ "verdict": "rejected", "reason": reason });
        let parameters = credential["parameters"].as_array().unwrap();
        let (code, token) = match parameters.as_slice() {
            [code, state] if code[0] == "code" && state[0] == "state" => {
                (code[1].as_str().unwrap(), state[1].as_str().unwrap())
            }
            _ => return no("bad_or_unknown"),
        };
        let whose = code.strip_prefix(&format!("code-of-{token}-for-")).unwrap_or_default();
        if !self.is_kept(&credential["state"], token) {
            return no("replay");
        }
        self.states.lock().unwrap().remove(credential["state"].as_str().unwrap());
        match whose {
            "ann" | "Ann" | "ANN" => self.person("4711"),
            "bert" => json!({ "verdict": "verified", "subject": "4712" }),
            "carl" => no("disabled"),
            _ => no("bad_or_unknown"),
        }
    }

    fn serve(&self, asked: &Asked) -> Reply {
        if asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Reply::status(401);
        }
        let question: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let mut told = match (asked.path.as_str(), question["username"].as_str()) {
            ("/probe", _) => json!({ "verdict": "ready" }),
            ("/judge", Some("ann")) => json!({ "verdict": "verified", "subject": "4711" }),
            ("/judge", _) => json!({ "verdict": "rejected", "reason": "not_entitled" }),
            _ => self.answer(&question),
        };
        told["version"] = json!(1);
        told["id"] = question["id"].clone();
        Reply::json(&told)
    }
}

/// All that there is to try of it, by a backend that this factory makes from the section of
/// `remote`.
pub(super) fn laboratory(
    factory: impl FnOnce(RemoteFactory) -> Box<dyn BackendFactory>,
) -> (Fixture, Extras) {
    let lab = Arc::new(Lab::default());
    let (serving, telling) = (Arc::clone(&lab), Arc::clone(&lab));
    let script = Arc::new(move |asked: &Asked| serving.serve(asked));
    let own = Arc::clone(&script);
    let service = Service::start(move |asked| own(asked)).unwrap();
    let section = Section::of(json!({
        "url": service.url(""),
        "takes": ["password", "redirect"],
        "entitlement": true,
        "timeout_seconds": 0.5,
    }));
    let fixture = Fixture {
        factory: factory(RemoteFactory),
        section: section.with_secret("token", Secret::new(TOKEN)),
        service,
        script,
        right: pair("ann", RIGHT),
        subject: "4711".to_owned(),
        spellings: vec!["Ann".to_owned(), "ANN".to_owned()],
        other: pair("bert", OTHER),
        unknown: "nobody".to_owned(),
        disabled: Some(pair("carl", "dry ice")),
        secrets: vec![TOKEN.to_owned()],
    };
    let extras = Extras {
        tell_groups: Some(Box::new(move |groups| {
            let groups = groups.map(|names| names.iter().map(|&name| name.to_owned()).collect());
            *telling.groups.lock().unwrap() = groups;
            true
        })),
        code: Some(Code {
            person: pair("dora", "frozen carbon dioxide"),
            right: "123456".to_owned(),
            other: pair("emil", "frozen carbon dioxide"),
            other_code: "654321".to_owned(),
        }),
        visits: Some(Box::new(|url, who| {
            let token = url.split("state=").nth(1).unwrap();
            let code = format!("code-of-{token}-for-{who}");
            vec![pair("code", &code), pair("state", token)]
        })),
        patience: Duration::from_secs(1),
        ..Extras::default()
    };
    (fixture, extras)
}

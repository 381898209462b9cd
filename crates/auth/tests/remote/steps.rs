//! Further steps: a one-time code, and a visitor who is sent elsewhere and comes back.

use serde_json::{Value, json};
use vestibule_auth::testkit::{Asked, Host, Reply, Service};
use vestibule_core::{
    Secret,
    ports::backend::{Answer, Attempt, Backend, Challenge, Fault, NotMine, Step, Verdict},
};

use super::{answer, build, keys};

/// Asks for a code when the password is right, and sends whoever presses the button elsewhere.
fn careful(asked: &Asked) -> Reply {
    let question: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let credential = &question["credential"];
    let yes = json!({
        "verdict": "verified", "subject": "4711",
        "factors": [{ "method": "pwd" }, { "method": "otp" }],
    });
    let told = match (&credential["kind"], &credential["state"], &credential["code"]) {
        (kind, Value::Null, Value::Null) if kind == "password" => {
            json!({ "verdict": "challenge", "step": "code", "prompt": "Code", "state": "s-1" })
        }
        (kind, state, code) if kind == "password" && state == "s-1" && code == "123456" => yes,
        (kind, ..) if kind == "visit" => json!({
            "verdict": "challenge", "step": "redirect", "state": "s-2",
            "url": format!("https://id.example/?state={}", credential["token"].as_str().unwrap()),
        }),
        (kind, state, _) if kind == "return" && state == "s-2" => {
            let came = json!([["code", "abc"], ["state", "t-1"]]);
            assert_eq!(credential["parameters"], came);
            json!({ "verdict": "verified", "subject": "4711" })
        }
        _ => json!({ "verdict": "rejected", "reason": "bad_or_unknown" }),
    };
    answer(asked, &told)
}

async fn bring(backend: &dyn Backend, attempt: Attempt) -> Verdict {
    backend.authenticate(&attempt, &Host::default().cx()).await
}

fn code(code: &str, state: Option<&str>) -> Attempt {
    Attempt::Password {
        username: "ann".to_owned(),
        password: Secret::new("secret"),
        answer: Some(Answer { code: Secret::new(code), state: state.map(Secret::new) }),
    }
}

fn returned(state: &str) -> Attempt {
    let parameter = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Attempt::Return {
        callback: "https://hall.example/back".to_owned(),
        parameters: vec![parameter("code", "abc"), parameter("state", "t-1")],
        state: Secret::new(state),
    }
}

fn visit() -> Attempt {
    Attempt::Visit {
        callback: "https://hall.example/back".to_owned(),
        token: "t-1".to_owned(),
        again: None,
    }
}

#[tokio::test]
async fn a_code_is_asked_for_and_judged_with_its_state() {
    let service = Service::start(careful).unwrap();
    let backend = build(keys(&service));
    let Verdict::Challenge(Challenge { step, state }) =
        bring(&*backend, Attempt::password("ann", "secret")).await
    else {
        panic!("no challenge")
    };
    assert_eq!(step, Step::Code { prompt: "Code".to_owned() });
    let kept = state.expose_str().unwrap();
    let verdict = bring(&*backend, code("123456", Some(kept))).await;
    assert!(matches!(verdict, Verdict::Verified(ann) if ann.factors.len() == 2));
    for (typed, state) in [("123456", Some("foreign")), ("123456", None), ("654321", Some(kept))] {
        let verdict = bring(&*backend, code(typed, state)).await;
        assert!(matches!(verdict, Verdict::Rejected(_)), "{typed} {state:?}");
    }
    // A code is as secret as a password.
    let told = json!({ "verdict": "fault", "kind": "bug", "what": "123456 is no number" });
    service.does(move |asked| answer(asked, &told));
    let verdict = bring(&*backend, code("123456", None)).await;
    assert!(!format!("{verdict:?}").contains("123456"), "{verdict:?}");
}

#[tokio::test]
async fn a_visitor_is_sent_elsewhere_and_comes_back() {
    let service = Service::start(careful).unwrap();
    let mut keys = keys(&service);
    keys["takes"] = json!(["redirect"]);
    let backend = build(keys);
    let Verdict::Challenge(Challenge { step, state }) = bring(&*backend, visit()).await else {
        panic!("no challenge")
    };
    assert_eq!(step, Step::Redirect { url: "https://id.example/?state=t-1".to_owned() });
    assert_eq!(state.expose_str(), Some("s-2"));
    let verdict = bring(&*backend, returned("s-2")).await;
    assert!(matches!(verdict, Verdict::Verified(ann) if ann.subject.as_str() == "4711"));
    assert!(matches!(bring(&*backend, returned("foreign")).await, Verdict::Rejected(_)));
    let password = bring(&*backend, Attempt::password("ann", "secret")).await;
    assert!(matches!(password, Verdict::NotMine(NotMine::WrongKind)));
}

#[tokio::test]
async fn a_step_that_does_not_go_with_the_question_is_a_fault() {
    let service = Service::start(careful).unwrap();
    let mut keys = keys(&service);
    keys["takes"] = json!(["password", "redirect"]);
    keys["entitlement"] = json!(true);
    let backend = build(keys);
    let to_code = json!({ "verdict": "challenge", "step": "code" });
    let away = json!({ "verdict": "challenge", "step": "redirect", "url": "https://id.example/" });
    let attempts = |told: &Value| {
        let of_password = vec![visit(), returned("s-2")];
        let of_visit = vec![Attempt::password("ann", "secret"), returned("s-2")];
        if told["step"] == "code" { of_password } else { of_visit }
    };
    for told in [to_code, away] {
        let wrong = attempts(&told);
        service.does(move |asked| answer(asked, &told));
        for attempt in wrong {
            let verdict = bring(&*backend, attempt).await;
            assert!(matches!(verdict, Verdict::Fault(Fault::Protocol(_))), "{verdict:?}");
        }
        let verdict = Host::default().entitle(&*backend, "ann").await;
        assert!(matches!(verdict, Verdict::Fault(Fault::Protocol(_))), "{verdict:?}");
    }
    // Nobody is sent to where others could read along, or to a script.
    for url in
        ["http://id.example/", "javascript:alert(1)", "//id.example/", "https://u:p@id.example/"]
    {
        let told = json!({ "verdict": "challenge", "step": "redirect", "url": url });
        service.does(move |asked| answer(asked, &told));
        let verdict = bring(&*backend, visit()).await;
        assert!(matches!(verdict, Verdict::Fault(Fault::Protocol(_))), "{url}: {verdict:?}");
    }
}

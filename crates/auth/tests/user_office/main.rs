//! The user office as a backend, against a service that fails in all the ways there are.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod certificates;
mod hostile;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use vestibule_auth::{
    backends::UserOfficeFactory,
    testkit::{Asked, Host, Reply, Service},
};
use vestibule_core::{
    Secret,
    domain::identity::{BackendName, Subject},
    ports::backend::{Backend, BackendFactory, Fault, RejectReason, Section, Verdict},
};

fn name() -> BackendName {
    BackendName::parse("office").unwrap()
}

/// Anna and Bert have passwords; Anna may come in.
fn office(asked: &Asked) -> Reply {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    match asked.path.as_str() {
        "/login" => {
            let known = [("anna", "secret of anna"), ("bert", "secret of bert")];
            let given = (body["username"].as_str(), body["password"].as_str());
            match given {
                (Some(name), Some(password)) if known.contains(&(name, password)) => {
                    Reply::json(&json!({ "username": name }))
                }
                (Some(_), Some(_)) => Reply::status(401),
                _ => Reply::status(400),
            }
        }
        "/authorized" if asked.header("authorization") == Some("Basic aGFsbDpodW50ZXIy") => {
            Reply::json(&json!({ "result": body["login"] == "anna" }))
        }
        "/authorized" => Reply::status(401),
        _ => Reply::status(404),
    }
}

struct Setting {
    service: Service,
    backend: Arc<dyn Backend>,
    host: Host,
}

fn section(service: &Service) -> Section {
    Section::of(json!({
        "login_url": service.url("/login"),
        "authorized_url": service.url("/authorized"),
        "username": "hall",
        "timeout_seconds": 0.5,
    }))
    .with_secret("password", Secret::new("hunter2"))
}

fn setting() -> Setting {
    let service = Service::start(office).unwrap();
    let backend = UserOfficeFactory.build(name(), section(&service)).unwrap();
    Setting { service, backend, host: Host::default() }
}

impl Setting {
    async fn log_in(&self, username: &str, password: &str) -> Verdict {
        self.host.log_in(&*self.backend, username, password).await
    }

    async fn entitle(&self, username: &str) -> Verdict {
        self.host.entitle(&*self.backend, username).await
    }

    /// Asks both questions while the service does this; answers what each came to.
    async fn both(&self, reply: Reply) -> [Verdict; 2] {
        self.service.always(reply);
        [self.log_in("anna", "secret of anna").await, self.entitle("anna").await]
    }
}

fn is_refused(verdict: &Verdict, reason: RejectReason) -> bool {
    matches!(verdict, Verdict::Rejected(rejection) if rejection.reason == reason)
}

fn fault(verdict: Verdict) -> Fault {
    match verdict {
        Verdict::Fault(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn seed_cp_2_the_office_says_who_gets_in() {
    let setting = setting();
    let Verdict::Verified(anna) = setting.log_in("anna", "secret of anna").await else { panic!() };
    assert_eq!(anna.subject.as_str(), "anna");
    assert_eq!(anna.username.as_deref(), Some("anna"));
    let asked = setting.service.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("POST", "/login"));
    let body: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(body, json!({ "username": "anna", "password": "secret of anna" }));
    assert_eq!(asked[0].header("authorization"), None, "our own credentials are for the others");
    for (username, password) in [("anna", "wrong"), ("nobody", "secret of anna"), ("Anna", "x")] {
        let verdict = setting.log_in(username, password).await;
        assert!(is_refused(&verdict, RejectReason::BadOrUnknown), "{username}: {verdict:?}");
    }
    setting.service.always(Reply::status(400));
    let verdict = setting.log_in("anna", "secret of anna").await;
    assert!(is_refused(&verdict, RejectReason::BadOrUnknown), "{verdict:?}");
}

#[tokio::test]
async fn seed_cp_11_who_it_is_comes_from_no_header_and_no_answer() {
    let setting = setting();
    // Whoever it is that the office names, the person is the one whose password was right.
    setting.service.always(Reply::json(&json!({ "username": "bert", "uid": "root" })));
    let Verdict::Verified(anna) = setting.log_in("anna", "secret of anna").await else { panic!() };
    assert_eq!(anna.subject.as_str(), "anna");
}

#[tokio::test]
async fn atk_a201_names_are_not_bent_but_for_those_who_were_here() {
    let setting = setting();
    let known_as = Subject::parse("anna").unwrap();
    let typed = ("ANNA", "secret of anna");
    let verdict = setting.host.log_in_again(&*setting.backend, typed, &known_as).await;
    let Verdict::Verified(anna) = verdict else { panic!("{verdict:?}") };
    assert_eq!(anna.subject, known_as);
    setting.service.always(Reply::json(&json!(true)));
    for odd in ["1", "1.0", "ANNA", "Anna", "anna\u{301}", "../admin?x=", "%2fadmin"] {
        let Verdict::Verified(person) = setting.log_in(odd, "x").await else { panic!() };
        assert_eq!(person.subject.as_str(), odd);
        let asked = setting.service.asked().pop().unwrap();
        assert_eq!(asked.path, "/login");
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap()["username"], odd);
    }
}

#[tokio::test]
async fn seed_cp_17_entitlement_is_asked_for_by_name_with_our_own_credentials() {
    let setting = setting();
    assert!(matches!(setting.entitle("anna").await, Verdict::Verified(_)));
    let asked = setting.service.asked();
    assert_eq!(asked[0].body, r#"{"login":"anna"}"#);
    assert_eq!(asked[0].header("authorization"), Some("Basic aGFsbDpodW50ZXIy"));
    assert!(is_refused(&setting.entitle("bert").await, RejectReason::NotEntitled));
    // By default everybody, and nobody is asked.
    let service = Service::start(office).unwrap();
    let section = Section::of(json!({ "default_authorization": true }));
    let backend = UserOfficeFactory.build(name(), section).unwrap();
    assert!(matches!(setting.host.entitle(&*backend, "bert").await, Verdict::Verified(_)));
    assert!(service.asked().is_empty());
}

/// While the office does this, both questions are faults, soon, and tell nothing secret.
async fn is_a_fault(what: &str, reply: Reply) {
    let setting = setting();
    let began = std::time::Instant::now();
    for verdict in setting.both(reply).await {
        let fault = fault(verdict);
        assert!(!format!("{fault:?} {fault}").contains("secret of anna"), "{what}: {fault:?}");
        assert!(!format!("{fault:?} {fault}").contains("hunter2"), "{what}: {fault:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{what} took {:?}", began.elapsed());
    let asked = setting.service.asked();
    assert_eq!(asked.len(), 2, "{what}: a question is asked once");
}

#[tokio::test]
async fn seed_cp_3_an_office_that_fails_is_a_fault_and_never_a_wrong_password() {
    for status in [204, 403, 404, 429] {
        is_a_fault(&status.to_string(), Reply::status(status)).await;
    }
    is_a_fault("cut", Reply::Cut).await;
    is_a_fault("cut in the body", Reply::CutInBody).await;
    is_a_fault("noise", Reply::Noise).await;
    is_a_fault("null", Reply::of(200, "application/json", "null")).await;
}

#[tokio::test]
async fn flt_f31_an_office_that_says_nothing_is_given_up_at_the_deadline() {
    is_a_fault("nothing", Reply::Hang).await;
    is_a_fault("nothing after the head", Reply::HangInBody).await;
}

#[tokio::test]
async fn flt_f32_an_office_that_breaks_is_not_asked_again() {
    is_a_fault("500", Reply::status(500)).await;
    is_a_fault("503", Reply::status(503)).await;
    let setting = setting();
    for verdict in setting.both(Reply::status(503).with_header("retry-after", "70")).await {
        assert_eq!(fault(verdict).retry_after(), 70);
    }
}

#[tokio::test]
async fn flt_f33_json_that_is_none_is_a_fault() {
    for text in ["{\"result\": tr", "{\"result\": true}}", "[1, 2"] {
        is_a_fault(text, Reply::of(200, "application/json", text)).await;
    }
}

#[tokio::test]
async fn flt_f34_a_body_without_end_is_cut_at_a_mebibyte() {
    is_a_fault("without end", Reply::Endless).await;
    let setting = setting();
    for verdict in setting.both(Reply::Endless).await {
        // Not at the deadline, by when it would be gigabytes.
        let cut = Fault::protocol("the service answered more than 1 MiB");
        assert_eq!(fault(verdict), cut);
    }
}

#[tokio::test]
async fn flt_f35_a_redirect_is_a_fault_wherever_it_leads() {
    for (status, location) in
        [(301, "/login"), (307, "http://127.0.0.1:1/"), (308, "file:///etc/passwd"), (302, "")]
    {
        let reply = Reply::status(status).with_header("location", location);
        is_a_fault(location, reply).await;
    }
}

#[tokio::test]
async fn flt_f37_one_byte_now_and_then_does_not_outlast_the_deadline() {
    let bytes = Reply::Drip(Duration::from_millis(30), vec![b' '; 4000]);
    is_a_fault("byte by byte", bytes).await;
}

#[tokio::test]
async fn flt_f46_a_portals_page_lets_nobody_in() {
    is_a_fault("a portal", Reply::of(200, "text/html", "<html>pay for wireless</html>")).await;
    is_a_fault("in disguise", Reply::of(200, "application/json", "  <!doctype html>")).await;
}

#[tokio::test]
async fn flt_f30_a_port_that_nobody_listens_on_is_a_fault_at_once() {
    let setting = setting();
    let Setting { service, backend, host } = setting;
    drop(service);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = std::time::Instant::now();
    let verdict = host.log_in(&*backend, "anna", "secret of anna").await;
    assert!(fault(verdict).is_passing());
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(backend.probe().unwrap().look().await.is_err());
}

#[tokio::test]
async fn atk_a200_what_does_not_clearly_say_yes_lets_nobody_in() {
    let setting = setting();
    let lax = [
        json!("false"),
        json!([]),
        json!({}),
        json!(null),
        json!(0),
        json!(1),
        json!("yes"),
        json!({ "result": "true" }),
        json!({ "result": 1 }),
        json!({ "result": null }),
        json!({ "result": [true] }),
        json!({ "Result": true }),
        json!([{ "result": true }]),
    ];
    for said in lax {
        setting.service.always(Reply::json(&said));
        let verdict = setting.entitle("anna").await;
        assert!(matches!(verdict, Verdict::Fault(_)), "{said}: {verdict:?}");
    }
    for said in [
        json!("false"),
        json!(false),
        json!([]),
        json!({}),
        json!(null),
        json!(0),
        json!({ "authenticated": false }),
    ] {
        setting.service.always(Reply::json(&said));
        let verdict = setting.log_in("anna", "secret of anna").await;
        assert!(matches!(verdict, Verdict::Fault(_)), "{said}: {verdict:?}");
    }
    for yes in [Reply::status(200), Reply::of(200, "text/plain", "OK"), Reply::json(&json!(true))] {
        setting.service.always(yes);
        assert!(matches!(setting.log_in("anna", "x").await, Verdict::Verified(_)));
    }
}

#[tokio::test]
async fn atk_a202_no_redirect_is_followed_and_nothing_secret_goes_elsewhere() {
    let setting = setting();
    let sink = Service::start(|_| Reply::json(&json!({ "result": true }))).unwrap();
    for status in [301, 302, 303, 307, 308] {
        let reply = Reply::status(status).with_header("location", &sink.url("/login"));
        for verdict in setting.both(reply).await {
            assert!(matches!(verdict, Verdict::Fault(_)), "{status}: {verdict:?}");
        }
    }
    assert!(sink.asked().is_empty());
}

#[tokio::test]
async fn our_own_credentials_refused_is_a_fault_of_the_configuration() {
    let service = Service::start(office).unwrap();
    let section = section(&service).over(&Section::default());
    let wrong = Section::of(json!({
        "authorized_url": service.url("/authorized"), "username": "hall",
    }))
    .with_secret("password", Secret::new("not hunter2"));
    drop(section);
    let backend = UserOfficeFactory.build(name(), wrong).unwrap();
    let verdict = Host::default().entitle(&*backend, "anna").await;
    assert!(matches!(fault(verdict), Fault::Misconfigured(_)));
}

#[tokio::test]
async fn two_hundred_at_once_are_each_answered_about_themselves() {
    let setting = setting();
    let asks = (0..200).map(|number| {
        let (name, password) = match number % 4 {
            0 => ("anna", "secret of anna"),
            1 => ("bert", "secret of bert"),
            2 => ("anna", "secret of bert"),
            _ => ("nobody", "x"),
        };
        let setting = &setting;
        async move { (name, number % 4, setting.log_in(name, password).await) }
    });
    for (name, kind, verdict) in futures_util::future::join_all(asks).await {
        match verdict {
            Verdict::Verified(person) => assert!(kind < 2 && person.subject.as_str() == name),
            other => {
                assert!(kind >= 2 && is_refused(&other, RejectReason::BadOrUnknown), "{other:?}");
            }
        }
    }
}

#[test]
fn seed_cp_19_what_is_missing_or_unsafe_is_told_before_the_start() {
    let refused = |keys: Value| match UserOfficeFactory.build(name(), Section::of(keys)) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    };
    let url = "https://office.example/";
    assert_eq!(
        refused(json!({ "authorized_url": url, "password": "x" })),
        "username: is missing: authorized_url wants it"
    );
    assert_eq!(
        refused(json!({ "authorized_url": url, "username": "x" })),
        "password: is missing: authorized_url wants it"
    );
    assert!(refused(json!({})).starts_with("login_url: is missing"));
    let plain = refused(json!({ "login_url": "http://office.example/login" }));
    assert!(plain.starts_with("login_url: is http"), "{plain}");
    for bad in ["office", "ftp://office.example", "https://a:b@office.example", "//x"] {
        let told = refused(json!({ "login_url": bad }));
        assert!(told.starts_with("login_url: ") && !told.contains("a:b"), "{told}");
    }
    assert_eq!(refused(json!({ "login_url": url, "logn_url": url })), "logn_url: unknown key");
    assert!(
        refused(json!({ "login_url": url, "certificates": "none" })).starts_with("certificates")
    );
}

//! A single sign-on whose hashes the user office knows, which fails in all the ways there are.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use vestibule_auth::{
    backends::ShibbolethFactory,
    testkit::{Asked, Host, Reply, Service},
};
use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    ports::backend::{
        Assertion, Attempt, Backend, BackendFactory, CredentialKind, Fault, Groups, NotMine,
        RejectReason, Section, Step, Verdict,
    },
};

const ANNA: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e01";
const NOBODY: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e99";

fn build(section: Section) -> Arc<dyn Backend> {
    ShibbolethFactory.build(BackendName::parse("umbrella").unwrap(), section).unwrap()
}

fn office(asked: &Asked) -> Reply {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    if body["eaa_hash"] == ANNA { Reply::json(&json!("anna")) } else { Reply::status(404) }
}

struct Setting {
    service: Service,
    backend: Arc<dyn Backend>,
    host: Host,
}

fn setting() -> Setting {
    let service = Service::start(office).unwrap();
    let keys = json!({ "hash_url": service.url("/hash"), "timeout_seconds": 0.5 });
    Setting { backend: build(Section::of(keys)), service, host: Host::default() }
}

impl Setting {
    async fn vouch(&self, headers: &[(&str, &[u8])]) -> Verdict {
        self.host.vouch(&*self.backend, headers).await
    }

    /// Whom the office names by this answer, if anybody.
    async fn named_by(&self, reply: Reply) -> Result<String, Fault> {
        self.service.always(reply);
        match self.vouch(&[("EAAHash", ANNA.as_bytes())]).await {
            Verdict::Verified(assertion) => Ok(assertion.account.unwrap()),
            Verdict::Fault(fault) => Err(fault),
            other => panic!("{other:?}"),
        }
    }
}

fn verified(verdict: Verdict) -> Assertion {
    match verdict {
        Verdict::Verified(assertion) => *assertion,
        other => panic!("{other:?}"),
    }
}

fn refusal(verdict: Verdict) -> (RejectReason, String) {
    match verdict {
        Verdict::Rejected(rejection) => (rejection.reason, rejection.for_audit().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn seed_cp_10_the_office_is_shown_the_hash_and_names_the_account() {
    let setting = setting();
    let anna = verified(setting.vouch(&[("EAAHash", ANNA.as_bytes()), ("uid", b"root")]).await);
    assert_eq!(anna.subject.as_str(), ANNA, "bound by the hash, which is for good");
    assert_eq!(anna.account.as_deref(), Some("anna"));
    let asked = setting.service.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("POST", "/hash"));
    assert_eq!(asked[0].body, format!(r#"{{"eaa_hash":"{ANNA}"}}"#));
    assert_eq!(asked[0].header("authorization"), None);
    let unknown = refusal(setting.vouch(&[("EAAHash", NOBODY.as_bytes())]).await);
    assert_eq!(unknown, (RejectReason::NotLinked, "not linked to an account".to_owned()));
}

#[tokio::test]
async fn seed_cp_11_the_uid_that_was_sent_is_nobodys_account() {
    let setting = setting();
    let anna = verified(setting.vouch(&[("EAAHash", ANNA.as_bytes()), ("uid", b"root")]).await);
    assert_eq!((anna.account.as_deref(), anna.username.as_deref()), (Some("anna"), Some("anna")));
    // Nor where nobody can be asked: there it is a proposal, and the account is the hash's.
    let alone = build(Section::default());
    let host = Host::default();
    let person =
        verified(host.vouch(&*alone, &[("EAAHash", ANNA.as_bytes()), ("uid", b"root")]).await);
    assert_eq!((person.account, person.subject.as_str()), (None, ANNA));
    assert_eq!(person.username.as_deref(), Some("root"));
    let nameless = verified(host.vouch(&*alone, &[("EAAHash", ANNA.as_bytes())]).await);
    let proposed = nameless.username.unwrap();
    assert!(proposed.starts_with("umbrella-") && proposed.len() == 21, "{proposed}");
    assert!(!ANNA.contains(&proposed[9..]), "{proposed} shows the hash");
    // Without a hash there is nobody, whatever else there is.
    let stripped = setting.vouch(&[("uid", b"anna"), ("mail", b"anna@example.org")]).await;
    assert_eq!(refusal(stripped), (RejectReason::BadOrUnknown, "EAAHash: is missing".to_owned()));
    assert_eq!(setting.service.asked().len(), 1);
}

#[tokio::test]
async fn seed_cp_12_odd_headers_are_refused_and_the_office_is_not_asked() {
    let setting = setting();
    let long = ANNA.repeat(1000);
    let list = format!("{ANNA};{NOBODY}");
    let odd: [&[(&str, &[u8])]; 9] = [
        &[],
        &[("EAAHash", b"")],
        &[("EAAHash", ANNA.as_bytes()), ("EAAHash", ANNA.as_bytes())],
        &[("EAAHash", ANNA.as_bytes()), ("eaahash", NOBODY.as_bytes())],
        &[("EAAHash", long.as_bytes())],
        &[("EAAHash", list.as_bytes())],
        &[("EAAHash", ANNA.as_bytes()), ("EAA_Hash", NOBODY.as_bytes())],
        &[("EAAHash", ANNA.as_bytes()), ("uid", b"\xe4")],
        &[("EAAHash", b"not-a-hash")],
    ];
    for headers in odd {
        let (reason, _) = refusal(setting.vouch(headers).await);
        assert_eq!(reason, RejectReason::BadOrUnknown);
    }
    assert_eq!(setting.service.asked(), []);
}

#[tokio::test]
async fn seed_cp_14_a_name_is_taken_in_four_forms_and_in_no_other() {
    let setting = setting();
    let json_of = |text: &str| Reply::of(200, "application/json; charset=utf-8", text);
    let text = |text: &str| Reply::of(200, "text/plain", text);
    for reply in [
        json_of("\"anna\""),
        json_of(" \"anna\"\n"),
        json_of(r#"{"username": "anna"}"#),
        json_of(r#"{"login": "anna", "facility": "north"}"#),
        json_of(r#"{"uid": "anna"}"#),
        json_of(r#"{"uid": 1001, "username": "anna", "login": "anna"}"#).with_header("x", "y"),
        text("anna"),
        text("anna\r\n"),
        text("\"anna\""),
    ] {
        let shown = format!("{reply:?}");
        assert_eq!(setting.named_by(reply).await.as_deref(), Ok("anna"), "{shown}");
    }
    assert_eq!(setting.named_by(text("jürgen")).await.unwrap(), "jürgen");
    for reply in [
        json_of("anna"),
        json_of("null"),
        json_of("true"),
        json_of("1"),
        json_of("\"\""),
        json_of("\"anna \""),
        json_of("\"an\\u0000na\""),
        json_of("\"an\\nna\""),
        json_of("\"\\ud800\""),
        json_of(&format!("\"{}\"", "n".repeat(300))),
        json_of("[]"),
        json_of("{}"),
        json_of("[\"anna\"]"),
        json_of("\"anna\" \"bert\""),
        json_of(r#"{"name": "anna"}"#),
        json_of(r#"{"username": null}"#),
        json_of(r#"{"username": 5001}"#),
        json_of(r#"{"uid": 5001}"#),
        json_of(r#"{"username": ["anna"]}"#),
        json_of(r#"{"username": "anna", "login": "bert"}"#),
        json_of(r#"{"username": "bert", "username": "anna"}"#),
        json_of(r#"{"username": true, "login": "anna"}"#),
        text(""),
        text("\n"),
        text("null"),
        text("Traceback (most recent call last):\n  File"),
        text("{\"username\": "),
        text("<html>log in</html>"),
        Reply::of(200, "text/html", "\"anna\""),
        Reply::of(200, "application/octet-stream", "\"anna\""),
        Reply::Answer(200, vec![("content-type".into(), "text/plain".into())], b"j\xfcrgen".into()),
        Reply::status(200),
    ] {
        let shown = format!("{reply:?}");
        let fault = setting.named_by(reply).await;
        assert!(matches!(fault, Err(Fault::Protocol(_))), "{shown}: {fault:?}");
    }
}

#[tokio::test]
async fn seed_cp_3_an_office_that_cannot_say_is_a_fault_and_never_a_refusal() {
    let setting = setting();
    for reply in [
        Reply::status(201),
        Reply::status(204),
        Reply::of(206, "application/json", "\"anna\""),
        Reply::status(301).with_header("location", "/elsewhere"),
        Reply::status(307).with_header("location", "/elsewhere"),
        Reply::status(400),
        Reply::status(401),
        Reply::status(403),
        Reply::of(404, "text/html", "<html>no such site"),
        Reply::status(410),
        Reply::status(418),
        Reply::status(429),
        Reply::status(500),
        Reply::status(502),
        Reply::status(503),
        Reply::status(504),
        Reply::Hang,
        Reply::HangInBody,
        Reply::Drip(Duration::from_millis(200), b"\"anna\"".to_vec()),
        Reply::Cut,
        Reply::CutInBody,
        Reply::Endless,
        Reply::Noise,
    ] {
        let shown = format!("{reply:?}");
        assert!(setting.named_by(reply).await.is_err(), "{shown}");
    }
    drop(setting.service);
    let verdict = setting.host.vouch(&*setting.backend, &[("EAAHash", ANNA.as_bytes())]).await;
    assert!(matches!(verdict, Verdict::Fault(Fault::Unavailable { .. })), "{verdict:?}");
}

#[tokio::test]
async fn seed_cp_13_the_headers_of_a_site_are_believed_under_their_own_names_alone() {
    let host = Host::default();
    let backend = build(Section::of(json!({
        "header_prefix": "HTTP_", "mail_header": "mail", "groups_header": "groups",
        "first_name_header": "givenName", "last_name_header": "sn", "mail_is_verified": true,
    })));
    let person = verified(
        host.vouch(
            &*backend,
            &[
                ("HTTP_EAAHASH", ANNA.as_bytes()),
                ("HTTP_UID", b"anna"),
                ("HTTP_MAIL", b"anna@example.org"),
                ("HTTP_GIVENNAME", b"Anna"),
                ("HTTP_SN", "Größe".as_bytes()),
                ("HTTP_GROUPS", b"staff;beamline-a"),
            ],
        )
        .await,
    );
    assert_eq!(person.username.as_deref(), Some("anna"));
    assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("Anna", "Größe"));
    assert!(person.emails[0].is_verified && person.emails[0].address == "anna@example.org");
    assert_eq!(person.groups, Groups::Known(vec!["staff".into(), "beamline-a".into()]));
    let (_, said) = refusal(host.vouch(&*backend, &[("EAAHash", ANNA.as_bytes())]).await);
    assert!(said.contains("reads like it"), "{said}");
    // Who is in no group there sends no header for them.
    let person = verified(host.vouch(&*backend, &[("HTTP_EAAHASH", ANNA.as_bytes())]).await);
    assert_eq!(person.groups, Groups::Known(Vec::new()));
    let plain =
        verified(host.vouch(&*build(Section::default()), &[("eaahash", ANNA.as_bytes())]).await);
    assert_eq!(plain.groups, Groups::Unknown, "nothing is told of groups");
}

#[tokio::test]
async fn atk_a136_without_the_proxys_secret_nobody_is_believed_or_sent_anywhere() {
    let host = Host::default();
    let section = Section::of(json!({ "login_url": "/Shibboleth.sso/Login?target={return}" }))
        .with_secret("proxy_secret", Secret::new("0123456789abcdef"));
    let backend = build(section);
    let hash = ("EAAHash", ANNA.as_bytes());
    let secret = ("X-Vestibule-Proxy-Secret", &b"0123456789abcdef"[..]);
    verified(host.vouch(&*backend, &[hash, secret]).await);
    for headers in [&[hash][..], &[], &[hash, ("X-Vestibule-Proxy-Secret", b"0123456789abcdeX")]] {
        let (reason, said) = refusal(host.vouch(&*backend, headers).await);
        assert_eq!(reason, RejectReason::BadOrUnknown);
        assert!(said.starts_with("X-Vestibule-Proxy-Secret: is "), "{said}");
    }
    let verdict = host.vouch(&*backend, &[secret]).await;
    let Verdict::Challenge(challenge) = verdict else { panic!("{verdict:?}") };
    let url = "/Shibboleth.sso/Login?target={return}".to_owned();
    assert_eq!(challenge.step, Step::Redirect { url });
}

#[tokio::test]
async fn passwords_are_none_of_its_business() {
    let setting = setting();
    assert_eq!(setting.backend.descriptor().takes, [CredentialKind::Headers]);
    let attempt = Attempt::password("anna", ANNA);
    let verdict = setting.backend.authenticate(&attempt, &setting.host.cx()).await;
    assert!(matches!(verdict, Verdict::NotMine(NotMine::WrongKind)), "{verdict:?}");
    assert_eq!(setting.service.asked(), []);
}

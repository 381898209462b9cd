//! A real Postfix, and servers that fail in every way there is: see `tests/peers/mail`, whose
//! `peer` exports their addresses.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use vestibule_core::{
    Email, Secret, Timestamp,
    domain::notice::Notice,
    entropy::SystemEntropy,
    id::{LeaseId, NoticeId},
    usecase::delivery::Parcel,
};
use vestibule_mail::{
    Office, SiteFacts,
    classify::Verdict,
    message::{Correspondent, Letter},
    office::Style,
    render::Address,
    transport::smtp::{Security, SmtpSettings, SmtpTransport},
};

fn variable(name: &str) -> String {
    let name = format!("VESTIBULE_TEST_MAIL_{name}");
    env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: tests/peers/mail/peer start DIR"))
}

/// Asks the control API of the scripted servers.
fn control(method: &str, path: &str, body: &Value) -> Value {
    let base = variable("CONTROL");
    let (host, prefix) = base.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let body = body.to_string();
    write!(
        stream,
        "{method} /{prefix}/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len(),
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.split(' ').nth(1).unwrap().starts_with('2'), "{method} {path}: {answer}");
    serde_json::from_str(body).unwrap()
}

fn settings(port: u64, security: Security) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".to_owned(),
        port: u16::try_from(port).unwrap(),
        security,
        login: Some((variable("USERNAME"), Secret::from(variable("PASSWORD")))),
        certificates: Some(std::fs::read(variable("CA")).unwrap()),
        identity: None,
        step: Duration::from_secs(10),
    }
}

fn office(settings: SmtpSettings) -> Office {
    let style = Style {
        site: SiteFacts {
            name: "Зал 🦊".to_owned(),
            url: Address::fixed("https://hall.example"),
            subject_prefix: "[Зал 🦊] ".to_owned(),
            has_logo: false,
        },
        folders: Vec::new(),
        to_people: Correspondent {
            from: "Зал <hall@example.org>".parse().unwrap(),
            reply_to: Some("help@example.org".parse().unwrap()),
        },
        to_admins: Correspondent { from: "server@example.org".parse().unwrap(), reply_to: None },
        logo: None,
    };
    Office::new(style, Box::new(SmtpTransport::new(settings).unwrap()))
}

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

fn letter(office: &Office, to: &str) -> Letter {
    let id = NoticeId::generate(NOW, &SystemEntropy);
    let parcel = Parcel {
        id,
        lease: LeaseId::generate(NOW, &SystemEntropy),
        until: NOW,
        recipient: Email::parse(to).unwrap(),
        message_id: format!("{id}@hall.example"),
        language: "en".to_owned(),
        posted_at: NOW,
        attempts: 1,
        notice: Notice::Reset { username: "Änna 🦊 Ж".to_owned() },
        token: Some(Secret::new("token-of-the-link")),
        expires_at: Some(NOW),
    };
    office.letter(&parcel, NOW).unwrap()
}

/// What a mode came to, in the words of the servers.
async fn outcome(mode: &str, security: Security) -> (&'static str, String, Value) {
    let world = control("POST", "worlds", &json!({ "mode": mode }));
    let port = if security == Security::Implicit { &world["smtps"] } else { &world["smtp"] };
    let office = office(settings(port.as_u64().unwrap(), security));
    let letter = letter(&office, "anna@example.org");
    let result = office.hand_over(&letter).await;
    office.transport().close().await;
    let path = format!("worlds/{}", world["id"].as_str().unwrap());
    let world = control("GET", &path, &json!({}));
    control("DELETE", &path, &json!({}));
    match result {
        Ok(answer) => ("sent", answer, world),
        Err(failure) if failure.verdict == Verdict::ForGood => ("never", failure.reason, world),
        Err(failure) => ("later", failure.reason, world),
    }
}

/// Goes through all the ways to fail; answers where we did not do as we should.
async fn strays(security: Security) -> Vec<String> {
    let modes = control("GET", "modes", &json!({}));
    let modes: Vec<(String, Value)> = modes
        .as_object()
        .unwrap()
        .iter()
        // Where all is encrypted, what is wrong with the clear is not there.
        .filter(|(name, _)| {
            let is_about_the_clear = name.contains("starttls") || name.contains("clear");
            security == Security::StartTls || !is_about_the_clear
        })
        .map(|(name, mode)| (name.clone(), mode.clone()))
        .collect();
    assert!(modes.len() > 100, "{}", modes.len());
    let tried = stream::iter(modes).map(|(name, mode)| async move {
        let (came, said, world) = outcome(&name, security).await;
        let expected = mode["expect"].as_str().unwrap();
        let may: Vec<&str> =
            mode["may"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        // What may have arrived is tried again.
        let fits = |word: &str| came == word || (word == "doubt" && came == "later");
        let holds = fits(expected) || may.into_iter().any(fits);
        let wrong = world["wrong"].as_array().unwrap();
        if holds && wrong.is_empty() {
            return None;
        }
        Some(format!(
            "{name} ({}): expected {expected}, came {came}: {said}; {wrong:?}",
            mode["about"]
        ))
    });
    tried.buffer_unordered(24).filter_map(|stray| async { stray }).collect().await
}

#[tokio::test]
async fn flt_f21_f24_every_way_to_fail_comes_to_what_it_should_with_starttls() {
    let strays = strays(Security::StartTls).await;
    assert!(strays.is_empty(), "{}\n{}", strays.len(), strays.join("\n"));
}

#[tokio::test]
async fn flt_f21_f24_every_way_to_fail_comes_to_what_it_should_with_tls() {
    let strays = strays(Security::Implicit).await;
    assert!(strays.is_empty(), "{}\n{}", strays.len(), strays.join("\n"));
}

fn port(name: &str) -> u64 {
    variable(name).rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_mail_through_postfix_is_what_it_was_to_a_mail_library() {
    for (service, security) in
        [("SUBMISSION", Security::StartTls), ("SUBMISSIONS", Security::Implicit)]
    {
        let id = NoticeId::generate(NOW, &SystemEntropy);
        let to = format!("peer-{id}@example.org");
        let office = office(settings(port(service), security));
        let letter = letter(&office, &to);
        office.hand_over(&letter).await.unwrap();
        let found = control("GET", &format!("postfix?to={to}&messages=1&seconds=20"), &json!({}));
        let mails = found.as_array().or_else(|| found["messages"].as_array()).unwrap();
        assert_eq!(mails.len(), 1, "{found}");
        let mail = &mails[0];
        assert_eq!(mail["recipients"], json!([to]));
        assert_eq!((&mail["cc"], &mail["bcc"]), (&json!([]), &json!([])));
        assert_eq!(mail["subject"], "[Зал 🦊] Set a new password");
        assert_eq!(mail["from"], json!([{ "name": "Зал", "address": "hall@example.org" }]));
        assert_eq!(mail["reply_to"], json!([{ "name": "", "address": "help@example.org" }]));
        assert_eq!(mail["message_id"], json!(format!("<{}>", letter.message_id)));
        assert_eq!(mail["defects"], json!([]));
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains("Hello Änna 🦊 Ж,"), "{text}");
        let link = "https://hall.example/password/reset/token-of-the-link";
        assert!(text.lines().any(|line| line == link), "{text}");
        assert!(mail["html"].as_str().unwrap().contains("Änna 🦊 Ж"));
        for flaw in ["bare_cr", "nul", "eight_bit"] {
            assert!(
                matches!(&mail[flaw], Value::Null | Value::Bool(false)) || mail[flaw] == 0,
                "{flaw}: {mail}"
            );
        }
        let received = mail["headers"].to_string();
        assert!(received.contains("Authenticated sender: vestibule"), "{received}");
    }
}

#[tokio::test]
async fn a_recipient_whom_postfix_does_not_know_is_for_good_and_a_busy_one_for_later() {
    let office = office(settings(port("SUBMISSION"), Security::StartTls));
    for (to, verdict) in
        [("unknown@example.org", Verdict::ForGood), ("busy@example.org", Verdict::Later)]
    {
        let failure = office.hand_over(&letter(&office, to)).await.unwrap_err();
        assert_eq!(failure.verdict, verdict, "{failure}");
    }
}

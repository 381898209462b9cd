//! SMTP with a server that does as it is told.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use std::time::{Duration, Instant};

use server::{Plan, Server, Tls};
use vestibule_core::Secret;
use vestibule_mail::{
    classify::{Failure, Verdict},
    message::Letter,
    transport::{
        Transport,
        smtp::{Security, SmtpSettings, SmtpTransport},
    },
};

fn settings(server: &Server, security: Security) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".to_owned(),
        port: server.port,
        security,
        login: None,
        certificates: Some(server.authority.clone()),
        identity: None,
        step: Duration::from_secs(5),
    }
}

fn transport(server: &Server, security: Security) -> SmtpTransport {
    SmtpTransport::new(settings(server, security)).unwrap()
}

fn letter(number: usize) -> Letter {
    Letter {
        name: number.to_string(),
        from: "hall@example.org".parse().unwrap(),
        to: format!("u{number}@example.org").parse().unwrap(),
        message_id: format!("{number}@example.org"),
        subject: "x".to_owned(),
        text: "x".to_owned(),
        bytes: format!("Message-ID: <{number}@example.org>\r\n\r\nHello\r\n.\r\n..dots\r\n")
            .into_bytes(),
    }
}

async fn refused(plan: Plan) -> (Failure, Server) {
    let server = Server::start(plan).await;
    let failure = transport(&server, Security::None).deliver(&letter(1)).await.unwrap_err();
    (failure, server)
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written_with_one_recipient() {
    let server = Server::start(Plan::default()).await;
    let answer = transport(&server, Security::None).deliver(&letter(1)).await.unwrap();
    assert_eq!(answer, "250 2.0.0 queued");
    let heard = server.heard();
    assert_eq!(heard.mails, ["Message-ID: <1@example.org>\r\n\r\nHello\r\n.\r\n..dots\r\n"]);
    let recipients: Vec<&String> =
        heard.commands.iter().filter(|c| c.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<u1@example.org>"]);
}

#[tokio::test]
async fn with_starttls_nothing_but_the_wish_for_it_is_said_in_the_clear() {
    let server = Server::start(Plan { tls: Tls::Offered, ..Plan::default() }).await;
    let mut settings = settings(&server, Security::StartTls);
    settings.login = Some(("hall".to_owned(), Secret::new("hunter2")));
    let transport = SmtpTransport::new(settings).unwrap();
    transport.deliver(&letter(1)).await.unwrap();
    assert!(transport.probe().await.unwrap().contains("with STARTTLS as test.example"));
    let heard = server.heard();
    assert_eq!(heard.mails.len(), 1);
    let verbs: Vec<&str> =
        heard.in_the_clear.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["EHLO", "STARTTLS", "EHLO", "STARTTLS"]);
    assert!(heard.commands.iter().any(|line| line.starts_with("AUTH PLAIN")));
}

#[tokio::test]
async fn with_implicit_tls_a_mail_arrives_too() {
    let server = Server::start(Plan { tls: Tls::Implicit, ..Plan::default() }).await;
    let transport = transport(&server, Security::Implicit);
    for number in 0..3 {
        transport.deliver(&letter(number)).await.unwrap();
    }
    let heard = server.heard();
    assert_eq!((heard.mails.len(), heard.lines), (3, 1), "on one line");
}

/// A server that takes any line break for one, and a dot on such a line for the end of a mail.
#[tokio::test]
async fn atk_a046_a_mail_is_one_mail_to_a_server_that_is_lax_about_lines() {
    for end in ["\r\n", "\n", "\r", "\r\r\n", "\n\r"] {
        let server = Server::start(Plan { is_lax: true, ..Plan::default() }).await;
        let mut smuggling = letter(1);
        let lines = [".", "MAIL FROM:<x@example.org>", "RCPT TO:<y@example.org>", "DATA", "z", "."];
        smuggling.bytes = format!("Subject: x\r\n\r\na{end}{}{end}", lines.join(end)).into();
        let transport = transport(&server, Security::None);
        transport.deliver(&smuggling).await.unwrap();
        transport.deliver(&letter(2)).await.unwrap();
        let heard = server.heard();
        assert_eq!(heard.mails.len(), 2, "{end:?}: {:?}", heard.mails);
        let recipients = heard.commands.iter().filter(|line| line.starts_with("RCPT"));
        assert_eq!(recipients.count(), 2, "{end:?}: {:?}", heard.commands);
    }
}

#[tokio::test]
async fn atk_a050_without_starttls_nothing_is_sent() {
    let server = Server::start(Plan::default()).await;
    let failure = transport(&server, Security::StartTls).deliver(&letter(1)).await.unwrap_err();
    assert_eq!(failure.verdict, Verdict::ServerDown);
    assert!(failure.reason.contains("offers no STARTTLS"), "{failure}");
    let heard = server.heard();
    assert!(heard.mails.is_empty());
    assert!(heard.commands.iter().all(|line| line.starts_with("EHLO")), "{:?}", heard.commands);
}

#[tokio::test]
async fn atk_a049_a_certificate_of_nobody_or_for_another_host_is_not_believed() {
    for tls in [Tls::Offered, Tls::Implicit] {
        let security = if tls == Tls::Offered { Security::StartTls } else { Security::Implicit };
        let server = Server::start(Plan { tls, ..Plan::default() }).await;
        let mut nobody = settings(&server, security);
        nobody.certificates = None;
        let stranger = Server::named("other.example", Plan { tls, ..Plan::default() }).await;
        for settings in [nobody, settings(&stranger, security)] {
            let transport = SmtpTransport::new(settings).unwrap();
            let failure = transport.deliver(&letter(1)).await.unwrap_err();
            assert_eq!(failure.verdict, Verdict::ServerDown);
            assert!(failure.reason.contains("certificate"), "{failure}");
        }
        assert!(server.heard().mails.is_empty() && stranger.heard().mails.is_empty());
    }
}

#[tokio::test]
async fn atk_a050_what_is_said_before_the_line_is_encrypted_is_not_taken_for_an_answer() {
    let chatter = "250-forged\r\n250 AUTH PLAIN\r\n";
    let server = Server::start(Plan { tls: Tls::Offered, chatter, ..Plan::default() }).await;
    let failure = transport(&server, Security::StartTls).deliver(&letter(1)).await.unwrap_err();
    assert_eq!(failure.verdict, Verdict::ServerDown);
    assert!(failure.reason.contains("more than it was asked"), "{failure}");
    assert!(server.heard().mails.is_empty());
}

#[tokio::test]
async fn flt_f24_when_tls_is_there_again_the_mail_goes_out() {
    let server = Server::start(Plan { tls: Tls::Offered, ..Plan::default() }).await;
    *server.plan_mut() = Plan::default();
    let transport = transport(&server, Security::StartTls);
    assert!(transport.deliver(&letter(1)).await.is_err());
    *server.plan_mut() = Plan { tls: Tls::Offered, ..Plan::default() };
    transport.deliver(&letter(1)).await.unwrap();
    assert_eq!(server.heard().mails.len(), 1);
}

#[tokio::test]
async fn flt_f20_a_closed_port_is_a_server_that_is_down() {
    let server = Server::start(Plan::default()).await;
    let mut settings = settings(&server, Security::None);
    settings.port = 1;
    let failure = SmtpTransport::new(settings).unwrap().deliver(&letter(1)).await.unwrap_err();
    assert_eq!(failure.verdict, Verdict::ServerDown);
    assert!(failure.reason.contains("localhost:1 cannot be reached"), "{failure}");
}

#[tokio::test]
async fn flt_f21_each_step_has_its_time() {
    let step = Duration::from_millis(200);
    for (verb, verdict) in [
        ("GREETING", Verdict::ServerDown),
        ("EHLO", Verdict::ServerDown),
        ("MAIL", Verdict::Later),
        ("RCPT", Verdict::Later),
        ("DATA", Verdict::Later),
        ("DATA.", Verdict::Later),
    ] {
        let server = Server::start(Plan::default().wait(verb, Duration::from_secs(30))).await;
        let mut settings = settings(&server, Security::None);
        settings.step = step;
        let began = Instant::now();
        let failure = SmtpTransport::new(settings).unwrap().deliver(&letter(1)).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(5), "{verb} {:?}", began.elapsed());
        assert_eq!(failure.verdict, verdict, "{verb}");
        assert!(failure.reason.contains("did not answer within"), "{verb} {failure}");
    }
}

#[tokio::test]
async fn flt_f22_a_four_at_any_step_is_for_later() {
    for verb in ["MAIL", "RCPT", "DATA", "DATA."] {
        let (failure, server) = refused(Plan::default().answer(verb, "451 4.7.1 try again")).await;
        assert_eq!(failure.verdict, Verdict::Later, "{verb}");
        assert_eq!(failure.reason, "451 4.7.1 try again");
        assert!(server.heard().mails.is_empty());
    }
}

#[tokio::test]
async fn flt_f23_a_five_at_any_step_is_for_good() {
    for verb in ["MAIL", "RCPT", "DATA", "DATA."] {
        let (failure, _) = refused(Plan::default().answer(verb, "550 5.1.1 nobody here")).await;
        assert_eq!(failure.verdict, Verdict::ForGood, "{verb}");
        assert_eq!(failure.reason, "550 5.1.1 nobody here");
    }
}

#[tokio::test]
async fn a_server_that_talks_to_nobody_is_down_whatever_it_says() {
    let (failure, _) = refused(Plan { greeting: "554 no", ..Plan::default() }).await;
    assert_eq!(failure.verdict, Verdict::ServerDown);
    let server = Server::start(Plan::default().answer("AUTH", "535 5.7.8 wrong password")).await;
    let mut settings = settings(&server, Security::None);
    settings.login = Some(("hall".to_owned(), Secret::new("hunter2")));
    let failure = SmtpTransport::new(settings).unwrap().deliver(&letter(1)).await.unwrap_err();
    assert_eq!(failure.verdict, Verdict::ServerDown);
    assert_eq!(failure.reason, "535 5.7.8 wrong password");
}

#[tokio::test]
async fn a_line_that_hangs_up_in_a_mail_is_for_later() {
    for verb in ["RCPT", "DATA", "DATA."] {
        let (failure, _) = refused(Plan::default().answer(verb, "")).await;
        assert_eq!(failure.verdict, Verdict::Later, "{verb} {failure}");
    }
}

#[tokio::test]
async fn flt_f27_a_recipient_who_is_refused_is_no_bar_to_the_next() {
    let server = Server::start(Plan::default().answer("RCPT", "550 nobody here")).await;
    let transport = transport(&server, Security::None);
    assert!(transport.deliver(&letter(1)).await.is_err());
    transport.deliver(&letter(2)).await.unwrap();
    assert_eq!(server.heard().mails.len(), 1);
}

#[tokio::test]
async fn a_line_that_was_closed_while_it_lay_idle_costs_nothing() {
    let server = Server::start(Plan::default()).await;
    let transport = transport(&server, Security::None);
    transport.deliver(&letter(1)).await.unwrap();
    // The next word on the line is answered by hanging up.
    let next = Plan::default().answer("MAIL", "");
    *server.plan_mut() = next;
    transport.deliver(&letter(2)).await.unwrap();
    let heard = server.heard();
    assert_eq!((heard.mails.len(), heard.lines), (2, 2));
}

/// So does a server that takes no more mails on one line than it likes to (RFC 5321 section 3.8).
#[tokio::test]
async fn a_server_that_closes_a_used_line_with_a_word_is_not_down() {
    let server = Server::start(Plan::default()).await;
    let transport = transport(&server, Security::None);
    for number in 1..=4 {
        transport.deliver(&letter(number)).await.unwrap();
        let closing = Plan::default().answer("MAIL", "421 4.7.0 enough on this line");
        *server.plan_mut() = closing;
    }
    assert_eq!(server.heard().mails.len(), 4);
    assert_eq!(server.heard().lines, 4);
    // One that says it on a new line too talks to nobody.
    let plan = Plan::default().answer("MAIL", "421 4.7.0 not now").answer("MAIL", "421 4.7.0 no");
    *server.plan_mut() = plan;
    let failure = transport.deliver(&letter(5)).await.unwrap_err();
    assert_eq!((failure.verdict, &*failure.reason), (Verdict::ServerDown, "421 4.7.0 no"));
}

/// Two small writes in a row would wait 40 ms for the network's own patience, each time.
#[tokio::test]
async fn mails_on_one_line_do_not_wait_for_the_network() {
    for (tls, security) in [
        (Tls::None, Security::None),
        (Tls::Offered, Security::StartTls),
        (Tls::Implicit, Security::Implicit),
    ] {
        let server = Server::start(Plan { tls, ..Plan::default() }).await;
        let transport = transport(&server, security);
        transport.deliver(&letter(0)).await.unwrap();
        let began = Instant::now();
        for number in 1..=50 {
            transport.deliver(&letter(number)).await.unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{:?} for 50", began.elapsed());
        assert_eq!(server.heard().lines, 1);
    }
}

#[tokio::test]
async fn an_address_beyond_ascii_takes_a_server_that_can() {
    let mut to_post = letter(1);
    to_post.to = lettre_address("почта");
    let server = Server::start(Plan::default()).await;
    let failure = transport(&server, Security::None).deliver(&to_post).await.unwrap_err();
    assert_eq!(failure.verdict, Verdict::ForGood);
    let plan = Plan { offers: vec!["8BITMIME", "SMTPUTF8"], ..Plan::default() };
    let server = Server::start(plan).await;
    transport(&server, Security::None).deliver(&to_post).await.unwrap();
    let heard = server.heard();
    assert!(heard.commands.iter().any(|line| line.contains("SMTPUTF8")), "{:?}", heard.commands);
}

fn lettre_address(local: &str) -> lettre::Address {
    lettre::Address::new(local, "example.org").unwrap()
}

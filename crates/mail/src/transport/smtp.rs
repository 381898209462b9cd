//! SMTP (RFC 5321), plain, with STARTTLS (RFC 3207) or with TLS from the first byte (RFC 8314).
//!
//! The dialogue is lettre's. The line is opened here, for three reasons: nothing that is said must
//! wait for the network's own patience, every step has a deadline, and whatever a stranger on the
//! line says before it is encrypted is thrown away.
//!
//! That patience: with two small writes in a row the second waits until the first is acknowledged
//! (Nagle's algorithm, RFC 896), and the other side, which has nothing to answer yet, acknowledges
//! after 40 ms (RFC 1122 section 4.2.3.2). lettre writes a mail and the dot behind it like that.
//! Here a mail is one write with its dot, and the line does not wait (`TCP_NODELAY`).

mod content;
mod line;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, TlsParameters},
    commands::{Data, Mail, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
};
use tokio::time::timeout;
use vestibule_core::Secret;

use self::{content::Content, line::open};
use super::Transport;
use crate::{
    classify::{Failure, Stage, Verdict, classify, late},
    message::Letter,
};

/// How a line to the mail server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// Encrypted after the first words, or not used.
    StartTls,
    /// Encrypted from the first byte.
    Implicit,
}

/// Where the mail server is and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Its name; its certificate is looked at under it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is secured.
    pub security: Security,
    /// By what name and password this site is known there.
    pub login: Option<(String, Secret)>,
    /// Certificates (PEM) that are believed beside the system's.
    pub certificates: Option<Vec<u8>>,
    /// A certificate and its key (PEM) that this site shows.
    pub identity: Option<(Vec<u8>, Secret)>,
    /// How long one step may take.
    pub step: Duration,
}

/// Why these settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The certificates do not hold.
    #[error("mail.ca_file: {0}")]
    Certificates(#[source] Error),
    /// The certificate of this site or its key do not hold.
    #[error("mail.client_cert: {0}")]
    Identity(#[source] Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] Error),
}

/// A line is given up after so many mails, and when nothing was said on it for so long: servers
/// do the same, and theirs would be noticed by a failure.
const MOST_ON_A_LINE: u32 = 100;
const IDLE: Duration = Duration::from_secs(20);

/// Speaks SMTP, and keeps lines open between mails.
pub struct SmtpTransport {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    name: ClientId,
    idle: Mutex<Vec<Line>>,
}

/// An open line.
struct Line {
    connection: AsyncSmtpConnection,
    mails: u32,
    used: tokio::time::Instant,
}

impl SmtpTransport {
    /// Speaks to this server. Nothing is opened yet.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpError> {
        let tls = match settings.security {
            Security::None => None,
            Security::StartTls | Security::Implicit => Some(tls(&settings)?),
        };
        Ok(Self { settings, tls, name: ClientId::default(), idle: Mutex::default() })
    }

    fn take_idle(&self) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|line| line.used.elapsed() < IDLE);
        idle.pop()
    }

    fn put_back(&self, mut line: Line) {
        line.mails += 1;
        line.used = tokio::time::Instant::now();
        if line.mails < MOST_ON_A_LINE && !line.connection.has_broken() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    async fn open(&self) -> Result<Line, Failure> {
        let step = self.settings.step;
        let stream = open(&self.settings, self.tls.as_ref(), &self.name).await?;
        let greeting = AsyncSmtpConnection::connect_with_transport(stream, &self.name);
        let mut connection = within(step, Stage::Opening, greeting).await?;
        if let Some((user, password)) = &self.settings.login {
            let password = password.expose_str().unwrap_or_default().to_owned();
            let credentials = Credentials::new(user.clone(), password);
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let login = connection.auth(&mechanisms, &credentials);
            within(step, Stage::Opening, login).await?;
        }
        Ok(Line { connection, mails: 0, used: tokio::time::Instant::now() })
    }

    /// A line on which the mail has begun. One that lay idle may have been closed meanwhile, with a
    /// last word (421) or without, which is no failure of the mail's nor of the server's.
    async fn begin(&self, letter: &Letter) -> Result<Line, Failure> {
        while let Some(mut line) = self.take_idle() {
            match self.sender(&mut line, letter).await {
                Ok(()) => return Ok(line),
                Err((failure, true)) if failure.verdict != Verdict::ServerDown => {
                    return Err(failure);
                }
                Err(_) => {}
            }
        }
        let mut line = self.open().await?;
        match self.sender(&mut line, letter).await {
            Ok(()) => Ok(line),
            Err((failure, _)) => Err(failure),
        }
    }

    /// Says from whom the mail is. With a failure comes whether the server said anything.
    async fn sender(&self, line: &mut Line, letter: &Letter) -> Result<(), (Failure, bool)> {
        let connection = &mut line.connection;
        let mut options = Vec::new();
        if ![&letter.to, &letter.from].iter().all(|address| address.user().is_ascii()) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let reason = "the mail server takes no addresses beyond ASCII (SMTPUTF8)";
                return Err((Failure::new(Verdict::ForGood, reason), true));
            }
            options.push(MailParameter::SmtpUtfEight);
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let sender = Mail::new(Some(letter.from.clone()), options);
        match timeout(self.settings.step, connection.command(sender)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err((classify(Stage::Sender, &error), error.status().is_some())),
            Err(_) => Err((too_late(self.settings.step, Stage::Sender), false)),
        }
    }

    /// The rest of the mail.
    async fn say(&self, line: &mut Line, letter: &Letter) -> Result<String, Failure> {
        let step = self.settings.step;
        let connection = &mut line.connection;
        let recipient = Rcpt::new(letter.to.clone(), Vec::new());
        within(step, Stage::Recipient, connection.command(recipient)).await?;
        within(step, Stage::Content, connection.command(Data)).await?;
        let content = Content(&letter.bytes);
        let answer = within(step, Stage::Content, connection.command(content)).await?;
        let words = answer.message().collect::<Vec<_>>().join(" ");
        Ok(format!("{} {words}", u16::from(answer.code())))
    }
}

/// One step within its time.
async fn within<T>(
    step: Duration,
    stage: Stage,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match timeout(step, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(classify(stage, &error)),
        Err(_) => Err(too_late(step, stage)),
    }
}

fn too_late(step: Duration, stage: Stage) -> Failure {
    Failure::new(late(stage), format!("the mail server did not answer within {} s", step.as_secs()))
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, SmtpError> {
    use lettre::transport::smtp::client::{Certificate, Identity};

    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.certificates {
        let certificate = Certificate::from_pem(pem).map_err(SmtpError::Certificates)?;
        builder = builder.add_root_certificate(certificate);
    }
    if let Some((certificate, key)) = &settings.identity {
        let identity =
            Identity::from_pem(certificate, key.expose()).map_err(SmtpError::Identity)?;
        builder = builder.identify_with(identity);
    }
    builder.build().map_err(SmtpError::Tls)
}

#[async_trait]
impl Transport for SmtpTransport {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn deliver(&self, letter: &Letter) -> Result<String, Failure> {
        let mut line = self.begin(letter).await?;
        let said = self.say(&mut line, letter).await;
        // After a failure nobody knows what the other side expects; a refused recipient is rare
        // enough for a new line.
        if said.is_ok() {
            self.put_back(line);
        }
        said
    }

    async fn probe(&self) -> Result<String, Failure> {
        let mut line = self.open().await?;
        let server = line.connection.server_info().name().to_owned();
        let _ = timeout(self.settings.step, line.connection.quit()).await;
        let SmtpSettings { host, port, security, .. } = &self.settings;
        let secured = match security {
            Security::None => "without TLS",
            Security::StartTls => "with STARTTLS",
            Security::Implicit => "with TLS",
        };
        Ok(format!("{host}:{port} answers {secured} as {server}"))
    }

    async fn close(&self) {
        loop {
            let line = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut line) = line else { return };
            let _ = timeout(Duration::from_secs(1), line.connection.quit()).await;
        }
    }
}

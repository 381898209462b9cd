//! `[mail]`: how mail leaves the house, and whom it comes from.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use vestibule_core::{Secret, Username, usecase::news::NewsRules};
use vestibule_mail::{Mailbox, message::Logo, transport::smtp::Security};

use super::{
    check::Check,
    duration::HumanDuration,
    rate::RateLimit,
    raw::OffOr,
    registration::{RegistrationMode, RegistrationSettings},
    report::BadValue,
    site::SiteSettings,
};

const NEW_ACCOUNT: &str = "new_account";
const START_STOP: &str = "start_stop";
const LARGEST_LOGO: u64 = 256 * 1024;
const LARGEST_PEM: u64 = 1024 * 1024;

/// Where mails go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTransport {
    /// Printed on the standard output.
    Console,
    /// Into a folder.
    File,
    /// To a mail server.
    Smtp,
}

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// Where mails go.
    pub transport: MailTransport,
    /// The folder of the file transport; always there when it is the one.
    pub file_path: Option<PathBuf>,
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line to it is secured.
    pub tls: Security,
    /// Certificates (PEM) that are believed beside the system's.
    pub certificates: Option<Vec<u8>>,
    /// A certificate (PEM) to show.
    pub client_cert: Option<Vec<u8>>,
    /// The key to it.
    pub client_key: Option<Secret>,
    /// The name to log in with.
    pub user: Option<String>,
    /// The password to it.
    pub password: Option<Secret>,
    /// How long one step may take.
    pub timeout: Duration,
    /// How many mails are on their way at once.
    pub connections: usize,
    /// How long lies between two mails at least.
    pub pace: Duration,
    /// The same of those that many are told at once.
    pub announcement_pace: Duration,
    /// For how long `site.admins` are not told again of failures at one place; `None` when they
    /// are never told.
    pub error_reports: Option<Duration>,
    /// What else `site.admins` are told of.
    pub news: NewsRules,
    /// Whom mails come from.
    pub from: Mailbox,
    /// Whom mails about the site come from.
    pub admin_from: Mailbox,
    /// Where answers go.
    pub reply_to: Option<Mailbox>,
    /// What every subject begins with.
    pub subject_prefix: String,
    /// In which language mails are written.
    pub language: String,
    /// The picture that goes along.
    pub logo: Option<Logo>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawMail {
    transport: MailTransport,
    file_path: Option<PathBuf>,
    host: String,
    port: u16,
    tls: RawTls,
    ca_file: Option<PathBuf>,
    client_cert: Option<PathBuf>,
    client_key_file: Option<PathBuf>,
    user: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    timeout: HumanDuration,
    connections: usize,
    rate: RateLimit,
    announcement_rate: RateLimit,
    error_reports: OffOr<HumanDuration>,
    admin_notices: Vec<String>,
    watched_accounts: Vec<String>,
    from: String,
    admin_from: Option<String>,
    reply_to: Option<String>,
    subject_prefix: Option<String>,
    language: String,
    logo: Option<PathBuf>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawTls {
    None,
    Starttls,
    Implicit,
}

impl Default for RawMail {
    fn default() -> Self {
        Self {
            transport: MailTransport::Console,
            file_path: None,
            host: "localhost".to_owned(),
            port: 25,
            tls: RawTls::None,
            ca_file: None,
            client_cert: None,
            client_key_file: None,
            user: None,
            password: None,
            password_file: None,
            timeout: HumanDuration::seconds(10),
            connections: 4,
            rate: RateLimit::Unlimited,
            announcement_rate: RateLimit::per(5, 1),
            error_reports: OffOr::On(HumanDuration::seconds(60 * 60)),
            admin_notices: Vec::new(),
            watched_accounts: Vec::new(),
            from: "root@localhost".to_owned(),
            admin_from: None,
            reply_to: None,
            subject_prefix: None,
            language: "en".to_owned(),
            logo: None,
        }
    }
}

impl RawMail {
    pub(super) fn validate(check: &mut Check<'_>, site_name: &str) -> Option<MailSettings> {
        let raw: Self = check.section("mail")?;
        let password = check.secret(
            "mail.password",
            raw.password.map(Secret::from),
            raw.password_file,
            |secret| Ok(secret.clone()),
        );
        let key = raw.client_key_file.map(|file| {
            check.secret("mail.client_key", None, Some(file), |secret| Ok(secret.clone()))
        });
        let client_key = key.flatten();
        let mut pem = |key, file: Option<PathBuf>| {
            file.and_then(|file| check.contents(key, &file, LARGEST_PEM))
        };
        let certificates = pem("mail.ca_file", raw.ca_file);
        let client_cert = pem("mail.client_cert", raw.client_cert);
        let logo = raw.logo.and_then(|file| {
            let bytes = check.contents("mail.logo", &file, LARGEST_LOGO)?;
            let media_type = media_type(&bytes);
            if media_type.is_none() {
                check.refuse("mail.logo", "is neither a PNG nor a JPEG nor a GIF picture");
            }
            Some(Logo { bytes, media_type: media_type? })
        });
        let parse = |text: String| text.parse::<Mailbox>().ok();
        let from = parse(raw.from)?;
        let settings = MailSettings {
            transport: raw.transport,
            file_path: raw.file_path.map(|path| check.path(&path)),
            host: raw.host,
            port: raw.port,
            tls: match raw.tls {
                RawTls::None => Security::None,
                RawTls::Starttls => Security::StartTls,
                RawTls::Implicit => Security::Implicit,
            },
            certificates,
            client_cert,
            client_key,
            user: raw.user,
            password,
            timeout: raw.timeout.0,
            connections: raw.connections,
            pace: pace(raw.rate),
            announcement_pace: pace(raw.announcement_rate),
            error_reports: raw.error_reports.on().map(|quiet| quiet.0),
            // The table of keys has looked at each name.
            news: NewsRules {
                of_accounts: raw.admin_notices.iter().any(|notice| notice == NEW_ACCOUNT),
                of_starts: raw.admin_notices.iter().any(|notice| notice == START_STOP),
                watched: raw
                    .watched_accounts
                    .iter()
                    .filter_map(|name| Username::parse(name).ok())
                    .collect(),
            },
            admin_from: raw.admin_from.and_then(parse).unwrap_or_else(|| from.clone()),
            from,
            reply_to: raw.reply_to.and_then(parse),
            subject_prefix: raw.subject_prefix.unwrap_or_else(|| format!("[{site_name}] ")),
            language: raw.language,
            logo,
        };
        settings.agree(check);
        Some(settings)
    }
}

impl MailSettings {
    /// Whether somebody on the way to the mail server could read the password.
    pub(crate) fn sends_password_in_the_clear(&self) -> bool {
        let is_here = matches!(&*self.host, "localhost" | "127.0.0.1" | "::1");
        let speaks = self.transport == MailTransport::Smtp && self.password.is_some();
        speaks && self.tls == Security::None && !is_here
    }

    /// Refuses settings that promise mails to people of a public site and do not say how these
    /// leave it: on one's own machine they are printed, and anywhere else nobody would get them.
    pub(super) fn require_where_needed(
        check: &mut Check<'_>,
        site: &SiteSettings,
        registration: &RegistrationSettings,
    ) {
        let mut missing = Vec::new();
        if !check.given("mail.transport") {
            missing.push("mail.transport (\"smtp\", say)");
        }
        if !check.given("mail.from") {
            missing.push("mail.from");
        }
        let promises = [
            ("registration.mode", registration.mode != RegistrationMode::Closed),
            ("site.admins", !site.admins.is_empty()),
        ];
        if !site.base_url.is_https() || missing.is_empty() {
            return;
        }
        for (key, _) in promises.into_iter().filter(|(_, is_promised)| *is_promised) {
            check.refuse(key, format!("needs mail: set {}", missing.join(" and ")));
        }
    }

    /// Refuses notices that nobody would get.
    pub(super) fn require_readers(&self, check: &mut Check<'_>, site: &SiteSettings) {
        let NewsRules { of_accounts, of_starts, watched } = &self.news;
        let asked = [
            ("mail.admin_notices", *of_accounts || *of_starts),
            ("mail.watched_accounts", !watched.is_empty()),
        ];
        for (key, _) in
            asked.into_iter().filter(|(_, is_asked)| *is_asked && site.admins.is_empty())
        {
            check.refuse(key, "needs site.admins: nobody else is told");
        }
    }

    /// What goes only together.
    fn agree(&self, check: &mut Check<'_>) {
        match self.transport {
            MailTransport::Console => {}
            MailTransport::File => {
                if self.file_path.is_none() {
                    check.refuse("mail.transport", "needs mail.file_path for \"file\"");
                }
            }
            MailTransport::Smtp => {
                let pairs = [
                    (self.user.is_some(), self.password.is_some(), "mail.password", "mail.user"),
                    (
                        self.client_cert.is_some(),
                        self.client_key.is_some(),
                        "mail.client_key_file",
                        "mail.client_cert",
                    ),
                ];
                for (one, other, second, first) in pairs {
                    // One that is there and cannot be read was told of already.
                    let is_given =
                        |key: &str| check.given(key) || check.given(&format!("{key}_file"));
                    match (one || is_given(first), other || is_given(second)) {
                        (true, false) => {
                            check.refuse(first, format!("needs {second}"));
                        }
                        (false, true) => {
                            check.refuse(second, format!("needs {first}"));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// Whether it is something that administrators can be told of.
pub(super) fn notice_holds(text: &str) -> Result<(), BadValue> {
    if matches!(text, NEW_ACCOUNT | START_STOP) {
        return Ok(());
    }
    Err(BadValue::new(format!("expected \"{NEW_ACCOUNT}\" or \"{START_STOP}\"")))
}

/// Whether an account could be called that.
pub(super) fn account_holds(text: &str) -> Result<(), BadValue> {
    Username::parse(text).map(drop).map_err(|error| BadValue::new(error.message))
}

/// How long lies between two of so many.
fn pace(rate: RateLimit) -> Duration {
    match rate {
        RateLimit::Unlimited => Duration::ZERO,
        RateLimit::Limited { events, window } => window / events.get(),
    }
}

/// By its first bytes.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 3] =
        [(b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif")];
    kinds.into_iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, kind)| kind)
}

/// Whether mails may come from there.
pub(super) fn mailbox_holds(text: &str) -> Result<(), BadValue> {
    text.parse::<Mailbox>().map(drop).map_err(|error| BadValue::new(error.to_string()))
}

/// Whether it may be a mail server's name or address.
pub(super) fn host_holds(text: &str) -> Result<(), BadValue> {
    let is_plain = !text.is_empty()
        && text.len() <= 253
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c));
    if is_plain {
        Ok(())
    } else {
        Err(BadValue::new("expected a host such as \"mail.example.org\", without a port"))
    }
}

/// Whether subjects may begin so.
pub(super) fn prefix_holds(text: &str) -> Result<(), BadValue> {
    if text.chars().any(char::is_control) {
        return Err(BadValue::new("must not hold control characters"));
    }
    if text.chars().count() > 100 {
        return Err(BadValue::new("must be at most 100 characters long"));
    }
    Ok(())
}

/// Whether it may be a language's name (RFC 5646, as far as it names folders).
pub(super) fn language_holds(text: &str) -> Result<(), BadValue> {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    };
    if text.split('-').all(is_part) && text.len() <= 35 {
        Ok(())
    } else {
        Err(BadValue::new("expected a language such as \"en\" or \"de-CH\""))
    }
}

//! `[mail]`.

use super::{DAY, FILE, key, secret, some_text, time};
use crate::config::{kind::Kind, mail, reference::Key, reference::Preset, reference::Secrecy};

pub(super) const KEYS: &[Key] = &[
    key(
        "mail.transport",
        Kind::Choice(&["console", "file", "smtp"]),
        Preset::Text("console"),
        "Where mails go: printed, into a folder, or to a mail server.",
    ),
    key(
        "mail.file_path",
        FILE,
        Preset::Unset,
        "The folder that `file` writes into, one `.eml` to a mail.",
    ),
    key(
        "mail.host",
        Kind::Text { what: "a host", check: mail::host_holds },
        Preset::Text("localhost"),
        "The mail server; its certificate must be for this name.",
    ),
    key("mail.port", Kind::Number { min: 1, max: 65_535 }, Preset::Number(25), "Its port."),
    key(
        "mail.tls",
        Kind::Choice(&["none", "starttls", "implicit"]),
        Preset::Text("none"),
        "How the line to it is secured; with `starttls` nothing is sent to a server that has none.",
    ),
    key(
        "mail.ca_file",
        FILE,
        Preset::Unset,
        "Certificates (PEM) that are believed of it beside the system's.",
    ),
    key(
        "mail.client_cert",
        FILE,
        Preset::Unset,
        "A certificate (PEM) that is shown to it; `mail.client_key_file` has its key.",
    ),
    key("mail.client_key_file", FILE, Preset::Unset, "The key (PEM) to that certificate."),
    key(
        "mail.user",
        Kind::Text { what: "a user name", check: some_text },
        Preset::Unset,
        "By what name it knows this site.",
    ),
    secret(
        Secrecy::Whole,
        key(
            "mail.password",
            Kind::Text { what: "a password", check: some_text },
            Preset::Unset,
            "The password to that name.",
        ),
    ),
    key("mail.password_file", FILE, Preset::Unset, "A file that holds `mail.password` instead."),
    key(
        "mail.timeout",
        time(1, 60, false),
        Preset::Text("10s"),
        "How long each step of a mail's sending may take; all of them together have a minute.",
    ),
    key(
        "mail.connections",
        Kind::Number { min: 1, max: 32 },
        Preset::Number(4),
        "How many mails are on their way at once.",
    ),
    key(
        "mail.rate",
        Kind::Rate,
        Preset::Text("unlimited"),
        "How many mails one server process sends at most, evenly spaced.",
    ),
    key(
        "mail.announcement_rate",
        Kind::Rate,
        Preset::Text("5/1s"),
        "How many of them at most are of announcements and of notices that services send; these never go before others.",
    ),
    key(
        "mail.error_reports",
        time(60, DAY, true),
        Preset::Text("1h"),
        "How often at most `site.admins` are told of requests that fail at one place; what fails in between is counted.",
    ),
    key(
        "mail.admin_notices",
        Kind::List { what: "\"new_account\" and \"start_stop\"", check: mail::notice_holds },
        Preset::Nothing,
        "What else `site.admins` are told: that there is another account, that a server starts and stops.",
    ),
    key(
        "mail.watched_accounts",
        Kind::List { what: "login names", check: mail::account_holds },
        Preset::Nothing,
        "Accounts of whose failed logins `site.admins` are told, once an hour each.",
    ),
    key(
        "mail.from",
        Kind::Text { what: "a mail address", check: mail::mailbox_holds },
        Preset::Text("root@localhost"),
        "Whom mails come from: `hall@example.org` or `Hall <hall@example.org>`.",
    ),
    key(
        "mail.admin_from",
        Kind::Text { what: "a mail address", check: mail::mailbox_holds },
        Preset::Unset,
        "Whom mails about the site come from, when not from `mail.from`.",
    ),
    key(
        "mail.reply_to",
        Kind::Text { what: "a mail address", check: mail::mailbox_holds },
        Preset::Unset,
        "Where answers go, when not to `mail.from`.",
    ),
    key(
        "mail.subject_prefix",
        Kind::Text { what: "at most 100 characters", check: mail::prefix_holds },
        Preset::SiteName,
        "What every subject begins with.",
    ),
    key(
        "mail.language",
        Kind::Text { what: "a language such as \"en\" or \"de-CH\"", check: mail::language_holds },
        Preset::Text("en"),
        "In which language mails are written, where there are templates of it.",
    ),
    key(
        "mail.logo",
        FILE,
        Preset::Unset,
        "A picture (PNG, JPEG or GIF, at most 256 KiB) that goes along with every mail.",
    ),
];

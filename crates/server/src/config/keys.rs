//! The one table of all keys.

use super::{
    duration::HumanDuration,
    kind::{Kind, parses},
    log, mail,
    password::pepper_holds,
    reference::{Key, Preset, Secrecy},
    registration::{self, MailDomain},
    report::BadValue,
    server::{HostName, ListenAddress, PathPrefix, TrustedProxy},
    site::{self, BaseUrl},
    size::ByteSize,
    storage::StorageUrl,
    user_office,
};

/// All keys, by section.
pub const KEYS: &[Key] = &[
    key(
        "site.name",
        Kind::Text { what: "a name of at most 100 characters", check: site::name_holds },
        Preset::Text("Vestibule"),
        "What the site calls itself.",
    ),
    key(
        "site.base_url",
        Kind::Text { what: "an address without a path", check: parses::<BaseUrl> },
        Preset::Text("http://127.0.0.1:8080"),
        "What every link begins with, never taken from a request; plain http on loopback alone.",
    ),
    key(
        "site.template_dirs",
        Kind::List { what: "folders", check: file_name },
        Preset::Nothing,
        "Folders whose files win over the built-in templates of mails of the same name.",
    ),
    key(
        "site.admins",
        Kind::People,
        Preset::Nothing,
        "Who gets a mail when something is wrong with the site.",
    ),
    key(
        "server.listen",
        Kind::Text { what: "an IP address with a port", check: parses::<ListenAddress> },
        Preset::Text("127.0.0.1:8080"),
        "Where the server listens; `--listen` overrides it. Port 0 takes a free one.",
    ),
    key(
        "server.prefix",
        Kind::Text { what: "a path such as \"/auth\", or \"\"", check: parses::<PathPrefix> },
        Preset::Text(""),
        "What stands before the path of every route.",
    ),
    key("server.workers", MOST_THREADS, Preset::Cores, "How many threads answer requests."),
    key(
        "server.trusted_proxies",
        Kind::List { what: "IP addresses or networks", check: parses::<TrustedProxy> },
        Preset::Nothing,
        "The proxies whose word on the client's address and scheme is believed.",
    ),
    key(
        "server.allowed_hosts",
        Kind::List { what: "hosts without ports", check: parses::<HostName> },
        Preset::OwnHost,
        "The hosts for which requests are answered; any other `Host` header is refused.",
    ),
    key(
        "server.metrics_listen",
        Kind::Text { what: "an IP address with a port, or \"off\"", check: metrics_address },
        Preset::Text("off"),
        "Where `/metrics` is served, on a listener of its own.",
    ),
    key(
        "server.http_basic",
        Kind::Flag,
        Preset::Flag(false),
        "Whether programs may bring a name and a password with every request (HTTP Basic). `site.base_url` has to be https, or of this machine.",
    ),
    key(
        "server.shutdown_timeout",
        time(1, 3600, false),
        Preset::Text("30s"),
        "How long requests under way may still take once the server was told to stop.",
    ),
    secret(
        Secrecy::Password,
        key(
            "storage.url",
            Kind::Text { what: "a database's address", check: parses::<StorageUrl> },
            Preset::Text("sqlite:vestibule.db"),
            "The database: `sqlite:FILE`, `postgres://…` or `mysql://…`.",
        ),
    ),
    key("storage.url_file", FILE, Preset::Unset, "A file that holds `storage.url` instead."),
    key(
        "storage.pool_size",
        Kind::Number { min: 1, max: 64 },
        Preset::Number(8),
        "How many connections to the database are held at most.",
    ),
    key(
        "storage.start_timeout",
        time(1, 3600, false),
        Preset::Text("1m"),
        "How long a starting server waits for a database that cannot be reached.",
    ),
    key(
        "session.cookie_age",
        // RFC 6265bis section 5.5 lets browsers cut anything longer than 400 days.
        time(60, 400 * DAY, false),
        Preset::Text("24h"),
        "How long a session lasts at most, however busy it is.",
    ),
    key(
        "session.idle_timeout",
        time(2 * 60, 400 * DAY, true),
        Preset::Text("off"),
        "How long a session may lie unused; must be less than `session.cookie_age`.",
    ),
    key(
        "session.expire_at_browser_close",
        Kind::Flag,
        Preset::Flag(true),
        "Whether the browser forgets the cookie when it closes.",
    ),
    key(
        "session.max_per_user",
        Kind::Number { min: 1, max: 10_000 },
        Preset::Number(50),
        "How many sessions one user may have at once.",
    ),
    key(
        "session.tell_new_browsers",
        Kind::Flag,
        Preset::Flag(true),
        "Whether people get a mail when they log in from a browser that is new to their account.",
    ),
    key(
        "password.scheme",
        Kind::Choice(&["argon2id", "bcrypt"]),
        Preset::Text("argon2id"),
        "What new hashes are made with.",
    ),
    key(
        "password.min_length",
        Kind::Number { min: 8, max: 64 },
        Preset::Number(15),
        "The least number of characters of a new password.",
    ),
    secret(
        Secrecy::Whole,
        key(
            "password.pepper",
            Kind::Text { what: "text of at least 32 bytes", check: pepper },
            Preset::Unset,
            "A key mixed into every new hash; who loses it locks everyone out.",
        ),
    ),
    key(
        "password.pepper_file",
        FILE,
        Preset::Unset,
        "A file that holds `password.pepper` instead.",
    ),
    key(
        "password.upgrade_hashes",
        Kind::Flag,
        Preset::Flag(true),
        "Whether a login replaces an outdated hash; off while an older site shares the table.",
    ),
    key(
        "password.argon2_memory",
        Kind::Size { min: ByteSize::mib(7), max: ByteSize::mib(1024) },
        Preset::Text("19MiB"),
        "Memory of one Argon2id hash; times `password.argon2_passes` at least 35MiB.",
    ),
    key(
        "password.argon2_passes",
        Kind::Number { min: 1, max: 16 },
        Preset::Number(2),
        "How often one Argon2id hash goes over its memory.",
    ),
    key(
        "password.bcrypt_cost",
        Kind::Number { min: 10, max: 15 },
        Preset::Number(12),
        "Two to the power of this many rounds of bcrypt.",
    ),
    key(
        "password.hash_threads",
        MOST_THREADS,
        Preset::Cores,
        "How many passwords are hashed at once.",
    ),
    key(
        "password.hash_queue",
        Kind::Number { min: 1, max: 100_000 },
        Preset::Number(256),
        "How many passwords may wait to be hashed before more are turned away.",
    ),
    key(
        "password.blocklist_file",
        FILE,
        Preset::Unset,
        "More passwords that nobody may take, one to a line.",
    ),
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
    key(
        "registration.mode",
        Kind::Choice(&["closed", "invite", "open"]),
        Preset::Text("closed"),
        "Whether people make accounts for themselves by a link that is mailed to them: nobody, those who were invited, or anybody.",
    ),
    key(
        "registration.activation_days",
        Kind::Number { min: 1, max: 30 },
        Preset::Number(7),
        "For how many days a registration waits to be confirmed.",
    ),
    key(
        "registration.invitation_days",
        Kind::Number { min: 1, max: 90 },
        Preset::Number(14),
        "For how many days an invitation waits, where whoever invites says nothing else.",
    ),
    key(
        "registration.approval",
        Kind::Flag,
        Preset::Flag(false),
        "Whether an administrator is asked before the account of a registration is made; never of an invitation.",
    ),
    key(
        "registration.policy_version",
        Kind::Text { what: "at most 50 characters", check: registration::policy_version_holds },
        Preset::Unset,
        "The version of the policy that people agree to when they make an account; kept with the time.",
    ),
    key(
        "registration.policy_url",
        Kind::Text { what: "an http or https address", check: registration::policy_url_holds },
        Preset::Unset,
        "Where that policy can be read.",
    ),
    key(
        "registration.domains",
        Kind::List { what: "domains", check: parses::<MailDomain> },
        Preset::Nothing,
        "Mail domains that people may register with, all when there are none; `*.example.org` stands for all below it.",
    ),
    key(
        "registration.refused_domains",
        Kind::List { what: "domains", check: parses::<MailDomain> },
        Preset::Nothing,
        "Mail domains that nobody may register with.",
    ),
    key(
        "limits.login_per_address",
        Kind::Rate,
        Preset::Text("30/1m"),
        "Attempts to log in from one address.",
    ),
    key(
        "limits.login_failures_per_account",
        Kind::Rate,
        Preset::Text("5/15m"),
        "Failed attempts to log in to one account.",
    ),
    key(
        "limits.login_failures_per_site",
        Kind::Rate,
        Preset::Text("300/10m"),
        "Failed attempts to log in to all accounts together; beyond it, alarm is raised and an address may try ten times less often.",
    ),
    key(
        "limits.mail_per_address",
        Kind::Rate,
        Preset::Text("3/1h"),
        "Mails to one address that somebody who is not logged in asked for; more are not sent, and nobody is told.",
    ),
    key(
        "limits.mail_per_site",
        Kind::Rate,
        Preset::Text("1000/1h"),
        "The same of all addresses together.",
    ),
    key(
        "limits.register_per_address",
        Kind::Rate,
        Preset::Text("10/1h"),
        "Registrations, and requests for another link of one, from one address.",
    ),
    key(
        "limits.requests_per_address",
        Kind::Rate,
        Preset::Text("unlimited"),
        "Requests of any kind from one address.",
    ),
    key(
        "limits.body_size",
        Kind::Size { min: ByteSize::kib(1), max: ByteSize::mib(64) },
        Preset::Text("64KiB"),
        "The largest body of a request.",
    ),
    key(
        "limits.page_size",
        Kind::Number { min: 1, max: 1000 },
        Preset::Number(200),
        "The largest page of a list, in items.",
    ),
    key(
        "user_office.login_url",
        OFFICE,
        Preset::Unset,
        "Where the user office takes `{\"username\", \"password\"}`: 200 is yes, 401 is no.",
    ),
    key(
        "user_office.hash_url",
        OFFICE,
        Preset::Unset,
        "Where it takes `{\"eaa_hash\"}` of a single sign-on (`shibboleth`) and names the account, or answers 404.",
    ),
    key(
        "user_office.authorized_url",
        OFFICE,
        Preset::Unset,
        "Where it takes `{\"login\"}` and answers `{\"result\": true}` for those who may come in.",
    ),
    key(
        "user_office.experiments_url",
        Kind::Text {
            what: "an https address with $USERNAME in its path or query",
            check: user_office::experiments_hold,
        },
        Preset::Unset,
        "Where it lists the experiments of the person whose name is in the place of `$USERNAME`.",
    ),
    key(
        "user_office.page_size",
        Kind::Number { min: 1, max: 20 },
        Preset::Number(7),
        "How many experiments are on a page of `GET /api/v1/experiments` that asks for no number.",
    ),
    key(
        "user_office.username",
        Kind::Text { what: "a user name", check: some_text },
        Preset::Unset,
        "By what name it knows this server (HTTP Basic); `authorized_url` and `experiments_url` want it.",
    ),
    secret(
        Secrecy::Whole,
        key(
            "user_office.password",
            Kind::Text { what: "a password", check: some_text },
            Preset::Unset,
            "The password to that name.",
        ),
    ),
    key(
        "user_office.password_file",
        FILE,
        Preset::Unset,
        "A file that holds `user_office.password` instead.",
    ),
    key(
        "user_office.timeout",
        time(1, 60, false),
        Preset::Text("5s"),
        "How long an answer of the user office may take as a whole.",
    ),
    key(
        "user_office.default_authorization",
        Kind::Flag,
        Preset::Flag(false),
        "Whether everybody may come in, so that `user_office.authorized_url` is not asked.",
    ),
    key(
        "user_office.ca_file",
        FILE,
        Preset::Unset,
        "Certificates (PEM) that are believed of the user office beside the system's.",
    ),
    key(
        "log.format",
        Kind::Choice(&["text", "json"]),
        Preset::Text("text"),
        "How a line of the log is written: for people, or as one JSON object.",
    ),
    key(
        "log.filter",
        Kind::Text { what: "a log filter", check: log::filter_holds },
        Preset::Text("info"),
        "What is logged: levels and `target=level` pairs, with commas between.",
    ),
];

const fn key(name: &'static str, kind: Kind, default: Preset, meaning: &'static str) -> Key {
    Key { name, kind, default, secrecy: Secrecy::Open, meaning }
}

const fn secret(secrecy: Secrecy, open: Key) -> Key {
    Key { secrecy, ..open }
}

const fn time(min: u64, max: u64, off: bool) -> Kind {
    Kind::Duration { min: HumanDuration::seconds(min), max: HumanDuration::seconds(max), off }
}

const FILE: Kind = Kind::Text { what: "the name of a file", check: file_name };

fn file_name(text: &str) -> Result<(), BadValue> {
    if text.is_empty() || text.contains('\0') {
        return Err(BadValue::new("expected the name of a file"));
    }
    Ok(())
}

const OFFICE: Kind = Kind::Text {
    what: "an https address, or http on this machine",
    check: user_office::address_holds,
};

fn some_text(text: &str) -> Result<(), BadValue> {
    if text.trim().is_empty() { Err(BadValue::new("is empty")) } else { Ok(()) }
}

const DAY: u64 = 86_400;
const MOST_THREADS: Kind = Kind::Number { min: 1, max: 256 };

fn metrics_address(text: &str) -> Result<(), BadValue> {
    if text == "off" { Ok(()) } else { parses::<ListenAddress>(text) }
}

fn pepper(text: &str) -> Result<(), BadValue> {
    pepper_holds(text.as_bytes())
}

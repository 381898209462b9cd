//! `[limits]`.

use super::{key, time};
use crate::config::{kind::Kind, reference::Key, reference::Preset, size::ByteSize};

pub(super) const KEYS: &[Key] = &[
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
        "limits.body_timeout",
        time(1, 600, false),
        Preset::Text("10s"),
        "How long a request's whole body may take to come in.",
    ),
    key(
        "limits.page_size",
        Kind::Number { min: 1, max: 1000 },
        Preset::Number(200),
        "The largest page of a list, in items.",
    ),
];

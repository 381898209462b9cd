//! `[user_office]`.

use super::{FILE, key, secret, some_text, time};
use crate::config::{
    kind::Kind, reference::Key, reference::Preset, reference::Secrecy, user_office,
};

pub(super) const KEYS: &[Key] = &[
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
        time(1, 9, false),
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
];

const OFFICE: Kind = Kind::Text {
    what: "an https address, or http on this machine",
    check: user_office::address_holds,
};

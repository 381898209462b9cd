//! `[site]`.

use super::{file_name, key};
use crate::config::{
    kind::Kind, kind::parses, reference::Key, reference::Preset, site, site::BaseUrl,
};

pub(super) const KEYS: &[Key] = &[
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
];

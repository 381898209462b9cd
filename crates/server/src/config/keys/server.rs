//! `[server]`.

use super::{MOST_THREADS, key, time};
use crate::config::{
    kind::Kind, kind::parses, reference::Key, reference::Preset, report::BadValue,
    server::HostName, server::ListenAddress, server::PathPrefix, server::TrustedProxy,
};

pub(super) const KEYS: &[Key] = &[
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
];

fn metrics_address(text: &str) -> Result<(), BadValue> {
    if text == "off" { Ok(()) } else { parses::<ListenAddress>(text) }
}

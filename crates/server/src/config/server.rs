//! `[server]`: where it listens, whom it believes, how it stops.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZero,
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;
use serde::Deserialize;
use url::Host;

use super::{check::Check, duration::HumanDuration, raw::OffOr, report::BadValue};

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What stands before every path: empty, or `/x` without a slash at the end.
    pub prefix: String,
    /// How many threads answer requests.
    pub workers: usize,
    /// Whose `X-Forwarded-…` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// For which `Host` headers it answers: lower case, without ports, at least one.
    pub allowed_hosts: Vec<String>,
    /// Where metrics are served, or `None` for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether programs may bring a name and a password with every request (HTTP Basic).
    pub http_basic: bool,
    /// How long requests under way may take once it was told to stop.
    pub shutdown_timeout: Duration,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawServer {
    listen: ListenAddress,
    prefix: PathPrefix,
    workers: usize,
    trusted_proxies: Vec<TrustedProxy>,
    allowed_hosts: Option<Vec<HostName>>,
    metrics_listen: OffOr<ListenAddress>,
    http_basic: bool,
    shutdown_timeout: HumanDuration,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            listen: ListenAddress(SocketAddr::from(([127, 0, 0, 1], 8080))),
            prefix: PathPrefix(String::new()),
            workers: cores(),
            trusted_proxies: Vec::new(),
            allowed_hosts: None,
            metrics_listen: OffOr::Off,
            http_basic: false,
            shutdown_timeout: HumanDuration::seconds(30),
        }
    }
}

impl RawServer {
    /// `own_host` is the host of the base URL, for which it always answers unless told otherwise.
    pub(super) fn validate(
        check: &mut Check<'_>,
        own_host: Option<&str>,
    ) -> Option<ServerSettings> {
        let raw: Self = check.section("server")?;
        let metrics_listen = raw.metrics_listen.on().map(|address| address.0);
        if raw.listen.0.port() != 0 && metrics_listen == Some(raw.listen.0) {
            check.refuse("server.metrics_listen", "must differ from server.listen");
        }
        let allowed_hosts = match raw.allowed_hosts {
            Some(hosts) if hosts.is_empty() => {
                check.refuse("server.allowed_hosts", "must name at least one host");
                return None;
            }
            Some(hosts) => hosts.into_iter().map(|host| host.0).collect(),
            None => vec![own_host?.to_owned()],
        };
        Some(ServerSettings {
            listen: raw.listen.0,
            prefix: raw.prefix.0,
            workers: raw.workers,
            trusted_proxies: raw.trusted_proxies.into_iter().map(|proxy| proxy.0).collect(),
            allowed_hosts,
            metrics_listen,
            http_basic: raw.http_basic,
            shutdown_timeout: raw.shutdown_timeout.0,
        })
    }
}

/// How many threads the machine runs at once, or 1 where it does not tell; at most 256.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get).min(256)
}

/// An IP address with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListenAddress(SocketAddr);

impl FromStr for ListenAddress {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse().map(Self).map_err(|_| {
            BadValue::new("expected an IP address with a port such as \"127.0.0.1:8080\"")
        })
    }
}

/// Empty, or path segments with a slash before each.
#[derive(Debug)]
pub(super) struct PathPrefix(String);

impl FromStr for PathPrefix {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text.is_empty() {
            return Ok(Self(String::new()));
        }
        let rest = text
            .strip_prefix('/')
            .ok_or_else(|| BadValue::new("must be empty or begin with a slash"))?;
        if text.ends_with('/') {
            return Err(BadValue::new("must not end with a slash"));
        }
        // RFC 3986 section 2.3; dots alone would be resolved away by clients.
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
        let holds = rest.split('/').all(|segment| {
            !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
        });
        if !holds {
            return Err(BadValue::new(
                "must be made of segments of letters, digits, \"-\", \".\", \"_\" and \"~\"",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// An address, or a network in CIDR notation (RFC 4632).
#[derive(Debug)]
pub(super) struct TrustedProxy(IpNet);

impl FromStr for TrustedProxy {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(IpNet::from(address)));
        }
        let net: IpNet = text.parse().map_err(|_| {
            BadValue::new("expected an IP address or a network such as \"10.0.0.0/8\"")
        })?;
        if net.prefix_len() == 0 {
            return Err(BadValue::new("would believe every client; name the proxies' networks"));
        }
        if net.trunc() != net {
            let meant = net.trunc();
            return Err(BadValue::new(format!("has bits beyond its prefix; write \"{meant}\"")));
        }
        Ok(Self(net))
    }
}

/// A host as it stands in a `Host` header, without the port, in lower case.
#[derive(Debug)]
pub(super) struct HostName(String);

impl FromStr for HostName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let form =
            || BadValue::new("expected a host without a port such as \"example.org\" or \"[::1]\"");
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self(format!("[{address}]")));
        }
        let host = Host::parse(text).map_err(|_| form())?;
        if let Host::Domain(name) = &host {
            let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
            let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
            if !name.split('.').all(label) {
                return Err(form());
            }
        }
        Ok(Self(host.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        for (text, net) in
            [("10.1.2.3", "10.1.2.3/32"), ("10.0.0.0/8", "10.0.0.0/8"), ("fd00::/8", "fd00::/8")]
        {
            assert_eq!(text.parse::<TrustedProxy>().unwrap().0.to_string(), net);
        }
        let meant = "10.1.2.3/8".parse::<TrustedProxy>().unwrap_err();
        assert_eq!(meant.to_string(), "has bits beyond its prefix; write \"10.0.0.0/8\"");
        assert!("0.0.0.0/0".parse::<TrustedProxy>().is_err());
        assert!("::/0".parse::<TrustedProxy>().is_err());
    }

    #[test]
    fn a_host_is_kept_in_the_form_of_the_header() {
        for (text, kept) in [
            ("Example.ORG", "example.org"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("127.0.0.1", "127.0.0.1"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse::<HostName>().unwrap().0, kept);
        }
        for text in ["", "*", "*.example.org", ".example.org", "a..b", "a:80", "http://a", "a/b"] {
            assert!(text.parse::<HostName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_prefix_has_plain_segments() {
        for text in ["", "/x", "/a/b-c", "/v1.0"] {
            assert_eq!(text.parse::<PathPrefix>().unwrap().0, text);
        }
        for text in ["x", "/", "/x/", "//x", "/a//b", "/..", "/a/./b", "/a b", "/ü", "/a?b", "/{x}"]
        {
            assert!(text.parse::<PathPrefix>().is_err(), "{text:?}");
        }
    }
}

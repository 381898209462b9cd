//! `[site]`: what the site is called and where it is found.

use std::{path::PathBuf, str::FromStr};

use serde::Deserialize;
use toml::Value;
use url::{Host, Url};
use vestibule_core::Email;
use vestibule_mail::Mailbox;

use super::{
    check::Check,
    report::{BadValue, vanishes},
};

const LONGEST_NAME: usize = 100;

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSettings {
    /// What the site calls itself.
    pub name: String,
    /// What every link begins with, never taken from a request.
    pub base_url: BaseUrl,
    /// Folders of templates that win over the built-in ones, the first of them first.
    pub template_dirs: Vec<PathBuf>,
    /// Who is told when something is wrong with the site.
    pub admins: Vec<Mailbox>,
}

/// Somebody who looks after the site.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerson {
    #[serde(default)]
    name: String,
    email: String,
}

impl RawPerson {
    fn mailbox(self) -> Result<Mailbox, BadValue> {
        let email = Email::parse(&self.email)
            .map_err(|error| BadValue::new(format!("email {}", error.message)))?;
        Mailbox::named(&self.name, email).map_err(|error| BadValue::new(error.to_string()))
    }
}

/// Whether a value is a person's name and address.
pub(super) fn person(value: &Value) -> Result<(), BadValue> {
    let person: RawPerson = value
        .clone()
        .try_into()
        .map_err(|_| BadValue::new("expected {name = \"…\", email = \"…\"}"))?;
    person.mailbox().map(drop)
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSite {
    name: String,
    base_url: BaseUrl,
    template_dirs: Vec<PathBuf>,
    admins: Vec<RawPerson>,
}

impl Default for RawSite {
    fn default() -> Self {
        Self {
            name: "Vestibule".to_owned(),
            base_url: BaseUrl::local(),
            template_dirs: Vec::new(),
            admins: Vec::new(),
        }
    }
}

impl RawSite {
    pub(super) fn validate(check: &mut Check<'_>) -> Option<SiteSettings> {
        let Self { name, base_url, template_dirs, admins } = check.section("site")?;
        let template_dirs = template_dirs
            .iter()
            .filter_map(|folder| check.folder("site.template_dirs", folder))
            .collect();
        // The table of keys has looked at each of them.
        let admins = admins.into_iter().filter_map(|person| person.mailbox().ok()).collect();
        Some(SiteSettings { name, base_url, template_dirs, admins })
    }
}

/// Whether a site may be called that: one line that shows what it holds.
pub(super) fn name_holds(text: &str) -> Result<(), BadValue> {
    if text.trim().is_empty() {
        return Err(BadValue::new("must not be empty"));
    }
    if text.chars().any(|c| c.is_control() || vanishes(c)) {
        return Err(BadValue::new("must not hold control, direction or zero-width characters"));
    }
    if text.chars().nth(LONGEST_NAME).is_some() {
        return Err(BadValue::new("must be at most 100 characters long"));
    }
    Ok(())
}

/// Scheme, host and port under which browsers reach the site.
///
/// Plain http is for one's own machine: anywhere else the session cookie would cross the network
/// in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    host: String,
    https: bool,
}

impl BaseUrl {
    fn local() -> Self {
        Self {
            origin: "http://127.0.0.1:8080".to_owned(),
            host: "127.0.0.1".to_owned(),
            https: false,
        }
    }

    /// The origin without a slash at the end, as in RFC 6454: `https://example.org:8443`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host alone, in lower case; an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the site is reached over TLS.
    pub const fn is_https(&self) -> bool {
        self.https
    }
}

impl FromStr for BaseUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let form = || BadValue::new("expected an address such as \"https://example.org\"");
        // The parser of browsers forgives line breaks, backslashes and missing slashes; an
        // operator who wrote one meant something else.
        let tidy = text.bytes().all(|b| b > b' ' && b != b'\\' && b != 0x7f);
        let url = Url::parse(text).ok().filter(|_| tidy).ok_or_else(form)?;
        if !matches!(url.scheme(), "http" | "https") || !text.contains("://") {
            return Err(form());
        }
        let host = url.host().ok_or_else(form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadValue::new("must not hold a user or a password"));
        }
        if url.path() != "/" {
            return Err(BadValue::new("must not have a path; a path belongs in server.prefix"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadValue::new("must not have a query or a fragment"));
        }
        let https = url.scheme() == "https";
        if !https && !is_loopback(&host) {
            return Err(BadValue::new(
                "http is allowed with a loopback host only (localhost, 127.0.0.1 or [::1]), \
                 because passwords and cookies would cross the network in the clear; use https",
            ));
        }
        Ok(Self { origin: url.origin().ascii_serialization(), host: host.to_string(), https })
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        // RFC 6761 section 6.3 keeps the name and all below it for the machine itself.
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_what_its_text_means() {
        assert_eq!("http://127.0.0.1:8080".parse(), Ok(BaseUrl::local()));
    }

    #[test]
    fn origin_and_host_are_in_normal_form() {
        let url: BaseUrl = "https://Example.ORG:443/".parse().unwrap();
        assert_eq!((url.origin(), url.host()), ("https://example.org", "example.org"));
        assert!(url.is_https());
        let url: BaseUrl = "http://[::1]:8080".parse().unwrap();
        assert_eq!((url.origin(), url.host()), ("http://[::1]:8080", "[::1]"));
        assert!(!url.is_https());
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for near in ["http://localhost", "http://a.localhost:1", "http://127.9.9.9"] {
            assert!(near.parse::<BaseUrl>().is_ok(), "{near}");
        }
        for far in [
            "http://example.org",
            "http://10.0.0.1",
            "http://localhost.example.org",
            "http://0.0.0.0:8080",
            "http://[::]",
        ] {
            let bad = far.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(bad.starts_with("http is allowed with a loopback host only"), "{far}: {bad}");
        }
    }
}

//! What an operator tells about a directory.

use std::{fs, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde::Deserialize;
use vestibule_core::ports::backend::{Section, SectionError};

use super::{
    pool::Account,
    template::{Hole, Template},
    transport::{Encryption, Server},
};
use crate::backends::timeout;

/// A directory as it is asked.
pub(super) struct Directory {
    pub(super) pool_size: usize,
    pub(super) timeout: Duration,
    pub(super) people: People,
    pub(super) groups: Groups,
    pub(super) page_size: i32,
    pub(super) max_groups: usize,
}

/// Where it is.
pub(super) struct Servers {
    pub(super) all: Vec<Server>,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) connect_timeout: Duration,
    /// None: whoever searches is anonymous.
    pub(super) account: Option<Account>,
}

/// How people are found, and what is read of them.
pub(super) struct People {
    pub(super) base: String,
    pub(super) filter: Template,
    pub(super) match_case: bool,
    pub(super) subject: String,
    /// Whether the subject is bytes and no text.
    pub(super) is_subject_binary: bool,
    pub(super) username: String,
    pub(super) mail: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) are_mails_verified: bool,
}

/// How the groups of somebody are found.
pub(super) struct Groups {
    pub(super) from: GroupsFrom,
    /// The attribute by which a group goes; `dn`: by its whole name.
    pub(super) name: String,
    pub(super) base: Option<String>,
    pub(super) nested_depth: u8,
}

pub(super) enum GroupsFrom {
    Nothing,
    /// An attribute of the person lists them.
    Attribute(String),
    /// They list their members; the second filter finds the groups that a group is in.
    Search {
        filter: Template,
        nested: Template,
    },
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an address or a list of addresses")]
enum Urls {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum From {
    #[default]
    None,
    Attribute,
    Search,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "keys that are yes or no")]
struct Keys {
    url: Urls,
    #[serde(default)]
    start_tls: bool,
    #[serde(default)]
    allow_plaintext: bool,
    ca_file: Option<String>,
    bind_dn: Option<String>,
    user_base: String,
    user_filter: Option<String>,
    #[serde(default)]
    match_case: bool,
    subject_attribute: Option<String>,
    username_attribute: Option<String>,
    mail_attribute: Option<String>,
    first_name_attribute: Option<String>,
    last_name_attribute: Option<String>,
    #[serde(default)]
    mails_are_verified: bool,
    #[serde(default)]
    groups_from: From,
    group_attribute: Option<String>,
    group_base: Option<String>,
    group_filter: Option<String>,
    nested_group_filter: Option<String>,
    group_name_attribute: Option<String>,
    nested_depth: Option<u8>,
    max_groups: Option<usize>,
    page_size: Option<i32>,
    pool_size: Option<usize>,
    timeout_seconds: Option<f64>,
    connect_timeout_seconds: Option<f64>,
}

impl Directory {
    pub(super) fn read(mut section: Section) -> Result<(Self, Servers), SectionError> {
        let password = section.take_secret("bind_password")?;
        let keys: Keys = section.read()?;
        let account = match (&keys.bind_dn, password) {
            (Some(dn), Some(password)) if !dn.is_empty() => {
                if password.expose_str().is_none_or(str::is_empty) {
                    let reason = "is empty: the directory would take us for an anonymous visitor";
                    return Err(SectionError::of_key("bind_password", reason));
                }
                Some((dn.clone(), password))
            }
            (Some(dn), _) if dn.is_empty() => {
                return Err(SectionError::of_key("bind_dn", "is empty: leave it out instead"));
            }
            (Some(_), _) => {
                let reason = "is missing: bind_dn wants it";
                return Err(SectionError::of_key("bind_password", reason));
            }
            (None, Some(_)) => {
                let reason = "is missing: bind_password wants it";
                return Err(SectionError::of_key("bind_dn", reason));
            }
            (None, None) => None,
        };
        let servers = Servers {
            all: servers(&keys)?,
            tls: Arc::new(tls(keys.ca_file.as_deref())?),
            connect_timeout: timeout(
                "connect_timeout_seconds",
                keys.connect_timeout_seconds.unwrap_or(2.0),
            )?,
            account,
        };
        let directory = Self {
            pool_size: within("pool_size", keys.pool_size, 8, 1, 100)?,
            timeout: timeout("timeout_seconds", keys.timeout_seconds.unwrap_or(5.0))?,
            page_size: within("page_size", keys.page_size, 200, 1, 1000)?,
            max_groups: within("max_groups", keys.max_groups, 500, 1, 10_000)?,
            groups: groups(&keys)?,
            people: people(keys)?,
        };
        Ok((directory, servers))
    }
}

fn people(keys: Keys) -> Result<People, SectionError> {
    let subject = attribute("subject_attribute", keys.subject_attribute, "entryUUID")?;
    if ["dn", "entrydn", "distinguishedname"].contains(&subject.to_ascii_lowercase().as_str()) {
        let reason = "a name in the directory changes, and is given to others later: take \
                      entryUUID, objectGUID or another that stays";
        return Err(SectionError::of_key("subject_attribute", reason));
    }
    let lower = subject.to_ascii_lowercase();
    let is_subject_binary =
        ["objectguid", "objectsid"].contains(&lower.as_str()) || lower.ends_with(";binary");
    let filter = keys.user_filter.as_deref().unwrap_or("(uid={username})");
    let filter = Template::read(filter, &[Hole::Username]);
    let filter = filter.map_err(|reason| SectionError::of_key("user_filter", reason))?;
    if !filter.holds_for_anybody() {
        let reason = "has a {username} in a (!…), or not behind a plain =";
        return Err(SectionError::of_key("user_filter", reason));
    }
    Ok(People {
        base: dn("user_base", keys.user_base)?,
        filter,
        match_case: keys.match_case,
        subject,
        is_subject_binary,
        username: attribute("username_attribute", keys.username_attribute, "uid")?,
        mail: attribute("mail_attribute", keys.mail_attribute, "mail")?,
        first_name: attribute("first_name_attribute", keys.first_name_attribute, "givenName")?,
        last_name: attribute("last_name_attribute", keys.last_name_attribute, "sn")?,
        are_mails_verified: keys.mails_are_verified,
    })
}

fn groups(keys: &Keys) -> Result<Groups, SectionError> {
    let template = |key: &str, given: &Option<String>, holes: &[Hole]| {
        let text = given.as_deref().unwrap_or("(member={dn})");
        Template::read(text, holes).map_err(|reason| SectionError::of_key(key, reason))
    };
    let only = |key: &str, is_given: bool, word: &str| {
        let reason = format!("counts only with groups_from = \"{word}\"");
        if is_given { Err(SectionError::of_key(key, reason)) } else { Ok(()) }
    };
    let is_search = matches!(keys.groups_from, From::Search);
    only("group_filter", keys.group_filter.is_some() && !is_search, "search")?;
    only("nested_group_filter", keys.nested_group_filter.is_some() && !is_search, "search")?;
    let is_attribute = matches!(keys.groups_from, From::Attribute);
    only("group_attribute", keys.group_attribute.is_some() && !is_attribute, "attribute")?;
    let from = match keys.groups_from {
        From::None => GroupsFrom::Nothing,
        From::Attribute => {
            let given = keys.group_attribute.clone();
            GroupsFrom::Attribute(attribute("group_attribute", given, "memberOf")?)
        }
        From::Search if keys.group_base.is_none() => {
            return Err(SectionError::of_key("group_base", "is missing: groups_from wants it"));
        }
        From::Search => GroupsFrom::Search {
            filter: template("group_filter", &keys.group_filter, &[Hole::Dn, Hole::Username])?,
            nested: template("nested_group_filter", &keys.nested_group_filter, &[Hole::Dn])?,
        },
    };
    Ok(Groups {
        from,
        name: attribute("group_name_attribute", keys.group_name_attribute.clone(), "cn")?,
        base: keys.group_base.clone().map(|base| dn("group_base", base)).transpose()?,
        nested_depth: within("nested_depth", keys.nested_depth, 5, 0, 20)?,
    })
}

fn servers(keys: &Keys) -> Result<Vec<Server>, SectionError> {
    let texts = match &keys.url {
        Urls::One(text) => std::slice::from_ref(text),
        Urls::Many(texts) => texts,
    };
    if texts.is_empty() {
        return Err(SectionError::of_key("url", "is empty: there is nothing to ask"));
    }
    texts.iter().map(|text| server(text, keys)).collect()
}

fn server(text: &str, keys: &Keys) -> Result<Server, SectionError> {
    let wrong = |reason: &str| SectionError::of_key("url", reason);
    let url = reqwest::Url::parse(text).map_err(|_| wrong("is not a URL"))?;
    let is_tls = match url.scheme() {
        "ldaps" => true,
        "ldap" => false,
        _ => return Err(wrong("expected ldap:// or ldaps://")),
    };
    let is_bare = ["", "/"].contains(&url.path())
        && (url.query(), url.fragment(), url.password()) == (None, None, None)
        && url.username().is_empty();
    let host = url.host_str().filter(|host| is_bare && !host.is_empty());
    let host = host.ok_or_else(|| wrong("expected an address and a port, and nothing else"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = || {
        let name = ServerName::try_from(host.clone());
        name.map_err(|_| wrong("has a name that no certificate could be for"))
    };
    let is_here = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let encryption = match (is_tls, keys.start_tls) {
        (true, true) => {
            return Err(SectionError::of_key("start_tls", "is for ldap:// and not for ldaps://"));
        }
        (true, false) => Encryption::Tls(name()?),
        (false, true) => Encryption::StartTls(name()?),
        (false, false) if is_here || keys.allow_plaintext => Encryption::None,
        (false, false) => {
            return Err(wrong(
                "is ldap:// without start_tls, so that others could read passwords along; only \
                 allow_plaintext = true lets it pass",
            ));
        }
    };
    let port = url.port().unwrap_or(if is_tls { 636 } else { 389 });
    Ok(Server { host, port, encryption })
}

/// Believes the certificates of `ca_file` alone, or else those that the system believes.
fn tls(ca_file: Option<&str>) -> Result<ClientConfig, SectionError> {
    let failed = |error: rustls::Error| SectionError::of_all(format!("no encryption: {error}"));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let Some(path) = ca_file else {
        let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(failed)?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        return Ok(builder.with_no_client_auth());
    };
    let wrong = |reason: String| SectionError::of_key("ca_file", reason);
    let pem = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
        added.ok_or_else(|| wrong("holds a certificate that cannot be read".to_owned()))?;
    }
    if roots.is_empty() {
        return Err(wrong("holds no certificate in PEM form".to_owned()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn attribute(key: &str, given: Option<String>, default: &str) -> Result<String, SectionError> {
    let name = given.unwrap_or_else(|| default.to_owned());
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-.;".contains(c));
    if is_name { Ok(name) } else { Err(SectionError::of_key(key, "is no attribute's name")) }
}

fn dn(key: &str, text: String) -> Result<String, SectionError> {
    let is_name = super::names::first_part(&text).is_some();
    let wrong = || SectionError::of_key(key, "is no name in a directory, such as ou=people,dc=org");
    is_name.then_some(text).ok_or_else(wrong)
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    key: &str,
    given: Option<T>,
    default: T,
    least: T,
    most: T,
) -> Result<T, SectionError> {
    let value = given.unwrap_or(default);
    if value < least || value > most {
        return Err(SectionError::of_key(key, format!("expected {least} to {most}")));
    }
    Ok(value)
}

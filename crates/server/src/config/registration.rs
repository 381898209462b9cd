//! `[registration]`: who may make an account for themselves.

use std::{str::FromStr, time::Duration};

use serde::Deserialize;
use url::{Host, Url};
use vestibule_core::Email;

use super::{check::Check, report::BadValue};

const DAY: Duration = Duration::from_hours(24);

/// Who may make an account for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    /// Nobody.
    Closed,
    /// Whoever was invited.
    Invite,
    /// Anybody with a mail address.
    Open,
}

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationSettings {
    /// Who may make an account for themselves.
    pub mode: RegistrationMode,
    /// For how long a registration waits for its owner.
    pub life: Duration,
    /// Whose addresses are taken; all are when it is empty.
    pub domains: Vec<MailDomain>,
    /// Whose addresses are not, even so.
    pub refused_domains: Vec<MailDomain>,
    /// For how long an invitation waits, where nothing else is said.
    pub invitation_life: Duration,
    /// Whether an administrator is asked before an account is made.
    pub is_approved: bool,
    /// The version of the policy that people agree to.
    pub policy_version: Option<String>,
    /// Where it can be read.
    pub policy_url: Option<String>,
}

impl RegistrationSettings {
    /// Whether somebody with this address may register.
    pub fn admits(&self, email: &Email) -> bool {
        let Some(domain) = email.key().rsplit('@').next().and_then(ascii) else {
            return false;
        };
        let is_in = |all: &[MailDomain]| all.iter().any(|one| one.covers(&domain));
        (self.domains.is_empty() || is_in(&self.domains)) && !is_in(&self.refused_domains)
    }
}

/// A domain, or with `*.` in front all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailDomain {
    /// As it goes over the wire (RFC 5891), in lower case.
    domain: String,
    is_parent: bool,
}

impl MailDomain {
    fn covers(&self, domain: &str) -> bool {
        if self.is_parent {
            let below = domain.strip_suffix(&self.domain);
            return below.is_some_and(|below| below.len() > 1 && below.ends_with('.'));
        }
        domain == self.domain
    }
}

impl FromStr for MailDomain {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (name, is_parent) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let wrong =
            || BadValue::new("expected a domain such as \"example.org\" or \"*.example.org\"");
        let domain = ascii(name).filter(|_| !name.contains(['@', '*'])).ok_or_else(wrong)?;
        Ok(Self { domain, is_parent })
    }
}

/// A domain as it goes over the wire: letters that look alike do not make one of two.
fn ascii(name: &str) -> Option<String> {
    match Host::parse(name) {
        Ok(Host::Domain(domain)) => Some(domain),
        _ => None,
    }
}

pub(super) fn policy_version_holds(text: &str) -> Result<(), BadValue> {
    let length = text.chars().count();
    if (1..=50).contains(&length) && !text.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(BadValue::new("expected at most 50 characters, and at least one"))
    }
}

pub(super) fn policy_url_holds(text: &str) -> Result<(), BadValue> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        _ => Err(BadValue::new("expected an http or https address")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRegistration {
    mode: RegistrationMode,
    activation_days: u32,
    domains: Vec<String>,
    refused_domains: Vec<String>,
    invitation_days: u32,
    approval: bool,
    policy_version: Option<String>,
    policy_url: Option<String>,
}

impl Default for RawRegistration {
    fn default() -> Self {
        Self {
            mode: RegistrationMode::Closed,
            activation_days: 7,
            domains: Vec::new(),
            refused_domains: Vec::new(),
            invitation_days: 14,
            approval: false,
            policy_version: None,
            policy_url: None,
        }
    }
}

impl RawRegistration {
    pub(super) fn validate(check: &mut Check<'_>) -> Option<RegistrationSettings> {
        let raw: Self = check.section("registration")?;
        // The table of keys has looked at each of them.
        let read = |all: Vec<String>| all.iter().filter_map(|one| one.parse().ok()).collect();
        Some(RegistrationSettings {
            mode: raw.mode,
            life: DAY * raw.activation_days,
            domains: read(raw.domains),
            refused_domains: read(raw.refused_domains),
            invitation_life: DAY * raw.invitation_days,
            is_approved: raw.approval,
            policy_version: raw.policy_version,
            policy_url: raw.policy_url,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(domains: &[&str], refused: &[&str], address: &str) -> bool {
        let read = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
        let settings = RegistrationSettings {
            mode: RegistrationMode::Open,
            life: DAY,
            domains: read(domains),
            refused_domains: read(refused),
            invitation_life: DAY,
            is_approved: false,
            policy_version: None,
            policy_url: None,
        };
        settings.admits(&Email::parse(address).unwrap())
    }

    #[test]
    fn atk_a053_a_rule_is_about_the_whole_domain_behind_the_at_sign() {
        for address in ["ann@good.example", "ann@GOOD.example"] {
            assert!(admits(&["good.example"], &[], address), "{address}");
        }
        for address in [
            "good.example@evil.example",
            "ann@evilgood.example",
            "ann@sub.good.example",
            "ann@good.example.evil.example",
        ] {
            assert!(!admits(&["good.example"], &[], address), "{address}");
        }
        assert!(admits(&["*.good.example"], &[], "ann@sub.good.example"));
        assert!(!admits(&["*.good.example"], &[], "ann@good.example"));
        assert!(!admits(&["*.good.example"], &[], "ann@evilgood.example"));
    }

    #[test]
    fn atk_a052_spellings_of_one_domain_are_one_and_those_of_others_are_not() {
        assert!(admits(&["bücher.example"], &[], "ann@xn--bcher-kva.example"));
        assert!(admits(&["xn--bcher-kva.example"], &[], "ann@BÜCHER.example"));
        assert!(!admits(&["example.org"], &[], "ann@xn--exampl-kva.org"));
        assert!(Email::parse("ann@xn--example-.org").is_err());
        assert!(!admits(&["paypal.example"], &[], "ann@pаypal.example"), "a Cyrillic letter");
    }

    #[test]
    fn what_is_refused_is_refused_though_it_is_allowed() {
        assert!(admits(&[], &["throwaway.example"], "ann@other.example"));
        assert!(!admits(&[], &["throwaway.example"], "ann@throwaway.example"));
        assert!(!admits(&["*.a.example"], &["b.a.example"], "ann@b.a.example"));
    }

    #[test]
    fn a_rule_is_a_domain() {
        for bad in ["", "ann@a.example", "*", "*.*.a.example", "a b", "192.0.2.7", "*."] {
            assert!(bad.parse::<MailDomain>().is_err(), "{bad}");
        }
    }
}

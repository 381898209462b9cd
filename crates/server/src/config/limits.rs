//! `[limits]`: how often and how much.

use std::time::Duration;

use serde::Deserialize;

use super::{check::Check, duration::HumanDuration, rate::RateLimit, size::ByteSize};

/// The validated section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsSettings {
    /// Attempts to log in from one address.
    pub login_per_address: RateLimit,
    /// Failed attempts to log in to one account.
    pub login_failures_per_account: RateLimit,
    /// Failed attempts to log in to all accounts together, beyond which addresses are slowed down.
    pub login_failures_per_site: RateLimit,
    /// Mails that strangers have sent to one address.
    pub mail_per_address: RateLimit,
    /// Mails that strangers have sent to all addresses together.
    pub mail_per_site: RateLimit,
    /// Registrations from one address.
    pub register_per_address: RateLimit,
    /// Requests of any kind from one address.
    pub requests_per_address: RateLimit,
    /// The largest body of a request, in bytes.
    pub body_size: usize,
    /// How long the whole body of a request may take to come in.
    pub body_timeout: Duration,
    /// The largest page of a list, in items.
    pub page_size: u32,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLimits {
    login_per_address: RateLimit,
    login_failures_per_account: RateLimit,
    login_failures_per_site: RateLimit,
    mail_per_address: RateLimit,
    mail_per_site: RateLimit,
    register_per_address: RateLimit,
    requests_per_address: RateLimit,
    body_size: ByteSize,
    body_timeout: HumanDuration,
    page_size: u32,
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            login_per_address: RateLimit::per(30, 60),
            login_failures_per_account: RateLimit::per(5, 15 * 60),
            login_failures_per_site: RateLimit::per(300, 10 * 60),
            mail_per_address: RateLimit::per(3, 60 * 60),
            mail_per_site: RateLimit::per(1000, 60 * 60),
            register_per_address: RateLimit::per(10, 60 * 60),
            requests_per_address: RateLimit::Unlimited,
            body_size: ByteSize::kib(64),
            body_timeout: HumanDuration::seconds(10),
            page_size: 200,
        }
    }
}

impl RawLimits {
    pub(super) fn validate(check: &mut Check<'_>) -> Option<LimitsSettings> {
        let raw: Self = check.section("limits")?;
        Some(LimitsSettings {
            login_per_address: raw.login_per_address,
            login_failures_per_account: raw.login_failures_per_account,
            login_failures_per_site: raw.login_failures_per_site,
            mail_per_address: raw.mail_per_address,
            mail_per_site: raw.mail_per_site,
            register_per_address: raw.register_per_address,
            requests_per_address: raw.requests_per_address,
            body_size: usize::try_from(raw.body_size.0).unwrap_or(usize::MAX),
            body_timeout: raw.body_timeout.0,
            page_size: raw.page_size,
        })
    }
}

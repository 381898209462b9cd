//! How often one address may do something, counted in this process.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock,
};
use vestibule_core::Timestamp;

use crate::config::{LimitsSettings, RateLimit};

/// The rates that are counted by address.
pub struct RateLimits {
    login: Option<DefaultKeyedRateLimiter<String>>,
    requests: Option<DefaultKeyedRateLimiter<String>>,
    register: Option<DefaultKeyedRateLimiter<String>>,
    flood: Option<Flood>,
}

/// Failed logins all over the site. One guess at each of thousands of accounts, from many
/// addresses, stays below every other limit; only their sum shows it.
struct Flood {
    failures: DefaultDirectRateLimiter,
    window: Duration,
    /// Until when addresses are slowed down, in microseconds since 1970.
    until: AtomicI64,
    /// How often one address may try meanwhile.
    login: Option<DefaultKeyedRateLimiter<String>>,
}

/// How much less often an address may try to log in during a flood of failures.
const SLOWDOWN: u32 = 10;

/// Too often; worth trying again after this many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooOften {
    /// Seconds to wait.
    pub retry_after: u64,
}

impl RateLimits {
    /// With the operator's rates.
    pub fn new(limits: &LimitsSettings) -> Self {
        Self {
            login: limiter(limits.login_per_address),
            requests: limiter(limits.requests_per_address),
            register: limiter(limits.register_per_address),
            flood: Flood::new(limits),
        }
    }

    /// Counts an attempt to log in.
    pub fn login(&self, address: &str, now: Timestamp) -> Result<(), TooOften> {
        if let Some(flood) = self.flood.as_ref().filter(|flood| flood.is_on(now)) {
            count(flood.login.as_ref(), address)?;
        }
        count(self.login.as_ref(), address)
    }

    /// Counts a failed login. Whether a flood of them has just begun.
    pub fn login_failed(&self, now: Timestamp) -> bool {
        self.flood.as_ref().is_some_and(|flood| flood.count(now))
    }

    /// Counts a registration.
    pub fn register(&self, address: &str) -> Result<(), TooOften> {
        count(self.register.as_ref(), address)
    }

    /// Counts a request.
    pub fn request(&self, address: &str) -> Result<(), TooOften> {
        count(self.requests.as_ref(), address)
    }

    /// Whether requests are counted at all.
    pub fn counts_requests(&self) -> bool {
        self.requests.is_some()
    }

    /// Forgets addresses that could do everything again.
    pub fn tidy(&self) {
        let slowed = self.flood.as_ref().and_then(|flood| flood.login.as_ref());
        let counted = [self.login.as_ref(), self.requests.as_ref(), self.register.as_ref(), slowed];
        for limiter in counted.into_iter().flatten() {
            limiter.retain_recent();
        }
    }
}

impl Flood {
    fn new(limits: &LimitsSettings) -> Option<Self> {
        let RateLimit::Limited { events, window } = limits.login_failures_per_site else {
            return None;
        };
        let login = match limits.login_per_address {
            RateLimit::Limited { events, window } => {
                let fewer = NonZeroU32::new(events.get() / SLOWDOWN).unwrap_or(NonZeroU32::MIN);
                limiter(RateLimit::Limited { events: fewer, window })
            }
            RateLimit::Unlimited => None,
        };
        let failures = RateLimiter::direct(quota(events, window)?);
        Some(Self { failures, window, until: AtomicI64::new(i64::MIN), login })
    }

    fn is_on(&self, now: Timestamp) -> bool {
        now.as_micros() < self.until.load(Ordering::Relaxed)
    }

    fn count(&self, now: Timestamp) -> bool {
        if self.failures.check().is_ok() {
            return false;
        }
        // Goes on for as long as failures keep coming, and one window longer.
        let until = now.plus(self.window).as_micros();
        self.until.fetch_max(until, Ordering::Relaxed) <= now.as_micros()
    }
}

fn quota(events: NonZeroU32, window: Duration) -> Option<Quota> {
    Some(Quota::with_period(window / events.get())?.allow_burst(events))
}

/// "30/1m" lets 30 through at once and then one every two seconds.
fn limiter(rate: RateLimit) -> Option<DefaultKeyedRateLimiter<String>> {
    let RateLimit::Limited { events, window } = rate else {
        return None;
    };
    Some(RateLimiter::keyed(quota(events, window)?))
}

fn count(limiter: Option<&DefaultKeyedRateLimiter<String>>, address: &str) -> Result<(), TooOften> {
    let Some(limiter) = limiter else {
        return Ok(());
    };
    let key = network_of(address);
    limiter.check_key_n(&key, NonZeroU32::MIN).unwrap_or(Ok(())).map_err(|refused| {
        let wait = refused.wait_time_from(limiter.clock().now());
        TooOften { retry_after: wait.as_secs() + 1 }
    })
}

/// Whoever has one IPv6 address has all of its /64, so they count as one.
fn network_of(address: &str) -> String {
    match address.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_lets_its_count_through_and_then_says_how_long_to_wait() {
        let rate = limiter("3/1h".parse().unwrap());
        for _ in 0..3 {
            assert_eq!(count(rate.as_ref(), "1.2.3.4"), Ok(()));
        }
        let TooOften { retry_after } = count(rate.as_ref(), "1.2.3.4").unwrap_err();
        assert!((1190..=1201).contains(&retry_after), "{retry_after}");
        assert_eq!(count(rate.as_ref(), "1.2.3.5"), Ok(()));
    }

    #[test]
    fn neighbours_in_an_ipv6_network_count_as_one() {
        assert_eq!(network_of("2001:db8::1"), network_of("2001:db8::ffff:1"));
        assert_ne!(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
    }
}

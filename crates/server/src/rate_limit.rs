//! How often one address may do something, counted in this process.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use crate::config::{LimitsSettings, RateLimit};

/// The rates that are counted by address.
pub struct RateLimits {
    login: Option<DefaultKeyedRateLimiter<String>>,
    requests: Option<DefaultKeyedRateLimiter<String>>,
}

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
        }
    }

    /// Counts an attempt to log in.
    pub fn login(&self, address: &str) -> Result<(), TooOften> {
        count(self.login.as_ref(), address)
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
        for limiter in [&self.login, &self.requests].into_iter().flatten() {
            limiter.retain_recent();
        }
    }
}

/// "30/1m" lets 30 through at once and then one every two seconds.
fn limiter(rate: RateLimit) -> Option<DefaultKeyedRateLimiter<String>> {
    let RateLimit::Limited { events, window } = rate else {
        return None;
    };
    let quota = Quota::with_period(window / events.get())?.allow_burst(events);
    Some(RateLimiter::keyed(quota))
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

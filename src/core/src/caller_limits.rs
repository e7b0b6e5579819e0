//! How often one caller may ask: a token bucket for each, in memory, on every replica by itself.
//!
//! A caller is whatever text tells callers apart: the API counts by token, sign-in by address and by email. To count
//! something else, make a [`CallerLimits`] of its own for it; one that is shared would add up different things.

use governor::{
    DefaultKeyedRateLimiter, Quota,
    clock::{Clock, DefaultClock},
};
use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// After so many checks, callers whose buckets are full again are forgotten.
const FORGET_EVERY: u32 = 1_024;

pub struct CallerLimits {
    /// `None` lets everybody through. Callers are kept as hashes, so that a long name takes no more memory than a
    /// short one.
    limiter: Option<DefaultKeyedRateLimiter<u64>>,
    hasher: RandomState,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl std::fmt::Debug for CallerLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallerLimits").field("on", &self.limiter.is_some()).finish_non_exhaustive()
    }
}

impl CallerLimits {
    /// `burst` at once, and `per_second` after that.
    ///
    /// # Panics
    /// Where one of the two is not positive.
    pub fn new(per_second: f64, burst: u32) -> Self {
        assert!(per_second > 0.0, "a rate is positive");
        let burst = NonZeroU32::new(burst).expect("a burst is positive");
        let quota =
            Quota::with_period(Duration::from_secs_f64(per_second.recip()).max(Duration::from_nanos(1)))
                .expect("a period is positive")
                .allow_burst(burst);
        Self::with(Some(DefaultKeyedRateLimiter::keyed(quota)))
    }

    /// The rate of the configuration, with a burst of twice that.
    pub fn from_rate(per_second: Option<u32>) -> Self {
        per_second
            .filter(|rate| *rate > 0)
            .map_or_else(Self::off, |rate| Self::new(rate.into(), rate.saturating_mul(2)))
    }

    pub fn off() -> Self {
        Self::with(None)
    }

    fn with(limiter: Option<DefaultKeyedRateLimiter<u64>>) -> Self {
        Self {
            limiter,
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
        }
    }

    /// Counts one request of this caller.
    ///
    /// # Errors
    /// The seconds to wait (at least one) where it was one too many.
    pub fn check(&self, caller: &str) -> Result<(), u64> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.checks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&self.hasher.hash_one(caller)).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0).max(u64::from(wait.is_zero()))
        })
    }
}

/// The address that a request comes from, as far as it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// What an address is counted by: itself, or the network of a single IPv6 customer, who has 2⁶⁴ addresses to change
/// between.
pub fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_burst_of_their_own() {
        // One in an hour after the burst: no test takes so long.
        let limits = CallerLimits::new(1.0 / 3_600.0, 2);
        for caller in ["a", "b"] {
            assert_eq!(limits.check(caller), Ok(()));
            assert_eq!(limits.check(caller), Ok(()));
            let seconds = limits.check(caller).expect_err("the third is too many");
            assert!((1..=3_600).contains(&seconds), "{seconds}");
        }
    }

    #[test]
    fn off_lets_everybody_through() {
        let limits = CallerLimits::from_rate(None);
        assert!((0..1_000).all(|_| limits.check("a").is_ok()));
    }

    #[test]
    fn callers_who_are_gone_are_forgotten() {
        let limits = CallerLimits::new(1e9, 1);
        for caller in 0..10 * FORGET_EVERY {
            let _ = limits.check(&caller.to_string());
        }
        let kept = limits.limiter.as_ref().map_or(0, |limiter| limiter.len());
        assert!(kept <= FORGET_EVERY as usize, "{kept}");
    }

    #[test]
    fn an_ipv6_customer_is_one_caller() {
        let key = |text: &str| address_key(text.parse().expect("an address"));
        assert_eq!(key("192.0.2.1"), "192.0.2.1");
        assert_eq!(key("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2:ffff::1"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    }
}

//! How many failed sign-ins are too many. Only failures count, so that nobody is kept out by signing in often.
//!
//! Three counts, each with a patience of its own: of one address for one email, which stops a guesser; of one address
//! for any email, which stops one who tries many; of one email from anywhere, which stops many who try together, and
//! is generous, because it also keeps the email's owner out. Each replica counts for itself.

use ipack_core::caller_limits::address_key;
use ipack_domain::{effects::Clock, time::Timestamp};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Failures that are forgiven at once, and the seconds after which one more is.
#[derive(Debug, Clone, Copy)]
struct Patience {
    failures: f64,
    seconds: f64,
}

const OF_PAIR: Patience = Patience { failures: 10.0, seconds: 30.0 };
const OF_ADDRESS: Patience = Patience { failures: 30.0, seconds: 5.0 };
const OF_EMAIL: Patience = Patience { failures: 100.0, seconds: 5.0 };
/// Counts that are kept at most, some 50 bytes each.
const MANY: usize = 50_000;

#[derive(Debug)]
pub struct SignInLimits {
    clock: Clock,
    /// By hashes of what is counted, so that what a caller sends takes no more memory where it is long.
    counts: Mutex<HashMap<u64, Count>>,
    hasher: RandomState,
}

/// Failures not yet forgiven, as of a moment.
#[derive(Debug, Clone, Copy)]
struct Count {
    failures: f64,
    at: Timestamp,
    patience: Patience,
}

impl Count {
    fn now(self, now: Timestamp) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "seconds between two sign-ins")]
        let passed = (now.0 - self.at.0).max(0) as f64 / 1_000_000.0;
        (self.failures - passed / self.patience.seconds).max(0.0)
    }
}

impl SignInLimits {
    pub fn new(clock: Clock) -> Self {
        Self { clock, counts: Mutex::default(), hasher: RandomState::new() }
    }

    /// Counts an attempt as a failure before its password is looked at, so that many at once are not each the first.
    ///
    /// # Errors
    /// The seconds to wait where there were too many failures; the attempt is then not counted.
    pub fn begin(&self, address: IpAddr, email: &str) -> Result<(), u64> {
        let now = self.clock.now();
        let keys = self.keys(address, email);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in &keys {
            // Counted before the clock was set back: forgiven from now on, and not once it is that late again.
            if let Some(count) = counts.get_mut(key) {
                count.at = count.at.min(now);
            }
        }
        let wait = keys.iter().filter_map(|(key, patience)| {
            let over = counts.get(key)?.now(now) + 1.0 - patience.failures;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
            (over > 0.0).then(|| (over * patience.seconds).ceil() as u64)
        });
        if let Some(seconds) = wait.max() {
            return Err(seconds);
        }
        if counts.len() + keys.len() > MANY {
            make_room(&mut counts, now);
        }
        for (key, patience) in keys {
            let count = counts.entry(key).or_insert(Count { failures: 0.0, at: now, patience });
            *count = Count { failures: count.now(now) + 1.0, at: now, patience };
        }
        Ok(())
    }

    /// Takes back what [`SignInLimits::begin`] counted.
    pub fn did_not_fail(&self, address: IpAddr, email: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in self.keys(address, email) {
            if let Some(count) = counts.get_mut(&key) {
                count.failures = (count.failures - 1.0).max(0.0);
            }
        }
    }

    fn keys(&self, address: IpAddr, email: &str) -> [(u64, Patience); 3] {
        let address = address_key(address);
        let of = |key: Key<'_>| self.hasher.hash_one(key);
        [
            (of(Key::Pair(&address, email)), OF_PAIR),
            (of(Key::Address(&address)), OF_ADDRESS),
            (of(Key::Email(email)), OF_EMAIL),
        ]
    }
}

/// Drops half of the counts or more: those that no longer matter, then those of the fewest failures.
fn make_room(counts: &mut HashMap<u64, Count>, now: Timestamp) {
    let mut least = 0.0;
    while counts.len() > MANY / 2 {
        counts.retain(|_, count| count.now(now) > least);
        least = least * 2.0 + 1.0;
    }
}

/// What is counted. Kinds apart, because an email can look like anything, an address too.
#[derive(Hash)]
enum Key<'a> {
    Pair(&'a str, &'a str),
    Address(&'a str),
    Email(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn limits() -> (SignInLimits, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(0));
        let told = now.clone();
        (SignInLimits::new(Clock::new(move || Timestamp(told.load(Ordering::SeqCst)))), now)
    }

    #[test]
    fn s38_a_guesser_waits_and_others_do_not() {
        let (limits, now) = limits();
        for _ in 0..10 {
            assert_eq!(limits.begin(HOME, "a@x"), Ok(()));
        }
        assert_eq!(limits.begin(HOME, "a@x"), Err(30));
        assert_eq!(limits.begin(AWAY, "a@x"), Ok(()), "the owner elsewhere");
        assert_eq!(limits.begin(HOME, "b@x"), Ok(()), "somebody else here");
        now.store(30_000_000, Ordering::SeqCst);
        assert_eq!(limits.begin(HOME, "a@x"), Ok(()));
    }

    #[test]
    fn s38_one_address_that_tries_many_emails_waits() {
        let (limits, _) = limits();
        for guess in 0..30 {
            assert_eq!(limits.begin(HOME, &format!("{guess}@x")), Ok(()));
        }
        assert!(limits.begin(HOME, "new@x").is_err());
        assert_eq!(limits.begin(AWAY, "new@x"), Ok(()));
    }

    #[test]
    fn s38_who_signs_in_often_is_not_kept_out() {
        let (limits, _) = limits();
        for _ in 0..200 {
            assert_eq!(limits.begin(HOME, "a@x"), Ok(()));
            limits.did_not_fail(HOME, "a@x");
        }
    }

    #[test]
    fn s38_an_email_that_looks_like_an_address_keeps_nobody_there_out() {
        let (limits, _) = limits();
        for number in 0..60 {
            let from = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, number));
            assert_eq!(limits.begin(from, &HOME.to_string()), Ok(()));
        }
        assert_eq!(limits.begin(HOME, "a@x"), Ok(()));
    }

    #[test]
    fn strangers_from_everywhere_take_bounded_memory_and_forgive_no_guesser() {
        let (limits, _) = limits();
        for _ in 0..10 {
            assert_eq!(limits.begin(HOME, "a@x"), Ok(()));
        }
        for number in 0..200_000 {
            let from = IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number));
            assert_eq!(limits.begin(from, &format!("{number}@x")), Ok(()));
        }
        assert!(limits.counts.lock().expect("nobody panics").len() <= MANY);
        assert_eq!(limits.begin(HOME, "a@x"), Err(30));
    }
}

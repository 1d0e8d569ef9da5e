//! Guessing passwords is slow: failed attempts are counted per account and per network address.
//!
//! Only failures count: a success gives back what it took. A device that has logged in to the account before is not
//! held up by the account's count, so that strangers who guess cannot keep an owner out; its address still counts.
//! The limiter fails closed: with its table full, keys it does not know are refused. A failure costs a password hash,
//! so on the cores of one machine a table of the default size cannot be filled before its entries are idle again.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys remembered at most.
const MAX_KEYS: usize = 65_536;
/// Bits of an IPv6 address that a customer of a network chooses at will.
const V6_HOST_BITS: u32 = 64;

/// How many failures at once, and how long one takes to be forgotten.
#[derive(Clone, Copy, Debug)]
pub struct FailureLimit {
    /// Failures at once, at least 1.
    pub burst: u32,
    /// Time after which one more is allowed.
    pub every: Duration,
}

/// The limits.
#[derive(Clone, Copy, Debug)]
pub struct ThrottleLimits {
    /// For one account, from wherever.
    pub per_account: FailureLimit,
    /// For one IPv4 address, or IPv6 subnet of 64 bits, with whatever account.
    pub per_address: FailureLimit,
}

/// What failures are counted under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(IpAddr),
}

/// Who tries to log in.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The user name or id asked for, whether it exists or not; none if the device is known to the account.
    pub account: Option<&'a str>,
    /// Where from; none inside the process.
    pub address: Option<IpAddr>,
}

/// Counts failures.
#[derive(Debug)]
pub struct Throttle {
    limits: ThrottleLimits,
    capacity: usize,
    /// When the failures of each key are all forgotten.
    clear_at: Mutex<HashMap<Key, Instant>>,
}

impl Throttle {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(limits: ThrottleLimits) -> Self {
        Self { limits, capacity: MAX_KEYS, clear_at: Mutex::default() }
    }

    /// Counts an attempt as a failure until [`Throttle::succeeded`] takes it back, so that many at once do not slip
    /// through together.
    ///
    /// # Errors
    /// How long to wait.
    pub fn attempt(&self, attempt: Attempt<'_>, now: Instant) -> Result<(), Duration> {
        let keys = self.keys(attempt);
        let mut clear_at = self.clear_at.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, limit) in &keys {
            let known = clear_at.get(key).copied();
            let after = known.unwrap_or(now).max(now) + limit.every;
            let wait = after.saturating_duration_since(now).saturating_sub(limit.every * limit.burst.max(1));
            if !wait.is_zero() {
                return Err(wait);
            }
            if known.is_none() && clear_at.len() + keys.len() > self.capacity {
                clear_at.retain(|_, clear| *clear > now);
                if clear_at.len() + keys.len() > self.capacity {
                    return Err(limit.every);
                }
            }
        }
        for (key, limit) in keys {
            let clear = clear_at.entry(key).or_insert(now);
            *clear = (*clear).max(now) + limit.every;
        }
        Ok(())
    }

    /// Takes back what [`Throttle::attempt`] counted.
    pub fn succeeded(&self, attempt: Attempt<'_>) {
        let mut clear_at = self.clear_at.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, limit) in self.keys(attempt) {
            if let Some(clear) = clear_at.get_mut(&key) {
                *clear = clear.checked_sub(limit.every).unwrap_or(*clear);
            }
        }
    }

    fn keys(&self, attempt: Attempt<'_>) -> Vec<(Key, FailureLimit)> {
        let account = attempt.account.map(|name| (Key::Account(name.to_owned()), self.limits.per_account));
        let address = attempt.address.map(|ip| (Key::Address(network(ip)), self.limits.per_address));
        account.into_iter().chain(address).collect()
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> V6_HOST_BITS << V6_HOST_BITS)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn throttle() -> Throttle {
        Throttle::new(ThrottleLimits {
            per_account: FailureLimit { burst: 2, every: MINUTE },
            per_address: FailureLimit { burst: 4, every: MINUTE },
        })
    }

    fn from(account: &'static str, address: &str) -> Attempt<'static> {
        Attempt { account: Some(account), address: Some(address.parse().unwrap()) }
    }

    #[test]
    fn failures_of_an_account_count_from_everywhere() {
        let (throttle, now) = (throttle(), Instant::now());
        throttle.attempt(from("ada", "192.0.2.1"), now).unwrap();
        throttle.attempt(from("ada", "192.0.2.2"), now).unwrap();
        assert_eq!(throttle.attempt(from("ada", "192.0.2.3"), now), Err(MINUTE));
        throttle.attempt(from("ben", "192.0.2.3"), now).unwrap();
        throttle.attempt(from("ada", "192.0.2.3"), now + MINUTE).unwrap();
        assert_eq!(throttle.attempt(from("ada", "192.0.2.3"), now + MINUTE), Err(MINUTE));
    }

    #[test]
    fn failures_of_a_subnet_count_for_all_accounts() {
        let (throttle, now) = (throttle(), Instant::now());
        for (index, account) in ["a", "b", "c", "d"].into_iter().enumerate() {
            throttle.attempt(from(account, &format!("2001:db8:1:2::{index}")), now).unwrap();
        }
        assert_eq!(throttle.attempt(from("e", "2001:db8:1:2:ff::9"), now), Err(MINUTE));
        throttle.attempt(from("e", "2001:db8:1:3::9"), now).unwrap();
    }

    #[test]
    fn success_leaves_nothing_behind() {
        let (throttle, now) = (throttle(), Instant::now());
        for _ in 0..100 {
            throttle.attempt(from("ada", "192.0.2.1"), now).unwrap();
            throttle.succeeded(from("ada", "192.0.2.1"));
        }
    }

    #[test]
    fn a_known_device_is_held_up_by_its_address_alone() {
        let (throttle, now) = (throttle(), Instant::now());
        while throttle.attempt(from("ada", "192.0.2.1"), now).is_ok() {}
        let known = Attempt { account: None, address: Some("192.0.2.7".parse().unwrap()) };
        throttle.attempt(known, now).unwrap();
        while throttle.attempt(known, now).is_ok() {}
        assert_eq!(throttle.attempt(known, now), Err(MINUTE));
    }

    #[test]
    fn a_refusal_is_not_counted() {
        let (throttle, now) = (throttle(), Instant::now());
        for _ in 0..100 {
            throttle.attempt(from("ada", "192.0.2.1"), now).ok();
        }
        throttle.attempt(from("ada", "192.0.2.2"), now + MINUTE).unwrap();
        throttle.attempt(from("ben", "192.0.2.1"), now).unwrap();
    }

    #[test]
    fn g8_the_table_is_bounded_and_fails_closed_until_it_has_idle_keys() {
        let (mut throttle, now) = (throttle(), Instant::now());
        throttle.capacity = 8;
        let names: Vec<String> = (0..100).map(|n| format!("user{n}")).collect();
        let taken = names
            .iter()
            .filter(|name| throttle.attempt(Attempt { account: Some(name), address: None }, now).is_ok())
            .count();
        assert_eq!(taken, 8);
        let later = now + MINUTE;
        throttle.attempt(Attempt { account: Some("user99"), address: None }, later).unwrap();
    }
}

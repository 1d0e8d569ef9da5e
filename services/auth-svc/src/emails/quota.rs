//! How much mail an address gets.
//!
//! Whoever asks for it, so that nobody is flooded; and of one account, so that one alone cannot use up what the address
//! may get, which would keep its owner from proving it. Several accounts together can, four of them with the default
//! limits: beyond that, what protects the owner is what accounts cost, which `register` limits. All they delay is a proof:
//! nobody logs in by address. Buckets in memory: a restart fills them.

use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use parlor_runtime::limiter::{Limiter, Rate};
use parlor_types::UserId;

use super::EmailAddress;

/// Addresses whose mail is counted at most, and pairs of an account and an address; when there are more, those mailed
/// least are forgotten.
const MAX_COUNTED: usize = 65_536;

/// How many mails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MailRates {
    /// To one address, whoever asks for them.
    pub per_address: Rate,
    /// To one address, asked for by one account.
    pub per_account_and_address: Rate,
}

/// The beginning of an address's SHA-256: addresses are not kept in memory for being counted.
type Hashed = [u8; 16];

/// See the module.
#[derive(Debug)]
pub struct MailQuota {
    rates: MailRates,
    by_address: Limiter<Hashed>,
    by_account_and_address: Limiter<(UserId, Hashed)>,
}

impl MailQuota {
    /// Nothing has been sent.
    #[must_use]
    pub fn new(rates: MailRates) -> Self {
        Self {
            rates,
            by_address: Limiter::new(MAX_COUNTED),
            by_account_and_address: Limiter::new(MAX_COUNTED),
        }
    }

    /// Counts one mail to `address` that `user` asks for.
    ///
    /// # Errors
    /// How long to wait until there may be one; none is counted.
    pub fn take(&self, user: UserId, address: &EmailAddress, now: Instant) -> Result<(), Duration> {
        let address = hashed(address);
        self.by_address.check(address, self.rates.per_address, now)?;
        // This first: calls at once that are refused here must not use up what others may ask for.
        self.by_account_and_address.take((user, address), self.rates.per_account_and_address, now)?;
        self.by_address.take(address, self.rates.per_address, now)
    }
}

fn hashed(address: &EmailAddress) -> Hashed {
    let hash = digest::digest(&digest::SHA256, address.compared().as_bytes());
    let mut hashed = [0; 16];
    hashed.copy_from_slice(&hash.as_ref()[..16]);
    hashed
}

#[cfg(test)]
mod tests {
    use parlor_types::Id as _;

    use super::*;
    use crate::Config;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn address(text: &str) -> EmailAddress {
        EmailAddress::new(text).unwrap()
    }

    fn user(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    /// What is sent when `users` ask for as much as they can, once an hour, for so many days.
    fn sent(quota: &MailQuota, users: &[UserId], start: Instant, days: u32) -> u32 {
        let victim = address("victim@example.org");
        let mut sent = 0;
        for hour in 0..24 * days {
            for user in users {
                while quota.take(*user, &victim, start + HOUR * hour).is_ok() {
                    sent += 1;
                }
            }
        }
        sent
    }

    #[test]
    fn g8_one_account_mails_a_stranger_a_few_times_a_day_and_does_not_keep_them_from_proving() {
        let (quota, start) = (MailQuota::new(Config::default().limits.mail_rates()), Instant::now());
        let days = 30;
        let sent = sent(&quota, &[user(1)], start, days);
        assert!(sent <= 3 + 3 * days, "G8: {sent} mails in {days} days");
        let now = start + HOUR * (24 * days - 1);
        assert!(quota.take(user(1), &address("Victim@example.org"), now).is_err(), "in small letters or not");
        assert_eq!(quota.take(user(2), &address("victim@example.org"), now), Ok(()), "the owner");
        assert_eq!(quota.take(user(1), &address("another@example.org"), now), Ok(()));
    }

    #[test]
    fn g8_many_accounts_together_mail_an_address_a_few_times_a_day() {
        let (quota, start) = (MailQuota::new(Config::default().limits.mail_rates()), Instant::now());
        let (everybody, days): (Vec<_>, _) = ((1..=50).map(user).collect(), 30);
        let sent = sent(&quota, &everybody, start, days);
        assert!(sent <= 10 + 10 * days, "G8: {sent} mails in {days} days");
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let rate = |burst| Rate { burst, per_second: 0.001 };
        let quota = MailQuota::new(MailRates { per_address: rate(2), per_account_and_address: rate(1) });
        let (victim, now) = (address("victim@example.org"), Instant::now());
        assert_eq!(quota.take(user(1), &victim, now), Ok(()));
        (0..9).for_each(|_| assert!(quota.take(user(1), &victim, now).is_err()));
        assert_eq!(quota.take(user(2), &victim, now), Ok(()), "of the address");
        let wait = quota.take(user(3), &victim, now).unwrap_err();
        assert_eq!(quota.take(user(3), &victim, now + wait), Ok(()), "of the account");
    }
}

//! What of a configuration is refused.

use std::time::Duration;

use parlor_runtime::config::{Problems, Validate};

use super::{Config, DAY, Limits, PasswordConfig, SessionConfig, StoreConfig, ThrottleConfig};
use crate::accounts::OWASP_COSTS;

impl Validate for Config {
    fn check(&self, problems: &mut Problems) {
        problems.within("store", &self.store);
        problems.within("password", &self.password);
        problems.within("session", &self.session);
        problems.within("throttle", &self.throttle);
        problems.within("limits", &self.limits);
        problems.within("mail", &self.mail);
    }
}

impl Validate for StoreConfig {
    fn check(&self, problems: &mut Problems) {
        if self.max_bytes != 0 {
            problems.range("max_bytes", &self.max_bytes, 1 << 17..=1 << 46);
        }
    }
}

impl Validate for PasswordConfig {
    fn check(&self, problems: &mut Problems) {
        problems.range("lanes", &self.lanes, 1..=16);
        problems.range("passes", &self.passes, 1..=32);
        problems.range("memory_kib", &self.memory_kib, 8 * self.lanes.clamp(1, 16)..=4 * 1024 * 1024);
        problems.range("at_once", &self.at_once, 0..=1024);
        problems.range("waiting", &self.waiting, 0..=100_000);
        problems.range("patience", &self.patience, Duration::from_millis(1)..=Duration::from_secs(60));
        if !cfg!(debug_assertions) && !self.is_strong() {
            let (memory, passes) = (self.memory_kib, self.passes);
            let costs =
                OWASP_COSTS.map(|(memory, passes)| format!("{memory} with passes {passes}")).join(", ");
            problems.add(
                "memory_kib",
                format!("is {memory} with passes {passes}, allowed is at least one of {costs}"),
            );
        }
    }
}

impl Validate for SessionConfig {
    fn check(&self, problems: &mut Problems) {
        let second = Duration::from_secs(1);
        problems.range("access_token", &self.access_token, second..=Duration::from_secs(10 * 60));
        problems.range("idle", &self.idle, second..=3650 * DAY);
        problems.range("absolute", &self.absolute, second..=3650 * DAY);
        problems.range("per_person", &self.per_person, 1..=1000);
        problems.range("per_service", &self.per_service, 1..=10_000);
        problems.range("keep_ended", &self.keep_ended, DAY..=3650 * DAY);
    }
}

impl Validate for ThrottleConfig {
    fn check(&self, problems: &mut Problems) {
        for (key, limit) in [("account", self.account), ("address", self.address)] {
            problems.range(&format!("{key}.burst"), &limit.burst, 1..=1_000_000);
            let every = Duration::from_millis(1)..=Duration::from_secs(3600);
            problems.range(&format!("{key}.every"), &limit.every, every);
        }
    }
}

impl Validate for Limits {
    fn check(&self, problems: &mut Problems) {
        let all = [
            ("register", self.register),
            ("login", self.login),
            ("refresh", self.refresh),
            ("keys", self.keys),
            ("read", self.read),
            ("write", self.write),
            ("change_password", self.change_password),
            ("set_email", self.set_email),
            ("find_by_email", self.find_by_email),
        ];
        for (key, limit) in all {
            problems.range(&format!("{key}.burst"), &limit.burst, 1..=1_000_000);
            problems.range(&format!("{key}.per_second"), &limit.per_second, 0.001..=1_000_000.0);
        }
        let (address, account) = (self.mail_per_address, self.mail_per_account_and_address);
        for (key, limit) in [("mail_per_address", address), ("mail_per_account_and_address", account)] {
            problems.range(&format!("{key}.burst"), &limit.burst, 1..=1_000_000);
            problems.range(&format!("{key}.per_day"), &limit.per_day, 1..=1_000_000);
        }
        for (key, account, address) in
            [("burst", account.burst, address.burst), ("per_day", account.per_day, address.per_day)]
        {
            if account >= address {
                let reason = format!("is {account}, allowed is less than mail_per_address.{key}, {address}");
                problems.add(format!("mail_per_account_and_address.{key}"), reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use parlor_runtime::config::{Sources, load};

    use super::super::DailyLimit;
    use super::*;

    #[test]
    fn the_defaults_are_good_and_survive_being_written() {
        let loaded = load::<Config>(&Sources::default()).unwrap();
        assert_eq!(loaded.value, Config::default());
        assert!(loaded.value.password.is_strong());
        let text = loaded.to_toml().unwrap();
        for line in ["memory_kib = 19456", "access_token = \"10m\"", "per_person = 20", "per_second = 0.2"] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[test]
    fn owasp_s_bounds() {
        let strong = |memory_kib, passes| {
            PasswordConfig { memory_kib, passes, ..PasswordConfig::default() }.is_strong()
        };
        for (memory, passes) in [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5), (65_536, 3)] {
            assert!(strong(memory, passes), "{memory} {passes}");
        }
        for (memory, passes) in [(47_103, 1), (19_455, 2), (12_287, 3), (7_167, 32), (64, 1)] {
            assert!(!strong(memory, passes), "{memory} {passes}");
        }
    }

    #[test]
    fn one_account_may_not_use_up_all_the_mail_of_an_address() {
        let keys = |address, account| {
            let mut limits = Limits::default();
            (limits.mail_per_address, limits.mail_per_account_and_address) = (address, account);
            let mut problems = Problems::default();
            limits.check(&mut problems);
            problems.iter().map(|problem| problem.key.clone()).collect::<Vec<_>>()
        };
        let few = |burst, per_day| DailyLimit { burst, per_day };
        assert_eq!(keys(few(2, 2), few(1, 1)), [""; 0]);
        assert_eq!(keys(few(2, 2), few(2, 1)), ["mail_per_account_and_address.burst"]);
        assert_eq!(keys(few(2, 2), few(1, 3)), ["mail_per_account_and_address.per_day"]);
        assert_eq!(keys(few(2, 1_000_001), few(1, 1)), ["mail_per_address.per_day"]);
        assert_eq!(
            keys(few(2, 2), few(0, 0)),
            ["mail_per_account_and_address.burst", "mail_per_account_and_address.per_day"]
        );
    }

    #[test]
    fn every_value_out_of_range_is_named() {
        let mut config = Config::default();
        config.store.max_bytes = 1;
        config.password.lanes = 0;
        config.session.per_person = 0;
        config.throttle.address.burst = 0;
        config.limits.login.per_second = 0.0;
        let mut problems = Problems::default();
        config.check(&mut problems);
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "store.max_bytes",
                "password.lanes",
                "session.per_person",
                "throttle.address.burst",
                "limits.login.per_second"
            ]
        );
    }
}

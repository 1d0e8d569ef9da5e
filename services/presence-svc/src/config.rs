//! The keys of presence-svc, with their defaults and ranges.

use std::time::Duration;

use parlor_runtime::config::{Problems, Validate, byte_size, duration};
use serde::{Deserialize, Serialize};

use crate::hub::Rules;
use crate::registry::Graces;

/// See the module. Durations are written "10s", sizes "32MiB".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The store may grow to this; 0 for as long as the disk has room. Beyond it statuses cannot be set.
    #[serde(with = "byte_size")]
    pub store_max_bytes: u64,
    /// How long a lost stream counts on as it was, so that nobody flaps.
    #[serde(with = "duration")]
    pub grace: Duration,
    /// As `grace`, for phones: they change networks.
    #[serde(with = "duration")]
    pub grace_mobile: Duration,
    /// After a start nobody is called offline or away for this long: those who were there before may still come back.
    #[serde(with = "duration")]
    pub settle: Duration,
    /// While an app is in front, that is written this often: so much of it a crash may forget.
    #[serde(with = "duration")]
    pub keep_last_seen_every: Duration,
    /// Who may see whom is asked again after this, also if nothing is known to have changed.
    #[serde(with = "duration")]
    pub recheck_visibility: Duration,
    /// Watch calls of one user at once.
    pub watches_per_user: usize,
    /// Watch calls at once in all.
    pub watches: usize,
    /// How long Watch calls live on while auth-svc cannot be asked about ended sessions.
    #[serde(with = "duration")]
    pub revocation_blind_max: Duration,
    /// How often methods may be called.
    pub limits: Limits,
}

/// How often methods may be called, per user and method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// GetStatus and BatchGetPresence.
    pub read: RateLimit,
    /// SetStatus.
    pub write: RateLimit,
    /// Opening a Watch.
    pub watch: RateLimit,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// At once.
    pub burst: u32,
    /// Per second after that.
    pub per_second: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store_max_bytes: 0,
            grace: Duration::from_secs(15),
            grace_mobile: Duration::from_secs(30),
            settle: Duration::from_secs(30),
            keep_last_seen_every: Duration::from_secs(5 * 60),
            recheck_visibility: Duration::from_secs(5 * 60),
            watches_per_user: 10,
            watches: 10_000,
            revocation_blind_max: Duration::from_secs(5 * 60),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read: RateLimit { burst: 120, per_second: 20.0 },
            write: RateLimit { burst: 30, per_second: 1.0 },
            watch: RateLimit { burst: 60, per_second: 5.0 },
        }
    }
}

impl Config {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            graces: Graces { plain: self.grace, mobile: self.grace_mobile },
            settle: self.settle,
            keep_every: self.keep_last_seen_every,
            recheck: self.recheck_visibility,
            calls_per_user: self.watches_per_user,
            calls: self.watches,
        }
    }
}

impl Validate for Config {
    fn check(&self, problems: &mut Problems) {
        let seconds = Duration::from_secs;
        if self.store_max_bytes != 0 {
            problems.range("store_max_bytes", &self.store_max_bytes, 1 << 20..=1 << 46);
        }
        problems.range("grace", &self.grace, Duration::ZERO..=seconds(600));
        problems.range("grace_mobile", &self.grace_mobile, Duration::ZERO..=seconds(600));
        problems.range("settle", &self.settle, Duration::ZERO..=seconds(600));
        problems.range("keep_last_seen_every", &self.keep_last_seen_every, seconds(1)..=seconds(3600));
        problems.range("recheck_visibility", &self.recheck_visibility, seconds(1)..=seconds(3600));
        problems.range("watches_per_user", &self.watches_per_user, 1..=10_000);
        problems.range("watches", &self.watches, 1..=1_000_000);
        problems.range("revocation_blind_max", &self.revocation_blind_max, seconds(1)..=seconds(600));
        problems.within("limits", &self.limits);
    }
}

impl Validate for Limits {
    fn check(&self, problems: &mut Problems) {
        for (key, limit) in [("read", self.read), ("write", self.write), ("watch", self.watch)] {
            problems.range(&format!("{key}.burst"), &limit.burst, 1..=1_000_000);
            problems.range(&format!("{key}.per_second"), &limit.per_second, 0.001..=1_000_000.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use parlor_runtime::config::{Sources, load};

    use super::*;

    #[test]
    fn the_defaults_are_good_and_survive_being_written() {
        let loaded = load::<Config>(&Sources::default()).unwrap();
        assert_eq!(loaded.value, Config::default());
        let text = loaded.to_toml().unwrap();
        for line in ["grace = \"15s\"", "grace_mobile = \"30s\"", "settle = \"30s\"", "watches_per_user = 10"]
        {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[test]
    fn every_value_out_of_range_is_named() {
        let year = Duration::from_secs(365 * 24 * 3600);
        let mut config = Config {
            store_max_bytes: 1,
            grace: year,
            grace_mobile: year,
            settle: year,
            keep_last_seen_every: Duration::ZERO,
            recheck_visibility: Duration::ZERO,
            watches_per_user: 0,
            watches: 0,
            revocation_blind_max: year,
            limits: Limits::default(),
        };
        config.limits.write.burst = 0;
        let mut problems = Problems::default();
        config.check(&mut problems);
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "store_max_bytes",
                "grace",
                "grace_mobile",
                "settle",
                "keep_last_seen_every",
                "recheck_visibility",
                "watches_per_user",
                "watches",
                "revocation_blind_max",
                "limits.write.burst"
            ]
        );
    }
}

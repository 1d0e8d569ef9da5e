//! What an operator may change of the way out.

use std::time::Duration;

use parlor_runtime::config::{Problems, Validate, byte_size, duration};
use serde::{Deserialize, Serialize};

use crate::config::RateLimit;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DownloadConfig {
    /// What addresses for plain HTTP begin with, such as `https://files.example.org`: an origin of its own, best one
    /// that has no cookies. Empty: they begin with "/", for the address that the call went to.
    pub base_url: String,
    /// Files that are read at once in all. Each takes up to 400 KiB here and 400 KiB on its connection.
    pub at_once: usize,
    /// Files that are read at once for one user. A page full of pictures asks for 100. Once half of all places are taken, an
    /// eighth of this.
    pub at_once_per_user: usize,
    /// A reader that takes nothing for so long is let go.
    #[serde(with = "duration")]
    pub patience: Duration,
    /// So is one that, after its first minute, has taken fewer bytes per second than this since it began; 0 for any rate.
    #[serde(with = "byte_size")]
    pub least_rate: u64,
    /// No file is read for longer than this; whoever wants more of it asks for the rest.
    #[serde(with = "duration")]
    pub longest: Duration,
    /// Requests over plain HTTP from one network address. Behind a proxy that is not in `server.trusted_proxies` all come from the proxy.
    pub http: RateLimit,
}

impl Default for DownloadConfig {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            at_once: 1024,
            at_once_per_user: 128,
            patience: Duration::from_secs(60),
            least_rate: 16 * 1024,
            longest: Duration::from_secs(2 * 3600),
            http: RateLimit { burst: 1000, per_second: 100.0 },
        }
    }
}

impl Validate for DownloadConfig {
    fn check(&self, problems: &mut Problems) {
        if !self.base_url.is_empty()
            && let Err(rule) = check_base(&self.base_url)
        {
            problems.add("base_url", rule);
        }
        problems.range("at_once", &self.at_once, 1..=100_000);
        problems.range("at_once_per_user", &self.at_once_per_user, 1..=100_000);
        problems.range("patience", &self.patience, Duration::from_secs(1)..=Duration::from_secs(3600));
        problems.range("least_rate", &self.least_rate, 0..=1 << 30);
        problems.range("longest", &self.longest, Duration::from_secs(60)..=Duration::from_secs(24 * 3600));
        problems.range("http.burst", &self.http.burst, 1..=1_000_000);
        problems.range("http.per_second", &self.http.per_second, 0.001..=1_000_000.0);
    }
}

/// An address to which a path can be appended.
fn check_base(text: &str) -> Result<(), &'static str> {
    let address: http::Uri = text.parse().map_err(|_| "must be an address")?;
    if !matches!(address.scheme_str(), Some("http" | "https")) || address.host().is_none_or(str::is_empty) {
        return Err("must begin with https:// or http:// and a host");
    }
    if text.ends_with('/') || text.contains(['?', '#', '@']) {
        return Err("must have no '/' at its end, no '?', '#' or '@'");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(config: &DownloadConfig) -> Vec<String> {
        let mut problems = Problems::default();
        config.check(&mut problems);
        problems.iter().map(|problem| problem.key.clone()).collect()
    }

    #[test]
    fn addresses_begin_with_an_address() {
        for good in ["", "https://files.example.org", "http://localhost:7700", "https://a.example/parlor"] {
            let config = DownloadConfig { base_url: good.to_owned(), ..DownloadConfig::default() };
            assert!(faults(&config).is_empty(), "{good}");
        }
        for bad in [
            "files.example.org",
            "/media",
            "https://",
            "https://a.example/",
            "https://a.example?x=",
            "https://a.example#x",
            "https://user@a.example",
            "javascript://a.example",
            "https://a b",
            "https://a.example\r\nx: y",
        ] {
            let config = DownloadConfig { base_url: bad.to_owned(), ..DownloadConfig::default() };
            assert_eq!(faults(&config), ["base_url"], "{bad:?}");
        }
    }

    #[test]
    fn what_lets_nothing_through_is_refused() {
        let config = DownloadConfig {
            at_once: 0,
            at_once_per_user: 0,
            patience: Duration::ZERO,
            least_rate: u64::MAX,
            longest: Duration::ZERO,
            http: RateLimit { burst: 0, per_second: 0.0 },
            ..DownloadConfig::default()
        };
        let keys = ["at_once", "at_once_per_user", "patience", "least_rate", "longest"];
        assert_eq!(faults(&config), [&keys[..], &["http.burst", "http.per_second"]].concat());
    }
}

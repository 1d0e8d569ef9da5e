//! What an operator may change of this service.

mod checks;
mod mail;

use std::path::{Path, PathBuf};
use std::time::Duration;

use parlor_runtime::config::{byte_size, duration};
use parlor_runtime::limiter::Rate;
use serde::{Deserialize, Serialize};

use crate::accounts::{FailureLimit, OWASP_COSTS, QueueLimits, ThrottleLimits};
use crate::emails::MailRates;
use crate::sessions::{Lifetimes, SessionLimits};

pub use crate::mail::SmtpSecurity;
pub use mail::{MailConfig, MailTransport, SmtpConfig};

/// Name of the database in its folder.
const DATABASE: &str = "auth.db";
/// Name of the key file in its folder.
const KEYS: &str = "auth-keys.json";
/// A day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where accounts and sessions are kept.
    pub store: StoreConfig,
    /// Where the keys are kept.
    pub keys: KeysConfig,
    /// How passwords are hashed.
    pub password: PasswordConfig,
    /// How many sessions, how long.
    pub session: SessionConfig,
    /// How failed log-ins are counted.
    pub throttle: ThrottleConfig,
    /// How often methods may be called.
    pub limits: Limits,
    /// How mail is sent.
    pub mail: MailConfig,
}

/// Where accounts and sessions are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The SQLite file.
    pub path: PathBuf,
    /// Largest size of the file; 0 is what the disk holds.
    #[serde(with = "byte_size")]
    pub max_bytes: u64,
}

/// Where the keys are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// The key file. Losing it logs everybody out; whoever reads it can be anybody.
    pub path: PathBuf,
    /// Make new keys although there are accounts: for when the file is lost for good. Everybody has to log in again.
    pub replace_lost: bool,
}

/// How passwords are hashed: argon2id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// Memory of one hash, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// Hashes at once; 0 is as many as there are cores.
    pub at_once: usize,
    /// Hashes that may wait besides.
    pub waiting: usize,
    /// How long one may wait.
    #[serde(with = "duration")]
    pub patience: Duration,
}

/// How many sessions, how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    /// Life of an access token. Others remember an ended session for 11 minutes, so not above 10.
    #[serde(with = "duration")]
    pub access_token: Duration,
    /// A session ends when it is not refreshed for this long.
    #[serde(with = "duration")]
    pub idle: Duration,
    /// A session ends this long after the last log-in, however often it is refreshed.
    #[serde(with = "duration")]
    pub absolute: Duration,
    /// Most sessions of a person; beyond, the one used longest ago ends.
    pub per_person: usize,
    /// Most sessions of a service account, likewise.
    pub per_service: usize,
    /// Ended sessions are remembered this long, to tell a client that its session has ended.
    #[serde(with = "duration")]
    pub keep_ended: Duration,
}

/// How failed log-ins are counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleConfig {
    /// For one account.
    pub account: FailureConfig,
    /// For one network address.
    pub address: FailureConfig,
}

/// How many failures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureConfig {
    /// At once.
    pub burst: u32,
    /// One more after this time.
    #[serde(with = "duration")]
    pub every: Duration,
}

/// How often methods may be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Register, per address.
    pub register: RateLimit,
    /// Login and LoginService, per address and method.
    pub login: RateLimit,
    /// Refresh, per address.
    pub refresh: RateLimit,
    /// GetJwks, per address.
    pub keys: RateLimit,
    /// Each method that reads, per account.
    pub read: RateLimit,
    /// Each method that changes something, per account.
    pub write: RateLimit,
    /// ChangePassword, per account.
    pub change_password: RateLimit,
    /// SetEmail, per account: each sends a mail.
    pub set_email: RateLimit,
    /// Mails to one e-mail address, whoever asks for them.
    pub mail_per_address: DailyLimit,
    /// Mails to one e-mail address, asked for by one account. Below `mail_per_address`, so that no account alone can use
    /// that up; how many together can is the ratio of the two.
    pub mail_per_account_and_address: DailyLimit,
    /// FindByEmail, per account.
    pub find_by_email: RateLimit,
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

/// How often, where it is a few times a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyLimit {
    /// At once.
    pub burst: u32,
    /// Per day after that, spread evenly.
    pub per_day: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: Path::new("parlor-data").join(DATABASE), max_bytes: 0 }
    }
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self { path: Path::new("parlor-data").join(KEYS), replace_lost: false }
    }
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
            at_once: 0,
            waiting: 32,
            patience: Duration::from_secs(2),
        }
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            access_token: Duration::from_secs(10 * 60),
            idle: 60 * DAY,
            absolute: 365 * DAY,
            per_person: 20,
            per_service: 200,
            keep_ended: 30 * DAY,
        }
    }
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self {
            account: FailureConfig { burst: 10, every: Duration::from_secs(30) },
            address: FailureConfig { burst: 30, every: Duration::from_secs(10) },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            register: RateLimit { burst: 20, per_second: 0.2 },
            login: RateLimit { burst: 60, per_second: 2.0 },
            refresh: RateLimit { burst: 600, per_second: 20.0 },
            keys: RateLimit { burst: 60, per_second: 5.0 },
            read: RateLimit { burst: 120, per_second: 20.0 },
            write: RateLimit { burst: 30, per_second: 1.0 },
            change_password: RateLimit { burst: 5, per_second: 0.05 },
            set_email: RateLimit { burst: 5, per_second: 0.005 },
            mail_per_address: DailyLimit { burst: 10, per_day: 10 },
            mail_per_account_and_address: DailyLimit { burst: 3, per_day: 3 },
            find_by_email: RateLimit { burst: 10, per_second: 0.02 },
        }
    }
}

impl Config {
    /// The defaults, with all files in `folder`.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            store: StoreConfig { path: folder.join(DATABASE), ..StoreConfig::default() },
            keys: KeysConfig { path: folder.join(KEYS), ..KeysConfig::default() },
            ..Self::default()
        }
    }
}

impl DailyLimit {
    fn rate(self) -> Rate {
        Rate { burst: self.burst, per_second: f64::from(self.per_day) / DAY.as_secs_f64() }
    }
}

impl Limits {
    pub(crate) fn mail_rates(&self) -> MailRates {
        MailRates {
            per_address: self.mail_per_address.rate(),
            per_account_and_address: self.mail_per_account_and_address.rate(),
        }
    }
}

impl PasswordConfig {
    /// Whether a hash costs at least what OWASP asks for.
    #[must_use]
    pub fn is_strong(&self) -> bool {
        OWASP_COSTS.iter().any(|(memory, passes)| self.memory_kib >= *memory && self.passes >= *passes)
    }

    pub(crate) fn queue(&self, cores: usize) -> QueueLimits {
        let at_once = if self.at_once == 0 { cores } else { self.at_once };
        QueueLimits { at_once, waiting: self.waiting, patience: self.patience }
    }
}

impl SessionConfig {
    pub(crate) fn limits(&self) -> SessionLimits {
        SessionLimits {
            lifetimes: Lifetimes { idle: self.idle, absolute: self.absolute },
            per_person: self.per_person,
            per_service: self.per_service,
        }
    }
}

impl ThrottleConfig {
    pub(crate) fn limits(&self) -> ThrottleLimits {
        let limit = |config: FailureConfig| FailureLimit { burst: config.burst, every: config.every };
        ThrottleLimits { per_account: limit(self.account), per_address: limit(self.address) }
    }
}

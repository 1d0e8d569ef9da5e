//! The keys of chat-svc, with their defaults and ranges.

use std::time::Duration;

use parlor_runtime::config::{Problems, Validate, byte_size, duration};
use parlor_runtime::limiter::Rate;
use parlor_types::limits;
use serde::{Deserialize, Serialize};

use crate::log::{LogLimits, Rules};
use crate::session::StreamLimits;

/// See the module. Durations are written "10s", sizes "32KiB".
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The store may grow to this; 0 for as long as the disk has room. Beyond it appends fail with STORAGE_FULL.
    #[serde(with = "byte_size")]
    pub store_max_bytes: u64,
    /// Members of a group.
    pub max_group_members: usize,
    /// How long after it was sent a message may be edited by its sender.
    #[serde(with = "duration")]
    pub edit_window: Duration,
    /// Appends of a user, over all conversations.
    pub appends_per_user: RateConfig,
    /// Appends of a user in one conversation.
    pub appends_per_member: RateConfig,
    /// Hello has to come within this.
    #[serde(with = "duration")]
    pub hello_within: Duration,
    /// A client sends something at least this often; after twice that without, its stream ends.
    #[serde(with = "duration")]
    pub ping_interval: Duration,
    /// The same while its app is behind.
    #[serde(with = "duration")]
    pub background_ping_interval: Duration,
    /// What a stream's client has received and read is written, and what others have is told to it, at once and then
    /// not again before this.
    #[serde(with = "duration")]
    pub receipts_coalesce: Duration,
    /// Unanswered appends of a stream.
    pub appends_in_flight: usize,
    /// Unanswered fetches of a stream.
    pub fetches_in_flight: usize,
    /// Bytes waiting to be sent on a stream, beyond which entries become head marks.
    #[serde(with = "byte_size")]
    pub outbox_bytes: u64,
    /// Entries sent on a stream and not acked, beyond which entries become head marks.
    pub window_entries: usize,
    /// Bytes sent on a stream and not acked, beyond which entries become head marks.
    #[serde(with = "byte_size")]
    pub window_bytes: u64,
    /// Entries in a page.
    pub page_entries: usize,
    /// Bytes in a page, beyond which no further entry is added.
    #[serde(with = "byte_size")]
    pub page_bytes: u64,
    /// How long streams live on while auth-svc cannot be asked about ended sessions.
    #[serde(with = "duration")]
    pub revocation_blind_max: Duration,
    /// How long streams show how people were when presence-svc was last heard; after that they are told that nothing is
    /// known, within ten seconds.
    #[serde(with = "duration")]
    pub presence_blind_max: Duration,
    /// When the server stops: how long clients have to leave their streams.
    #[serde(with = "duration")]
    pub drain_grace: Duration,
}

/// A burst and a steady rate.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateConfig {
    /// At once.
    pub burst: u32,
    /// Per second after that.
    pub per_second: f64,
}

impl From<RateConfig> for Rate {
    fn from(config: RateConfig) -> Self {
        Self { burst: config.burst, per_second: config.per_second }
    }
}

impl Default for Config {
    fn default() -> Self {
        let stream = StreamLimits::default();
        Self {
            store_max_bytes: 0,
            max_group_members: limits::MAX_GROUP_MEMBERS,
            edit_window: Duration::from_secs(24 * 3600),
            appends_per_user: RateConfig { burst: 120, per_second: 5.0 },
            appends_per_member: RateConfig { burst: 40, per_second: 5.0 },
            hello_within: stream.hello_within,
            ping_interval: stream.ping_interval,
            receipts_coalesce: stream.receipts_coalesce,
            background_ping_interval: stream.background_ping_interval,
            appends_in_flight: stream.appends,
            fetches_in_flight: stream.fetches,
            outbox_bytes: stream.outbox_bytes as u64,
            window_entries: stream.window_entries,
            window_bytes: stream.window_bytes as u64,
            page_entries: stream.page_entries,
            page_bytes: stream.page_bytes as u64,
            revocation_blind_max: Duration::from_secs(5 * 60),
            presence_blind_max: Duration::from_secs(60),
            drain_grace: Duration::from_secs(2),
        }
    }
}

impl Config {
    pub(crate) fn log_limits(&self) -> LogLimits {
        LogLimits {
            rules: Rules { max_members: self.max_group_members, edit_window: self.edit_window },
            user_rate: self.appends_per_user.into(),
            member_rate: self.appends_per_member.into(),
        }
    }

    pub(crate) fn stream_limits(&self) -> StreamLimits {
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        StreamLimits {
            max_members: self.max_group_members,
            hello_within: self.hello_within,
            ping_interval: self.ping_interval,
            receipts_coalesce: self.receipts_coalesce,
            background_ping_interval: self.background_ping_interval,
            appends: self.appends_in_flight,
            fetches: self.fetches_in_flight,
            outbox_bytes: size(self.outbox_bytes),
            window_entries: self.window_entries,
            window_bytes: size(self.window_bytes),
            page_entries: self.page_entries,
            page_bytes: size(self.page_bytes),
        }
    }
}

impl Validate for Config {
    fn check(&self, problems: &mut Problems) {
        let seconds = Duration::from_secs;
        if self.store_max_bytes != 0 {
            problems.range("store_max_bytes", &self.store_max_bytes, 1 << 20..=1 << 46);
        }
        problems.range("max_group_members", &self.max_group_members, 2..=100_000);
        problems.range("edit_window", &self.edit_window, Duration::ZERO..=seconds(366 * 24 * 3600));
        problems.within("appends_per_user", &self.appends_per_user);
        problems.within("appends_per_member", &self.appends_per_member);
        problems.range("hello_within", &self.hello_within, Duration::from_millis(100)..=seconds(60));
        problems.range("ping_interval", &self.ping_interval, Duration::from_millis(500)..=seconds(600));
        problems.range("receipts_coalesce", &self.receipts_coalesce, Duration::ZERO..=seconds(60));
        let background = Duration::from_millis(500)..=seconds(3600);
        problems.range("background_ping_interval", &self.background_ping_interval, background);
        problems.range("appends_in_flight", &self.appends_in_flight, 1..=1024);
        problems.range("fetches_in_flight", &self.fetches_in_flight, 1..=16);
        problems.range("outbox_bytes", &self.outbox_bytes, 4 << 10..=16 << 20);
        problems.range("window_entries", &self.window_entries, 16..=100_000);
        problems.range("window_bytes", &self.window_bytes, 32 << 10..=64 << 20);
        problems.range("page_entries", &self.page_entries, 1..=1000);
        problems.range("page_bytes", &self.page_bytes, 16 << 10..=2 << 20);
        problems.range("revocation_blind_max", &self.revocation_blind_max, seconds(1)..=seconds(600));
        let blind = Duration::from_millis(100)..=seconds(3600);
        problems.range("presence_blind_max", &self.presence_blind_max, blind);
        problems.range("drain_grace", &self.drain_grace, Duration::ZERO..=seconds(120));
    }
}

impl Validate for RateConfig {
    fn check(&self, problems: &mut Problems) {
        problems.range("burst", &self.burst, 1..=1_000_000);
        problems.range("per_second", &self.per_second, 0.01..=1_000_000.0);
    }
}

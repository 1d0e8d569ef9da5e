//! What a stream may use.

use std::time::Duration;

use parlor_types::limits;
use parlor_wire::chat::v1 as wire;

/// What a stream may use, and what Welcome tells the client of it.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Members of a group.
    pub max_members: usize,
    /// Hello has to come within this.
    pub hello_within: Duration,
    /// A client sends something at least this often; after two of them without, the stream is dead.
    pub ping_interval: Duration,
    /// The same while its app is behind.
    pub background_ping_interval: Duration,
    /// Marks are written, and others' receipts told, at once and then not again before this.
    pub receipts_coalesce: Duration,
    /// Unanswered appends.
    pub appends: usize,
    /// Unanswered fetches.
    pub fetches: usize,
    /// Bytes waiting to be sent, beyond which entries become head marks.
    pub outbox_bytes: usize,
    /// Entries sent and not acked, beyond which entries become head marks.
    pub window_entries: usize,
    /// Bytes sent and not acked, beyond which entries become head marks.
    pub window_bytes: usize,
    /// Entries in a page.
    pub page_entries: usize,
    /// Bytes in a page.
    pub page_bytes: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            max_members: limits::MAX_GROUP_MEMBERS,
            hello_within: Duration::from_secs(10),
            ping_interval: Duration::from_secs(60),
            background_ping_interval: Duration::from_secs(240),
            receipts_coalesce: Duration::from_secs(1),
            appends: 32,
            fetches: 2,
            outbox_bytes: 32 * 1024,
            window_entries: 512,
            window_bytes: 1024 * 1024,
            page_entries: 200,
            page_bytes: 256 * 1024,
        }
    }
}

impl StreamLimits {
    /// For Welcome.
    #[must_use]
    pub fn to_wire(self) -> wire::Limits {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        wire::Limits {
            max_entry_bytes: number(limits::MAX_ENTRY_BYTES),
            max_appends_in_flight: number(self.appends),
            max_fetches_in_flight: number(self.fetches),
            max_group_members: number(self.max_members),
            max_dedupe_span: u32::try_from(limits::MAX_DEDUPE_SPAN).unwrap_or(u32::MAX),
            window_entries: number(self.window_entries),
            window_bytes: number(self.window_bytes),
            page_entries: number(self.page_entries),
            page_bytes: number(self.page_bytes),
        }
    }
}

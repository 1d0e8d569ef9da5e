//! One line of a history.

use parlor_types::{ConversationId, Op, SessionId, UserId};
use serde::Serialize;

use crate::{Nanos, Seen, id};

/// What one client saw or did at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When. What is asked has the time of before it was asked, what is answered or taken in the time of after.
    pub at: Nanos,
    /// Who. A client keeps its name over restarts, and no two have the same; what one client sends to one conversation
    /// is a lane.
    pub client: Box<str>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What can stand in a line. A reader that finds another name under `event` refuses the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// From here on this client acts for a user, in a session.
    Begin {
        /// Whom for.
        #[serde(serialize_with = "id::serialize")]
        user: UserId,
        /// In which session, if that is known.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "id::maybe")]
        session: Option<SessionId>,
    },
    /// The server said which life of its store this is. What a client says before it said so counts for a life without a
    /// name.
    Generation {
        /// Its name.
        generation: String,
    },
    /// Something is to be appended. Once for each op, when it is saved, before it is sent.
    Invoke {
        /// What it is called.
        #[serde(serialize_with = "id::serialize")]
        op: Op,
        /// Where to.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// The highest head known of when the op was made.
        #[serde(skip_serializing_if = "Option::is_none")]
        base_seq: Option<u64>,
        /// What it says, in the form in which readers tell it; none if it cannot be compared.
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<String>,
    },
    /// The server says that it is stored. Each time it says so.
    Ok {
        /// What.
        #[serde(serialize_with = "id::serialize")]
        op: Op,
        /// Where.
        seq: u64,
    },
    /// It was refused for good.
    Fail {
        /// What.
        #[serde(serialize_with = "id::serialize")]
        op: Op,
        /// Why.
        reason: String,
    },
    /// An attempt had no answer: it is stored or not.
    Unknown {
        /// What.
        #[serde(serialize_with = "id::serialize")]
        op: Op,
    },
    /// It was refused, and may come once more: what it names, such as a file, has to come anew, or the client goes on with an
    /// older copy of itself, in which it still waits to be sent.
    Recalled {
        /// What.
        #[serde(serialize_with = "id::serialize")]
        op: Op,
    },
    /// Nobody heard an answer, but it was repeated until it had one: it was in an outbox that is empty now.
    Owed {
        /// What.
        #[serde(serialize_with = "id::serialize")]
        op: Op,
    },
    /// Entries that a client which follows a conversation took in and saved, after all that it had.
    Applied {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// What.
        entries: Vec<Seen>,
    },
    /// A page of the log that was read for itself: older entries, or by a client that follows nothing.
    Page {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// What.
        entries: Vec<Seen>,
    },
    /// The server said that the log reaches to here.
    Head {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// Its last seq.
        head: u64,
    },
    /// A client that was started goes on after what it had saved: from the first to the last of these. So what it was killed
    /// over between saving and writing it down is not missed.
    Resumed {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// Nothing is held of a conversation: all that was is dropped, or a client was started that had saved nothing of it; or what
    /// is held begins anew, above what could have been read.
    Forgot {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
    },
    /// What of a conversation this client's user may read, first and last of each range; without a last, all that comes.
    Readable {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// What.
        ranges: Vec<(u64, Option<u64>)>,
    },
    /// What this client holds of a conversation, at a time when nothing is on its way any more: at the end, after all
    /// faults, when it should hold everything that there is.
    Held {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// First and last of each stretch without a hole; none for nothing.
        ranges: Vec<(u64, u64)>,
        /// It has asked for all that it may read. Otherwise it may lack what lies below what it holds.
        whole: bool,
    },
    /// How far somebody is, as this client was told; 0 tells nothing, as of whoever does not say what was read.
    Marks {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// Who.
        #[serde(serialize_with = "id::serialize")]
        user: UserId,
        /// Received up to here.
        received: u64,
        /// Read up to here.
        read: u64,
    },
    /// How many messages are unread, as this client was told.
    Unread {
        /// Where.
        #[serde(serialize_with = "id::serialize")]
        conversation: ConversationId,
        /// The end of the log when they were counted.
        head: u64,
        /// Read up to here.
        read: u64,
        /// So many.
        messages: u64,
    },
    /// The server says that a session has ended.
    Revoked {
        /// Which.
        #[serde(serialize_with = "id::serialize")]
        session: SessionId,
    },
}

impl Event {
    /// Whether the server must have sent something for this to be seen.
    pub(crate) fn came(&self) -> bool {
        match self {
            Self::Ok { .. }
            | Self::Fail { .. }
            | Self::Recalled { .. }
            | Self::Applied { .. }
            | Self::Page { .. }
            | Self::Head { .. }
            | Self::Marks { .. }
            | Self::Unread { .. }
            | Self::Readable { .. }
            | Self::Generation { .. } => true,
            Self::Begin { .. }
            | Self::Invoke { .. }
            | Self::Unknown { .. }
            | Self::Owed { .. }
            | Self::Resumed { .. }
            | Self::Forgot { .. }
            | Self::Held { .. }
            | Self::Revoked { .. } => false,
        }
    }
}

//! What an app should know.

use parlor_types::{ConversationId, Op, Seq, UserId};
use parlor_wire::chat::v1::{Activity, Appended, PreferenceChanges};
use parlor_wire::errors::v1::Problem;
use parlor_wire::presence::v1::Presence;

use super::parcel::FileFailure;
use super::upload::Progress;

/// How the files of a message fare. `place` counts them in the order in which the message names them.
#[derive(Debug, Clone, PartialEq)]
pub enum UploadNews {
    /// A file has come so far.
    Progress {
        /// Which.
        place: usize,
        /// How far.
        progress: Progress,
    },
    /// Something is in the way of a file; it goes on by itself.
    Waits {
        /// Which.
        place: usize,
        /// What.
        problem: Problem,
    },
    /// The server has forgotten the files before the message came: they are uploaded again.
    Again,
    /// The message will never be sent. It is kept until it is discarded.
    Failed(FileFailure),
}

/// News for the app. What it speaks of is saved: read it from the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Everything is in sync; from here on it is live.
    Online,
    /// The stream is lost; another will be opened by itself. Who types and who is there is not known until then.
    Offline(Option<Problem>),
    /// No further stream will be opened.
    Stopped(Problem),
    /// The server was restored from a backup: all that was held is forgotten and comes anew.
    Reset,
    /// A row of the chat list is another: the server sent it, or one's own preferences or read mark changed.
    Conversation {
        /// Which.
        conversation: ConversationId,
        /// It was not known before.
        new: bool,
    },
    /// The log grew: these entries are saved, in order and without a hole.
    Entries {
        /// Where.
        conversation: ConversationId,
        /// The first new one.
        from: Seq,
        /// The last new one.
        to: Seq,
    },
    /// A message was edited or deleted: if it is held, or in the row, it says something else now.
    Changed {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: Seq,
    },
    /// The range grew downwards.
    Older {
        /// Where.
        conversation: ConversationId,
        /// The lowest seq held now.
        low: Seq,
        /// There is nothing below that may be read.
        complete: bool,
    },
    /// The server's log is shorter than it was, within one generation. What was held is forgotten.
    Regressed(ConversationId),
    /// An append is stored, or refused for good; it has left the outbox.
    Settled(Op, Result<Appended, Problem>),
    /// The files of a message are on their way. When all are there it is in the outbox, and `Settled` tells the rest.
    Upload {
        /// The message, by its op.
        message: Op,
        /// How it goes.
        news: UploadNews,
    },
    /// Others have received or read.
    Receipts {
        /// Where.
        conversation: ConversationId,
        /// Whose marks rose.
        users: Vec<UserId>,
    },
    /// Changes of preferences were refused for good. What the server has is shown again.
    PreferencesRefused {
        /// Of which conversation.
        conversation: ConversationId,
        /// What does not change.
        changes: Box<PreferenceChanges>,
        /// Why.
        problem: Problem,
    },
    /// What is between this user and another is something else now.
    Person(UserId),
    /// The privacy settings are others.
    Privacy,
    /// Somebody began to type or record, or stopped (`Unspecified`). Nothing of this is saved.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// What they do now.
        activity: Activity,
    },
    /// Somebody who is watched came, went, or is no longer to be seen. Nothing of this is saved.
    Presence {
        /// Who.
        user: UserId,
        /// How they are there; none: it is not known.
        presence: Option<Presence>,
    },
    /// The server did not take a frame that has no answer: a fault of this program, or too many watched.
    Refused {
        /// Its name in ClientFrame.
        frame: String,
        /// Why.
        problem: Problem,
    },
}

//! What goes into the core and what comes out of it.

use std::time::Duration;

use parlor_types::{ConversationId, Op, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Activity, Append, ClientFrame, Content, Delete, Edit, Hello, PreferenceChanges, ServerFrame,
};
use parlor_wire::errors::v1::Problem;

pub use super::event::{Event, UploadNews};
pub use super::mutation::Mutation;

/// Time since some fixed start, by a clock that never goes back.
pub type Now = Duration;

/// One stream, counted from 1; the core names it, the driver opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn(pub u64);

/// What happens to the core.
#[derive(Debug, Clone)]
pub enum Input {
    /// A message of the server's, with its frames in order.
    Batch(Conn, u64, Vec<ServerFrame>),
    /// The stream ended, or could not be opened; with the reason if one was given.
    Closed(Conn, Option<Problem>),
    /// The answer to [`Effects::load_outbox`]: all that is saved there, oldest first.
    Outbox(Vec<Outgoing>),
    /// The app asks for something.
    Command(Command),
    /// The time of [`Core::deadline`](super::Core::deadline) has come; earlier does no harm.
    Timer,
}

/// What an app asks for. Sending is a call of its own: [`Core::append`](super::Core::append).
#[derive(Debug, Clone)]
pub enum Command {
    /// Everything up to here was shown.
    MarkRead(ConversationId, Seq),
    /// Make the range reach down to this seq, or as far as may be read.
    FetchOlder(ConversationId, Seq),
    /// Change how this user wants to have a conversation. What is absent stays as it is.
    SetPreferences(ConversationId, PreferenceChanges),
    /// The user types, records, or has stopped (`Unspecified`). Say it with every key: it is told seldom enough.
    SetTyping(ConversationId, Activity),
    /// The app came to the front or the network changed: see now whether the stream is alive.
    Foreground,
    /// The app went behind.
    Background,
    /// Tell the presence of these users and no others, now and on every later stream: those on screen, at most
    /// [`MAX_WATCHED`](super::MAX_WATCHED).
    Watch(Vec<UserId>),
}

/// Something to be appended, as the app words it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Where.
    pub conversation: ConversationId,
    /// What it says.
    pub content: Kind,
    /// Seq of the entry it answers; 0 for none.
    pub reply_to: Seq,
    /// Users it calls by name.
    pub mentions: Vec<UserId>,
    /// Seq of the message it changes, for edits and deletes; 0 for all else.
    pub target: Seq,
}

impl Draft {
    /// Content that answers nothing and calls nobody.
    #[must_use]
    pub fn new(conversation: ConversationId, content: Kind) -> Self {
        let (reply_to, target) = (Seq::default(), Seq::default());
        Self { conversation, content, reply_to, mentions: Vec::new(), target }
    }

    /// The edit of a message of one's own: its text, or the text under it, is another.
    #[must_use]
    pub fn edit(conversation: ConversationId, message: Seq, body: String) -> Self {
        Self { target: message, ..Self::new(conversation, Kind::Edit(Edit { body })) }
    }

    /// The deletion of a message, for everybody.
    #[must_use]
    pub fn delete(conversation: ConversationId, message: Seq) -> Self {
        Self { target: message, ..Self::new(conversation, Kind::Delete(Delete {})) }
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// What it is called; made once.
    pub op: Op,
    /// Where it goes.
    pub conversation: ConversationId,
    /// The highest seq heard of when `op` was made.
    pub base_seq: Seq,
    /// The rest. Its own `base_seq` and `lane` are filled in when it is sent.
    pub append: Append,
    /// Its files can be uploaded again, should the server have forgotten them.
    pub recallable: bool,
}

impl Outgoing {
    /// Gives a draft its name and its base.
    #[must_use]
    pub fn new(op: Op, base_seq: Seq, draft: Draft) -> Self {
        let append = Append {
            conversation_id: draft.conversation.to_string(),
            op: op.to_string(),
            reply_to: draft.reply_to.0,
            target: draft.target.0,
            mention_ids: draft.mentions.iter().map(ToString::to_string).collect(),
            content: Some(Content { kind: Some(draft.content) }),
            ..Append::default()
        };
        Self { op, conversation: draft.conversation, base_seq, append, recallable: false }
    }

    /// As it goes over the wire, in `lane`.
    #[must_use]
    pub fn to_append(&self, lane: u32) -> Append {
        Append { base_seq: self.base_seq.0, lane, ..self.append.clone() }
    }
}

/// What the driver does, **in the order of the fields**. If `save` fails, nothing after it may be done.
#[derive(Debug, Default)]
pub struct Effects {
    /// One transaction.
    pub save: Vec<Mutation>,
    /// Streams to let go of.
    pub close: Vec<Conn>,
    /// A stream to open, and what to say first on it.
    pub open: Option<(Conn, Hello)>,
    /// What to say on the current stream, in order.
    pub send: Vec<ClientFrame>,
    /// The current stream.
    pub send_on: Option<Conn>,
    /// Read the saved outbox and hand it in as [`Input::Outbox`] before anything else.
    pub load_outbox: bool,
    /// What the app should know.
    pub tell: Vec<Event>,
}

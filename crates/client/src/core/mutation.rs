//! What has to be saved.

use bytes::Bytes;
use parlor_types::{ConversationId, Op, Seq, UserId};
use parlor_wire::chat::v1::{Conversation, Entry, Marks, Person, PreferenceChanges, Preferences, Privacy};

use super::message::Outgoing;
use super::range::Range;
use super::unread::Weight;

/// One change of the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Mutation {
    /// A first generation, or a new one: forget conversations, entries, marks, people and cursor, and set every
    /// `base_seq` to 0, of messages that wait for their files too. What waits to be sent stays.
    Reset(String),
    /// The generation of a store that had none.
    Generation(String),
    /// Everything before this is saved; empty for none.
    Cursor(Bytes),
    /// The row of the chat list. Its marks raise those that are saved.
    Row(ConversationId, Box<Conversation>),
    /// What is held, and the highest seq heard of here; another process may have saved a higher one, which stays.
    Extent(ConversationId, Range, Seq),
    /// The log ends here, whatever was heard of it.
    Head(ConversationId, Seq),
    /// An entry, and what it counts for when it is unread; of two copies the higher `rev` stays.
    Entry(ConversationId, Box<Entry>, Weight),
    /// Drop the entries of a conversation, every mark, and the head.
    Forget(ConversationId),
    /// A new row of the outbox, behind all others.
    Queue(Box<Outgoing>),
    /// A message whose files are all there leaves those that wait, and enters the outbox with the base it has there. If it
    /// does not wait any more, nothing happens.
    Dispatch(Box<Outgoing>),
    /// The server has forgotten the files of a message: it leaves the outbox, and waits until they are uploaded again, as others.
    Recall(Op),
    /// A row of the outbox gets another `base_seq`.
    Rebase(Op, Seq),
    /// A row leaves the outbox.
    Settle(Op),
    /// A read mark that the server may not have heard of yet.
    ReadWanted(ConversationId, Seq),
    /// The server's read mark of this user has risen to this, without a row that says so.
    Read(ConversationId, Seq),
    /// How far others are: raises what is saved.
    Marks(ConversationId, Vec<(UserId, Marks)>),
    /// The preferences in the row, as the server has them.
    Preferences(ConversationId, Box<Preferences>),
    /// All changes of preferences that the server has not answered; empty for none.
    Wish(ConversationId, Box<PreferenceChanges>),
    /// What is between this user and another; forgotten if it is nothing.
    Person(UserId, Box<Person>),
    /// Everybody with whom there is something will come: forget whom an earlier sync, cut short, has left.
    ForgetPeople,
    /// The privacy settings.
    Privacy(Privacy),
}

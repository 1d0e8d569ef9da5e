//! Who gets what is stored. With one node the [`LocalRouter`] knows only itself; a mesh will be another router behind
//! the same trait.

mod local;
mod typing;

use parlor_types::{ConversationId, StreamId, UserId};

use crate::log::Published;
use crate::store::Commit;

pub use local::LocalRouter;

/// Delivers to the streams of users. Called in the order of commits; must not block.
pub trait Router: Send + Sync + 'static {
    /// An entry is stored: hand it to those who may see it.
    fn publish(&self, published: Published);

    /// A user's row changed otherwise than by an entry: their streams need it again, but for the one that did it, unless an
    /// older one is on its way there.
    fn row_changed(&self, user: UserId, conversation: ConversationId, by: Option<StreamId>);

    /// How far `of` is in a conversation has changed for these other members.
    fn receipts(&self, of: UserId, conversation: ConversationId, others: &[UserId]);

    /// What is between a user and others, or their settings, changed: their streams have it to say.
    fn account_changed(&self, user: UserId);

    /// One of two users has blocked the other: neither sees any more what the other does just now.
    fn parted(&self, one: UserId, other: UserId);

    /// Everything up to this commit has been published.
    fn reached(&self, commit: Commit);
}

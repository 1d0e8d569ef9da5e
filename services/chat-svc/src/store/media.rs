//! Which files entries name, and who may have them for it.

use async_trait::async_trait;
use parlor_types::{ConversationId, MediaId, UserId};

use super::ReadError;

/// The files that entries name. An append notes them with its entries, in one step.
#[async_trait]
pub trait MediaRefs {
    /// Whether the user is a member of the conversation now.
    async fn is_member(&self, user: UserId, conversation: ConversationId) -> Result<bool, ReadError>;

    /// Those of these files that the user can have: an entry names them that the user may read and that is not withheld from
    /// them, or they are the picture of a group in the user's chat list. In the order asked for.
    async fn readable_media(&self, user: UserId, media: Vec<MediaId>) -> Result<Vec<MediaId>, ReadError>;

    /// Those of these files that any entry names. In the order asked for.
    async fn referenced_media(&self, media: Vec<MediaId>) -> Result<Vec<MediaId>, ReadError>;
}

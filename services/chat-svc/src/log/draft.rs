//! An append on its way into the log: validated in form, not yet authorised.

use std::collections::BTreeMap;

use parlor_types::{ConversationId, Op, Seq, UserId};

use super::{Digest, Lane};
use crate::conversation::Content;

/// An append that is well-formed.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where to.
    pub conversation: ConversationId,
    /// By whom, as the token says.
    pub sender: UserId,
    /// The sender's name for it.
    pub op: Op,
    /// The highest seq the client knew of when it made `op`.
    pub base: Seq,
    /// The order it belongs to, for appends of a stream.
    pub lane: Option<Lane>,
    /// The message it changes.
    pub target: Option<Seq>,
    /// The entry it answers.
    pub reply_to: Option<Seq>,
    /// Whom it calls by name.
    pub mentions: Vec<UserId>,
    /// The app's own marks.
    pub labels: BTreeMap<String, String>,
    /// What it says.
    pub content: Content,
    /// Of the request.
    pub digest: Digest,
    /// Encoded size of the content.
    pub bytes: usize,
}

impl Draft {
    /// The same, saying what facts have made of it.
    pub(super) fn with(self, content: Content) -> Self {
        let bytes = self.bytes + content.description_bytes();
        Self { content, bytes, ..self }
    }
}

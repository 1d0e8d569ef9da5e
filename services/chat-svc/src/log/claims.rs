//! What an append that names files depends on: they are claimed before it is stored, so that an entry never names a file
//! that is being collected.

use super::{Draft, Lane, Log, Refusal};
use crate::conversation::Content;
use crate::media::{Claim, Unclaimed};

impl Log {
    /// Claims the files that the draft names; gives its content with what they are.
    pub(super) async fn claim(&self, draft: &Draft) -> Result<Content, Refusal> {
        // It will be refused, and need not hold up what comes after it.
        if !draft.lane.as_ref().is_none_or(Lane::is_in_order) {
            return Err(Refusal::OutOfOrder);
        }
        let is_member = self.store().is_member(draft.sender, draft.conversation).await;
        if !is_member.map_err(|_| Refusal::Unavailable)? {
            return Err(Refusal::NotFound);
        }
        let media = draft.content.media_ids();
        let readable = self.store().readable_media(draft.sender, media.clone()).await;
        let claim = Claim {
            sender: draft.sender,
            conversation: draft.conversation,
            op: draft.op,
            media,
            readable: readable.map_err(|_| Refusal::Unavailable)?,
        };
        let described = self.media().claim(claim).await.map_err(|why| match why {
            Unclaimed::NotFound => Refusal::MediaNotFound,
            Unclaimed::Refused => Refusal::MediaRefused,
            Unclaimed::StorageFull => Refusal::StorageFull,
            Unclaimed::Unreachable => Refusal::MediaUnavailable,
        })?;
        draft.content.clone().described(&described).map_err(|_| Refusal::MediaMismatch)
    }
}

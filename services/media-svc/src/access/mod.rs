//! Who may have a file: who uploaded it, everybody if it is the picture of a profile, and who can read an entry that
//! names it. Asked anew each time: what somebody could have a moment ago they may not have now (G7).

mod remote;

use std::collections::HashSet;

use async_trait::async_trait;
use parlor_types::{MediaId, UserId};

use crate::media::{Record, Stage};

pub use remote::RemoteSharing;

/// It cannot be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be told now who may have the file")]
pub struct Unanswered;

/// What the services that use files know of who may have them.
#[async_trait]
pub trait Sharing: Send + Sync + 'static {
    /// Which of `media`, 1 to 200, are named by an entry that `user` can read.
    async fn readable(&self, user: UserId, media: &[MediaId]) -> Result<HashSet<MediaId>, Unanswered>;

    /// Which of `media`, 1 to 200, are the picture of a profile.
    async fn pictures(&self, media: &[MediaId]) -> Result<HashSet<MediaId>, Unanswered>;
}

/// Of `asked`, those that `user` may have, in the order of `found`, which are the ones that exist. One that does not exist
/// is asked about like one that does, so that the time it takes tells nobody which it is.
///
/// # Errors
/// See [`Unanswered`]; not where all are the user's own, or whoever answers lets them have all the same.
pub async fn had_by(
    user: UserId,
    asked: &[MediaId],
    mut found: Vec<Record>,
    sharing: &dyn Sharing,
) -> Result<Vec<Record>, Unanswered> {
    found.retain(|record| !matches!(record.stage, Stage::Uploading { .. }));
    let own = found.iter().filter(|record| record.owner == user).map(|record| record.id);
    let mut had: HashSet<_> = own.collect();
    let pictures = found.iter().filter(|record| record.was_avatar && !had.contains(&record.id));
    let pictures: Vec<_> = pictures.map(|record| record.id).collect();
    let mut unanswered = false;
    if !pictures.is_empty() {
        match sharing.pictures(&pictures).await {
            Ok(shown) => had.extend(shown.into_iter().filter(|id| pictures.contains(id))),
            Err(Unanswered) => unanswered = true,
        }
    }
    let rest: Vec<_> = asked.iter().copied().filter(|id| !had.contains(id)).collect();
    if !rest.is_empty() {
        had.extend(sharing.readable(user, &rest).await?.into_iter().filter(|id| rest.contains(id)));
    }
    if unanswered && pictures.iter().any(|id| !had.contains(id)) {
        return Err(Unanswered);
    }
    found.retain(|record| had.contains(&record.id));
    Ok(found)
}

#[cfg(test)]
mod tests;

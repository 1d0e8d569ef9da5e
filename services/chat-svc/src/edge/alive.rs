//! Typing: what people do just now.

use std::time::Duration;

use parlor_types::{ConversationId, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::{Invalid, to_duration};

use crate::typing::Activity;

/// What somebody says they do; `None` for nothing any more.
///
/// # Errors
/// A number that this release does not know.
pub fn activity(field: &str, number: i32) -> Result<Option<Activity>, Invalid> {
    match wire::Activity::try_from(number) {
        Ok(wire::Activity::Unspecified) => Ok(None),
        Ok(wire::Activity::Typing) => Ok(Some(Activity::Typing)),
        Ok(wire::Activity::Recording) => Ok(Some(Activity::Recording)),
        Err(_) => Err(Invalid::field(field, "must be an activity that there is")),
    }
}

/// What somebody does, for those who may see it, and how long to show it.
#[must_use]
pub fn typing(
    conversation: ConversationId,
    typist: UserId,
    activity: Option<Activity>,
    left: Duration,
) -> wire::Typing {
    let number = match activity {
        None => wire::Activity::Unspecified,
        Some(Activity::Typing) => wire::Activity::Typing,
        Some(Activity::Recording) => wire::Activity::Recording,
    };
    wire::Typing {
        conversation_id: conversation.to_string(),
        user_id: typist.to_string(),
        activity: number.into(),
        expires_after: activity.map(|_| to_duration(left)),
    }
}

//! How a member wants to have a conversation: theirs alone. Pure.
//!
//! Three things change preferences: the member, a message that comes, and a read mark that rises.

use std::fmt;
use std::time::SystemTime;

use parlor_types::Seq;

/// How one member wants to have a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// No notifications until then.
    pub muted_until: Option<SystemTime>,
    /// When it was pinned.
    pub pinned_at: Option<SystemTime>,
    /// In the archive.
    pub archived: bool,
    /// Not shown until a new message comes.
    pub hidden: bool,
    /// Shown as unread though nothing is.
    pub marked_unread: bool,
    /// Text begun and not sent.
    pub draft: Option<Draft>,
    /// What the member calls it; empty for its own name.
    pub custom_name: String,
}

/// Text begun and not sent; never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The entry it answers.
    pub reply_to: Option<Seq>,
}

/// Text stays out of logs.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("bytes", &self.text.len()).field("reply_to", &self.reply_to).finish()
    }
}

/// What a member changes; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreferenceChanges {
    /// When the mute ends; a time that has passed ends it now.
    pub muted_until: Option<SystemTime>,
    /// To the top, or not.
    pub pinned: Option<bool>,
    /// Into the archive, or back.
    pub archived: Option<bool>,
    /// Out of the chat list, or back.
    pub hidden: Option<bool>,
    /// Shown as unread, or not.
    pub marked_unread: Option<bool>,
    /// Another draft, or none.
    pub draft: Option<Option<Draft>>,
    /// Another name, or none.
    pub custom_name: Option<String>,
}

impl Preferences {
    /// What they are after the member has changed them. Pinning what is pinned leaves its place.
    #[must_use]
    pub fn with(&self, changes: &PreferenceChanges, now: SystemTime) -> Self {
        let changes = changes.clone();
        Self {
            muted_until: match changes.muted_until {
                Some(until) => (until > now).then_some(until),
                None => self.muted_until,
            },
            pinned_at: match changes.pinned {
                Some(true) => self.pinned_at.or(Some(now)),
                Some(false) => None,
                None => self.pinned_at,
            },
            archived: changes.archived.unwrap_or(self.archived),
            hidden: changes.hidden.unwrap_or(self.hidden),
            marked_unread: changes.marked_unread.unwrap_or(self.marked_unread),
            draft: changes.draft.unwrap_or_else(|| self.draft.clone()),
            custom_name: changes.custom_name.unwrap_or_else(|| self.custom_name.clone()),
        }
    }

    /// What they are after a message at `time` that the member may read. It brings the conversation back, but for one that
    /// is in the archive and muted.
    #[must_use]
    pub fn after_message(&self, time: SystemTime) -> Self {
        Self { hidden: false, archived: self.archived && self.is_muted(time), ..self.clone() }
    }

    /// What they are after a read mark has risen.
    #[must_use]
    pub fn after_reading(&self) -> Self {
        Self { marked_unread: false, ..self.clone() }
    }

    /// From when on a message brings the conversation back; `None` if there is nothing to bring back.
    #[must_use]
    pub fn returns_from(&self) -> Option<SystemTime> {
        match (self.hidden, self.archived) {
            (true, _) => Some(SystemTime::UNIX_EPOCH),
            (false, true) => Some(self.muted_until.unwrap_or(SystemTime::UNIX_EPOCH)),
            (false, false) => None,
        }
    }

    /// Whether it is muted at this time.
    #[must_use]
    pub fn is_muted(&self, at: SystemTime) -> bool {
        self.muted_until.is_some_and(|until| at < until)
    }

    /// Whether it is out of the chat list or of its main part.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.archived || self.hidden
    }
}

/// The numbers for an app's badge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Badge {
    /// Unread messages, but for those of conversations muted, archived or hidden.
    pub unread: u64,
    /// Those that mention the user, also in muted conversations.
    pub unread_mentions: u64,
    /// Conversations with unread messages or marked unread.
    pub conversations: u32,
}

impl Badge {
    /// Counts one more conversation.
    pub fn count(&mut self, preferences: &Preferences, unread: u64, unread_mentions: u64, now: SystemTime) {
        if preferences.is_away() {
            return;
        }
        self.unread_mentions += unread_mentions;
        if !preferences.is_muted(now) {
            self.unread += unread;
            self.conversations += u32::from(unread > 0 || preferences.marked_unread);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_not_named_stays() {
        let draft = Some(Draft { text: "dear".into(), reply_to: Some(Seq(3)) });
        let all = Preferences {
            muted_until: Some(at(50)),
            pinned_at: Some(at(5)),
            archived: true,
            hidden: true,
            marked_unread: true,
            draft: draft.clone(),
            custom_name: "Tea".into(),
        };
        assert_eq!(all.with(&PreferenceChanges::default(), at(90)), all);
        let name_everything = PreferenceChanges {
            muted_until: Some(at(50)),
            pinned: Some(true),
            archived: Some(true),
            hidden: Some(true),
            marked_unread: Some(true),
            draft: Some(draft),
            custom_name: Some("Tea".into()),
        };
        assert_eq!(Preferences::default().with(&name_everything, at(5)), all);
        assert_eq!(all.with(&name_everything, at(40)), all, "pinned as before");
        let undo = PreferenceChanges {
            muted_until: Some(at(0)),
            pinned: Some(false),
            archived: Some(false),
            hidden: Some(false),
            marked_unread: Some(false),
            draft: Some(None),
            custom_name: Some(String::new()),
        };
        assert_eq!(all.with(&undo, at(40)), Preferences::default());
    }

    #[test]
    fn a_message_brings_back_what_is_not_muted() {
        let hidden = Preferences { hidden: true, ..Preferences::default() };
        let archived = Preferences { archived: true, ..Preferences::default() };
        let muted = Preferences { muted_until: Some(at(50)), ..archived.clone() };
        let both = Preferences { hidden: true, ..muted.clone() };
        for (before, time, after) in [
            (&hidden, 1, &Preferences::default()),
            (&archived, 1, &Preferences::default()),
            (&muted, 49, &muted),
            (&muted, 50, &Preferences { archived: false, ..muted.clone() }),
            (&both, 49, &muted),
        ] {
            assert_eq!(before.after_message(at(time)), *after, "{before:?} at {time}");
            let changes = before.returns_from().is_some_and(|from| from <= at(time));
            assert_eq!(changes, before != after, "{before:?} at {time}");
        }
        assert_eq!(Preferences::default().returns_from(), None);
    }

    #[test]
    fn a_badge_leaves_out_what_its_user_does_not_want_to_hear_of() {
        let mut badge = Badge::default();
        let plain = Preferences::default();
        badge.count(&plain, 0, 0, at(1));
        badge.count(&plain, 3, 1, at(1));
        badge.count(&Preferences { marked_unread: true, ..plain.clone() }, 0, 0, at(1));
        badge.count(&Preferences { muted_until: Some(at(9)), ..plain.clone() }, 10, 1, at(1));
        badge.count(&Preferences { archived: true, ..plain.clone() }, 100, 100, at(1));
        badge.count(&Preferences { hidden: true, ..plain }, 100, 100, at(1));
        assert_eq!(badge, Badge { unread: 3, unread_mentions: 2, conversations: 2 });
    }
}

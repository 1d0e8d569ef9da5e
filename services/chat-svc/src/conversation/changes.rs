//! Edits and deletes: entries that change an earlier message.
//!
//! A change takes effect in the step that stores it: the message and, of a delete, every earlier edit of it say from then
//! on what the change made of them. Nothing else in a log ever changes.

use std::time::{Duration, SystemTime};

use parlor_types::{UserId, limits};

use super::{Content, Forbidden, Kind, Role, State};

/// What an edit or a delete has to know of the message it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Who sent it.
    pub sender: UserId,
    /// When it was stored.
    pub time: SystemTime,
    /// The text in it that may be another; `None`: there is none.
    pub text: Option<TextKind>,
    /// How often it was edited.
    pub edits: usize,
}

/// A text that may be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// All that the message says; never blank.
    Body,
    /// Under something else; may be empty.
    Caption,
}

impl Content {
    /// Whether it changes an earlier message, which the append has to name.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(self, Self::Edit(_) | Self::Delete)
    }

    /// The text in it that may be edited.
    #[must_use]
    pub fn text_kind(&self) -> Option<TextKind> {
        match self {
            Self::Text(_) => Some(TextKind::Body),
            Self::Image { .. } | Self::File { .. } | Self::Video { .. } | Self::Album { .. } => {
                Some(TextKind::Caption)
            }
            Self::Created { .. }
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(..)
            | Self::Voice(_)
            | Self::Location(_)
            | Self::SetAvatar(_)
            | Self::Edit(_)
            | Self::Delete
            | Self::Deleted(_)
            | Self::Withheld(_) => None,
        }
    }

    /// The same with another text; what has no text stays as it is.
    #[must_use]
    pub fn edited(mut self, text: &str) -> Self {
        match &mut self {
            Self::Text(body) => text.clone_into(body),
            Self::Image { caption, .. }
            | Self::File { caption, .. }
            | Self::Video { caption, .. }
            | Self::Album { caption, .. } => text.clone_into(caption),
            Self::Created { .. }
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(..)
            | Self::Voice(_)
            | Self::Location(_)
            | Self::SetAvatar(_)
            | Self::Edit(_)
            | Self::Delete
            | Self::Deleted(_)
            | Self::Withheld(_) => {}
        }
        self
    }
}

impl State {
    /// Whether `sender`, a member, may make this change of `target` at `now`. `target` is a message that the sender may read
    /// and that has not been deleted; `None`: there is no such.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn may_change(
        &self,
        sender: UserId,
        content: &Content,
        target: Option<&Target>,
        now: SystemTime,
        edit_window: Duration,
    ) -> Result<(), Forbidden> {
        let target = target.ok_or(Forbidden::TargetNotFound)?;
        match content {
            Content::Edit(text) => target.may_be_edited(sender, text, now, edit_window),
            _ if target.sender == sender => Ok(()),
            _ => {
                let role = self.members.get(&sender).map(|member| member.role);
                let moderates = self.kind == Kind::Group && role >= Some(Role::Admin);
                if moderates { Ok(()) } else { Err(Forbidden::Role) }
            }
        }
    }
}

impl Target {
    fn may_be_edited(
        &self,
        sender: UserId,
        text: &str,
        now: SystemTime,
        window: Duration,
    ) -> Result<(), Forbidden> {
        if self.sender != sender {
            return Err(Forbidden::Role);
        }
        match self.text {
            Some(TextKind::Body) if !text.trim().is_empty() => {}
            Some(TextKind::Caption) if text.len() > limits::MAX_CAPTION_BYTES => {
                return Err(Forbidden::CaptionTooLong);
            }
            Some(TextKind::Caption) => {}
            _ => return Err(Forbidden::TargetNotFound),
        }
        // A clock that was set back makes nothing too late.
        let age = now.duration_since(self.time).unwrap_or_default();
        if age > window || self.edits >= limits::MAX_EDITS { Err(Forbidden::EditTooLate) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::UNIX_EPOCH;

    use parlor_types::{Id as _, Seq};

    use super::*;
    use crate::conversation::{Member, Settings};

    const HOUR: Duration = Duration::from_secs(3600);

    fn user(number: u8) -> UserId {
        UserId::from_bytes([number; 16])
    }

    /// The owner is 1, an admin 2, members 3 and 4.
    fn state(kind: Kind) -> State {
        let roles = [(1, Role::Owner), (2, Role::Admin), (3, Role::Member), (4, Role::Member)];
        let member = |(number, role)| (user(number), Member { role, joined: Seq::FIRST });
        let members: BTreeMap<_, _> = roles.into_iter().map(member).collect();
        State::restored(kind, String::new(), Settings::default(), members, Seq(9), 5, UNIX_EPOCH)
    }

    fn target(sender: u8, text: Option<TextKind>) -> Target {
        Target { sender: user(sender), time: UNIX_EPOCH, text, edits: 0 }
    }

    fn edit(sender: u8, text: &str, target: Option<&Target>, after: Duration) -> Result<(), Forbidden> {
        let content = Content::Edit(text.to_owned());
        state(Kind::Group).may_change(user(sender), &content, target, UNIX_EPOCH + after, 24 * HOUR)
    }

    #[test]
    fn only_its_sender_edits_a_text_and_only_for_a_while() {
        let text = target(3, Some(TextKind::Body));
        assert_eq!(edit(3, "so", Some(&text), HOUR), Ok(()));
        assert_eq!(edit(3, "so", Some(&text), 24 * HOUR), Ok(()));
        let late = 24 * HOUR + Duration::from_millis(1);
        assert_eq!(edit(3, "so", Some(&text), late), Err(Forbidden::EditTooLate));
        assert_eq!(edit(1, "so", Some(&text), HOUR), Err(Forbidden::Role), "not even the owner");
        assert_eq!(edit(3, "so", None, HOUR), Err(Forbidden::TargetNotFound));
        assert_eq!(
            edit(3, " \n", Some(&text), HOUR),
            Err(Forbidden::TargetNotFound),
            "a text says something"
        );
        assert_eq!(edit(3, "so", Some(&target(3, None)), HOUR), Err(Forbidden::TargetNotFound));
        let worn = Target { edits: limits::MAX_EDITS, ..text };
        assert_eq!(edit(3, "so", Some(&worn), HOUR), Err(Forbidden::EditTooLate));
    }

    #[test]
    fn a_caption_may_be_empty_and_is_short() {
        let caption = target(3, Some(TextKind::Caption));
        assert_eq!(edit(3, "", Some(&caption), HOUR), Ok(()));
        let most = "x".repeat(limits::MAX_CAPTION_BYTES);
        assert_eq!(edit(3, &most, Some(&caption), HOUR), Ok(()));
        let more = format!("{most}x");
        assert_eq!(edit(3, &more, Some(&caption), HOUR), Err(Forbidden::CaptionTooLong));
        assert_eq!(edit(3, &more, Some(&target(3, Some(TextKind::Body))), HOUR), Ok(()));
    }

    #[test]
    fn a_message_is_deleted_by_its_sender_or_by_who_moderates() {
        let of = |kind, sender, target: &Target| {
            let late = UNIX_EPOCH + 10_000 * HOUR;
            state(kind).may_change(user(sender), &Content::Delete, Some(target), late, 24 * HOUR)
        };
        let text = target(3, None);
        for (sender, allowed) in [(1, true), (2, true), (3, true), (4, false)] {
            assert_eq!(of(Kind::Group, sender, &text).is_ok(), allowed, "{sender}");
        }
        assert_eq!(of(Kind::Direct, 3, &text), Ok(()));
        assert_eq!(of(Kind::Direct, 1, &text), Err(Forbidden::Role), "there are no roles between two");
    }
}

//! Preferences and badges.

use parlor_types::{DisplayName, Seq, limits};
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::{Invalid, time, to_time};

use super::{mark_problem, not_found, problem};
use crate::preferences::{Badge, Draft, PreferenceChanges, Preferences};
use crate::store::{AppendError, Preferred};

/// Validates changes.
///
/// # Errors
/// A field breaks a rule; they are named from `changes` on.
pub fn preference_changes(changes: Option<&wire::PreferenceChanges>) -> Result<PreferenceChanges, Invalid> {
    let changes = changes.ok_or_else(|| Invalid::field("changes", "must be set"))?;
    Ok(PreferenceChanges {
        muted_until: changes.muted_until.map(|until| time("changes.muted_until", until)).transpose()?,
        pinned: changes.pinned,
        archived: changes.archived,
        hidden: changes.hidden,
        marked_unread: changes.marked_unread,
        draft: changes.draft.as_ref().map(draft).transpose()?,
        custom_name: changes.custom_name.as_deref().map(custom_name).transpose()?,
    })
}

fn draft(draft: &wire::Draft) -> Result<Option<Draft>, Invalid> {
    if draft.text.len() > limits::MAX_DRAFT_BYTES {
        let rule = format!("must be at most {} bytes", limits::MAX_DRAFT_BYTES);
        return Err(Invalid::field("changes.draft.text", rule));
    }
    if draft.text.is_empty() {
        return Ok(None);
    }
    let reply_to = (draft.reply_to > 0).then_some(Seq(draft.reply_to));
    Ok(Some(Draft { text: draft.text.clone(), reply_to }))
}

fn custom_name(name: &str) -> Result<String, Invalid> {
    if name.is_empty() {
        return Ok(String::new());
    }
    DisplayName::new(name, limits::MAX_CUSTOM_NAME)
        .map(|name| name.as_str().to_owned())
        .map_err(|error| Invalid::field("changes.custom_name", error.to_string()))
}

/// Preferences for their member.
#[must_use]
pub fn preferences(preferences: &Preferences) -> wire::Preferences {
    let draft = preferences.draft.as_ref();
    wire::Preferences {
        muted_until: preferences.muted_until.map(to_time),
        pinned_at: preferences.pinned_at.map(to_time),
        archived: preferences.archived,
        hidden: preferences.hidden,
        marked_unread: preferences.marked_unread,
        draft: draft.map(|draft| draft.text.clone()).unwrap_or_default(),
        draft_reply_to: draft.and_then(|draft| draft.reply_to).unwrap_or_default().0,
        custom_name: preferences.custom_name.clone(),
    }
}

/// What became of changes.
///
/// # Errors
/// Why nothing was changed.
pub fn preferred(result: Result<Preferred, AppendError>) -> Result<wire::Preferences, Problem> {
    match result.map_err(mark_problem)? {
        Preferred::Now(now, _) => Ok(preferences(&now)),
        Preferred::NotFound => Err(not_found()),
        Preferred::Ahead => Err(problem(ErrorReason::SeqAhead, "draft.reply_to is above the head")),
        Preferred::TooManyPinned => {
            let message = format!("at most {} conversations are pinned", limits::MAX_PINNED);
            Err(problem(ErrorReason::TooManyPinned, message))
        }
    }
}

/// A badge.
#[must_use]
pub fn badge(badge: Badge) -> wire::GetBadgeResponse {
    wire::GetBadgeResponse {
        unread: badge.unread,
        unread_mentions: badge.unread_mentions,
        conversations: badge.conversations,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(changes: wire::PreferenceChanges) -> Option<String> {
        preference_changes(Some(&changes)).err().map(|invalid| invalid.0[0].field.clone())
    }

    #[test]
    fn bad_changes_are_named() {
        let draft = |bytes| wire::PreferenceChanges {
            draft: Some(wire::Draft { text: "x".repeat(bytes), reply_to: 0 }),
            ..wire::PreferenceChanges::default()
        };
        assert_eq!(fault(draft(limits::MAX_DRAFT_BYTES)), None);
        assert_eq!(fault(draft(limits::MAX_DRAFT_BYTES + 1)).as_deref(), Some("changes.draft.text"));
        let named = |name: &str| wire::PreferenceChanges {
            custom_name: Some(name.to_owned()),
            ..wire::PreferenceChanges::default()
        };
        for (name, good) in [
            ("", true),
            (&*"ü".repeat(100), true),
            (&*"ü".repeat(101), false),
            ("a\nb", false),
            ("a\u{7}b", false),
            ("  ", false),
        ] {
            let wanted = (!good).then_some("changes.custom_name");
            assert_eq!(fault(named(name)).as_deref(), wanted, "{name:?}");
        }
        for (seconds, good) in
            [(0, true), (253_402_300_799, true), (253_402_300_800, false), (i64::MIN, false)]
        {
            let mut until = to_time(std::time::UNIX_EPOCH);
            until.seconds = seconds;
            let muted =
                wire::PreferenceChanges { muted_until: Some(until), ..wire::PreferenceChanges::default() };
            assert_eq!(fault(muted).as_deref(), (!good).then_some("changes.muted_until"), "{seconds}");
        }
        assert_eq!(preference_changes(None).unwrap_err().0[0].field, "changes");
    }
}

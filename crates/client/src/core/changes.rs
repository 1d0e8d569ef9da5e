//! Changes of preferences as values: merged field by field, taken back field by field, laid over what the server said.

use parlor_wire::chat::v1::{PreferenceChanges as Changes, Preferences};
use prost_types::Timestamp;

/// Where a conversation stands that was pinned here and has no time from the server yet: above all others. The last
/// second of the year 9999.
const JUST_PINNED: Timestamp = Timestamp { seconds: 253_402_300_799, nanos: 0 };

/// Does the same with every field.
macro_rules! each_field {
    ($do:ident) => {
        $do!(muted_until);
        $do!(pinned);
        $do!(archived);
        $do!(hidden);
        $do!(marked_unread);
        $do!(draft);
        $do!(custom_name);
    };
}

/// Nothing changes.
#[must_use]
pub fn is_empty(changes: &Changes) -> bool {
    *changes == Changes::default()
}

/// What `newer` sets replaces what was set.
pub fn merge(into: &mut Changes, newer: &Changes) {
    macro_rules! take {
        ($field:ident) => {
            if newer.$field.is_some() {
                into.$field.clone_from(&newer.$field);
            }
        };
    }
    each_field!(take);
}

/// What `answered` sets is no longer set.
pub fn remove(from: &mut Changes, answered: &Changes) {
    macro_rules! drop {
        ($field:ident) => {
            if answered.$field.is_some() {
                from.$field = None;
            }
        };
    }
    each_field!(drop);
}

/// So many fields are set.
#[must_use]
pub(super) fn count(changes: &Changes) -> usize {
    let mut fields = 0;
    macro_rules! count {
        ($field:ident) => {
            fields += usize::from(changes.$field.is_some());
        };
    }
    each_field!(count);
    fields
}

/// One field of those that are set, and nothing else.
pub(super) fn first(changes: &Changes) -> Changes {
    let mut found = Changes::default();
    macro_rules! first {
        ($field:ident) => {
            if changes.$field.is_some() {
                found.$field.clone_from(&changes.$field);
                return found;
            }
        };
    }
    each_field!(first);
    found
}

/// Shows `changes` as if the server had made them. A mute that ends in the past is shown with that end: whoever reads
/// it compares with the clock anyway.
pub fn overlay(preferences: &mut Preferences, changes: &Changes) {
    if let Some(until) = changes.muted_until {
        preferences.muted_until = Some(until);
    }
    if let Some(pinned) = changes.pinned {
        let at = preferences.pinned_at.unwrap_or(JUST_PINNED);
        preferences.pinned_at = pinned.then_some(at);
    }
    preferences.archived = changes.archived.unwrap_or(preferences.archived);
    preferences.hidden = changes.hidden.unwrap_or(preferences.hidden);
    preferences.marked_unread = changes.marked_unread.unwrap_or(preferences.marked_unread);
    if let Some(draft) = &changes.draft {
        preferences.draft.clone_from(&draft.text);
        preferences.draft_reply_to = draft.reply_to;
    }
    if let Some(name) = &changes.custom_name {
        preferences.custom_name.clone_from(name);
    }
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::Draft;

    use super::*;

    fn all() -> Changes {
        Changes {
            muted_until: Some(Timestamp { seconds: 5, nanos: 0 }),
            pinned: Some(true),
            archived: Some(true),
            hidden: Some(true),
            marked_unread: Some(true),
            draft: Some(Draft { text: "so".into(), reply_to: 3 }),
            custom_name: Some("Mum".into()),
        }
    }

    #[test]
    fn the_newer_of_each_field_stays() {
        let mut changes = Changes { pinned: Some(true), archived: Some(true), ..Changes::default() };
        merge(&mut changes, &Changes { pinned: Some(false), hidden: Some(true), ..Changes::default() });
        let expected =
            Changes { pinned: Some(false), archived: Some(true), hidden: Some(true), ..Changes::default() };
        assert_eq!(changes, expected);
        let mut everything = Changes::default();
        merge(&mut everything, &all());
        assert_eq!(everything, all(), "no field is forgotten");
    }

    #[test]
    fn one_field_after_the_other_is_all_of_them() {
        let (mut left, mut seen) = (all(), Changes::default());
        for fields in (0..7).rev() {
            let one = first(&left);
            assert_eq!(count(&one), 1);
            remove(&mut left, &one);
            merge(&mut seen, &one);
            assert_eq!(count(&left), fields);
        }
        assert!(is_empty(&left) && seen == all());
    }

    #[test]
    fn what_is_changed_here_is_shown_at_once() {
        let mut preferences = Preferences::default();
        overlay(&mut preferences, &all());
        let shown = Preferences {
            muted_until: Some(Timestamp { seconds: 5, nanos: 0 }),
            pinned_at: Some(JUST_PINNED),
            archived: true,
            hidden: true,
            marked_unread: true,
            draft: "so".into(),
            draft_reply_to: 3,
            custom_name: "Mum".into(),
        };
        assert_eq!(preferences, shown);
        overlay(&mut preferences, &Changes::default());
        assert_eq!(preferences, shown, "what is absent stays");
        overlay(&mut preferences, &Changes { pinned: Some(false), ..Changes::default() });
        assert_eq!(preferences.pinned_at, None);
        let since = Timestamp { seconds: 9, nanos: 0 };
        preferences.pinned_at = Some(since);
        overlay(&mut preferences, &Changes { pinned: Some(true), ..Changes::default() });
        assert_eq!(preferences.pinned_at, Some(since), "it was pinned already");
    }
}

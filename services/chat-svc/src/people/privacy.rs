//! What a user lets others see and do.

/// Who may do or see something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Everybody but those blocked.
    Everyone,
    /// Contacts; where it is about being seen, also those one shares a conversation with.
    Contacts,
    /// Nobody.
    Nobody,
}

/// The settings of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Privacy {
    /// Read marks are shown to others, and those of others to the user.
    pub read_receipts: bool,
    /// Who sees the user online, and their status.
    pub online: Audience,
    /// Who sees when they were last there.
    pub last_seen: Audience,
    /// Who may begin a direct conversation with them.
    pub direct: Audience,
    /// Who may add them to a group.
    pub groups: Audience,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            read_receipts: true,
            online: Audience::Contacts,
            last_seen: Audience::Contacts,
            direct: Audience::Everyone,
            groups: Audience::Everyone,
        }
    }
}

/// What to change of them; `None` leaves a setting as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrivacyChanges {
    /// See [`Privacy`].
    pub read_receipts: Option<bool>,
    /// See [`Privacy`].
    pub online: Option<Audience>,
    /// See [`Privacy`].
    pub last_seen: Option<Audience>,
    /// See [`Privacy`].
    pub direct: Option<Audience>,
    /// See [`Privacy`].
    pub groups: Option<Audience>,
}

impl Privacy {
    /// The settings with these changes made.
    #[must_use]
    pub fn with(self, changes: &PrivacyChanges) -> Self {
        Self {
            read_receipts: changes.read_receipts.unwrap_or(self.read_receipts),
            online: changes.online.unwrap_or(self.online),
            last_seen: changes.last_seen.unwrap_or(self.last_seen),
            direct: changes.direct.unwrap_or(self.direct),
            groups: changes.groups.unwrap_or(self.groups),
        }
    }

    /// Whether the user sees more of others' marks with these settings than with those before: what they have read, or
    /// when they were where they are.
    #[must_use]
    pub fn sees_more_marks_than(&self, before: &Self) -> bool {
        let times = |privacy: &Self| privacy.last_seen != Audience::Nobody;
        (self.read_receipts && !before.read_receipts) || (times(self) && !times(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_seen_by_those_who_share_theirs() {
        let open = Privacy::default();
        let no_reads = Privacy { read_receipts: false, ..open };
        let no_times = Privacy { last_seen: Audience::Nobody, ..open };
        for (after, before, more) in [
            (open, no_reads, true),
            (open, no_times, true),
            (no_reads, no_times, true),
            (no_reads, open, false),
            (no_times, open, false),
            (Privacy { last_seen: Audience::Everyone, online: Audience::Nobody, ..open }, open, false),
        ] {
            assert_eq!(after.sees_more_marks_than(&before), more, "{after:?} after {before:?}");
        }
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let before = Privacy { direct: Audience::Contacts, ..Privacy::default() };
        assert_eq!(before.with(&PrivacyChanges::default()), before);
        let changes = PrivacyChanges { online: Some(Audience::Nobody), ..PrivacyChanges::default() };
        assert_eq!(before.with(&changes), Privacy { online: Audience::Nobody, ..before });
        let all = PrivacyChanges {
            read_receipts: Some(false),
            online: Some(Audience::Nobody),
            last_seen: Some(Audience::Everyone),
            direct: Some(Audience::Nobody),
            groups: Some(Audience::Contacts),
        };
        let after = Privacy {
            read_receipts: false,
            online: Audience::Nobody,
            last_seen: Audience::Everyone,
            direct: Audience::Nobody,
            groups: Audience::Contacts,
        };
        assert_eq!(before.with(&all), after);
    }
}

//! A stored entry and those it concerns.

use std::sync::Arc;

use parlor_types::UserId;

use crate::conversation::Change;
use crate::log::Entry;

/// A stored entry on its way to those who may see it.
#[derive(Debug, Clone)]
pub struct Published {
    /// The entry.
    pub entry: Entry,
    /// Who gets it.
    pub receivers: Arc<[UserId]>,
    /// Who of them gets it without its content.
    pub withheld: Vec<UserId>,
    /// Who of them gets it without its content because they were no member at the time of the message it is about.
    pub not_members: Vec<UserId>,
    /// To whom the conversation appears with it: they need its row, not this entry.
    pub newcomers: Vec<UserId>,
    /// Whom it removes: their row changes with it.
    pub leavers: Vec<UserId>,
}

impl Published {
    pub(super) fn new(entry: Entry, receivers: Arc<[UserId]>, changes: &[Change]) -> Self {
        let pick = |wanted: fn(&Change) -> Option<UserId>| changes.iter().filter_map(wanted).collect();
        let newcomers = pick(|change| match change {
            Change::Opened { user, .. } => Some(*user),
            _ => None,
        });
        let leavers = pick(|change| match change {
            Change::Closed { user } => Some(*user),
            _ => None,
        });
        Self { entry, receivers, withheld: Vec::new(), not_members: Vec::new(), newcomers, leavers }
    }
}

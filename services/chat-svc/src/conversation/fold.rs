//! What a stored entry does to its conversation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use parlor_types::{Seq, UserId};

use super::{Content, HistoryVisibility, Kind, Member, Role, Settings, State};

/// What an entry changes beside the log; stored in the same step as the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A user becomes a member, and may read from `from` on.
    Opened {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
        /// First readable entry.
        from: Seq,
    },
    /// A user is no longer a member; this entry is the last they can read.
    Closed {
        /// Who.
        user: UserId,
    },
    /// A member has another role.
    Role {
        /// Who.
        user: UserId,
        /// Which.
        role: Role,
    },
    /// The conversation has another name.
    Name(String),
    /// The conversation has other settings.
    Settings(Settings),
    /// The entry says which picture the group has from here on; `false`: none.
    Avatar(bool),
}

impl State {
    /// The state after the first entry, which `creator` appended.
    #[must_use]
    pub fn created(
        creator: UserId,
        kind: Kind,
        name: String,
        others: &[UserId],
        settings: Settings,
        time: SystemTime,
    ) -> (Self, Vec<Change>) {
        let first = if kind == Kind::Group { Role::Owner } else { Role::Member };
        let mut members = BTreeMap::from([(creator, Member { role: first, joined: Seq::FIRST })]);
        for user in others {
            members.entry(*user).or_insert(Member { role: Role::Member, joined: Seq::FIRST });
        }
        let changes = members
            .iter()
            .map(|(user, member)| Change::Opened { user: *user, role: member.role, from: Seq::FIRST })
            .collect();
        (Self::restored(kind, name, settings, members, Seq::FIRST, 0, time), changes)
    }

    /// Folds the entry after the head. `content` is what [`State::propose`] made of the append.
    pub fn apply(&mut self, sender: UserId, content: &Content, time: SystemTime) -> Vec<Change> {
        self.head = self.head.next();
        self.time = time;
        if content.is_message() {
            self.number += 1;
        }
        let changes = self.changes(sender, content);
        for change in &changes {
            self.change(change);
        }
        let membership = |change: &Change| matches!(change, Change::Opened { .. } | Change::Closed { .. });
        if changes.iter().any(membership) {
            self.audience = self.members.keys().copied().collect();
        }
        changes
    }

    fn changes(&self, sender: UserId, content: &Content) -> Vec<Change> {
        match content {
            Content::Created { .. }
            | Content::Text(_)
            | Content::Image { .. }
            | Content::File { .. }
            | Content::Voice(_)
            | Content::Video { .. }
            | Content::Album { .. }
            | Content::Location(_)
            | Content::Edit(_)
            | Content::Delete
            | Content::Deleted(_)
            | Content::Withheld(_) => Vec::new(),
            Content::Add(users) => {
                let from = match self.settings.history_visibility {
                    HistoryVisibility::FromJoin => self.head,
                    HistoryVisibility::All => Seq::FIRST,
                };
                users.iter().map(|user| Change::Opened { user: *user, role: Role::Member, from }).collect()
            }
            Content::Remove(users) => users.iter().map(|user| Change::Closed { user: *user }).collect(),
            Content::Leave(successor) => successor
                .map(|user| Change::Role { user, role: Role::Owner })
                .into_iter()
                .chain([Change::Closed { user: sender }])
                .collect(),
            Content::Rename(name) => vec![Change::Name(name.clone())],
            Content::Settings(settings) => vec![Change::Settings(*settings)],
            Content::SetRole(user, role) => vec![Change::Role { user: *user, role: *role }],
            Content::SetAvatar(media) => vec![Change::Avatar(media.is_some())],
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Opened { user, role, .. } => {
                self.members.insert(*user, Member { role: *role, joined: self.head });
            }
            Change::Closed { user } => {
                self.members.remove(user);
            }
            Change::Role { user, role } => {
                if let Some(member) = self.members.get_mut(user) {
                    member.role = *role;
                }
            }
            Change::Name(name) => self.name.clone_from(name),
            Change::Settings(settings) => self.settings = *settings,
            // No rule asks for the picture: stores keep it for rows alone.
            Change::Avatar(_) => {}
        }
    }

    /// Who gets the entry that `changes` belong to: the members after it, and those it removes, whose last it is.
    #[must_use]
    pub fn receivers(&self, changes: &[Change]) -> Arc<[UserId]> {
        let closed = changes.iter().filter_map(|change| match change {
            Change::Closed { user } => Some(*user),
            _ => None,
        });
        let closed: Vec<UserId> = closed.collect();
        if closed.is_empty() { self.audience() } else { self.members.keys().copied().chain(closed).collect() }
    }
}

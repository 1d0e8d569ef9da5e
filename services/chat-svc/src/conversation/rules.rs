//! Who may append what. Pure: the facts are the state at the head, where appends are serialised, so that nobody
//! removed slips an entry in.

use parlor_types::UserId;

use super::{Content, Kind, Role, State};

/// Why an append is refused by the state of its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// No longer a member, or not of the role it takes.
    Role,
    /// Not in this kind of conversation, or not twice.
    Content,
    /// The conversation is created already.
    Exists,
    /// More members than a group takes.
    Full,
    /// Everybody named is a member already.
    AlreadyMember,
    /// Somebody named is not a member.
    MemberNotFound,
    /// No such message, or not one that can be changed so.
    TargetNotFound,
    /// Too old to be edited, or edited too often.
    EditTooLate,
    /// A caption is shorter.
    CaptionTooLong,
}

impl State {
    /// What the append of `content` by `sender` would store: `content` itself, or what is left of it.
    ///
    /// # Errors
    /// [`Forbidden`]; the conversation is unchanged.
    pub fn propose(
        &self,
        sender: UserId,
        content: &Content,
        max_members: usize,
    ) -> Result<Content, Forbidden> {
        let role = self.members.get(&sender).map(|member| member.role).ok_or(Forbidden::Role)?;
        let needed = match content {
            Content::Created { .. } => return Err(Forbidden::Exists),
            Content::Text(_)
            | Content::Image { .. }
            | Content::File { .. }
            | Content::Voice(_)
            | Content::Video { .. }
            | Content::Album { .. }
            | Content::Location(_) => return Ok(content.clone()),
            // Whether a message may be changed is asked apart: see `changes`.
            Content::Edit(_) | Content::Delete => return Ok(content.clone()),
            Content::Withheld(_) | Content::Deleted(_) => return Err(Forbidden::Content),
            Content::Leave(_) => Role::Member,
            Content::Add(_)
            | Content::Remove(_)
            | Content::Rename(_)
            | Content::Settings(_)
            | Content::SetAvatar(_) => Role::Admin,
            Content::SetRole(..) => Role::Owner,
        };
        if self.kind == Kind::Direct {
            return Err(Forbidden::Content);
        }
        if role < needed {
            return Err(Forbidden::Role);
        }
        match content {
            Content::Add(users) => self.propose_add(users, max_members),
            Content::Remove(users) => self.propose_remove(sender, role, users),
            Content::Leave(_) => Ok(Content::Leave(self.successor(sender, role))),
            Content::SetRole(user, new) => self.propose_role(*user, *new),
            other => Ok(other.clone()),
        }
    }

    /// Whether these users may be mentioned: all are members.
    #[must_use]
    pub fn has_members(&self, users: &[UserId]) -> bool {
        users.iter().all(|user| self.members.contains_key(user))
    }

    fn propose_add(&self, users: &[UserId], max_members: usize) -> Result<Content, Forbidden> {
        let mut new: Vec<UserId> = Vec::with_capacity(users.len());
        for user in users {
            if !self.members.contains_key(user) && !new.contains(user) {
                new.push(*user);
            }
        }
        if new.is_empty() {
            Err(Forbidden::AlreadyMember)
        } else if self.members.len() + new.len() > max_members {
            Err(Forbidden::Full)
        } else {
            Ok(Content::Add(new))
        }
    }

    fn propose_remove(&self, sender: UserId, role: Role, users: &[UserId]) -> Result<Content, Forbidden> {
        let mut gone: Vec<UserId> = Vec::with_capacity(users.len());
        for user in users {
            let member = self.members.get(user).ok_or(Forbidden::MemberNotFound)?;
            if *user == sender || member.role >= role {
                return Err(Forbidden::Role);
            }
            if !gone.contains(user) {
                gone.push(*user);
            }
        }
        Ok(Content::Remove(gone))
    }

    fn propose_role(&self, user: UserId, role: Role) -> Result<Content, Forbidden> {
        let member = self.members.get(&user).ok_or(Forbidden::MemberNotFound)?;
        if member.role == Role::Owner && role < Role::Owner && self.owners() == 1 {
            return Err(Forbidden::Role);
        }
        Ok(Content::SetRole(user, role))
    }

    fn owners(&self) -> usize {
        self.members.values().filter(|member| member.role == Role::Owner).count()
    }

    /// Who becomes owner when `leaver` goes: the highest role first, then who has been there longest.
    fn successor(&self, leaver: UserId, role: Role) -> Option<UserId> {
        if role < Role::Owner || self.owners() > 1 {
            return None;
        }
        self.members
            .iter()
            .filter(|(user, _)| **user != leaver)
            .min_by_key(|(user, member)| (std::cmp::Reverse(member.role), member.joined, **user))
            .map(|(user, _)| *user)
    }
}

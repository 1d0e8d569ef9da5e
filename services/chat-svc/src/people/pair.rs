//! Two users, each with their own side of what is between them, and what an action of one does to both. Pure.
//!
//! The sides need not mirror each other: whoever is blocked may ask, and sees their request as open; the other side
//! knows nothing of it. So nobody learns from an answer that they are blocked. The same where somebody has as many open
//! requests as they may have.

use std::fmt;

use parlor_types::limits;

/// Contact, request or nothing, as seen from one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Relation {
    /// Nothing.
    #[default]
    None,
    /// I have asked them.
    Requested,
    /// They have asked me.
    Received,
    /// Contacts.
    Contact,
}

impl Relation {
    /// Whether it counts among contacts and open requests of one's own.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Requested | Self::Contact)
    }
}

/// One side of a pair: what the other is to this user.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Side {
    /// Contact, request or nothing.
    pub relation: Relation,
    /// Came with the request, as long as it is open.
    pub note: String,
    /// This user has blocked the other.
    pub blocked: bool,
}

impl Side {
    /// Whether the other can be forgotten.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.relation == Relation::None && !self.blocked
    }

    fn relate(&mut self, relation: Relation, note: &str) {
        self.relation = relation;
        note.clone_into(&mut self.note);
    }
}

/// Notes stay out of logs.
impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.relation, if self.blocked { ", blocked" } else { "" })
    }
}

/// What a user does about another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Asks them to be a contact, with a note.
    Request(String),
    /// Accepts their request.
    Accept,
    /// Ends a contact or a request, whichever there is.
    Remove,
    /// Blocks them.
    Block,
    /// Ends the block.
    Unblock,
}

/// Notes stay out of logs.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "Request",
            Self::Accept => "Accept",
            Self::Remove => "Remove",
            Self::Block => "Block",
            Self::Unblock => "Unblock",
        })
    }
}

/// Why an action is refused; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// The user has blocked the other.
    Blocked,
    /// No request of the other is open.
    NoRequest,
    /// As many contacts and open requests as there may be.
    TooManyContacts,
    /// As many blocked users as there may be.
    TooManyBlocked,
}

/// Whether there is room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Among the acting user's contacts and open requests.
    pub contacts: bool,
    /// Among those the acting user has blocked.
    pub blocked: bool,
    /// Among the open requests that the other has received.
    pub received: bool,
}

/// Something there may be only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Contacts and open requests of the acting user's own: those whose relation [`counts`](Relation::counts).
    Contacts,
    /// Users the acting user has blocked.
    Blocked,
    /// Open requests that the other has received.
    Received,
}

impl Room {
    /// Counts what the action may make more of.
    ///
    /// # Errors
    /// Those of `count`.
    pub fn find<E>(action: &Action, mut count: impl FnMut(Counted) -> Result<usize, E>) -> Result<Self, E> {
        let (contacts, blocked, received) = match action {
            Action::Request(_) => (true, false, true),
            Action::Accept => (true, false, false),
            Action::Block => (false, true, false),
            Action::Remove | Action::Unblock => (false, false, false),
        };
        let mut room = |asked: bool, counted, most| Ok(!asked || count(counted)? < most);
        Ok(Self {
            contacts: room(contacts, Counted::Contacts, limits::MAX_CONTACTS)?,
            blocked: room(blocked, Counted::Blocked, limits::MAX_BLOCKED)?,
            received: room(received, Counted::Received, limits::MAX_RECEIVED_REQUESTS)?,
        })
    }
}

/// Two users: the acting one's side and the other's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Pair {
    /// What the other is to the acting user.
    pub mine: Side,
    /// What the acting user is to the other.
    pub theirs: Side,
}

impl Pair {
    /// What the action makes of the pair. Doing again what is done changes nothing.
    ///
    /// # Errors
    /// Why not.
    pub fn after(&self, action: &Action, room: Room) -> Result<Self, Refused> {
        let mut pair = self.clone();
        match action {
            Action::Request(note) => pair.request(note, room)?,
            Action::Accept => pair.accept()?,
            Action::Remove => pair.part(),
            Action::Block => pair.block(room)?,
            Action::Unblock => pair.mine.blocked = false,
        }
        let grows = pair.mine.relation.counts() && !self.mine.relation.counts();
        if grows && !room.contacts { Err(Refused::TooManyContacts) } else { Ok(pair) }
    }

    fn request(&mut self, note: &str, room: Room) -> Result<(), Refused> {
        if self.mine.blocked {
            return Err(Refused::Blocked);
        }
        if self.mine.relation == Relation::Contact {
            return Ok(());
        }
        if self.theirs.relation == Relation::Requested {
            self.befriend();
            return Ok(());
        }
        self.mine.relate(Relation::Requested, note);
        let shown = self.theirs.relation == Relation::Received || room.received;
        if shown && !self.theirs.blocked {
            self.theirs.relate(Relation::Received, note);
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<(), Refused> {
        match self.mine.relation {
            Relation::Received => self.befriend(),
            Relation::Contact => {}
            Relation::None | Relation::Requested => return Err(Refused::NoRequest),
        }
        Ok(())
    }

    fn befriend(&mut self) {
        self.mine.relate(Relation::Contact, "");
        self.theirs.relate(Relation::Contact, "");
    }

    /// Where this side has nothing, a request that the other believes to be open stays so.
    fn part(&mut self) {
        if self.mine.relation != Relation::None {
            self.mine.relate(Relation::None, "");
            self.theirs.relate(Relation::None, "");
        }
    }

    fn block(&mut self, room: Room) -> Result<(), Refused> {
        if self.mine.blocked {
            return Ok(());
        }
        if !room.blocked {
            return Err(Refused::TooManyBlocked);
        }
        self.mine = Side { blocked: true, ..Side::default() };
        self.theirs.relate(Relation::None, "");
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! How somebody is there: from what their streams do and what they have chosen, to what another may see of it.
//!
//! Three steps, each a pure function: a [`Connection`] and a status make a [`Shown`]; a [`Sight`] makes of that the
//! [`Presence`] that one viewer gets.

mod people;

use std::time::SystemTime;

pub use people::{Needed, People, Record};

use crate::status::{Appearance, Status, StatusText};
use crate::time::Minute;

/// What somebody's streams amount to; streams that were lost count as they were until their grace is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// An app is connected.
    pub there: bool,
    /// An app is in front.
    pub in_front: bool,
    /// An app is in front, and its stream is not merely counted on.
    pub in_front_now: bool,
}

impl Connection {
    /// What of it counts for somebody who wants to appear like this.
    fn as_chosen(self, appearance: Appearance) -> Self {
        match appearance {
            Appearance::Online | Appearance::DoNotDisturb => self,
            Appearance::Away => Self { there: self.there, ..Self::default() },
            Appearance::Invisible => Self::default(),
        }
    }
}

/// How somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Availability {
    /// Not connected, or invisible.
    Offline,
    /// Connected, with no app in front; or chosen.
    Away,
    /// Connected, and chosen.
    DoNotDisturb,
    /// An app is in front.
    Online,
}

/// What somebody shows to those who may see everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// How they are there.
    pub availability: Availability,
    /// Whether an app counts as being in front.
    pub in_front: bool,
    /// When an app was last in front; while one is, when one was before that.
    pub last_seen: Option<Minute>,
    /// Their words.
    pub text: StatusText,
}

impl Shown {
    /// What they show at `wall`.
    #[must_use]
    pub fn of(connection: Connection, record: &Record, wall: SystemTime) -> Self {
        let Status { appearance, text, .. } = record.status.at(wall);
        let counted = connection.as_chosen(appearance);
        let availability = match (counted.there, counted.in_front, appearance) {
            (false, ..) => Availability::Offline,
            (true, _, Appearance::DoNotDisturb) => Availability::DoNotDisturb,
            (true, true, _) => Availability::Online,
            (true, false, _) => Availability::Away,
        };
        let text = if appearance == Appearance::Invisible { StatusText::default() } else { text };
        Self { availability, in_front: counted.in_front, last_seen: record.last_seen, text }
    }

    /// What one who may see this much gets. While an app is in front there is no last seen; but who may not see that
    /// one is, is told what was before, or the absence would say it.
    #[must_use]
    pub fn to(&self, sight: Sight) -> Presence {
        let told = sight.last_seen && !(sight.online && self.in_front);
        Presence {
            availability: sight.online.then_some(self.availability),
            last_seen: self.last_seen.filter(|_| told),
            text: if sight.online { self.text.clone() } else { StatusText::default() },
        }
    }
}

/// What somebody may see of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// How they are there, and their words.
    pub online: bool,
    /// When they were last seen.
    pub last_seen: bool,
}

/// What somebody is told of somebody. The default tells nothing, of whomever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// How they are there.
    pub availability: Option<Availability>,
    /// When an app of theirs was last in front.
    pub last_seen: Option<Minute>,
    /// Their words.
    pub text: StatusText,
}

#[cfg(test)]
mod tests;

//! Who may bring whom into a conversation. Pure.

use super::{Audience, Privacy, Relation, Side};

/// What somebody is brought into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A direct conversation.
    Direct,
    /// A group.
    Group,
}

/// Whether somebody is brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Acceptance {
    /// They take it.
    Takes,
    /// They do not: by their settings, or since they have blocked whoever asks. The two cannot be told apart.
    Declines,
    /// Whoever asks has blocked them.
    Blocked,
}

impl Acceptance {
    /// `asks`: what the one brought in is to the one who asks; `asked`: the other way round, with their settings.
    #[must_use]
    pub fn of(purpose: Purpose, asks: &Side, asked: &Side, settings: &Privacy) -> Self {
        let audience = match purpose {
            Purpose::Direct => settings.direct,
            Purpose::Group => settings.groups,
        };
        let within = match audience {
            Audience::Everyone => true,
            Audience::Contacts => asked.relation == Relation::Contact,
            Audience::Nobody => false,
        };
        if asks.blocked {
            Self::Blocked
        } else if asked.blocked || !within {
            Self::Declines
        } else {
            Self::Takes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(relation: Relation, blocked: bool) -> Side {
        Side { relation, blocked, ..Side::default() }
    }

    #[test]
    fn who_may_bring_whom_in() {
        use Acceptance::{Blocked, Declines, Takes};
        use Audience::{Contacts, Everyone, Nobody};
        let (none, contact) = (side(Relation::None, false), side(Relation::Contact, false));
        let (asking, blocking) = (side(Relation::Requested, false), side(Relation::None, true));
        for (audience, asks, asked, wanted) in [
            (Everyone, &none, &none, Takes),
            (Everyone, &none, &blocking, Declines),
            (Everyone, &blocking, &none, Blocked),
            (Everyone, &blocking, &blocking, Blocked),
            (Contacts, &none, &none, Declines),
            (Contacts, &none, &asking, Declines),
            (Contacts, &contact, &contact, Takes),
            (Contacts, &blocking, &none, Blocked),
            (Nobody, &contact, &contact, Declines),
            (Nobody, &none, &blocking, Declines),
        ] {
            for purpose in [Purpose::Direct, Purpose::Group] {
                let mut settings = Privacy { direct: Nobody, groups: Nobody, ..Privacy::default() };
                match purpose {
                    Purpose::Direct => settings.direct = audience,
                    Purpose::Group => settings.groups = audience,
                }
                let found = Acceptance::of(purpose, asks, asked, &settings);
                assert_eq!(found, wanted, "{purpose:?}, {audience:?}, {asks:?}, {asked:?}");
            }
        }
    }
}

//! Who sees whom. Pure.

use super::{Audience, Privacy};

/// What one user may see of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Visibility {
    /// Online, away, the status text.
    pub online: bool,
    /// When they were last there.
    pub last_seen: bool,
}

/// What is between a viewer and somebody else, as far as being seen depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tie {
    /// One of them has blocked the other.
    Blocked,
    /// They are contacts, or both are in one conversation.
    Close,
    /// Neither.
    Strangers,
}

impl Visibility {
    /// What everybody sees of themselves.
    pub const OWN: Self = Self { online: true, last_seen: true };

    /// What a viewer with these settings may see of a user with those.
    #[must_use]
    pub fn of(viewer: &Privacy, user: &Privacy, tie: Tie) -> Self {
        Self {
            online: sees(viewer.online, user.online, tie),
            last_seen: sees(viewer.last_seen, user.last_seen, tie),
        }
    }
}

/// Mutual: whoever shows something to nobody sees it of nobody.
fn sees(viewer: Audience, user: Audience, tie: Tie) -> bool {
    viewer != Audience::Nobody
        && match (user, tie) {
            (_, Tie::Blocked) | (Audience::Nobody, _) | (Audience::Contacts, Tie::Strangers) => false,
            (Audience::Everyone, _) | (Audience::Contacts, Tie::Close) => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIENCES: [Audience; 3] = [Audience::Everyone, Audience::Contacts, Audience::Nobody];

    #[test]
    fn who_sees_whom() {
        use Audience::{Contacts, Everyone, Nobody};
        for (user, tie, seen) in [
            (Everyone, Tie::Strangers, true),
            (Everyone, Tie::Close, true),
            (Everyone, Tie::Blocked, false),
            (Contacts, Tie::Strangers, false),
            (Contacts, Tie::Close, true),
            (Contacts, Tie::Blocked, false),
            (Nobody, Tie::Strangers, false),
            (Nobody, Tie::Close, false),
            (Nobody, Tie::Blocked, false),
        ] {
            for viewer in AUDIENCES {
                let wanted = seen && viewer != Nobody;
                assert_eq!(sees(viewer, user, tie), wanted, "G7: {viewer:?} of {user:?}, {tie:?}");
            }
        }
    }

    #[test]
    fn online_and_last_seen_are_apart() {
        let shy = Privacy { last_seen: Audience::Nobody, ..Privacy::default() };
        let open = Privacy::default();
        let online_alone = Visibility { online: true, last_seen: false };
        assert_eq!(Visibility::of(&open, &shy, Tie::Close), online_alone);
        assert_eq!(Visibility::of(&shy, &open, Tie::Close), online_alone, "mutual");
        let hidden = Privacy { online: Audience::Nobody, ..Privacy::default() };
        assert_eq!(Visibility::of(&open, &hidden, Tie::Close), Visibility { online: false, last_seen: true });
    }
}

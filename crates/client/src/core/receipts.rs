//! How far the others are, and what that makes of a message: sent, delivered, read.

use std::cmp::Ordering;

use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::{Marks, MemberMarks, Receipts};

use super::Core;
use super::message::{Effects, Event, Mutation};

/// What has become of a message of one's own that the server has stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// The server has it.
    Sent,
    /// Everybody it was for has it on one of their devices.
    Delivered,
    /// Everybody it was for was shown it.
    Read,
}

impl Delivery {
    /// What a message at `seq` has come to, by the marks of all it was for. For nobody: sent.
    #[must_use]
    pub fn of(seq: Seq, marks: &[Marks]) -> Self {
        let all = |reached: fn(&Marks) -> u64| !marks.is_empty() && marks.iter().all(|m| reached(m) >= seq.0);
        if all(|marks| marks.read) {
            Self::Read
        } else if all(|marks| marks.received.max(marks.read)) {
            Self::Delivered
        } else {
            Self::Sent
        }
    }
}

/// Marks never go back: of each the higher stays, with its time.
pub fn raise(marks: &mut Marks, heard: &Marks) {
    (marks.received, marks.received_at) =
        higher((marks.received, marks.received_at), (heard.received, heard.received_at));
    (marks.read, marks.read_at) = higher((marks.read, marks.read_at), (heard.read, heard.read_at));
}

/// Of two copies of one mark the later has the time as it may be seen now.
fn higher<T>(known: (u64, Option<T>), heard: (u64, Option<T>)) -> (u64, Option<T>) {
    match heard.0.cmp(&known.0) {
        Ordering::Less => known,
        Ordering::Equal | Ordering::Greater => heard,
    }
}

/// The marks that can be read of what the server said.
pub(crate) fn by_user(members: &[MemberMarks]) -> Vec<(UserId, Marks)> {
    members.iter().filter_map(|member| Some((UserId::parse(&member.user_id)?, member.marks?))).collect()
}

impl Core {
    pub(super) fn on_receipts(&mut self, receipts: &Receipts, fx: &mut Effects) {
        let Some(id) = ConversationId::parse(&receipts.conversation_id) else { return };
        let marks = by_user(&receipts.members);
        let users = marks.iter().map(|(user, _)| *user).collect();
        fx.save.push(Mutation::Marks(id, marks));
        fx.tell.push(Event::Receipts { conversation: id, users });
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn marks(received: u64, read: u64) -> Marks {
        Marks { received, read, ..Marks::default() }
    }

    #[test]
    fn a_message_is_delivered_when_all_have_it_and_read_when_all_were_shown_it() {
        let of = |marks: &[Marks]| Delivery::of(Seq(5), marks);
        assert_eq!(of(&[]), Delivery::Sent, "nobody else is there");
        assert_eq!(of(&[marks(5, 5), marks(4, 4)]), Delivery::Sent);
        assert_eq!(of(&[marks(5, 5), marks(5, 4)]), Delivery::Delivered);
        assert_eq!(of(&[marks(0, 6), marks(5, 0)]), Delivery::Delivered, "what was shown was received");
        assert_eq!(of(&[marks(9, 5), marks(7, 7)]), Delivery::Read);
    }

    #[test]
    fn marks_never_go_back_and_keep_the_time_of_the_higher() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let mut known = Marks { received: 5, received_at: at(50), read: 3, read_at: at(30) };
        raise(&mut known, &Marks { received: 4, received_at: at(40), read: 4, read_at: at(45) });
        assert_eq!(known, Marks { received: 5, received_at: at(50), read: 4, read_at: at(45) });
        raise(&mut known, &Marks { received: 5, received_at: None, read: 0, read_at: None });
        assert_eq!((known.received_at, known.read), (None, 4), "the time may no longer be seen");
    }
}

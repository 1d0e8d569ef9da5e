//! How far members are: their own marks, and what the others are shown of them.
//!
//! The two are registers of their own. Writing a message sets the writer's marks to it and shows nothing: the others see the
//! message. What they are shown rises only with what a client says it has received or read; `read` only while its user
//! shares read receipts, so that sharing them later reveals nothing of before.

use std::time::SystemTime;

use parlor_types::Seq;

/// How far somebody is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Saved on one of their devices up to here.
    pub received: Seq,
    /// Shown to them up to here.
    pub read: Seq,
}

impl Marks {
    /// The most that somebody is shown of the marks of a member who has blocked them: the marks as they were when they
    /// first rose within the block (`frozen`), below the first message that is `withheld` within it, and never below the
    /// entry that made the member one. So what is fetched tells what is told live: nothing. `None` is no bound.
    #[must_use]
    pub fn shown_to_blocked(frozen: Option<Self>, withheld: Option<Seq>, joined: Seq) -> Option<Self> {
        let below = withheld.map(|seq| Self { received: seq.previous(), read: seq.previous() });
        let most = match (frozen, below) {
            (Some(frozen), Some(below)) => {
                Self { received: frozen.received.min(below.received), read: frozen.read.min(below.read) }
            }
            (frozen, below) => frozen.or(below)?,
        };
        Some(Self { received: most.received.max(joined), read: most.read.max(joined) })
    }
}

/// How far somebody is, and since when, where that is known and may be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimedMarks {
    /// How far.
    pub marks: Marks,
    /// When `received` came to where it is.
    pub received_at: Option<SystemTime>,
    /// When `read` came to where it is.
    pub read_at: Option<SystemTime>,
}

/// What a reader may know of somebody else's marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// What they have read: the reader shares read receipts. What the other did not share was never shown.
    pub read: bool,
    /// Since when.
    pub times: bool,
    /// Nothing beyond these: the other has blocked the reader.
    pub most: Option<Marks>,
}

/// A member's marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// For their own devices.
    pub own: TimedMarks,
    /// For the others.
    pub shown: TimedMarks,
}

/// What rose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Risen {
    /// The own read mark.
    pub read: bool,
    /// Any own mark.
    pub own: bool,
    /// What the others are shown.
    pub shown: bool,
}

impl Risen {
    /// Whether anything did.
    #[must_use]
    pub fn any(self) -> bool {
        self.own || self.shown
    }
}

impl TimedMarks {
    /// As much of them as may be known.
    #[must_use]
    pub fn seen(mut self, sight: Sight) -> Self {
        if !sight.read {
            (self.marks.read, self.read_at) = (Seq(0), None);
        }
        if !sight.times {
            (self.received_at, self.read_at) = (None, None);
        }
        if let Some(most) = sight.most {
            if self.marks.received > most.received {
                (self.marks.received, self.received_at) = (most.received, None);
            }
            if self.marks.read > most.read {
                (self.marks.read, self.read_at) = (most.read, None);
            }
        }
        self
    }

    fn receive(&mut self, seq: Seq, at: SystemTime) -> bool {
        let rises = seq > self.marks.received;
        if rises {
            (self.marks.received, self.received_at) = (seq, Some(at));
        }
        rises
    }

    fn read(&mut self, seq: Seq, at: SystemTime) -> bool {
        let rises = seq > self.marks.read;
        if rises {
            (self.marks.read, self.read_at) = (seq, Some(at));
        }
        rises
    }
}

impl Progress {
    /// Somebody becomes a member with the entry at `seq`: what was before is not theirs to read.
    #[must_use]
    pub fn joined(seq: Seq) -> Self {
        let start = TimedMarks { marks: Marks { received: seq, read: seq }, ..TimedMarks::default() };
        Self { own: start, shown: start }
    }

    /// They have written the message at `seq`, and so have read what is above it.
    pub fn wrote(&mut self, seq: Seq, at: SystemTime) {
        self.own.receive(seq, at);
        self.own.read(seq, at);
    }

    /// A client of theirs says how far it is. Reading implies having received.
    pub fn raise(&mut self, to: Marks, shares_read: bool, at: SystemTime) -> Risen {
        let received = to.received.max(to.read);
        let own_received = self.own.receive(received, at);
        let read = self.own.read(to.read, at);
        let shown_received = self.shown.receive(received, at);
        let shown_read = shares_read && self.shown.read(to.read, at);
        Risen { read, own: own_received || read, shown: shown_received || shown_read }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn to(received: u64, read: u64) -> Marks {
        Marks { received: Seq(received), read: Seq(read) }
    }

    #[test]
    fn marks_rise_each_with_its_time() {
        let mut ben = Progress::joined(Seq(1));
        assert_eq!((ben.shown.marks, ben.shown.read_at), (to(1, 1), None));
        assert_eq!(ben.raise(to(5, 0), true, at(50)), Risen { read: false, own: true, shown: true });
        assert_eq!(ben.raise(to(0, 4), true, at(60)), Risen { read: true, own: true, shown: true });
        assert_eq!(ben.raise(to(5, 3), true, at(70)), Risen::default());
        assert_eq!((ben.own, ben.own.marks), (ben.shown, to(5, 4)));
        assert_eq!((ben.shown.received_at, ben.shown.read_at), (Some(at(50)), Some(at(60))));
    }

    #[test]
    fn writing_shows_nothing_and_hides_nothing_that_is_said_after_it() {
        let mut ben = Progress::joined(Seq(1));
        ben.wrote(Seq(10), at(10));
        assert_eq!((ben.own.marks, ben.shown.marks), (to(10, 10), to(1, 1)));
        let risen = ben.raise(to(9, 9), true, at(11));
        assert_eq!((risen, ben.shown.marks), (Risen { read: false, own: false, shown: true }, to(9, 9)));
    }

    #[test]
    fn others_see_what_they_may() {
        let marks = TimedMarks { marks: to(8, 6), received_at: Some(at(8)), read_at: Some(at(6)) };
        let all = Sight { read: true, times: true, most: None };
        assert_eq!(marks.seen(all), marks);
        let no_read = TimedMarks { marks: to(8, 0), read_at: None, ..marks };
        assert_eq!(marks.seen(Sight { read: false, ..all }), no_read);
        let no_times = TimedMarks { marks: to(8, 6), ..TimedMarks::default() };
        assert_eq!(marks.seen(Sight { times: false, ..all }), no_times);
        let most = |received, read| marks.seen(Sight { most: Some(to(received, read)), ..all });
        assert_eq!(most(8, 8), marks);
        assert_eq!(most(6, 6), TimedMarks { marks: to(6, 6), received_at: None, ..marks });
        assert_eq!(most(4, 3), TimedMarks { marks: to(4, 3), ..TimedMarks::default() });
    }

    #[test]
    fn the_blocked_are_shown_the_least_but_for_the_membership() {
        let most = |frozen, withheld: Option<u64>, joined| {
            Marks::shown_to_blocked(frozen, withheld.map(Seq), Seq(joined))
        };
        assert_eq!(most(None, None, 1), None);
        assert_eq!(most(Some(to(5, 3)), None, 1), Some(to(5, 3)));
        assert_eq!(most(None, Some(7), 1), Some(to(6, 6)));
        assert_eq!(most(Some(to(5, 3)), Some(5), 1), Some(to(4, 3)));
        assert_eq!(most(Some(to(5, 3)), Some(5), 9), Some(to(9, 9)), "a new membership");
    }

    #[test]
    fn what_was_read_without_sharing_is_not_shown_later() {
        let mut ben = Progress::joined(Seq(1));
        assert_eq!(ben.raise(to(5, 5), false, at(5)), Risen { read: true, own: true, shown: true });
        assert_eq!(ben.shown.marks, to(5, 1), "only that it was received");
        assert_eq!(ben.raise(to(5, 5), false, at(6)), Risen::default());
        assert_eq!(ben.raise(to(6, 0), true, at(7)), Risen { read: false, own: true, shown: true });
        assert_eq!(ben.shown.marks, to(6, 1), "sharing alone shows nothing");
        ben.raise(to(6, 6), true, at(8));
        assert_eq!((ben.shown.marks, ben.shown.read_at), (to(6, 6), Some(at(8))));
    }
}

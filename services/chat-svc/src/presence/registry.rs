//! What is to be said on the line.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use parlor_types::{StreamId, UserId};

use super::{Facts, Owned};

/// How much more may wait to be said than there are streams; beyond it everything is said anew.
const MAX_BEHIND: usize = 4096;
/// Users whose visibility changed and who wait to be named; beyond it everything is said anew.
const MAX_CHANGED: usize = 10_000;
/// Users named at once.
const CHANGED_AT_ONCE: usize = 500;
/// Things said at once; and users named in them, after which nothing more is added.
const AT_ONCE: usize = 64;
const NAMED_AT_ONCE: usize = 800;

/// A line, from one attempt to say everything to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line(u64);

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Which node this is.
    Hello,
    /// A stream is open, or its facts have changed.
    Opened(Owned, Facts),
    /// Whom it watches.
    Watching(StreamId, Arc<[UserId]>),
    /// A stream has ended, and perhaps its session with it.
    Closed(StreamId, bool),
    /// All that was open when the line began has been said.
    SnapshotDone,
    /// What these users may see of others, or others of them, may have changed.
    VisibilityChanged(Vec<UserId>),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Registry {
    streams: HashMap<StreamId, Open>,
    lines: u64,
    attached: Option<Attached>,
}

#[derive(Debug)]
struct Open {
    owned: Owned,
    facts: Facts,
    /// What has to be said of it, for which it is in the queue.
    opened: bool,
    watching: bool,
}

#[derive(Debug, Default)]
struct Attached {
    greeted: bool,
    queue: VecDeque<Note>,
    /// How many at the front of the queue are of the snapshot, until that is done.
    snapshot: Option<usize>,
    changed: BTreeSet<UserId>,
}

#[derive(Debug)]
enum Note {
    Stream(StreamId),
    Closed(StreamId, bool),
}

impl Registry {
    /// A stream is open.
    pub fn opened(&mut self, owned: Owned, facts: Facts) {
        if self.streams.contains_key(&owned.stream) {
            return self.changed(owned.stream, facts);
        }
        let watching = !facts.watched.is_empty();
        self.streams.insert(owned.stream, Open { owned, facts, opened: true, watching });
        self.note(Note::Stream(owned.stream));
    }

    /// Facts of a stream have changed; nothing if it is not open.
    pub fn changed(&mut self, stream: StreamId, facts: Facts) {
        let Some(open) = self.streams.get_mut(&stream) else { return };
        let waits = open.opened || open.watching;
        open.opened |= facts.foreground != open.facts.foreground || facts.mobile != open.facts.mobile;
        open.watching |= facts.watched != open.facts.watched;
        open.facts = facts;
        if !waits && (open.opened || open.watching) {
            self.note(Note::Stream(stream));
        }
    }

    /// A stream has ended; nothing if it is not open.
    pub fn closed(&mut self, stream: StreamId, session_ended: bool) {
        if self.streams.remove(&stream).is_some() {
            self.note(Note::Closed(stream, session_ended));
        }
    }

    /// What these users may see of others, or others of them, may have changed.
    pub fn visibility_changed(&mut self, users: &[UserId]) {
        let Some(attached) = &mut self.attached else { return };
        attached.changed.extend(users);
        if attached.changed.len() > MAX_CHANGED {
            self.attached = None;
        }
    }

    /// Whose an open stream is.
    #[must_use]
    pub fn owner(&self, stream: StreamId) -> Option<Owned> {
        self.streams.get(&stream).map(|open| open.owned)
    }

    /// A new line, which ends the one before: everything is to be said on it.
    pub fn attach(&mut self) -> Line {
        self.lines += 1;
        for open in self.streams.values_mut() {
            (open.opened, open.watching) = (true, !open.facts.watched.is_empty());
        }
        let queue: VecDeque<Note> = self.streams.keys().copied().map(Note::Stream).collect();
        let snapshot = Some(queue.len());
        self.attached = Some(Attached { queue, snapshot, ..Attached::default() });
        Line(self.lines)
    }

    /// The line has ended.
    pub fn detach(&mut self, line: Line) {
        if self.is_on(line) {
            self.attached = None;
        }
    }

    /// Whether this line still is the one: not if it fell too far behind.
    #[must_use]
    pub fn is_on(&self, line: Line) -> bool {
        self.attached.is_some() && line == Line(self.lines)
    }

    /// Whether there is a line at all.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.attached.is_some()
    }

    /// What to say next, empty for nothing now.
    pub fn take(&mut self) -> Vec<Say> {
        let Some(attached) = &mut self.attached else { return Vec::new() };
        let mut said = Vec::new();
        if !std::mem::replace(&mut attached.greeted, true) {
            said.push(Say::Hello);
        }
        let mut named = 0;
        while said.len() < AT_ONCE && named < NAMED_AT_ONCE {
            if attached.snapshot == Some(0) {
                attached.snapshot = None;
                said.push(Say::SnapshotDone);
            }
            let Some(note) = attached.queue.pop_front() else { break };
            attached.snapshot = attached.snapshot.map(|left| left - 1);
            match note {
                Note::Closed(stream, session_ended) => said.push(Say::Closed(stream, session_ended)),
                // One that has ended meanwhile has a note of its own.
                Note::Stream(stream) => {
                    let Some(open) = self.streams.get_mut(&stream) else { continue };
                    if std::mem::take(&mut open.opened) {
                        said.push(Say::Opened(open.owned, open.facts.clone()));
                    }
                    if std::mem::take(&mut open.watching) {
                        named += open.facts.watched.len();
                        said.push(Say::Watching(stream, open.facts.watched.clone()));
                    }
                }
            }
        }
        if attached.queue.is_empty() && !attached.changed.is_empty() && named < NAMED_AT_ONCE {
            let some = std::iter::from_fn(|| attached.changed.pop_first()).take(CHANGED_AT_ONCE).collect();
            said.push(Say::VisibilityChanged(some));
        }
        said
    }

    fn note(&mut self, note: Note) {
        let Some(attached) = &mut self.attached else { return };
        attached.queue.push_back(note);
        if attached.queue.len() > self.streams.len() + MAX_BEHIND {
            self.attached = None;
        }
    }
}

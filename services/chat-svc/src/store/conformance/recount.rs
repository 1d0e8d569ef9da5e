//! Unread counts, mentions, badges and what messages bring back, over random histories, against a model that keeps only what
//! happened and counts everything anew at each question.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::people::relate;
use super::*;
use crate::people::Action;
use crate::preferences::Badge;

const USERS: usize = 4;
const CONVERSATIONS: usize = 2;

/// A step; what makes no sense at its time is skipped. The first user owns the conversations and stays.
#[derive(Debug, Clone)]
enum Step {
    Say { conversation: usize, sender: usize },
    Change { conversation: usize, user: usize, about: u64, delete: bool },
    Read { conversation: usize, user: usize, seq: u64 },
    Join { conversation: usize, user: usize },
    Leave { conversation: usize, user: usize },
    Prefer { conversation: usize, user: usize, changes: PreferenceChanges },
    Block { user: usize, other: usize, on: bool },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..CONVERSATIONS, 0..USERS);
    let join = place().prop_map(|(conversation, user)| Step::Join { conversation, user });
    let leave = place().prop_map(|(conversation, user)| Step::Leave { conversation, user });
    let changes =
        (prop::option::of(0..60_u64), any::<Option<bool>>(), 0..4_u8).prop_map(|(until, flag, which)| {
            let flag = |number| if which == number { flag.or(Some(true)) } else { None };
            PreferenceChanges {
                muted_until: until.filter(|_| which == 0).map(|seconds| at(Seq(seconds))),
                archived: flag(1),
                hidden: flag(2),
                marked_unread: flag(3),
                ..PreferenceChanges::default()
            }
        });
    prop_oneof![
        8 => place().prop_map(|(conversation, sender)| Step::Say { conversation, sender }),
        5 => (place(), 1..30_u64, prop::bool::weighted(0.3)).prop_map(
            |((conversation, user), about, delete)| Step::Change { conversation, user, about, delete }
        ),
        6 => (place(), 1..40_u64).prop_map(|((conversation, user), seq)| Step::Read { conversation, user, seq }),
        2 => join,
        2 => leave,
        4 => (place(), changes).prop_map(|((conversation, user), changes)| Step::Prefer { conversation, user, changes }),
        1 => (0..USERS, 0..USERS, any::<bool>()).prop_map(|(user, other, on)| Step::Block { user, other, on }),
        1 => Just(Step::Restart),
    ]
}

/// What happened in a conversation.
#[derive(Debug, Clone)]
enum Event {
    Joined(UserId, u64),
    Left(UserId),
    Said {
        seq: u64,
        sender: UserId,
        mentions: Vec<UserId>,
        withheld: Vec<UserId>,
    },
    /// It mentions these now; `withheld` do not see what it says now.
    Edited {
        about: u64,
        mentions: Vec<UserId>,
        withheld: Vec<UserId>,
    },
    Deleted(u64),
    Read(UserId, u64),
    Preferred(UserId, PreferenceChanges, u64),
}

/// What a user should see of a conversation.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    unread: u64,
    mentions: u64,
    archived: bool,
    hidden: bool,
    marked_unread: bool,
    muted_until: u64,
}

/// Counts all of it.
fn recount(events: &[Event], user: UserId) -> Option<Seen> {
    let mut seen = Seen::default();
    let (mut known, mut present, mut read) = (false, false, 0);
    let mut readable: Vec<(u64, bool)> = Vec::new();
    for event in events {
        let rises = match event {
            Event::Joined(who, seq) if *who == user => {
                (known, present) = (true, true);
                Some(*seq)
            }
            Event::Left(who) if *who == user => {
                present = false;
                None
            }
            Event::Said { seq, sender, mentions, withheld } if present && !withheld.contains(&user) => {
                readable.push((*seq, mentions.contains(&user)));
                seen.hidden = false;
                seen.archived &= *seq < seen.muted_until;
                (*sender == user).then_some(*seq)
            }
            Event::Edited { about, mentions, withheld } => {
                let called = present && mentions.contains(&user) && !withheld.contains(&user);
                readable.iter_mut().filter(|(seq, _)| seq == about).for_each(|found| found.1 = called);
                None
            }
            Event::Deleted(about) => {
                readable.iter_mut().filter(|(seq, _)| seq == about).for_each(|found| found.1 = false);
                None
            }
            Event::Read(who, seq) if *who == user && *seq > read => Some(*seq),
            Event::Preferred(who, changes, now) if *who == user => {
                let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_secs();
                if let Some(until) = changes.muted_until.map(seconds) {
                    seen.muted_until = if until > *now { until } else { 0 };
                }
                seen.archived = changes.archived.unwrap_or(seen.archived);
                seen.hidden = changes.hidden.unwrap_or(seen.hidden);
                seen.marked_unread = changes.marked_unread.unwrap_or(seen.marked_unread);
                None
            }
            _ => None,
        };
        if let Some(seq) = rises {
            (read, seen.marked_unread) = (seq, false);
        }
    }
    readable.retain(|(seq, _)| *seq > read);
    seen.unread = readable.len() as u64;
    seen.mentions = readable.iter().filter(|(_, mentioned)| *mentioned).count() as u64;
    known.then_some(seen)
}

struct World {
    backend: Backend,
    users: Vec<UserId>,
    writers: Vec<Writer>,
    events: Vec<Vec<Event>>,
    /// Who has blocked whom.
    blocks: Vec<(UserId, UserId)>,
}

impl World {
    async fn new(backend: Backend) -> Self {
        let users: Vec<UserId> = (0..USERS).map(|_| UserId::new()).collect();
        let writers = (0..CONVERSATIONS).map(|_| Writer::new()).collect();
        let mut world =
            Self { backend, users, writers, events: vec![Vec::new(); CONVERSATIONS], blocks: Vec::new() };
        for conversation in 0..CONVERSATIONS {
            let (owner, other) = (world.users[0], world.users[1]);
            world.append(conversation, group(owner, &[other], Settings::default())).await;
            world.events[conversation] = vec![Event::Joined(owner, 1), Event::Joined(other, 1)];
        }
        world
    }

    async fn append(&mut self, conversation: usize, content: (UserId, Content)) -> Entry {
        let batch = self.writers[conversation].batch(&[content]);
        append(&self.backend.store, batch.clone()).await.unwrap();
        batch.entries[0].entry.clone()
    }

    fn is_member(&self, conversation: usize, user: UserId) -> bool {
        let state = self.writers[conversation].state.as_ref();
        state.is_some_and(|state| state.members.contains_key(&user))
    }

    async fn run(&mut self, step: &Step) {
        match *step {
            Step::Say { conversation, sender } => {
                let sender = self.users[sender];
                if self.is_member(conversation, sender) {
                    let Entry { seq, mentions, .. } = self.append(conversation, text(sender, "x")).await;
                    let withheld = self.blocking(sender);
                    self.events[conversation].push(Event::Said { seq: seq.0, sender, mentions, withheld });
                }
            }
            Step::Change { conversation, user, about, delete } => {
                self.change(conversation, self.users[user], about, delete).await;
            }
            Step::Read { conversation, user, seq } => {
                let (user, id) = (self.users[user], self.writers[conversation].conversation);
                if let Marked::Now(..) = mark(&self.backend.store, user, id, (0, seq)).await {
                    self.events[conversation].push(Event::Read(user, seq));
                }
            }
            Step::Join { conversation, user } => {
                let (owner, user) = (self.users[0], self.users[user]);
                if !self.is_member(conversation, user) {
                    let entry = self.append(conversation, (owner, Content::Add(vec![user]))).await;
                    self.events[conversation].push(Event::Joined(user, entry.seq.0));
                }
            }
            Step::Leave { conversation, user } => {
                let user = self.users[user];
                if user != self.users[0] && self.is_member(conversation, user) {
                    self.append(conversation, (user, Content::Leave(None))).await;
                    self.events[conversation].push(Event::Left(user));
                }
            }
            Step::Prefer { conversation, user, ref changes } => {
                let (user, writer) = (self.users[user], &self.writers[conversation]);
                let (id, now) = (writer.conversation, writer.head());
                let done = prefer(&self.backend.store, user, id, changes.clone(), at(now)).await;
                if let Preferred::Now(..) = done {
                    self.events[conversation].push(Event::Preferred(user, changes.clone(), now.0));
                }
            }
            Step::Block { user, other, on } => {
                let (user, other) = (self.users[user], self.users[other]);
                if user != other {
                    let action = if on { Action::Block } else { Action::Unblock };
                    relate(&self.backend.store, user, other, action).await.unwrap();
                    self.blocks.retain(|pair| *pair != (user, other));
                    self.blocks.extend(on.then_some((user, other)));
                }
            }
            Step::Restart => self.backend.reopen(),
        }
    }

    fn blocking(&self, sender: UserId) -> Vec<UserId> {
        let blocking = self.blocks.iter().filter(|(_, blocked)| *blocked == sender);
        blocking.map(|(user, _)| *user).collect()
    }

    /// Senders edit, and anybody deletes, what they can read.
    async fn change(&mut self, conversation: usize, user: UserId, about: u64, delete: bool) {
        let writer = &mut self.writers[conversation];
        let found = self.backend.store.targets(writer.conversation, vec![(user, Seq(about))]).await.unwrap();
        let allowed = found[0].is_some_and(|target| delete || target.sender == user);
        let member = writer.state.as_ref().is_some_and(|state| state.members.contains_key(&user));
        if !allowed || !member {
            return;
        }
        let content = if delete { Content::Delete } else { Content::Edit("changed".into()) };
        let batch = writer.change(user, &content, about);
        append(&self.backend.store, batch.clone()).await.unwrap();
        let mentions = batch.entries[0].entry.mentions.clone();
        let withheld = self.blocking(user);
        self.events[conversation].push(if delete {
            Event::Deleted(about)
        } else {
            Event::Edited { about, mentions, withheld }
        });
    }

    async fn check(&self) {
        for user in &self.users {
            let mut badge = Badge::default();
            let now = self.writers.iter().map(|writer| writer.head().0).max().unwrap();
            for (writer, events) in self.writers.iter().zip(&self.events) {
                let seen = recount(events, *user);
                let row = self.backend.store.rows(*user, vec![writer.conversation]).await.unwrap().pop();
                let found = row.map(|row| Seen {
                    unread: row.unread,
                    mentions: row.unread_mentions,
                    archived: row.preferences.archived,
                    hidden: row.preferences.hidden,
                    marked_unread: row.preferences.marked_unread,
                    muted_until: row
                        .preferences
                        .muted_until
                        .map_or(0, |until| until.duration_since(UNIX_EPOCH).unwrap().as_secs()),
                });
                assert_eq!(found, seen, "{events:#?}");
                let Some(seen) = seen.filter(|seen| !seen.archived && !seen.hidden) else { continue };
                badge.unread_mentions += seen.mentions;
                if now >= seen.muted_until {
                    badge.unread += seen.unread;
                    badge.conversations += u32::from(seen.unread > 0 || seen.marked_unread);
                }
            }
            assert_eq!(self.backend.store.badge(*user, at(Seq(now))).await.unwrap(), badge);
        }
    }
}

fn run(backend: fn() -> Backend) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let steps = proptest::collection::vec(step(), 1..60);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(async {
            let mut world = World::new(backend()).await;
            for step in &steps {
                world.run(step).await;
                world.check().await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn memory_counts_as_the_model_does() {
    run(memory);
}

#[test]
fn sqlite_counts_as_the_model_does() {
    run(sqlite);
}

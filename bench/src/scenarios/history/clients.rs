//! What clients write down of groups in which everybody talks.

use std::collections::VecDeque;

use parlor_history::{Event, Line, Nanos, Seen};
use parlor_types::{ConversationId, Id, Op, UserId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Groups.
const GROUPS: usize = 32;
/// Members of each; each has one client.
const SIZE: usize = 8;
/// All of them.
pub const CLIENTS: usize = GROUPS * SIZE;
/// Each tells of marks, unread messages and a page once in so many messages.
const SELDOM: u64 = 16;

/// What clients write down of these groups, in order: so many lines, and as many more as it takes until everybody has taken
/// in the last message.
pub fn lines(at_least: usize) -> impl Iterator<Item = Line> {
    let (mut world, mut given) = (World::new(), 0);
    std::iter::from_fn(move || {
        while world.lines.is_empty() && given < at_least {
            world.message();
        }
        given += 1;
        world.lines.pop_front()
    })
}

struct World {
    rng: StdRng,
    now: Nanos,
    groups: Vec<Vec<Seen>>,
    lines: VecDeque<Line>,
}

fn id<T: Id>(kind: u8, number: usize) -> T {
    let mut bytes = [kind; 16];
    bytes[8..].copy_from_slice(&(number as u64).to_be_bytes());
    T::from_bytes(bytes)
}

fn user(group: usize, member: usize) -> UserId {
    id(1, group * SIZE + member)
}

fn room(group: usize) -> ConversationId {
    id(2, group)
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            rng: StdRng::seed_from_u64(1),
            now: 0,
            groups: vec![Vec::new(); GROUPS],
            lines: VecDeque::new(),
        };
        for group in 0..GROUPS {
            let added = (0..SIZE).map(|member| user(group, member)).collect();
            world.store(group, 0, id(3, group), false, added);
            for member in 0..SIZE {
                world.say(group, member, Event::Begin { user: user(group, member), session: None });
                world.say(group, member, Event::Generation { generation: "one".to_owned() });
                let ranges = vec![(1, None)];
                world.say(group, member, Event::Readable { conversation: room(group), ranges });
                world.apply(group, member);
            }
        }
        world
    }

    fn say(&mut self, group: usize, member: usize, event: Event) {
        self.now += 1_000;
        let client = format!("client {member} of {group}").into();
        self.lines.push_back(Line { at: self.now, client, event });
    }

    fn store(&mut self, group: usize, member: usize, op: Op, message: bool, added: Vec<UserId>) -> u64 {
        let log = &mut self.groups[group];
        let seq = log.len() as u64 + 1;
        let content = Some(format!("{:016x}", seq.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let (rev, sender, removed) = (0, user(group, member), Vec::new());
        log.push(Seen { seq, rev, op, sender, content, message, added, removed });
        seq
    }

    fn apply(&mut self, group: usize, member: usize) {
        let entries: Vec<_> = self.groups[group].last().cloned().into_iter().collect();
        self.say(group, member, Event::Applied { conversation: room(group), entries });
    }

    /// Somebody says something, and everybody takes it in.
    fn message(&mut self) {
        let (group, member) = (self.rng.random_range(0..GROUPS), self.rng.random_range(0..SIZE));
        let op = Op::from_bytes(self.rng.random());
        let (conversation, base) = (room(group), self.groups[group].len() as u64);
        let seq = self.store(group, member, op, true, Vec::new());
        let content = self.groups[group].last().and_then(|entry| entry.content.clone());
        self.say(group, member, Event::Invoke { op, conversation, base_seq: Some(base), content });
        self.say(group, member, Event::Ok { op, seq });
        for reader in 0..SIZE {
            self.apply(group, reader);
            let of = user(group, (reader + 1) % SIZE);
            if seq % SELDOM == reader as u64 {
                let (received, read) = (base, base);
                self.say(group, reader, Event::Marks { conversation, user: of, received, read });
                let read = seq.saturating_sub(1_000).max(1);
                let unread = Event::Unread { conversation, head: seq, read, messages: seq - read };
                self.say(group, reader, unread);
                let page = self.groups[group].iter().rev().take(20).rev().cloned();
                let entries = page.collect();
                self.say(group, reader, Event::Page { conversation, entries });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_they_write_is_good_and_of_all_kinds() {
        let history = parlor_history::History::new(lines(30_000).collect());
        history.assert_good();
        let counts =
            |which: fn(&Event) -> bool| history.lines().iter().filter(|line| which(&line.event)).count();
        assert!(counts(|event| matches!(event, Event::Marks { .. })) > 500);
        assert!(counts(|event| matches!(event, Event::Unread { .. })) > 500);
        assert!(counts(|event| matches!(event, Event::Page { .. })) > 500);
    }
}

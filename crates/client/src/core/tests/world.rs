//! Devices of one user, one server, and a network between them that does what networks do.

mod check;
mod device;

use std::collections::BTreeSet;
use std::time::Duration;

use parlor_types::{ConversationId, Id as _, Op, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Activity, Draft as Unsent, PreferenceChanges, Text};
use prost_types::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::server::{FORBIDDEN, NO_NAME, Server};
use crate::core::{Command, Draft, Input, Now};
use device::Device;

const TICK: Duration = Duration::from_millis(20);
const HOSTILE_FOR: Now = Duration::from_secs(40);
/// Long enough for the longest back-off.
const QUIET_WITHIN: Now = Duration::from_secs(400);
/// What two devices do to each other, each.
const ACTIONS: u32 = 200;

/// What a run sees beside the harm of the network and of crashes.
#[derive(Debug, Clone, Copy)]
pub struct Harm {
    pub devices: usize,
    pub restore_client: bool,
    pub restore_server: bool,
}

impl Harm {
    /// Every kind of run has its turn.
    pub fn of(seed: u64) -> Self {
        let kind = seed % 5;
        Self {
            devices: 1 + usize::from(kind >= 3),
            restore_client: kind % 2 == 1,
            restore_server: kind % 3 == 2,
        }
    }
}

pub struct World {
    rng: StdRng,
    now: Now,
    server: Server,
    devices: Vec<Device>,
    harm: Harm,
    conversations: Vec<ConversationId>,
    /// Ops of which nobody can expect to see them: lost with a store that was put back, or taken back by the server.
    excused: BTreeSet<Op>,
}

/// A message that was given to a device.
struct Sent {
    op: Op,
    forbidden: bool,
    /// It changes another, which the server may refuse: somebody may have come first.
    is_change: bool,
}

impl World {
    pub fn new(seed: u64, harm: Harm) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let me = UserId::from_bytes([1; 16]);
        let conversations: Vec<_> = (0..3).map(|n| ConversationId::from_bytes([0x10 + n; 16])).collect();
        let mut server = Server::new(StdRng::seed_from_u64(rng.random()), me, &conversations);
        server.boasts = !harm.restore_client;
        let devices = (0..harm.devices)
            .map(|number| Device::new(number, me, StdRng::seed_from_u64(rng.random())))
            .collect();
        let excused = BTreeSet::new();
        Self { rng, now: Now::ZERO, server, devices, harm, conversations, excused }
    }

    pub fn run(&mut self) {
        while self.goes_on() {
            self.tick();
            for _ in 0..self.harm.devices {
                self.mischief();
            }
        }
        self.server.hostile = false;
        let everybody = self.server.others.clone();
        for device in &mut self.devices {
            device.start(&self.server, self.now);
            let watch = Command::Watch(everybody.clone());
            device.input(&mut self.server, self.now, Input::Command(watch));
        }
        let patience = self.now + QUIET_WITHIN;
        while let Some(difference) = self.difference() {
            assert!(self.now < patience, "not in sync long after all harm has ended: {difference}");
            for _ in 0..10 {
                self.tick();
            }
        }
        self.check();
    }

    /// Two devices go on until each has done enough, one goes on for a time.
    fn goes_on(&self) -> bool {
        if self.harm.devices == 1 {
            self.now < HOSTILE_FOR
        } else {
            self.devices.iter().any(|d| d.actions < ACTIONS)
        }
    }

    fn tick(&mut self) {
        self.now += TICK;
        for device in &mut self.devices {
            device.start(&self.server, self.now);
        }
        for (conn, frames) in self.server.work() {
            self.devices[Device::number_of(conn)].say(self.now, conn, frames);
        }
        for device in &mut self.devices {
            device.tick(&mut self.server, self.now);
        }
    }

    fn mischief(&mut self) {
        let at = self.rng.random_range(0..self.devices.len());
        let range = if self.harm.devices == 1 { 0..1_000 } else { 0..400 };
        let (server, now) = (&mut self.server, self.now);
        let device = &mut self.devices[at];
        match self.rng.random_range(range) {
            0..40 => self.send(at),
            40..80 => self.other_writes(),
            80..86 => device.cut(),
            86..88 => device.freeze(),
            88..92 => server.drain(),
            92..95 => {
                if let Some(conn) = server.any_conn()
                    && let Some(frames) = server.say_goodbye(conn)
                {
                    self.devices[Device::number_of(conn)].say(now, conn, frames);
                }
            }
            95..120 => server.checkpoint(),
            120..124 => device.crash(server),
            124..138 => self.look(at),
            138..140 => device.keep_copy(),
            140..142 if self.harm.restore_client => self.excused.extend(device.put_back(server)),
            142..144 if self.harm.restore_server => server.back_up(),
            144..146 if self.harm.restore_server => self.restore_server(),
            146..170 => self.set_preferences(at),
            170..200 => self.others_do(),
            200..206 => self.change_elsewhere(),
            206..212 => self.type_and_watch(at),
            _ => {}
        }
    }

    fn act(&mut self, at: usize, command: Command) {
        let device = &mut self.devices[at];
        device.actions += 1;
        device.input(&mut self.server, self.now, Input::Command(command));
    }

    fn conversation(&mut self) -> ConversationId {
        self.conversations[self.rng.random_range(0..self.conversations.len())]
    }

    fn other(&mut self) -> UserId {
        self.server.others[self.rng.random_range(0..self.server.others.len())]
    }

    fn send(&mut self, at: usize) {
        let id = self.conversation();
        if self.rng.random_bool(0.25) {
            let count = self.server.state.chats[&id].log.len() as u64;
            let (target, change) = self.server.any_change(count);
            let draft = Draft { target: Seq(target), ..Draft::new(id, change) };
            return self.devices[at].append(&mut self.server, self.now, draft, false);
        }
        let forbidden = self.rng.random_bool(0.1);
        let body = if forbidden { FORBIDDEN.to_owned() } else { self.rng.random::<u64>().to_string() };
        let draft = Draft::new(id, Kind::Text(Text { body }));
        self.devices[at].append(&mut self.server, self.now, draft, forbidden);
    }

    fn other_writes(&mut self) {
        let (id, other) = (self.conversation(), self.other());
        if self.rng.random_bool(0.3) {
            self.server.other_changes(id, other, Op::new().to_string());
        } else {
            self.server.other_writes(id, other, Op::new().to_string());
        }
    }

    fn look(&mut self, at: usize) {
        let id = self.conversation();
        let command = match self.rng.random_range(0..6) {
            0 => Command::Foreground,
            1 => Command::Background,
            2 => Command::FetchOlder(id, Seq::FIRST),
            _ => Command::MarkRead(id, Seq(self.rng.random_range(0..60))),
        };
        self.act(at, command);
    }

    fn set_preferences(&mut self, at: usize) {
        let id = self.conversation();
        let changes = self.changes();
        self.act(at, Command::SetPreferences(id, changes));
    }

    /// One field most often, sometimes two; some of them are refused.
    fn changes(&mut self) -> PreferenceChanges {
        let mut changes = PreferenceChanges::default();
        for _ in 0..self.rng.random_range(1..3) {
            let on = Some(self.rng.random_bool(0.5));
            let number = self.rng.random_range(0..20_u64);
            match self.rng.random_range(0..7) {
                0 => {
                    let seconds = if on == Some(true) { 253_000_000_000 } else { 0 };
                    changes.muted_until = Some(Timestamp { seconds, nanos: 0 });
                }
                1 => changes.pinned = on,
                2 => changes.archived = on,
                3 => changes.hidden = on,
                4 => changes.marked_unread = on,
                5 => changes.draft = Some(Unsent { text: number.to_string(), reply_to: number }),
                _ if number == 0 => changes.custom_name = Some(NO_NAME.to_owned()),
                _ => changes.custom_name = Some(number.to_string()),
            }
        }
        changes
    }

    fn others_do(&mut self) {
        let (id, other) = (self.conversation(), self.other());
        match self.rng.random_range(0..4) {
            0 => self.server.change_presence(other),
            1 => self.server.other_types(id, other),
            _ => self.server.other_marks(id, other),
        }
    }

    /// A device of the user without a stream, by unary calls.
    fn change_elsewhere(&mut self) {
        let (id, other) = (self.conversation(), self.other());
        match self.rng.random_range(0..4) {
            0 => self.server.change_privacy(),
            1 => {
                let changes = self.changes();
                // What is refused there is of no interest here.
                let _ = self.server.change(id, &changes, None);
            }
            _ => self.server.change_person(other),
        }
    }

    fn type_and_watch(&mut self, at: usize) {
        let id = self.conversation();
        let command = match self.rng.random_range(0..3) {
            0 => Command::SetTyping(id, Activity::Typing),
            1 => Command::SetTyping(id, Activity::Unspecified),
            _ => Command::Watch(vec![self.other()]),
        };
        self.act(at, command);
    }

    /// The server goes back to a backup: what it had acked since, and the client no longer holds, is gone.
    fn restore_server(&mut self) {
        if self.server.restore() {
            for device in &mut self.devices {
                self.excused.extend(device.not_waiting());
                device.lose_what_was_said();
                device.cut();
            }
        }
    }
}

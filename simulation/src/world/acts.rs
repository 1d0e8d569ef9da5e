//! What a step does.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parlor_client::core::{Command, Draft};
use parlor_runtime::clock::Clock as _;
use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Activity, Add, Remove, Text};

use super::{World, setup};
use crate::disk::lock;
use crate::planted::Planted;
use crate::points::Point;
use crate::schedule::{PHONES, Step};
use crate::service::LEAVE_WITHIN;

impl World {
    pub(super) fn take_step(&mut self, step: Step) {
        let later = |millis| self.now + Duration::from_millis(millis);
        match step {
            Step::Cut(phone) => self.net.cut(phone),
            Step::Lose(phone) => self.net.lose(phone),
            Step::Stall(phone, millis) => self.net.stall(phone, Duration::from_millis(millis)),
            Step::Crash(phone, steps) => self.phones[phone].dies_after(steps),
            Step::KeepCopy(phone) => self.phones[phone].keep_copy(),
            Step::GoBack(phone) => self.phones[phone].go_back(&mut self.net, &mut self.record),
            Step::Full(millis) => self.until.full = later(millis),
            Step::Busy(millis) => self.until.busy = later(millis),
            Step::Unreadable(millis) => self.until.unreadable = later(millis),
            Step::Slow(millis) => self.until.slow = later(millis),
            Step::LoseAnswer => lock(&self.ills).lose_answers += 1,
            Step::FailCommit => lock(&self.ills).fail += 1,
            Step::StopStore(stored) => lock(&self.ills).stop = Some(stored),
            Step::Freeze(phone, millis) => {
                self.phones[phone].freeze(later(millis));
                self.meet(Point::ClientFrozen);
            }
            Step::FreezeService(millis) => {
                self.until.frozen = later(millis);
                self.meet(Point::ServiceFrozen);
            }
            Step::EndSession(phone, millis) => {
                self.ending.push((later(millis), self.phones[phone].owner.session));
            }
            Step::CrashService(millis, machine) => self.end_service(Duration::from_millis(millis), machine),
            Step::Drain => self.drain(),
            Step::SetClock(seconds) => self.set_clock(seconds),
            Step::BackUp => self.backup = Some(Arc::new(self.model.copy())),
            Step::Restore => self.restore(),
            Step::Lie(number) => self.liar.lie(&mut self.net, &self.conversations, number),
            act => self.act(act),
        }
    }

    /// What people do.
    fn act(&mut self, act: Step) {
        match act {
            Step::Say(phone, of) => self.say(phone, of),
            Step::SayMuch(phone, of, times) => (0..times).for_each(|_| self.say(phone, of)),
            Step::Edit(phone, of, back) => {
                let Some(target) = self.nth_from_head(phone, of, back) else { return };
                self.said += 1;
                let body = format!("edit {}", self.said);
                self.send(phone, Draft::edit(self.conversations[of], target, body));
            }
            Step::Delete(phone, of, back) => {
                let Some(target) = self.nth_from_head(phone, of, back) else { return };
                self.send(phone, Draft::delete(self.conversations[of], target));
            }
            Step::Read(phone, of) => {
                let conversation = self.conversations[of];
                let known =
                    self.phones[phone].store.conversation(conversation).expect("the store can be read");
                // Nobody has read what their client has not got, though an app may say so.
                if let Some(range) = known.and_then(|known| known.range).filter(|range| !range.is_empty()) {
                    self.ask(phone, Command::MarkRead(conversation, range.have));
                }
            }
            Step::FetchOlder(phone, of) => {
                self.ask(phone, Command::FetchOlder(self.conversations[of], Seq::FIRST));
            }
            Step::Type(phone, of) => {
                self.ask(phone, Command::SetTyping(self.conversations[of], Activity::Typing));
            }
            Step::Foreground(phone) => self.ask(phone, Command::Foreground),
            Step::Background(phone) => self.ask(phone, Command::Background),
            Step::Remove => self.change_group(Kind::Remove(Remove { user_ids: vec![self.last_user()] })),
            Step::Add => self.change_group(Kind::Add(Add { user_ids: vec![self.last_user()] })),
            _ => {}
        }
    }

    pub(super) fn ask(&mut self, phone: usize, command: Command) {
        self.phones[phone].ask(&mut self.net, &mut self.record, command);
    }

    fn send(&mut self, phone: usize, draft: Draft) {
        self.phones[phone].send(&mut self.net, &mut self.record, draft);
    }

    fn say(&mut self, phone: usize, of: usize) {
        self.said += 1;
        let body = self.said.to_string();
        self.send(phone, Draft::new(self.conversations[of], Kind::Text(Text { body })));
    }

    fn last_user(&self) -> String {
        self.phones[PHONES - 1].owner.user.to_string()
    }

    fn change_group(&mut self, change: Kind) {
        self.send(0, Draft::new(self.group(), change));
    }

    fn group(&self) -> ConversationId {
        self.conversations[0]
    }

    /// A message among the newest that a phone knows of.
    fn nth_from_head(&self, phone: usize, of: usize, back: u64) -> Option<Seq> {
        let known =
            self.phones[phone].store.conversation(self.conversations[of]).expect("the store can be read");
        let seq = known?.head.0.checked_sub(back)?;
        (seq > 0).then_some(Seq(seq))
    }

    fn drain(&mut self) {
        let Some(service) = &self.service else { return };
        service.within(|| self.net.streams().iter().for_each(|stream| stream.drain(LEAVE_WITHIN)));
    }

    fn set_clock(&mut self, seconds: i64) {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let wall: SystemTime = self.clock.wall();
        if seconds < 0 {
            self.clock.set_wall(wall - by);
            self.meet(Point::ClockWentBack);
        } else {
            self.clock.set_wall(wall + by);
            self.meet(Point::ClockWentForth);
        }
    }

    /// An operator brings a backup back: in another life of the store.
    fn restore(&mut self) {
        let Some(backup) = self.backup.clone() else { return };
        self.end_service(Duration::from_millis(500), false);
        self.model = Arc::new(backup.copy());
        if self.planted != Some(Planted::SameGeneration) {
            self.generation = setup::next(self.generation);
        }
    }
}

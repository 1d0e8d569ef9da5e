//! Whether all is well in the end: everybody has what the store has, and what everybody saw keeps the guarantees.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chat_svc::edge;
use chat_svc::store::{Order, Row, Slice, Store as _};
use parlor_history::{Event, Seen};
use parlor_types::{ConversationId, Seq, UserId};

use super::World;
use crate::phone::{Phone, notes};

/// Violations told; what is broken once is mostly broken often.
const TOLD: usize = 5;

impl World {
    /// What somebody has not got yet.
    pub(super) fn missing(&self) -> Option<String> {
        if self.service.is_none() {
            return Some("chat-svc is away".to_owned());
        }
        self.phones.iter().find_map(|phone| {
            let missing = self.missing_of(phone)?;
            Some(format!("{}: {missing}", phone.owner.name))
        })
    }

    fn missing_of(&self, phone: &Phone) -> Option<String> {
        if phone.waiting() > 0 {
            return Some(format!("{} rows wait in the outbox", phone.waiting()));
        }
        let saved = phone.store.load().expect("the store can be read");
        if saved.generation != Some(self.generation.to_string()) {
            return Some("G5: another generation".to_owned());
        }
        self.conversations.iter().find_map(|id| {
            let truth = self.row(phone.owner.user, *id)?;
            self.differs(phone, *id, &truth).map(|what| format!("{id}: {what}"))
        })
    }

    fn differs(&self, phone: &Phone, id: ConversationId, truth: &Row) -> Option<String> {
        let known = phone.store.conversation(id).expect("the store can be read");
        let Some(range) = known.as_ref().and_then(|known| known.range) else {
            return Some(format!("G5: not known, and its head is {}", truth.head));
        };
        let floor = truth.ranges.all().last().map_or(Seq::FIRST, |range| range.from);
        if range.have < truth.head || range.low > floor {
            return Some(format!("G5: {floor}..={} can be read, and {range:?} is held", truth.head));
        }
        if truth.marks.marks.received < truth.head {
            return Some(format!(
                "G6: the server was told of {:?} and not of {}",
                truth.marks.marks, truth.head
            ));
        }
        let chat = phone.store.chat(id).expect("the store can be read")?;
        if (chat.unread.messages, chat.read) != (truth.unread, truth.marks.marks.read) {
            let (unread, read) = (truth.unread, truth.marks.marks.read);
            return Some(format!(
                "G6: {unread} unread above {read}, not {} above {}",
                chat.unread.messages, chat.read
            ));
        }
        None
    }

    /// What somebody holds that is not what the store has.
    fn different(&self) -> Option<String> {
        let mut pairs =
            self.phones.iter().flat_map(|phone| self.conversations.iter().map(move |id| (phone, *id)));
        pairs.find_map(|(phone, id)| {
            let known = phone.store.conversation(id).expect("the store can be read");
            let range = known.and_then(|known| known.range).filter(|range| !range.is_empty())?;
            let held = notes::read(&phone.store, id, range.low, range.have);
            let log = self.log(phone.owner.user, id, range.low);
            let differs = held.iter().zip(&log).find(|(held, truth)| !agrees(held, truth));
            let is_same = differs.is_none() && held.len() == log.len();
            (!is_same).then(|| {
                let (name, held, log) = (&phone.owner.name, held.len(), log.len());
                format!("{name} holds {held} entries of {id} and the store {log}: {differs:?}")
            })
        })
    }

    /// The row of a user.
    fn row(&self, user: UserId, id: ConversationId) -> Option<Row> {
        at_once(self.model.rows(user, vec![id])).expect("the model can be read").pop()
    }

    /// What a user may read from there on, as the store has it.
    fn log(&self, user: UserId, id: ConversationId, from: Seq) -> Vec<Seen> {
        let slice = Slice {
            from,
            to: Seq(u64::MAX >> 1),
            order: Order::Ascending,
            across_gaps: true,
            max_entries: usize::MAX,
            max_bytes: usize::MAX,
        };
        let page = at_once(self.model.read(user, id, slice)).expect("the model can be read");
        let page = page.map(|page| edge::log_page(id.to_string(), &page)).unwrap_or_default();
        page.entries.iter().map(|entry| Seen::clear(entry).expect("the server's ids are ids")).collect()
    }

    /// Takes down what everybody holds, and holds what everybody saw against the guarantees.
    pub(super) fn judge(&mut self) -> Option<String> {
        for at in 0..self.phones.len() {
            self.note_held(at);
        }
        let history = self.record.history();
        let found = history.check();
        if found.is_empty() {
            return self.different();
        }
        let told = found.iter().take(TOLD).map(|violation| {
            let lines = history.slice(violation).into_iter();
            let lines = lines.map(|(_, line)| format!("\n    {} {}: {:?}", line.at, line.client, line.event));
            format!("{violation}{}\n", lines.collect::<String>())
        });
        Some(format!("{} violations:\n{}", found.len(), told.collect::<String>()))
    }

    fn note_held(&mut self, at: usize) {
        let phone = &self.phones[at];
        let name = phone.owner.name.clone();
        let history = self.record.history();
        let unanswered: BTreeSet<_> =
            phone.names().iter().flat_map(|name| history.unanswered(name)).collect();
        for op in unanswered.difference(&phone.forgotten) {
            self.record.line(&name, Event::Owed { op: *op });
        }
        for conversation in self.conversations.clone() {
            let known = phone.store.conversation(conversation).expect("the store can be read");
            let Some(range) = known.and_then(|known| known.range).filter(|range| !range.is_empty()) else {
                continue;
            };
            let entries = notes::read(&phone.store, conversation, range.low, range.have);
            self.record.line(&name, Event::Page { conversation, entries });
            // Of several ranges a client holds the last alone.
            let whole =
                self.row(phone.owner.user, conversation).is_none_or(|row| row.ranges.all().len() == 1);
            let ranges = vec![(range.low.0, range.have.0)];
            self.record.line(&name, Event::Held { conversation, ranges, whole });
        }
    }
}

/// Whoever was removed keeps what they had of a message that was changed later, and that is withheld from them now.
fn agrees(held: &Seen, truth: &Seen) -> bool {
    held == truth
        || (truth.content.is_none()
            && (held.seq, held.op, held.sender) == (truth.seq, truth.op, truth.sender))
}

/// The model waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => found,
        Poll::Pending => panic!("the model waits for nothing"),
    }
}

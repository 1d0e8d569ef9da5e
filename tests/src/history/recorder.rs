//! Taking down what happens, from many tasks at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use parlor_types::{ConversationId, Op, Seq};
use parlor_wire::chat::v1::Entry;

use super::{Append, Fate, History, Holding, Line, Reading, Tick};

/// See the module.
#[derive(Debug, Default)]
pub struct Recorder {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    now: Tick,
    /// Appends so far, by lane.
    lanes: BTreeMap<(String, ConversationId), u64>,
    /// Where in the history each reader's present reading is.
    open: BTreeMap<(String, ConversationId), usize>,
    history: History,
}

impl State {
    fn tick(&mut self) -> Tick {
        self.now += 1;
        self.now
    }

    fn append(&mut self, op: Op) -> &mut Append {
        self.history.appends.get_mut(&op).expect("asked before it is answered")
    }
}

impl Recorder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This moment.
    pub fn tick(&self) -> Tick {
        self.state().tick()
    }

    /// Something is to be appended, which nobody knew of before `since`. Within a lane in the order of sending.
    pub fn invoked(&self, since: Tick, lane: &str, conversation: ConversationId, op: Op, text: &str) {
        let mut state = self.state();
        let place = state.lanes.entry((lane.to_owned(), conversation)).or_default();
        *place += 1;
        let append = Append {
            lane: lane.to_owned(),
            place: *place,
            conversation,
            text: text.to_owned(),
            invoked: since,
            acks: Vec::new(),
            fate: Fate::Owed,
            unknown: 0,
        };
        let before = state.history.appends.insert(op, append);
        assert!(before.is_none(), "an op is used once");
    }

    /// It is stored, says the server.
    pub fn acked(&self, op: Op, seq: Seq) {
        let mut state = self.state();
        let now = state.tick();
        state.append(op).acks.push((now, seq));
    }

    /// An attempt has no answer.
    pub fn unknown(&self, op: Op) {
        self.state().append(op).unknown += 1;
    }

    /// What is owed to it is another than to be there once.
    pub fn fate(&self, op: Op, fate: Fate) {
        self.state().append(op).fate = fate;
    }

    /// A reader that keeps up took these in, after all it took in before.
    pub fn applied(&self, reader: &str, conversation: ConversationId, entries: &[Entry]) {
        let mut state = self.state();
        let State { open, history, .. } = &mut *state;
        let at = *open.entry((reader.to_owned(), conversation)).or_insert_with(|| {
            history.readings.push(Reading { reader: reader.to_owned(), conversation, lines: Vec::new() });
            history.readings.len() - 1
        });
        history.readings[at].lines.extend(entries.iter().map(Line::from));
    }

    /// A reader was given a page.
    pub fn page(&self, reader: &str, conversation: ConversationId, entries: &[Entry]) {
        let lines = entries.iter().map(Line::from).collect();
        self.state().history.readings.push(Reading { reader: reader.to_owned(), conversation, lines });
    }

    /// The whole log at the end.
    pub fn log(&self, conversation: ConversationId, entries: &[Entry]) {
        self.state().history.logs.insert(conversation, entries.iter().map(Line::from).collect());
    }

    /// What a member holds at the end, with what it took it from: a page too.
    pub fn holds(
        &self,
        reader: &str,
        conversation: ConversationId,
        ranges: Vec<(Seq, Option<Seq>)>,
        entries: &[Entry],
    ) {
        let held = entries.iter().map(|entry| Seq(entry.seq)).collect();
        self.state().history.holdings.push(Holding { reader: reader.to_owned(), conversation, ranges, held });
    }

    /// Everything that was asked so far.
    pub fn known(&self) -> BTreeSet<Op> {
        self.state().history.appends.keys().copied().collect()
    }

    /// What `lane` asked so far and has no answer to.
    pub fn unanswered(&self, lane: &str) -> Vec<Op> {
        let state = self.state();
        let appends = state.history.appends.iter();
        appends
            .filter(|(_, append)| append.lane == lane && append.acks.is_empty())
            .map(|(op, _)| *op)
            .collect()
    }

    /// All of it. What is taken down later is not in it.
    pub fn history(&self) -> History {
        std::mem::take(&mut self.state().history)
    }
}

//! A history, sorted by what the rules ask for: the logs, the appends, and who was who at each line.

use std::collections::HashMap;

use parlor_types::{ConversationId, Op, SessionId, UserId};

use super::log::{Held, Log, LogId, Readable};
use super::{Evidence, Guarantee, Report};
use crate::stretches::Stretches;
use crate::{Event, Line, Seen};

/// See the module.
pub struct Index<'a> {
    pub lines: &'a [Line],
    /// Who each line is of.
    pub who: Vec<Who>,
    /// The last life of the store that anybody heard of.
    pub last_life: u32,
    pub logs: HashMap<LogId, Log<'a>>,
    pub appends: HashMap<Op, Append<'a>>,
}

/// A client at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Who {
    pub client: u32,
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    /// The life of the store that it knows of.
    pub life: u32,
}

/// What became of an append.
#[derive(Debug, Default)]
pub struct Append<'a> {
    pub invoked: Option<Invoked<'a>>,
    /// Lines that say that it is stored, and where.
    pub acks: Vec<(usize, u64)>,
    pub failed: Option<usize>,
    pub owed: Option<usize>,
    /// It may be asked for once more, or sent by an older copy of the client.
    pub recalled: bool,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Invoked<'a> {
    pub line: usize,
    pub conversation: ConversationId,
    pub content: Option<&'a str>,
}

impl<'a> Index<'a> {
    pub fn of(lines: &'a [Line], report: &mut Report) -> Self {
        let (who, last_life) = who(lines);
        let (logs, appends) = (HashMap::new(), HashMap::new());
        let mut index = Self { lines, who, last_life, logs, appends };
        for (at, line) in lines.iter().enumerate() {
            index.add_append(at, &line.event, report);
        }
        for (at, line) in lines.iter().enumerate() {
            index.add_log(at, line, report);
        }
        index
    }

    /// The log that a line speaks of.
    pub fn log_id(&self, line: usize, conversation: ConversationId) -> LogId {
        LogId { life: self.who[line].life, conversation }
    }

    pub fn log(&self, line: usize, conversation: ConversationId) -> Option<&Log<'a>> {
        self.logs.get(&self.log_id(line, conversation))
    }

    fn add_append(&mut self, at: usize, event: &'a Event, report: &mut Report) {
        match event {
            Event::Invoke { op, conversation, content, .. } => {
                let content = content.as_deref();
                let invoked = Invoked { line: at, conversation: *conversation, content };
                let append = self.appends.entry(*op).or_default();
                let again = std::mem::take(&mut append.recalled);
                if let Some(before) = append.invoked.replace(invoked).filter(|_| !again) {
                    let what = format!("{op} was made twice: an op names one append");
                    report.broken(Guarantee::G2, what, [before.line.into(), at.into()]);
                }
            }
            Event::Ok { op, seq } => self.appends.entry(*op).or_default().acks.push((at, *seq)),
            Event::Fail { op, .. } => self.appends.entry(*op).or_default().failed = Some(at),
            Event::Recalled { op } => {
                let append = self.appends.entry(*op).or_default();
                append.recalled = true;
                append.failed = None;
            }
            Event::Owed { op } => self.appends.entry(*op).or_default().owed = Some(at),
            _ => {}
        }
    }

    fn add_log(&mut self, at: usize, line: &'a Line, report: &mut Report) {
        let who = self.who[at];
        let id = |conversation: &ConversationId| LogId { life: who.life, conversation: *conversation };
        match &line.event {
            Event::Applied { conversation, entries } | Event::Page { conversation, entries } => {
                let id = id(conversation);
                let log = self.logs.entry(id).or_default();
                let stretches = log.taken_in.entry(who.client).or_default();
                for run in entries.chunk_by(|one, next| one.seq.checked_add(1) == Some(next.seq)) {
                    stretches.insert(run[0].seq, run[run.len() - 1].seq);
                }
                for entry in entries {
                    log.saw(id, entry, Evidence { line: at, seq: Some(entry.seq) }, report);
                }
            }
            Event::Ok { op, seq } => {
                let invoked = self.appends.get(op).and_then(|append| append.invoked);
                if let Some(invoked) = invoked {
                    let log = self.logs.entry(id(&invoked.conversation)).or_default();
                    log.acked.entry(*seq).or_insert(at);
                }
            }
            Event::Resumed { conversation, from, to } => {
                let log = self.logs.entry(id(conversation)).or_default();
                log.taken_in.entry(who.client).or_default().insert(*from, *to);
            }
            Event::Readable { conversation, ranges } => {
                let Some(user) = who.user else { return };
                let ranges = ranges.iter().map(|(from, to)| (*from, to.unwrap_or(u64::MAX)));
                let readable = Readable { line: at, ranges: Stretches::of(ranges) };
                self.logs.entry(id(conversation)).or_default().readable.insert(user, readable);
            }
            Event::Held { conversation, ranges, whole } => {
                let ranges = Stretches::of(ranges.iter().copied());
                let (client, user, name) = (who.client, who.user, &*line.client);
                let held = Held { line: at, client, name, user, ranges, whole: *whole };
                self.logs.entry(id(conversation)).or_default().held.push(held);
            }
            _ => {}
        }
    }

    /// Every time that somebody took in an entry, in order.
    pub fn sightings(&self) -> impl Iterator<Item = (usize, ConversationId, &'a Seen)> {
        self.lines.iter().enumerate().flat_map(|(at, line)| {
            let (conversation, entries) = match &line.event {
                Event::Applied { conversation, entries } | Event::Page { conversation, entries } => {
                    (Some(*conversation), &entries[..])
                }
                _ => (None, &[][..]),
            };
            entries.iter().filter_map(move |entry| Some((at, conversation?, entry)))
        })
    }
}

/// Who each line is of, and the last life of the store that anybody heard of. Lives are counted in the order in which they
/// were heard of; the one without a name is 0.
fn who(lines: &[Line]) -> (Vec<Who>, u32) {
    let (mut clients, mut lives): (HashMap<&str, Who>, HashMap<&str, u32>) = Default::default();
    let mut who = Vec::with_capacity(lines.len());
    for line in lines {
        let number = u32::try_from(clients.len()).unwrap_or(u32::MAX);
        let nobody = Who { client: number, user: None, session: None, life: 0 };
        let client = clients.entry(&line.client).or_insert(nobody);
        match &line.event {
            Event::Begin { user, session } => (client.user, client.session) = (Some(*user), *session),
            Event::Generation { generation } => {
                let next = u32::try_from(lives.len() + 1).unwrap_or(u32::MAX);
                client.life = *lives.entry(generation).or_insert(next);
            }
            _ => {}
        }
        who.push(*client);
    }
    let last = u32::try_from(lives.len()).unwrap_or(u32::MAX);
    (who, last)
}

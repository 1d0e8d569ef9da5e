//! A client without a stream and without our client library: unary calls, one op repeated until it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor_history::{Event, Recorder};
use parlor_testkit::{ChatClient, compose};
use parlor_types::{ConversationId, Id as _, Op, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Append, Appended, LogPage};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::{Retry, from_status, meaning};
use tokio::time::{sleep, timeout};
use tonic::Status;

use crate::{history, reading};

/// An attempt is given up after this; what became of it is unknown then.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Debug)]
pub struct Caller {
    name: String,
    chat: ChatClient,
    recorder: Arc<Recorder>,
    /// The highest seq heard of.
    heads: BTreeMap<ConversationId, u64>,
}

impl Caller {
    /// Calls through `chat`; taken down as `name`.
    #[must_use]
    pub fn new(name: &str, chat: ChatClient, recorder: Arc<Recorder>) -> Self {
        Self { name: name.to_owned(), chat, recorder, heads: BTreeMap::new() }
    }

    /// Says something and repeats it until it is stored; gives where. What became too old is looked for first.
    ///
    /// # Panics
    /// It is refused for a reason that repeating does not mend.
    pub async fn say(&mut self, conversation: ConversationId, text: String) -> Seq {
        self.append(conversation, Kind::Text(parlor_wire::chat::v1::Text { body: text })).await
    }

    /// Appends anything, as [`Caller::say`].
    ///
    /// # Panics
    /// It is refused for a reason that repeating does not mend.
    pub async fn append(&mut self, conversation: ConversationId, kind: Kind) -> Seq {
        let base = self.head(conversation).await;
        let text = if let Kind::Text(text) = &kind { Some(text.body.clone()) } else { None };
        let mut append = compose::append(&conversation.to_string(), base, kind);
        let op = Op::parse(&append.op).expect("an op just made");
        let since = self.recorder.now();
        history::invoked(&self.recorder, since, &self.name, conversation, op, text.as_deref());
        loop {
            let answer = match self.attempt(&append).await {
                Err(status) if from_status(&status).reason() == ErrorReason::OpTooOld => {
                    self.recorder.record(&self.name, Event::Unknown { op });
                    match self.look_for(&mut append).await {
                        Some(seq) => Ok(seq),
                        None => continue,
                    }
                }
                answer => answer.map(|appended| appended.seq),
            };
            match answer {
                Ok(seq) => {
                    history::acked(&self.recorder, &self.name, op, Seq(seq));
                    self.heads.insert(conversation, seq);
                    return Seq(seq);
                }
                Err(status) => {
                    let problem = from_status(&status);
                    let who = &self.name;
                    let is_gone = problem.reason() == ErrorReason::BaseSeqAhead;
                    assert!(!is_gone, "G1: {who} was told of {base}, which the server no longer knows of");
                    let helps = meaning(problem.reason()).1 == Retry::Same;
                    assert!(helps, "{who} says {text:?}: {problem:?}");
                    self.recorder.record(&self.name, Event::Unknown { op });
                }
            }
            // waits: for the server to come back; that it has is seen by trying
            sleep(PAUSE).await;
        }
    }

    /// What the API says is to be done with an op that is too old: looks where it may be, from its base on. If it is not there,
    /// it is to be appended after what was looked through.
    async fn look_for(&self, append: &mut Append) -> Option<u64> {
        let mut from = append.base_seq + 1;
        while from != 0 {
            let page = self.page(&append.conversation_id, from).await;
            if let Some(entry) = page.entries.iter().find(|entry| entry.op == append.op) {
                return Some(entry.seq);
            }
            append.base_seq = page.entries.last().map_or(append.base_seq, |entry| entry.seq);
            from = page.next_seq;
        }
        None
    }

    async fn page(&self, conversation: &str, from: u64) -> LogPage {
        loop {
            match timeout(ATTEMPT, reading::page(&self.chat, conversation, from, 0)).await {
                Ok(Ok(page)) => return page,
                // waits: for the server to come back; that it has is seen by trying
                _ => sleep(PAUSE).await,
            }
        }
    }

    /// The highest seq heard of. What nothing was heard of is asked for: without a base there is no append.
    async fn head(&mut self, conversation: ConversationId) -> u64 {
        loop {
            if let Some(head) = self.heads.get(&conversation) {
                return *head;
            }
            if let Ok(Ok(row)) = timeout(ATTEMPT, reading::row(&self.chat, &conversation.to_string())).await {
                self.heads.insert(conversation, row.head);
            } else {
                // waits: for the server to come back; that it has is seen by trying
                sleep(PAUSE).await;
            }
        }
    }

    async fn attempt(&self, append: &Append) -> Result<Appended, Status> {
        let mut chat = self.chat.clone();
        match timeout(ATTEMPT, chat.append(compose::unary(append))).await {
            Ok(answer) => Ok(answer?.into_inner().appended.expect("where it is")),
            Err(_) => Err(Status::deadline_exceeded("no answer in time")),
        }
    }
}

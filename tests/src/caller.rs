//! A client without a stream and without our client library: unary calls, one op repeated until it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor_history::{Event, Recorder};
use parlor_testkit::{ChatClient, compose};
use parlor_types::{ConversationId, Id as _, Op, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Append, Appended};
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

    /// Says something and repeats it, unchanged, until it is stored.
    ///
    /// # Panics
    /// It is refused for a reason that repeating does not mend.
    pub async fn say(&mut self, conversation: ConversationId, text: String) -> Appended {
        self.append(conversation, Kind::Text(parlor_wire::chat::v1::Text { body: text })).await
    }

    /// Appends anything, as [`Caller::say`].
    ///
    /// # Panics
    /// It is refused for a reason that repeating does not mend.
    pub async fn append(&mut self, conversation: ConversationId, kind: Kind) -> Appended {
        let base = self.head(conversation).await;
        let text = if let Kind::Text(text) = &kind { Some(text.body.clone()) } else { None };
        let append = compose::append(&conversation.to_string(), base, kind);
        let op = Op::parse(&append.op).expect("an op just made");
        let since = self.recorder.now();
        history::invoked(&self.recorder, since, &self.name, conversation, op, text.as_deref());
        loop {
            match self.attempt(&append).await {
                Ok(appended) => {
                    history::acked(&self.recorder, &self.name, op, Seq(appended.seq));
                    self.heads.insert(conversation, appended.seq);
                    return appended;
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

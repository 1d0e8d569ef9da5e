//! Our client library at work, taken down: what it sends, what became of it, and what it took in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor_client::core::{Draft, Event};
use parlor_client::{Client, Events, Live, News};
use parlor_history::{Event as Recorded, Recorder};
use parlor_testkit::eventually;
use parlor_types::{ConversationId, Op, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Appended, Entry, Text};
use tokio::task::JoinHandle;

use crate::history;

/// A live client. Its stream ends when dropped.
#[derive(Debug)]
pub struct Follower {
    /// What it is called in the history.
    pub name: String,
    /// The client: its store is what is held.
    pub client: Client,
    live: Live,
    recorder: Arc<Recorder>,
    reading: JoinHandle<()>,
}

/// A message on its way, being waited for.
pub type Answer = JoinHandle<Result<Appended, parlor_client::Error>>;

impl Follower {
    /// Opens the stream; what comes is taken down as a reading of `name`.
    ///
    /// # Panics
    /// Nobody is logged in.
    pub async fn start(client: Client, name: &str, recorder: Arc<Recorder>) -> Self {
        let (live, events) = client.live().await.expect("somebody is logged in");
        let reading = tokio::spawn(read(client.clone(), events, name.to_owned(), recorder.clone()));
        Self { name: name.to_owned(), client, live, recorder, reading }
    }

    /// Saves a message and lets it be sent. The answer is taken down when it comes.
    ///
    /// # Panics
    /// The connection was stopped.
    pub async fn say(&self, conversation: ConversationId, text: String) -> Answer {
        let since = self.recorder.now();
        let body = Kind::Text(Text { body: text.clone() });
        let pending = self.live.send(Draft::new(conversation, body)).await.expect("it is live");
        let op = pending.op;
        history::invoked(&self.recorder, since, &self.name, conversation, op, Some(&text));
        let (recorder, name) = (self.recorder.clone(), self.name.clone());
        tokio::spawn(async move {
            let answer = pending.settled().await;
            match &answer {
                Ok(appended) => history::acked(&recorder, &name, op, Seq(appended.seq)),
                Err(parlor_client::Error::Refused(problem)) => {
                    let reason = problem.reason().as_str_name().to_owned();
                    recorder.record(&name, Recorded::Fail { op, reason });
                }
                Err(_) => recorder.record(&name, Recorded::Unknown { op }),
            }
            answer
        })
    }

    /// Its connection.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Tries now, if it is waiting to try again.
    pub async fn hurry(&self) {
        drop(self.live.foreground().await);
    }

    /// Waits until everything is delivered, and held from the first readable entry up to `head`.
    ///
    /// # Panics
    /// It does not get there.
    pub async fn caught_up(&self, conversation: ConversationId, head: Seq, deadline: Duration) {
        let store = self.client.store();
        let is_empty = async || store.outbox(Some(conversation)).is_ok_and(|rows| rows.is_empty());
        eventually(&format!("G2: {} delivers its outbox", self.name), deadline, is_empty).await;
        history::delivered(&self.recorder, &self.name);
        let mut asked = false;
        let what = format!("G5: {} holds {conversation} up to {head}", self.name);
        eventually(&what, deadline, async || {
            let Ok(Some(known)) = store.conversation(conversation) else { return false };
            let floor =
                known.row.as_ref().and_then(|row| row.readable.last()).map_or(1, |range| range.from_seq);
            let Some(range) = known.range.filter(|range| range.have >= head) else { return false };
            if range.low > Seq(floor) && !asked {
                asked = true;
                self.live.fetch_older(conversation, Seq(floor)).await.expect("it is live");
            }
            range.low <= Seq(floor)
        })
        .await;
    }

    /// What is held, lowest first.
    ///
    /// # Panics
    /// The store cannot be read.
    #[must_use]
    pub fn held(&self, conversation: ConversationId) -> Vec<Entry> {
        let store = self.client.store();
        store.entries(conversation, Seq::FIRST, Seq(u64::MAX), u32::MAX).expect("the store can be read")
    }

    /// The outbox: what is saved and not known to be stored.
    ///
    /// # Panics
    /// The store cannot be read.
    #[must_use]
    pub fn outbox(&self) -> Vec<Op> {
        let rows = self.client.store().outbox(None).expect("the store can be read");
        rows.into_iter().map(|row| row.op).collect()
    }

    /// Whether the stream goes on, or is being opened again.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.reading.is_finished()
    }
}

/// Takes down what the store gained, in the order it was told of it.
async fn read(client: Client, mut events: Events, name: String, recorder: Arc<Recorder>) {
    let mut read: BTreeMap<ConversationId, Seq> = BTreeMap::new();
    while let Some(news) = events.next().await {
        match news {
            News::Event(Event::Entries { conversation, from, to }) => {
                let from = read.get(&conversation).map_or(from, |last| from.max(last.next()));
                note(&client, &recorder, &name, conversation, from, to);
                read.insert(conversation, to);
            }
            News::Event(Event::Stopped(_)) => return,
            News::Event(_) => {}
            News::Missed(_) => {
                for (conversation, last) in &mut read {
                    let known = client.store().conversation(*conversation).expect("the store can be read");
                    let Some(range) = known.and_then(|known| known.range) else { continue };
                    note(&client, &recorder, &name, *conversation, last.next(), range.have);
                    *last = range.have;
                }
            }
        }
    }
}

fn note(client: &Client, recorder: &Recorder, name: &str, conversation: ConversationId, from: Seq, to: Seq) {
    let entries = client.store().entries(conversation, from, to, u32::MAX).expect("the store can be read");
    history::applied(recorder, name, conversation, &entries);
}

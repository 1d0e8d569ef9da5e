//! A session on a stream that does what rows, heads and events say, and no more.

use std::collections::BTreeMap;
use std::time::Duration;

use parlor_testkit::{ChatClient, StreamClient};
use parlor_tests::reading;
use parlor_wire::chat::v1::Entry;
use parlor_wire::chat::v1::server_frame::Kind;
use tokio::time::timeout;

use super::model::{only_readable, readable};

/// How long it may take until what was not sent is told of.
const HEALED_WITHIN: Duration = Duration::from_secs(5);

/// See the module.
pub struct Session {
    user: String,
    chat: ChatClient,
    stream: StreamClient,
    held: BTreeMap<u64, Entry>,
}

impl Session {
    /// Synced, before there is any group.
    pub async fn open(user: String, chat: ChatClient) -> Self {
        let (mut stream, _) = StreamClient::connect(&chat, b"").await;
        stream.synced().await;
        // A scenario is far below the window, and acks are not what is tested.
        stream.auto_ack(false);
        Self { user, chat, stream, held: BTreeMap::new() }
    }

    /// Takes in frames until everything that may be read is held. What is above the head of a row has to come by itself.
    pub async fn catch_up(&mut self, group: &str, log: &[Entry]) {
        let may = readable(log, &self.user);
        while !may.iter().all(|seq| self.held.contains_key(seq)) {
            let Ok(frame) = timeout(HEALED_WITHIN, self.stream.next()).await else {
                let held: Vec<_> = self.held.keys().collect();
                panic!("G5, G6: {} may read {may:?}, and got {held:?} on its stream", self.user);
            };
            let frame = frame.expect("the stream goes on");
            self.take_in(group, frame).await;
        }
    }

    /// All that is still on its way is taken in too; nothing of it all is from outside.
    pub async fn nothing_more(&mut self, group: &str, log: &[Entry]) {
        self.stream.ping().await;
        for frame in self.stream.take_mail() {
            self.take_in(group, frame).await;
        }
        let held: Vec<_> = self.held.values().cloned().collect();
        only_readable("its stream", &self.user, &held, log);
    }

    async fn take_in(&mut self, group: &str, frame: Kind) {
        match frame {
            Kind::Event(event) => self.hold(event.entry),
            Kind::SyncConversation(row) => {
                let head = row.conversation.expect("a row").head;
                self.fetch_to(group, head).await;
            }
            Kind::Head(head) => self.fetch_to(group, head.head).await,
            _ => {}
        }
    }

    /// Rows come again for other reasons than an entry.
    async fn fetch_to(&mut self, group: &str, head: u64) {
        let mut from = if self.held.contains_key(&head) { 0 } else { 1 };
        while from != 0 && from <= head {
            let page = reading::page(&self.chat, group, from, head).await.expect("a row says it may be read");
            from = page.next_seq;
            page.entries.into_iter().for_each(|entry| self.hold(Some(entry)));
        }
    }

    fn hold(&mut self, entry: Option<Entry>) {
        let entry = entry.expect("an entry");
        self.held.insert(entry.seq, entry);
    }
}

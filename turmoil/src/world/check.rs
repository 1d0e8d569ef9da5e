//! Whether what is promised is kept, all the time and in the end.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chat_svc::store::Store as _;
use parlor_types::ConversationId;

use super::{CONCLUDE_WITHIN, World, Wrong};
use crate::client::{Ask, Client};
use crate::promises;
use crate::schedule::GROUPS;

/// Violations told; what is broken once is mostly broken often.
const TOLD: usize = 5;

impl World {
    /// One of the conversations.
    pub fn group(&self, founder: usize) -> Option<ConversationId> {
        self.clients[founder].shown().groups.first().copied()
    }

    /// What somebody has not got yet.
    pub fn missing(&self) -> Option<String> {
        self.clients.iter().find_map(|client| {
            let missing = self.missing_of(client)?;
            Some(format!("client {}: {missing}", client.number))
        })
    }

    fn missing_of(&self, client: &Client) -> Option<String> {
        if !client.shown().is_online {
            return Some("not online".to_owned());
        }
        let waiting = client.store.outbox(None).expect("the store can be read").len();
        if waiting > 0 {
            return Some(format!("{waiting} rows wait in the outbox"));
        }
        (0..GROUPS).find_map(|founder| {
            let Some(id) = self.group(founder) else { return Some("no conversation yet".to_owned()) };
            let rows = at_once(self.ground.store.rows(client.user, vec![id])).expect("the model can be read");
            let truth = rows.first()?.head;
            let held = client.store.conversation(id).expect("the store can be read");
            let have = held.and_then(|held| held.range).map(|range| range.have);
            (have != Some(truth)).then(|| format!("{id}: up to {have:?} of {truth} is held"))
        })
    }

    /// At any moment.
    pub fn keeps_promises(&self) -> Result<(), Wrong> {
        for client in &self.clients {
            if let Some(why) = &client.shown().stopped {
                let at = self.now.saturating_sub(self.began);
                return Err(format!("client {} has given up by {at:?}: {why}", client.number));
            }
        }
        let silent = self.ground.ledger.seen(|seen| promises::held_in_silence(seen, self.now));
        silent.map_or(Ok(()), Err)
    }

    /// When the server has stopped that was asked to at this time.
    pub fn said_goodbye(&self, asked: std::time::Duration) -> Result<(), Wrong> {
        let each = self.kind.clients_each();
        let calm: Vec<_> = (0..self.clients.len()).map(|client| self.links.calm(client / each)).collect();
        let cut = self.ground.ledger.seen(|seen| promises::ended_without_a_word(seen, asked, &calm));
        cut.map_or(Ok(()), Err)
    }

    /// When all is over.
    pub fn judge(&mut self) -> Result<(), Wrong> {
        let begun = self.ground.ledger.begun_since(self.began);
        promises::came_at_once(&begun, self.clients.len()).map_or(Ok(()), Err)?;
        self.clients.iter().for_each(|client| client.ask(Ask::Conclude));
        self.until("histories are complete", CONCLUDE_WITHIN, |world| {
            let open = world.clients.iter().find(|client| !client.shown().has_concluded)?;
            Some(format!("client {} has not", open.number))
        })?;
        let files: Vec<_> = self.clients.iter().map(|client| &client.history).collect();
        let history = parlor_history::read(&files).map_err(|error| error.to_string())?;
        let found = history.check();
        if found.is_empty() {
            return Ok(());
        }
        let told = found.iter().take(TOLD).map(|violation| {
            let lines = history.slice(violation).into_iter();
            let lines = lines.map(|(_, line)| format!("\n    {} {}: {:?}", line.at, line.client, line.event));
            format!("{violation}{}\n", lines.collect::<String>())
        });
        Err(format!("{} violations:\n{}", found.len(), told.collect::<String>()))
    }
}

/// The model waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => found,
        Poll::Pending => panic!("the model waits for nothing"),
    }
}

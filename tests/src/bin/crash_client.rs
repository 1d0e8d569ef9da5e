//! The client that is killed: our client library, told by lines what to say, and telling by lines what became of it.
//!
//! `parlor-crash-client PROFILE SERVER CONVERSATION`, with a history in `PARLOR_RECORD`. Each line of standard input is a message. Standard output says
//! `saved OP TEXT` when it is in the outbox, and `acked OP SEQ` when it is stored. It never ends by itself.

use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parlor_client::core::{Draft, Event};
use parlor_client::{Client, Events, News};
use parlor_types::{ConversationId, Id as _};
use parlor_wire::chat::v1::Text;
use parlor_wire::chat::v1::content::Kind;
use tokio::sync::Mutex;

/// How long calls are repeated; there are none while it is live.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("PROFILE SERVER CONVERSATION");
    let (profile, server, conversation) = (argument(), argument(), argument());
    let conversation = ConversationId::parse(&conversation).expect("a conversation id");
    let client = Client::open(Path::new(&profile), &server, PATIENCE).await.expect("the profile opens");
    if let Some(file) = std::env::var_os("PARLOR_RECORD") {
        client.record_history(Path::new(&file)).await.expect("a history can be gone on with");
    }
    let (live, events) = client.live().await.expect("somebody is logged in");
    let turn = Arc::new(Mutex::new(()));
    tokio::spawn(tell(events, turn.clone()));
    for body in io::stdin().lock().lines() {
        let body = body.expect("standard input can be read");
        // Nothing is said to be acked before it is said to be saved.
        let _turn = turn.lock().await;
        let draft = Draft::new(conversation, Kind::Text(Text { body: body.clone() }));
        let pending = live.send(draft).await.expect("it is live");
        say(&format!("saved {} {body}", pending.op));
    }
    std::future::pending().await
}

async fn tell(mut events: Events, turn: Arc<Mutex<()>>) {
    while let Some(news) = events.next().await {
        let _turn = turn.lock().await;
        if let News::Event(Event::Settled(op, Ok(appended))) = news {
            say(&format!("acked {op} {}", appended.seq));
        }
    }
}

/// At once and whole, so that what was said before a kill can be read after it.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    // Whoever closed the other end is about to kill this.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

//! A client: the library as it ships, over the simulated network, with somebody who uses it.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use parlor_client::core::{Draft, Event};
use parlor_client::store::{Store, Tokens};
use parlor_client::{Client as Library, Dialing, Live, News, Server};
use parlor_testkit::Person;
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::Text;
use parlor_wire::chat::v1::content::Kind;
use tokio::sync::mpsc;
use tokio::time::Instant;
use turmoil::net::TcpStream;

use crate::ledger::{Ledger, Side};
use crate::planted::Planted;
use crate::points::Point;
use crate::server::{NAME, PORT};
use crate::wire::Wire;

/// How long calls that fail are repeated.
const PATIENCE: Duration = Duration::from_secs(20);
/// Clients begin so long after each other.
const APART: Duration = Duration::from_millis(45);
/// From here on a connection that does not come about is one that timed out: the client's limit is ten seconds.
const LONG: Duration = Duration::from_millis(9_500);
/// For how long the access token is good: longer than any run.
const TOKEN_FOR: Duration = Duration::from_secs(3600);

/// With [`Planted::ComeAtOnce`]: how often there is such a moment, in milliseconds.
const AT_ONCE_EVERY: u128 = 5_000;

/// What somebody may want before the client has done it.
const ASKS: usize = 1024;

/// What somebody does with it.
#[derive(Debug)]
pub enum Ask {
    /// Makes a group of all these.
    Group(Vec<UserId>),
    /// Says something.
    Say(ConversationId, String),
    /// Has seen all that is there.
    Read,
    /// Comes to look.
    Foreground,
    /// Writes down what it holds.
    Conclude,
}

/// What is seen of it from outside.
#[derive(Debug, Default)]
pub struct Shown {
    pub groups: Vec<ConversationId>,
    pub is_online: bool,
    pub has_concluded: bool,
    /// It will not come back by itself.
    pub stopped: Option<String>,
}

/// A client and what it keeps. Clones share everything.
#[derive(Clone)]
pub struct Client {
    pub number: usize,
    pub user: UserId,
    pub store: Arc<Store>,
    pub history: PathBuf,
    pub asks: mpsc::Sender<Ask>,
    shown: Arc<Mutex<Shown>>,
    ledger: Ledger,
    planted: Option<Planted>,
}

impl Client {
    /// Logged in and not yet connected, with the receiver for [`Client::live`].
    pub fn new(
        number: usize,
        person: &Person,
        folder: &Path,
        ledger: Ledger,
        planted: Option<Planted>,
    ) -> (Self, mpsc::Receiver<Ask>) {
        let store = Arc::new(Store::in_memory());
        let caller = &person.caller;
        let tokens = Tokens {
            access: person.token.clone(),
            access_until: SystemTime::now() + TOKEN_FOR,
            refresh: String::new(),
        };
        let name = format!("client {number}");
        store
            .log_in(&address(), &name, caller.user_id, caller.session_id, &tokens)
            .expect("a store in memory takes an account");
        let (asks, asked) = mpsc::channel(ASKS);
        let history = folder.join(format!("{number}.jsonl"));
        let shown = Arc::default();
        (Self { number, user: caller.user_id, store, history, asks, shown, ledger, planted }, asked)
    }

    /// What is seen of it.
    pub fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has somebody do something with it.
    pub fn ask(&self, ask: Ask) {
        // If it is not taken the client has failed, and the run with it.
        let _ = self.asks.try_send(ask);
    }

    /// Connects and stays so.
    pub async fn live(self, mut asked: mpsc::Receiver<Ask>) -> Result<(), Box<dyn Error>> {
        let late = u32::try_from(self.number).unwrap_or_default();
        tokio::time::sleep(APART * late).await;
        let client = self.clone();
        let server = Server::new(address()).through(move |host, port| client.clone().dial(host, port));
        let library = Library::with_open_store(Arc::clone(&self.store), server, PATIENCE)?;
        library.record_history(&self.history).await?;
        let (live, mut events) = library.live().await?;
        loop {
            tokio::select! {
                Some(ask) = asked.recv() => self.perform(&library, &live, ask).await?,
                news = events.next() => match news {
                    Some(News::Event(Event::Online)) => self.shown().is_online = true,
                    Some(News::Event(Event::Offline(_))) => self.shown().is_online = false,
                    Some(News::Event(Event::Stopped(why))) => self.shown().stopped = Some(format!("{why:?}")),
                    Some(_) => {}
                    None => return Err("the connection is over".into()),
                },
            }
        }
    }

    async fn perform(&self, library: &Library, live: &Live, ask: Ask) -> Result<(), Box<dyn Error>> {
        match ask {
            Ask::Group(members) => {
                let group = library.create_group("Tea", &members, None).await?;
                let id = ConversationId::parse(&group.id).ok_or("a conversation has an id")?;
                // Somebody has to have seen who was made a member.
                library.fetch(id, Seq::FIRST, Seq::FIRST).await?;
                self.shown().groups.push(id);
            }
            // What becomes of it is in the history.
            Ask::Say(conversation, body) => {
                drop(live.send(Draft::new(conversation, Kind::Text(Text { body }))).await?);
            }
            Ask::Read => {
                for known in self.store.conversations()? {
                    if let Some(range) = known.range {
                        live.mark_read(known.id, range.have).await?;
                    }
                }
            }
            Ask::Foreground => live.foreground().await?,
            Ask::Conclude => {
                library.conclude_history().await?;
                library.finish_history()?;
                self.shown().has_concluded = true;
            }
        }
        Ok(())
    }

    fn dial(self, host: String, port: u16) -> Dialing {
        Box::pin(async move {
            if self.planted == Some(Planted::ComeAtOnce) {
                let now = turmoil::sim_elapsed().unwrap_or_default().as_millis();
                let left = AT_ONCE_EVERY - now % AT_ONCE_EVERY;
                // waits: for the moment at which all come, by the simulated clock
                tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or_default())).await;
            }
            let pending = Pending { since: Instant::now(), ledger: &self.ledger, is_over: false };
            let tcp = pending.over(TcpStream::connect((host, port)).await)?;
            let answers_pings = self.planted == Some(Planted::PingsAnsweredNearby);
            let side = Side::Client(self.number);
            let wire = Wire::new(tcp, side, self.ledger.clone(), answers_pings);
            Ok(Box::new(wire) as Box<dyn parlor_client::Wire>)
        })
    }
}

/// A connection that is coming about; dropped before that, somebody has lost patience.
struct Pending<'a> {
    since: Instant,
    ledger: &'a Ledger,
    is_over: bool,
}

impl Pending<'_> {
    fn over(mut self, connected: io::Result<TcpStream>) -> io::Result<TcpStream> {
        self.is_over = true;
        if connected.is_err() {
            self.ledger.meet(Point::Refused);
        }
        connected
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.is_over && self.since.elapsed() >= LONG {
            self.ledger.meet(Point::ConnectTimedOut);
        }
    }
}

fn address() -> String {
    format!("http://{NAME}:{PORT}")
}

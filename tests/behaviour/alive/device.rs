//! An app on a device with a network of its own.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parlor_client::core::Event;
use parlor_client::store::Store;
use parlor_client::{Client, Events, Live, LogIn, News};
use parlor_testkit::FaultProxy;
use parlor_tests::Server;
use parlor_tests::account::{Login, PASSWORD};
use rand::RngExt as _;
use rand::rngs::StdRng;

/// How long unary calls are repeated; the app makes none while it is live.
const PATIENCE: Duration = Duration::from_secs(10);
/// A slow network: a far satellite.
const LAG: Duration = Duration::from_millis(300);
/// A throttled one: a phone whose volume is used up.
const BYTES_PER_SECOND: NonZeroU32 = NonZeroU32::new(8_000).expect("more than nothing");

/// What a network does to those who use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Connections end, and new ones can be made.
    Cut,
    /// Connections end, and no new ones can be made.
    Gone,
    /// Half-open: nothing comes through, and nobody is told.
    Silent,
    /// Everything takes long.
    Slow,
    /// Little comes through.
    Throttled,
    /// The network is as it should be, but the app is killed.
    Killed,
}

/// All of them.
pub const FAULTS: [Fault; 6] =
    [Fault::Cut, Fault::Gone, Fault::Silent, Fault::Slow, Fault::Throttled, Fault::Killed];

/// See the module.
pub struct Device {
    pub name: String,
    network: FaultProxy,
    folder: PathBuf,
    app: Option<App>,
    /// There is no network.
    is_gone: bool,
}

struct App {
    client: Client,
    live: Live,
    /// Whether it is in sync, and why not if that is known.
    state: Arc<Mutex<String>>,
}

/// Takes down what the app says of its connection, for those who ask why a device lags behind.
async fn follow(mut events: Events, state: Arc<Mutex<String>>) {
    while let Some(news) = events.next().await {
        let News::Event(event) = news else { continue };
        if let Event::Online | Event::Offline(_) | Event::Stopped(_) = event {
            *state.lock().expect("nobody panics with it") = format!("{event:?}");
        }
    }
}

impl Device {
    /// A new device of a user, live.
    pub async fn new(server: &Server, folder: &Path, owner: &Login, number: usize) -> Self {
        let name = format!("{}, device {number}", owner.username);
        let network = FaultProxy::start(server.address()).await;
        let mut device = Self { folder: folder.join(&name), name, network, app: None, is_gone: false };
        let client = device.client().await;
        let username = owner.username.clone();
        let who = LogIn { username, password: PASSWORD.to_owned(), device_name: device.name.clone() };
        client.log_in(&who).await.expect("logs in");
        drop(client);
        device.start().await;
        device
    }

    async fn client(&self) -> Client {
        let server = format!("http://{}", self.network.address());
        Client::open(&self.folder, &server, PATIENCE).await.expect("the profile opens")
    }

    /// Starts the app, if it does not run.
    pub async fn start(&mut self) {
        if self.app.is_none() {
            let client = self.client().await;
            let (live, events) = client.live().await.expect("somebody is logged in");
            let state = Arc::default();
            tokio::spawn(follow(events, Arc::clone(&state)));
            self.app = Some(App { client, live, state });
        }
    }

    /// Starts the app if it does not run: whoever uses it does.
    pub async fn live(&mut self) -> &Live {
        self.start().await;
        &self.app.as_ref().expect("it was started").live
    }

    /// What is saved.
    pub fn store(&self) -> &Store {
        self.app.as_ref().expect("it runs").client.store()
    }

    /// How its connection is, for a failing test to say.
    pub fn state(&self) -> String {
        let state = self.app.as_ref().map(|app| app.state.lock().expect("nobody panics with it").clone());
        state.unwrap_or_else(|| "not running".to_owned())
    }

    /// Something goes wrong, until `heal`.
    pub async fn suffer(&mut self, fault: Fault) {
        self.restore_network().await;
        match fault {
            Fault::Cut => self.network.cut(),
            Fault::Gone => {
                self.is_gone = true;
                self.network.refuse(true);
                self.network.cut();
            }
            Fault::Silent => self.network.hang(true),
            Fault::Slow => self.network.lag(LAG),
            Fault::Throttled => self.network.throttle(Some(BYTES_PER_SECOND)),
            Fault::Killed => self.app = None,
        }
    }

    /// Everything is as it should be again.
    pub async fn heal(&mut self) {
        self.restore_network().await;
        self.start().await;
    }

    /// An operating system tells apps when there is a network again; of all other faults nobody is told.
    async fn restore_network(&mut self) {
        self.network.heal();
        if std::mem::take(&mut self.is_gone)
            && let Some(app) = &self.app
        {
            app.live.foreground().await.expect("it is live");
        }
    }
}

/// Any fault.
pub fn any_fault(rng: &mut StdRng) -> Fault {
    FAULTS[rng.random_range(0..FAULTS.len())]
}

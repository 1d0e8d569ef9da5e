//! chat-svc at its address, as the product runs it.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_svc::store::MemoryStore;
use chat_svc::{App, Config, Needs, RateConfig};
use parlor_grpc_kit::{Listener, ServeOptions};
use parlor_runtime::clock::ManualClock;
use parlor_testkit::TestAuth;
use tokio::sync::Notify;
use turmoil::net::TcpListener;

use crate::ledger::Ledger;
use crate::planted::Planted;
use crate::wire::Door;

/// What it is called on the network.
pub const NAME: &str = "server";
/// Where it listens.
pub const PORT: u16 = 7700;
/// How long stopping may take: the default of `server.stop_within`.
pub const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Members of a group, at most: more than there are.
const EVERYBODY: usize = 100;

/// What outlives the server, and how it is asked to stop.
#[derive(Clone)]
pub struct Ground {
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub auth: TestAuth,
    pub ledger: Ledger,
    pub planted: Option<Planted>,
    pub stop: Arc<Notify>,
    /// It has done what it does when it is asked to stop.
    pub has_stopped: Arc<AtomicBool>,
}

impl Ground {
    fn options(&self) -> ServeOptions {
        let options = ServeOptions::default();
        match self.planted {
            Some(Planted::ServerNeverPings) => {
                ServeOptions { keepalive_interval: Duration::from_secs(3600), ..options }
            }
            _ => options,
        }
    }

    fn app(&self) -> Result<App, Box<dyn Error>> {
        let fast = RateConfig { burst: 1_000_000, per_second: 1_000_000.0 };
        let config = Config {
            max_group_members: EVERYBODY,
            appends_per_user: fast,
            appends_per_member: fast,
            ..Config::default()
        };
        let needs = Needs {
            store: PathBuf::new(),
            auth: self.auth.public_channel(),
            auth_internal: self.auth.internal_channel(),
            presence_internal: None,
            media_internal: None,
        };
        Ok(App::over(self.store.clone(), self.clock.clone(), &config, needs)?)
    }

    /// Serves until it is asked to stop, and then stops as `parlor-server` does. Whoever asked ends the host.
    pub async fn serve(self) -> Result<(), Box<dyn Error>> {
        let app = self.app()?;
        app.readiness().wait().await;
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
        let door = Door(TcpListener::bind(address).await?, self.ledger.clone());
        let is_drained = Notify::new();
        let options = self.options();
        let stopped = async {
            is_drained.notified().await;
            STOP_WITHIN
        };
        let serving = Listener::on(door, address).serve(app.public(), &options, stopped);
        let stopping = async {
            self.stop.notified().await;
            if self.planted != Some(Planted::StopsWithoutAWord) {
                app.drain().await;
                is_drained.notify_one();
            } else {
                self.has_stopped.store(true, Ordering::Relaxed);
            }
        };
        let (served, ()) = tokio::join!(serving, stopping);
        served?;
        app.shutdown(STOP_WITHIN).await?;
        self.has_stopped.store(true, Ordering::Relaxed);
        std::future::pending().await
    }
}

//! The process: the services, wired to each other and put on one address.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use parlor_grpc_kit::{Health, Listener, ServeError, Stopped, merge, reflection};
use parlor_runtime::data_dir::DataDir;
use parlor_runtime::tasks::{Importance, TaskGroup};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::files::Stores;
use crate::services::{Services, names};

/// What is left for the background tasks to end in, when the connections have used up the time there was.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// A running server. End it with [`stop`](Server::stop): if it is only dropped, connections are cut, and background
/// tasks go on until the runtime ends.
pub struct Server {
    address: SocketAddr,
    services: Services,
    health: Health,
    /// Keeps `health` true.
    telling: JoinHandle<()>,
    ready: watch::Receiver<bool>,
    /// Serving.
    tasks: TaskGroup,
    stop: oneshot::Sender<Duration>,
    stop_within: Duration,
    /// Given back last.
    data: DataDir,
}

impl Server {
    /// Takes the data folder and the address, opens the stores and serves. Must be called within a Tokio runtime;
    /// logging is the caller's.
    ///
    /// # Errors
    /// The folder or the address is in use, or a service does not start. Nothing is left running.
    pub async fn start(mut config: Config) -> Result<Self, Failure> {
        config.settle();
        let data = DataDir::open(&config.server.data)?;
        let listener = bind(config.server.listen).await?;
        let services = Services::start(&config, LAST_MOMENT).await?;
        let health = Health::new(&names()).await;
        let Services { auth, presence, media, chat, .. } = &services;
        let mut routes =
            vec![auth.public(), chat.public(), presence.public(), media.public(), health.routes()];
        if config.server.reflects() {
            routes.push(reflection(&names()));
        }
        let listener = listener.also(media.http());
        let (address, options, routes) = (listener.address(), config.server.options(), merge(routes));
        let (stop, stopped) = oneshot::channel();
        let tasks = TaskGroup::new();
        tasks.spawn("serving", Importance::Critical, async move {
            // Dropping the server is a stop without any time left.
            let stopped = async { stopped.await.unwrap_or_default() };
            report(listener.serve(routes, &options, stopped).await)
        });
        let (told, ready) = watch::channel(false);
        let telling = tokio::spawn(services.tell(health.clone(), told));
        tracing::info!(%address, "serving");
        warn_of_clear_text(address);
        let stop_within = config.server.stop_within;
        Ok(Self { address, services, health, telling, ready, tasks, stop, stop_within, data })
    }

    /// Where it listens, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until all services can do their work, and health says so.
    pub async fn ready(&self) {
        if self.ready.clone().wait_for(|ready| *ready).await.is_err() {
            // It will never be: whoever told of it is gone.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until a part has failed that the server cannot do without; says which.
    pub async fn broken(&self) -> Failure {
        let [auth, presence, media, chat] = self.services.tasks();
        let groups = [&self.tasks, auth, presence, media, chat];
        let [serving, auth, presence, media, chat] = groups.map(TaskGroup::token);
        tokio::select! {
            () = serving.cancelled() => {}
            () = auth.cancelled() => {}
            () = presence.cancelled() => {}
            () = media.cancelled() => {}
            () = chat.cancelled() => {}
        }
        let failure = groups.iter().find_map(|group| group.failure());
        Failure::new(
            Code::Internal,
            failure.map_or("a task has ended".to_owned(), |failure| failure.to_string()),
        )
    }

    /// Stops: says that it is not ready, asks the clients to leave, takes no more connections, waits for those there
    /// are, and cuts the rest at the deadline, `server.stop_within` from now. Unless that was too short, the data
    /// folder is free then.
    pub async fn stop(self) {
        let deadline = Instant::now() + self.stop_within;
        let left = || deadline.saturating_duration_since(Instant::now());
        self.telling.abort();
        // Whether it had ended before does not matter.
        let _ = self.telling.await;
        self.health.set_ready(&names(), false).await;
        if timeout(left(), self.services.drain()).await.is_err() {
            tracing::warn!("streams were still open at the deadline");
        }
        // Fails only if serving has ended by itself, which is what is wanted.
        let _ = self.stop.send(left());
        let served = [("server", self.tasks.shutdown(left() + 2 * LAST_MOMENT).await)];
        let ended = self.services.shutdown(|| left().max(LAST_MOMENT)).await;
        for (name, ended) in served.into_iter().chain(ended) {
            if let Err(error) = ended {
                tracing::warn!(group = name, %error, "tasks were cut off");
            }
        }
        let stores = Stores::of(self.data.path());
        let closed = self.services.close(&stores);
        match timeout(left().max(LAST_MOMENT), closed).await {
            Ok(Ok(_)) => tracing::info!("stopped"),
            Ok(Err(error)) => tracing::warn!(%error, "cannot tell whether the stores are closed"),
            Err(_) => tracing::warn!("the stores are still in use at the deadline"),
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn bind(address: SocketAddr) -> Result<Listener, Failure> {
    Listener::bind(address).await.map_err(|error| {
        let code = if error.kind() == std::io::ErrorKind::AddrInUse { Code::InUse } else { Code::Io };
        Failure::new(code, format!("cannot listen on {address}: {error}"))
    })
}

fn report(served: Result<Stopped, ServeError>) -> Result<(), ServeError> {
    match served? {
        Stopped::Drained => tracing::info!("all connections have ended"),
        Stopped::Cut(connections) => tracing::warn!(connections, "connections were cut at the deadline"),
    }
    Ok(())
}

fn warn_of_clear_text(address: SocketAddr) {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "listening in clear text: put something that ends TLS in front");
    }
}

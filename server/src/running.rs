//! The process: its services, wired to each other and put on their addresses.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::select_all;
use parlor_grpc_kit::{Health, Listener, ServeError, ServeOptions, ServerTls, Stopped, merge, reflection};
use parlor_runtime::data_dir::DataDir;
use parlor_runtime::tasks::{Importance, StillRunning, TaskGroup};
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;
use tonic::service::Routes;

use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::files::Stores;
use crate::program::Program;
use crate::services::Services;

/// What is left for the background tasks to end in, when the connections have used up the time there was.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// A running server. End it with [`stop`](Server::stop): if it is only dropped, connections are cut, and background
/// tasks go on until the runtime ends.
pub struct Server {
    program: &'static Program,
    services: Services,
    health: Health,
    /// Keeps `health` true.
    telling: JoinHandle<()>,
    ready: watch::Receiver<bool>,
    public: Open,
    internal: Option<Open>,
    /// Follows the certificate that other services are shown.
    following: Option<AbortHandle>,
    stop_within: Duration,
    /// Given back last.
    data: DataDir,
}

/// An address that is being served.
struct Open {
    address: SocketAddr,
    stop: oneshot::Sender<Duration>,
    /// Serving.
    tasks: TaskGroup,
}

impl Server {
    /// Takes its parts of the data folder and the addresses, opens the stores and serves. Must be called within a Tokio
    /// runtime; logging is the caller's.
    ///
    /// # Errors
    /// A part of the folder or an address is in use, or a service does not start. Nothing is left running.
    pub async fn start(program: &'static Program, mut config: Config) -> Result<Self, Failure> {
        config.settle();
        let data = DataDir::open(&config.server.data, &program.parts())?;
        let listener = over(bind(config.server.listen).await?, config.server.tls()?);
        let (mut for_services, mut client_tls) = (None, None);
        if program.is_apart() {
            let (server, client) = config.internal.tls()?.unzip();
            for_services = Some(over(bind(config.internal.listen).await?, server));
            client_tls = client;
        }
        let services = Services::start(program, &config, client_tls.as_ref(), LAST_MOMENT).await?;
        let names = names(program);
        let health = Health::new(&names).await;
        let options = config.server.options();
        let internal = for_services.map(|listener| {
            let routes = merge(services.internal().into_iter().chain([health.routes()]));
            open("serving services", listener, routes, &options)
        });
        let listener = services.plain().into_iter().fold(listener, Listener::also);
        let mut routes = services.public();
        routes.push(health.routes());
        if config.server.reflects() {
            routes.push(reflection(&names));
        }
        let public = open("serving", listener, merge(routes), &options);
        let (told, ready) = watch::channel(false);
        let telling = tokio::spawn(services.tell(health.clone(), told));
        let following = client_tls.map(|tls| tokio::spawn(async move { tls.follow().await }).abort_handle());
        tracing::info!(address = %public.address, "serving");
        if config.server.tls_cert.as_os_str().is_empty() {
            warn_of_clear_text(public.address);
        }
        let stop_within = config.server.stop_within;
        Ok(Self { program, services, health, telling, ready, public, internal, following, stop_within, data })
    }

    /// Where it listens, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.public.address
    }

    /// Where it listens for other services, if they are apart.
    #[must_use]
    pub fn internal_address(&self) -> Option<SocketAddr> {
        self.internal.as_ref().map(|open| open.address)
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
        let mut groups = self.services.tasks();
        groups.extend(
            [Some(&self.public), self.internal.as_ref()].into_iter().flatten().map(|open| &open.tasks),
        );
        let tokens = groups.iter().map(|group| group.token());
        select_all(tokens.map(|token| Box::pin(token.cancelled_owned()))).await;
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
        if let Some(following) = &self.following {
            following.abort();
        }
        // Whether it had ended before does not matter.
        let _ = self.telling.await;
        self.health.set_ready(&names(self.program), false).await;
        if timeout(left(), self.services.drain()).await.is_err() {
            tracing::warn!("streams were still open at the deadline");
        }
        let mut all = vec![("serving", self.public.close(left()).await)];
        all.extend(self.services.shutdown(|| left().max(LAST_MOMENT)).await);
        // After that, as what other services hold open has ended with the tasks behind it.
        if let Some(internal) = self.internal {
            all.push(("serving services", internal.close(left()).await));
        }
        for (name, ended) in all {
            if let Err(error) = ended {
                tracing::warn!(group = name, %error, "tasks were cut off");
            }
        }
        let stores = Stores::of(self.data.path());
        let closed = self.services.close(self.program, &stores);
        match timeout(left().max(LAST_MOMENT), closed).await {
            Ok(Ok(_)) => tracing::info!("stopped"),
            Ok(Err(error)) => tracing::warn!(%error, "cannot tell whether the stores are closed"),
            Err(_) => tracing::warn!("the stores are still in use at the deadline"),
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("program", &self.program.name).finish_non_exhaustive()
    }
}

/// The full names of what is served to clients.
fn names(program: &Program) -> Vec<&'static str> {
    program.services.iter().flat_map(|service| service.public_names()).copied().collect()
}

impl Open {
    /// Takes no more connections, waits so long for those there are, and cuts the rest.
    async fn close(self, left: Duration) -> Result<(), StillRunning> {
        // Fails only if serving has ended by itself, which is what is wanted.
        let _ = self.stop.send(left);
        self.tasks.shutdown(left + 2 * LAST_MOMENT).await
    }
}

fn open(name: &str, listener: Listener, routes: Routes, options: &ServeOptions) -> Open {
    let (address, options, tasks) = (listener.address(), options.clone(), TaskGroup::new());
    let (stop, stopped) = oneshot::channel();
    tasks.spawn(name, Importance::Critical, async move {
        // Dropping the server is a stop without any time left.
        let stopped = async { stopped.await.unwrap_or_default() };
        report(listener.serve(routes, &options, stopped).await)
    });
    Open { address, stop, tasks }
}

fn over(listener: Listener, tls: Option<ServerTls>) -> Listener {
    match tls {
        Some(tls) => listener.over(tls),
        None => listener,
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
        tracing::warn!(%address, "listening in clear text, as allowed: something else has to end TLS");
    }
}

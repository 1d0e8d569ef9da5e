//! How chat-svc is put together: the one place that names its store, and the time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parlor_embedded::{OpenError, Options};
use parlor_grpc_kit::{Authorized, Guard, PolicyError, RemoteKeys, Revocations, RevokedSet, Sight, Verifier};
use parlor_runtime::clock::{Clock, SystemClock};
use parlor_runtime::ready::{Condition, Readiness};
use parlor_runtime::tasks::{StillRunning, TaskGroup};
use parlor_types::NodeId;
use parlor_wire::chat::v1::chat_service_server::ChatServiceServer;
use parlor_wire::chat::v1::people_service_server::PeopleServiceServer;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::chat::v1::chat_internal_service_server::ChatInternalServiceServer;
use tokio::sync::watch::Receiver;
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::Config;
use crate::directory::{Directory, RemoteDirectory};
use crate::log::{Log, StartLog};
use crate::media::RemoteMedia;
use crate::people::{People, StartPeople, VisibilityWatcher};
use crate::presence::PresenceLink;
use crate::routing::LocalRouter;
use crate::rpc::{self, Chat, InternalRpc, PeopleRpc};
use crate::session::{Deps, Farewell, Standing};
use crate::store::{SqliteStore, Store};

/// How often streams are told that time passes.
const TICK: Duration = Duration::from_millis(500);
/// Largest message taken from the transport; the policy's limits are below it.
const MAX_DECODED: usize = 128 * 1024;
/// What clients are told to wait when the server stops.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// What chat-svc needs from where it runs.
#[derive(Debug)]
pub struct Needs {
    /// Its SQLite file.
    pub store: PathBuf,
    /// auth-svc's public API.
    pub auth: Channel,
    /// auth-svc's internal API, with this service's credential.
    pub auth_internal: Authorized,
    /// presence-svc's internal API, with this service's credential; none where there is no presence-svc.
    pub presence_internal: Option<Authorized>,
    /// media-svc's internal API, with this service's credential; without it nobody can send files.
    pub media_internal: Option<Authorized>,
}

/// Why chat-svc did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error("chat store: {0}")]
    Store(#[from] OpenError),
    /// A fault in the program: an RPC without a row in the table.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// A running chat-svc. Serve [`App::public`] and [`App::internal`]; end it with [`App::shutdown`].
pub struct App {
    deps: Deps,
    public: Routes,
    internal: Routes,
    readiness: Readiness,
    tasks: TaskGroup,
    draining: Arc<AtomicBool>,
    drain_grace: Duration,
}

impl App {
    /// Opens the store and starts the background tasks. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn build(config: &Config, needs: Needs) -> Result<Self, StartError> {
        let options = Options {
            max_bytes: (config.store_max_bytes > 0).then_some(config.store_max_bytes),
            ..Options::new(&needs.store)
        };
        let store = Arc::new(SqliteStore::open(options)?);
        Ok(Self::over(store, Arc::new(SystemClock), config, needs)?)
    }

    /// As [`App::build`], over a store that is open (that of the needs is not looked at) and by another clock.
    ///
    /// # Errors
    /// A fault in the program: an RPC without a row in the table.
    pub fn over(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        config: &Config,
        needs: Needs,
    ) -> Result<Self, PolicyError> {
        let router = Arc::new(LocalRouter::default());
        let directory: Arc<dyn Directory> = Arc::new(RemoteDirectory::new(needs.auth_internal.clone()));
        let presence = Arc::new(PresenceLink::new(NodeId::new(), config.presence_blind_max));
        let watcher: Arc<dyn VisibilityWatcher> = presence.clone();
        let log = Log::new(StartLog {
            store: store.clone(),
            router: router.clone(),
            directory: directory.clone(),
            media: Arc::new(RemoteMedia::new(needs.media_internal)),
            watcher: watcher.clone(),
            clock: clock.clone(),
            limits: config.log_limits(),
        });
        let people = People::new(StartPeople {
            store: store.clone(),
            log: log.clone(),
            router: router.clone(),
            directory,
            watcher,
            clock: clock.clone(),
        });
        let revoked = Arc::new(RevokedSet::new(clock.clone()));
        let blind_after = config.revocation_blind_max;
        let revocations = revocations(needs.auth_internal, revoked.clone(), blind_after, router.clone());
        let draining = Arc::new(AtomicBool::new(false));
        let standing = standing(revoked.clone(), revocations.sight(), draining.clone());
        let limits = config.stream_limits();
        let deps = Deps { log, store, router, presence, clock: clock.clone(), standing, limits };

        let (tasks, readiness) = (TaskGroup::new(), Readiness::new());
        let keys = Arc::new(RemoteKeys::new(needs.auth));
        let verifier = Arc::new(Verifier::new(keys.clone(), revoked, clock.clone()));
        let guard = |policy| Guard::new(policy, verifier.clone(), clock.clone());
        let public = guard(rpc::public()?).protect(public(&deps, &people));
        let internal = guard(rpc::internal()?).protect(internal(&deps, &people));

        start_tasks(&tasks, &deps, keys, readiness.condition("keys known"));
        if let Some(channel) = needs.presence_internal {
            hold_presence_link(&tasks, &deps, channel);
        }
        let seeing = readiness.condition("revocations known");
        let router = deps.router.clone();
        // All streams end when nobody can say any more which sessions have.
        let end_all = move || router.streams().iter().for_each(|stream| stream.end(blind()));
        revocations.start(&tasks, seeing, end_all);
        Ok(Self { deps, public, internal, readiness, tasks, draining, drain_grace: config.drain_grace })
    }

    /// What clients may call, behind the guard.
    #[must_use]
    pub fn public(&self) -> Routes {
        self.public.clone()
    }

    /// What other services may call, behind its guard: [`INTERNAL_SERVICES`](crate::INTERNAL_SERVICES).
    #[must_use]
    pub fn internal(&self) -> Routes {
        self.internal.clone()
    }

    /// Whether it can serve.
    #[must_use]
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Its background tasks; if one that it cannot do without fails, the group is cancelled.
    #[must_use]
    pub fn tasks(&self) -> &TaskGroup {
        &self.tasks
    }

    /// Lets no new stream in, asks all clients to leave, and after the grace says goodbye to those that did not.
    pub async fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        let streams = self.deps.router.streams();
        for stream in &streams {
            stream.drain(RECONNECT_AFTER);
        }
        let left = async {
            while !self.deps.router.streams().is_empty() {
                tokio::time::sleep(TICK / 10).await;
            }
        };
        if tokio::time::timeout(self.drain_grace, left).await.is_err() {
            for stream in self.deps.router.streams() {
                stream.end(stopping());
            }
        }
    }

    /// Ends the background tasks.
    ///
    /// # Errors
    /// Some did not end in time.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.tasks.shutdown(deadline).await
    }
}

fn public(deps: &Deps, people: &People) -> Routes {
    let chat = ChatServiceServer::new(Chat::new(deps.clone())).max_decoding_message_size(MAX_DECODED);
    let people = PeopleServiceServer::new(PeopleRpc::new(people.clone()));
    Routes::new(chat).add_service(people.max_decoding_message_size(MAX_DECODED))
}

fn internal(deps: &Deps, people: &People) -> Routes {
    let service = ChatInternalServiceServer::new(InternalRpc::new(people.clone(), deps.store.clone()));
    Routes::new(service.max_decoding_message_size(MAX_DECODED))
}

fn start_tasks(tasks: &TaskGroup, deps: &Deps, keys: Arc<RemoteKeys>, known: Condition) {
    let log = deps.log.clone();
    tasks.run("deliveries", move |stop| async move {
        stop.run_until_cancelled(log.run()).await;
    });
    let (router, clock) = (deps.router.clone(), deps.clock.clone());
    tasks.run("stream clock", move |stop| async move {
        let mut ticks = tokio::time::interval(TICK);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            for stream in router.streams() {
                stream.tick();
            }
            router.forget_typing(clock.now());
        }
    });
    tasks.run("keys", move |stop| async move { keys.run(known, stop).await });
}

/// Streams do without it while it cannot be held.
fn hold_presence_link(tasks: &TaskGroup, deps: &Deps, channel: Authorized) {
    let (link, router, clock) = (deps.presence.clone(), deps.router.clone(), deps.clock.clone());
    tasks.run("line to presence-svc", move |stop| async move {
        stop.run_until_cancelled(link.run(channel, router, clock)).await;
    });
}

/// Streams of ended sessions end at once (G7).
fn revocations(
    channel: Authorized,
    revoked: Arc<RevokedSet>,
    blind_after: Duration,
    router: Arc<LocalRouter>,
) -> Revocations {
    Revocations::new(channel, revoked, blind_after, move |session| {
        router.end_session(session, &Farewell::session_ended());
    })
}

/// A session that ended between its call and its Hello gets no stream; while nobody can say which have, and when the
/// server is stopping, none does.
fn standing(revoked: Arc<RevokedSet>, sight: Receiver<Sight>, draining: Arc<AtomicBool>) -> Standing {
    Arc::new(move |session| {
        if revoked.contains(session) {
            Some(Farewell::session_ended())
        } else if draining.load(Ordering::Acquire) {
            Some(stopping())
        } else {
            (*sight.borrow() == Sight::Blind).then(blind)
        }
    })
}

fn stopping() -> Farewell {
    Farewell::come_back(ErrorReason::Draining, RECONNECT_AFTER, "the server is stopping")
}

fn blind() -> Farewell {
    let message = "it cannot be told whether the session has ended";
    Farewell::come_back(ErrorReason::Unavailable, RECONNECT_AFTER, message)
}

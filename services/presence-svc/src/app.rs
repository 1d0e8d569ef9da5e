//! How presence-svc is put together: the one place that names its store, and wires the rooms to each other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parlor_embedded::{OpenError, Options};
use parlor_grpc_kit::{
    Authorized, Guard, Policy, PolicyError, RemoteKeys, Revocations, RevokedSet, Sight, Verifier,
};
use parlor_runtime::clock::Clock;
use parlor_runtime::ready::Readiness;
use parlor_runtime::tasks::{StillRunning, TaskGroup};
use parlor_wire::internal::presence::v1::presence_internal_service_server::PresenceInternalServiceServer;
use parlor_wire::presence::v1::presence_service_server::PresenceServiceServer;
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::config::Config;
use crate::hub::Hub;
use crate::rpc::{InternalRpc, PublicRpc, Standing, policy};
use crate::store::{SqliteStore, Store};
use crate::visibility::{RemoteVisibility, Visibility};
use crate::watching::Ending;

/// What presence-svc needs from where it runs.
pub struct Needs {
    /// Its SQLite file.
    pub store: PathBuf,
    /// auth-svc's public API.
    pub auth: Channel,
    /// auth-svc's internal API, with this service's credential.
    pub auth_internal: Authorized,
    /// chat-svc's internal API, with this service's credential. It need not answer yet.
    pub chat_internal: Authorized,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Why presence-svc did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error("presence store: {0}")]
    Store(#[from] OpenError),
    /// A fault in the program: an RPC without a row in the table.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// A running presence-svc. Serve [`App::public`] to clients and [`App::internal`] to services; end it with
/// [`App::shutdown`].
pub struct App {
    hub: Arc<Hub>,
    public: Routes,
    internal: Routes,
    readiness: Readiness,
    tasks: TaskGroup,
    draining: Arc<AtomicBool>,
}

impl App {
    /// Opens the store and starts the background tasks. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn build(config: &Config, needs: Needs) -> Result<Self, StartError> {
        let Needs { store, auth, auth_internal, chat_internal, clock } = needs;
        let hub = Arc::new(Hub::new(config.rules(), Arc::clone(&clock)));
        let store = open_store(config, store, &hub)?;
        let visibility: Arc<dyn Visibility> = Arc::new(RemoteVisibility::new(chat_internal));
        let revoked = Arc::new(RevokedSet::new(Arc::clone(&clock)));
        let on_revoked = Arc::clone(&hub);
        let revocations = Revocations::new(
            auth_internal,
            Arc::clone(&revoked),
            config.revocation_blind_max,
            move |session| {
                on_revoked.act(|machine, now| machine.session_ended(now, session));
            },
        );
        let draining = Arc::new(AtomicBool::new(false));
        let standing = standing(Arc::clone(&revoked), revocations.sight(), Arc::clone(&draining));

        let keys = Arc::new(RemoteKeys::new(auth));
        let verifier = Arc::new(Verifier::new(Arc::clone(&keys) as _, revoked, Arc::clone(&clock)));
        let guard = |policy| Guard::new(policy, Arc::clone(&verifier), Arc::clone(&clock));
        let public = Policy::new(&policy::public(&config.limits), policy::PUBLIC)?;
        let internal = Policy::new(&policy::internal(), policy::INTERNAL)?;
        let people = PublicRpc {
            hub: Arc::clone(&hub),
            store: Arc::clone(&store),
            visibility: Arc::clone(&visibility),
            standing,
        };
        let nodes = PresenceInternalServiceServer::new(InternalRpc { hub: Arc::clone(&hub) });
        let nodes = nodes.max_decoding_message_size(policy::ATTACH);

        let (tasks, readiness) = (TaskGroup::new(), Readiness::new());
        let seeing = readiness.condition("revocations known");
        start_tasks(&tasks, &hub, store, visibility);
        let known = readiness.condition("keys known");
        tasks.run("keys", move |stop| async move { keys.run(known, stop).await });
        let calls = Arc::clone(&hub);
        // All Watch calls end when nobody can say any more which sessions have.
        let end_all = move || calls.act(|machine, now| machine.end_all_calls(now, Ending::Blind));
        revocations.start(&tasks, seeing, end_all);
        Ok(Self {
            hub,
            public: guard(public).protect(Routes::new(PresenceServiceServer::new(people))),
            internal: guard(internal).protect(Routes::new(nodes)),
            readiness,
            tasks,
            draining,
        })
    }

    /// What clients may call, behind its guard: [`PUBLIC_SERVICES`](crate::PUBLIC_SERVICES).
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

    /// Lets no new Watch in and ends those there are. Lines of nodes go on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.hub.act(|machine, now| machine.end_all_calls(now, Ending::Stopping));
    }

    /// Ends everything, and keeps when those were seen who are there.
    ///
    /// # Errors
    /// Some tasks did not end in time.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.drain();
        self.hub.act(|machine, now| machine.end_all_lines(now));
        self.tasks.shutdown(deadline).await
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("hub", &self.hub).finish_non_exhaustive()
    }
}

fn open_store(config: &Config, path: PathBuf, hub: &Arc<Hub>) -> Result<Arc<dyn Store>, OpenError> {
    let max_bytes = Some(config.store_max_bytes).filter(|bytes| *bytes > 0);
    let hub = Arc::clone(hub);
    let on_status = Arc::new(move |user, status: &_| {
        hub.act(|machine, now| machine.status_set(now, user, status));
    });
    Ok(Arc::new(SqliteStore::open(Options { max_bytes, ..Options::new(path) }, on_status)?))
}

fn start_tasks(tasks: &TaskGroup, hub: &Arc<Hub>, store: Arc<dyn Store>, visibility: Arc<dyn Visibility>) {
    let clock = Arc::clone(hub);
    tasks.run("presence clock", move |stop| async move { clock.run_clock(stop).await });
    let keeper = Arc::clone(hub);
    tasks.run("presence records", move |stop| async move { keeper.run_store(store, stop).await });
    let asker = Arc::clone(hub);
    tasks.run("who may see whom", move |stop| async move { asker.run_asks(visibility, stop).await });
}

/// A session that ended between its call and its Watch gets none; while nobody can say which have, and when the service
/// is stopping, none does.
fn standing(revoked: Arc<RevokedSet>, sight: watch::Receiver<Sight>, draining: Arc<AtomicBool>) -> Standing {
    Arc::new(move |session| {
        if revoked.contains(session) {
            Some(Ending::SessionEnded)
        } else if draining.load(Ordering::Acquire) {
            Some(Ending::Stopping)
        } else {
            (*sight.borrow() == Sight::Blind).then_some(Ending::Blind)
        }
    })
}

//! How media-svc is put together: the one place that names its store, and wires the rooms to each other.

mod out;
#[cfg(test)]
pub(crate) mod testing;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parlor_embedded::{OpenError, Options};
use parlor_grpc_kit::{
    Authorized, Guard, Plain, Policy, PolicyError, RemoteKeys, Revocations, RevokedSet, Verifier,
};
use parlor_runtime::clock::Clock;
use parlor_runtime::ready::Readiness;
use parlor_runtime::tasks::{StillRunning, TaskGroup};
use parlor_wire::internal::media::v1::media_internal_service_server::MediaInternalServiceServer;
use parlor_wire::media::v1::media_service_server::MediaServiceServer;
use tokio::sync::{Notify, Semaphore};
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::access::RemoteSharing;
use crate::blobs::{BlobError, Blobs, OwnError};
use crate::collection::{Collection, Owner};
use crate::config::Config;
use crate::finish::{Finisher, Tools};
use crate::gate::Gate;
use crate::references::RemoteReferences;
use crate::rpc::{InternalRpc, PublicRpc, policy};
use crate::scan::{self, Later, Scanner};
use crate::staging::Staging;
use crate::store::{SqliteStore, Store};
use crate::uploads::{OpenUploads, Uploads};

use out::Out;

/// Names in the data folder.
const STORE: &str = "media.db";
/// Bytes of uploads that are not finished.
const STAGING: &str = "uploads";
/// Bytes of finished files, unless they are in a bucket.
const BLOBS: &str = "blobs";
/// The file in quarantine that is being looked at.
const SCANNED: &str = "scanned";
/// The file that the scanner is tried with at the start.
const PROBED: &str = "scanned-at-start";

/// A part waits no longer than this for those before it to be written.
const PART_WAIT: Duration = Duration::from_secs(20);

/// What media-svc needs from where it runs.
pub struct Needs {
    /// Its folder, which must exist: the database, unfinished uploads, and the files themselves unless a bucket has them.
    pub data: PathBuf,
    /// auth-svc's public API.
    pub auth: Channel,
    /// auth-svc's internal API, with this service's credential.
    pub auth_internal: Authorized,
    /// chat-svc's internal API, with this service's credential. It need not answer yet.
    pub chat_internal: Authorized,
    /// The command that starts the child process in which files are looked at: an absolute path, then arguments.
    pub inspector: Vec<OsString>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Why media-svc did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error("media store: {0}")]
    Store(#[from] OpenError),
    /// The folder of uploads, or where finished files are.
    #[error("media: {0}")]
    Files(#[from] BlobError),
    /// The bucket refuses what it is asked for, or it is another store's.
    #[error("the place of files cannot be used, look at the keys of media.blobs: {0}")]
    Bucket(#[source] OwnError),
    /// The scanner calls a harmless file harmful: it would have every file deleted.
    #[error("the scanner refuses a harmless file, look at media.scanner.command")]
    Scanner,
    /// A fault in the program: an RPC without a row in the table.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// A running media-svc. Serve [`App::public`] to clients and [`App::internal`] to services; end it with
/// [`App::shutdown`].
pub struct App {
    owner: Owner,
    scanner: Option<Arc<dyn Scanner>>,
    /// The file that the scanner is tried with.
    probed: PathBuf,
    public: Routes,
    internal: Routes,
    http: Plain,
    readiness: Readiness,
    tasks: TaskGroup,
}

impl App {
    /// Opens the store and starts the background tasks. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The store or the files cannot be opened.
    pub fn build(config: &Config, needs: Needs) -> Result<Self, StartError> {
        let Needs { data, auth, auth_internal, chat_internal, inspector, clock } = needs;
        let store = open_store(config, data.join(STORE))?;
        let blobs = Blobs::open(&config.blobs, &data.join(BLOBS))?.reserving(config.min_free_bytes);
        let staging =
            Staging::open(&data.join(STAGING)).map_err(BlobError::from)?.reserving(config.min_free_bytes);
        let references = RemoteReferences::new(chat_internal.clone(), auth_internal.clone());
        let sharing = RemoteSharing::new(chat_internal, auth_internal.clone());
        let (tasks, readiness) = (TaskGroup::new(), Readiness::new());

        let revoked = Arc::new(RevokedSet::new(Arc::clone(&clock)));
        let revocations =
            Revocations::new(auth_internal, Arc::clone(&revoked), config.revocation_blind_max, |_| {});
        let standing = out::standing(Arc::clone(&revoked), revocations.sight());
        let out = Out::new(&config.downloads, &store, blobs.clone(), sharing, standing, Arc::clone(&clock));
        let scanner = config.scanner.scanner();
        start_quarantine(config, &tasks, &store, &blobs, scanner.clone(), &clock, data.join(SCANNED))?;
        let owner = Owner { store: Arc::clone(&store), blobs, adopt: config.blobs.adopt.clone() };
        let (kept, with) = (owner.clone(), scanner.clone());
        let rooms = Rooms::new(config, store, kept, staging, references, inspector, with, &clock, &tasks);

        let keys = Arc::new(RemoteKeys::new(auth));
        let verifier = Arc::new(Verifier::new(Arc::clone(&keys) as _, revoked, Arc::clone(&clock)));
        let guard = |policy| Guard::new(policy, Arc::clone(&verifier), Arc::clone(&clock));
        let public = Policy::new(&policy::public(&config.limits), policy::PUBLIC)?;
        let internal = Policy::new(&policy::internal(), policy::INTERNAL)?;
        let Rooms { uploads, finisher, collection } = rooms;
        let people = MediaServiceServer::new(PublicRpc {
            uploads: Arc::clone(&uploads),
            finisher,
            collection: Arc::clone(&collection),
            window: config.window_bytes,
            out: out.rpc,
        });
        let people = people.max_decoding_message_size(policy::PART);
        let services = InternalRpc { collection: Arc::clone(&collection) };
        let services = MediaInternalServiceServer::new(services).max_decoding_message_size(policy::NAMED);
        let seeing = readiness.condition("revocations known");
        start_rooms(&tasks, uploads, collection);
        let known = readiness.condition("keys known");
        tasks.run("keys", move |stop| async move { keys.run(known, stop).await });
        revocations.start(&tasks, seeing, || {});
        Ok(Self {
            owner,
            scanner,
            probed: data.join(PROBED),
            public: guard(public).protect(Routes::new(people)),
            internal: guard(internal).protect(Routes::new(services)),
            http: out.http,
            readiness,
            tasks,
        })
    }

    /// Whether finished files can be kept where the configuration says, and whether its scanner tells harmless files from others: a
    /// bucket can refuse, or be another store's.
    ///
    /// # Errors
    /// They cannot, or it does not.
    pub async fn probe(&self) -> Result<(), StartError> {
        self.owner.probe().await.map_err(StartError::Bucket)?;
        let Some(scanner) = &self.scanner else { return Ok(()) };
        if scan::is_sane(&**scanner, &self.probed).await { Ok(()) } else { Err(StartError::Scanner) }
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

    /// Files over plain HTTP, to be served on the address that clients call.
    #[must_use]
    pub fn http(&self) -> Plain {
        self.http.clone()
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

    /// Prepares for the end. Calls under way go on: each is short, or can be resumed.
    pub fn drain(&self) {}

    /// Ends everything, and notes what has come of unfinished uploads.
    ///
    /// # Errors
    /// Some tasks did not end in time.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.drain();
        self.tasks.shutdown(deadline).await
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// The rooms, wired to each other.
struct Rooms {
    uploads: Arc<Uploads>,
    finisher: Arc<Finisher>,
    collection: Arc<Collection>,
}

impl Rooms {
    #[expect(clippy::too_many_arguments, reason = "everything that was opened, once")]
    fn new(
        config: &Config,
        store: Arc<dyn Store>,
        owner: Owner,
        staging: Staging,
        references: RemoteReferences,
        inspector: Vec<OsString>,
        scanner: Option<Arc<dyn Scanner>>,
        clock: &Arc<dyn Clock>,
        tasks: &TaskGroup,
    ) -> Self {
        let parts = Gate::new(config.parts_at_once, config.parts_waiting, PART_WAIT);
        let uploads = Arc::new(Uploads::new(
            Arc::clone(&store),
            staging.clone(),
            OpenUploads::new(config.open_uploads),
            parts,
            config.upload_rules(),
            Arc::clone(clock),
        ));
        let tools = Tools {
            uploads: Arc::clone(&uploads),
            staging: staging.clone(),
            store: Arc::clone(&store),
            blobs: owner.blobs.clone(),
            inspector: config.inspector(inspector),
            scanner,
            scan_wait: config.scanner.finish_wait,
            jobs: Gate::new(config.jobs(), config.finish_waiting, config.finish_wait),
            puts: Semaphore::new(config.jobs()),
        };
        let finisher = Finisher::new(tools, config.finish_rules(), Arc::clone(clock), tasks.clone());
        let collection = Collection {
            store,
            blobs: owner.blobs.clone(),
            owner,
            staging,
            uploads: Arc::clone(&uploads),
            references: Arc::new(references),
            rules: config.collection_rules(),
            clock: Arc::clone(clock),
            wake: Notify::new(),
        };
        Self { uploads, finisher: Arc::new(finisher), collection: Arc::new(collection) }
    }
}

fn open_store(config: &Config, path: PathBuf) -> Result<Arc<dyn Store>, OpenError> {
    let max_bytes = Some(config.store_max_bytes).filter(|bytes| *bytes > 0);
    Ok(Arc::new(SqliteStore::open(Options { max_bytes, ..Options::new(path) })?))
}

/// Looks at what is in quarantine; without a scanner nothing stays there.
fn start_quarantine(
    config: &Config,
    tasks: &TaskGroup,
    store: &Arc<dyn Store>,
    blobs: &Blobs,
    scanner: Option<Arc<dyn Scanner>>,
    clock: &Arc<dyn Clock>,
    file: PathBuf,
) -> Result<(), BlobError> {
    // What the last process was looking at when it ended may be deleted by now, or harmful.
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let store = Arc::clone(store);
    let Some(scanner) = scanner else {
        tasks.run("quarantine", move |stop| async move {
            stop.run_until_cancelled(scan::release(&*store)).await;
        });
        return Ok(());
    };
    let later = Later::new(store, blobs.clone(), scanner, &config.scanner, Arc::clone(clock), file);
    tasks.run("quarantine", move |stop| async move { later.run(stop).await });
    Ok(())
}

fn start_rooms(tasks: &TaskGroup, uploads: Arc<Uploads>, collection: Arc<Collection>) {
    let sweeper = Arc::clone(&collection);
    tasks.run("uploads", move |stop| async move { uploads.run(stop).await });
    tasks.run("collection", move |stop| async move { collection.run(stop).await });
    tasks.run("sweeps", move |stop| async move { sweeper.run_sweeps(stop).await });
}

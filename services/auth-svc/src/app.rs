//! The service put together: the only place that picks the store, the hasher and the wires between the rooms.

mod keys;
mod local_tokens;
mod mail;
mod operator;
mod rooms;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parlor_embedded::{OpenError, Options};
use parlor_grpc_kit::{Authorized, Guard, Policy, PolicyError, RevokedSet, TokenSource, Verifier};
use parlor_runtime::clock::{Clock, SystemClock};
use parlor_runtime::config::Problems;
use parlor_runtime::config::Validate as _;
use parlor_runtime::ready::{Condition, Readiness};
use parlor_runtime::tasks::{StillRunning, TaskGroup};
use parlor_types::SessionId;
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::accounts::{Accounts, Argon2id, HashQueue, Hasher, Passwords};
use crate::config::Config;
use crate::profiles::{Pictures, RemotePictures};
use crate::refusal::Refusal;
use crate::rpc::policy;
use crate::sessions::{Revocation, RevocationFeed};
use crate::store::{OnRevoked, SqliteStore, Store};
use crate::tokens::{Issuer, KeyFileError};

use keys::OwnKeys;
use local_tokens::LocalTokens;
use rooms::Rooms;

/// What the service takes from outside besides its configuration.
#[derive(Clone)]
pub struct Parts {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What hashes passwords; none is argon2id as configured.
    pub hasher: Option<Arc<dyn Hasher>>,
    /// media-svc's internal API; without it nobody gets another picture. This service adds a credential of its own.
    pub media_internal: Option<Channel>,
}

impl Default for Parts {
    /// The machine's clock, argon2id, no media-svc.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), hasher: None, media_internal: None }
    }
}

/// The running service.
pub struct App {
    public: Routes,
    internal: Routes,
    store: Arc<SqliteStore>,
    keys_path: PathBuf,
    accounts: Arc<Accounts>,
    issuer: Arc<Issuer>,
    clock: Arc<dyn Clock>,
    tasks: TaskGroup,
    ready: Readiness,
    running: Condition,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] Problems),
    /// The store cannot be opened.
    #[error("the store of accounts: {0}")]
    Store(#[from] OpenError),
    /// The store does not answer.
    #[error("the store of accounts: {0}")]
    Read(#[from] Refusal),
    /// The keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The key file is missing, but there are accounts.
    #[error(
        "the key file {} is missing, but there are accounts: put it back from a backup. If it is lost for good, set \
         keys.replace_lost = true for one start: everybody then has to log in again",
        path.display()
    )]
    KeysLost {
        /// Where the file should be.
        path: PathBuf,
    },
    /// The table of RPCs does not fit the protocol.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Mail cannot be sent as configured.
    #[error("mail: {reason}")]
    Mail {
        /// What is wrong.
        reason: String,
    },
    /// Passwords cannot be hashed as configured.
    #[error("argon2id: {0}")]
    Hasher(String),
}

impl App {
    /// Opens the store and the keys, or makes them, and starts what runs in the background. When it returns, the routes
    /// can be served.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is left running.
    pub async fn build(config: Config, parts: Parts) -> Result<Self, StartError> {
        check(&config)?;
        let clock = parts.clock;
        let revoked = Arc::new(RevokedSet::new(Arc::clone(&clock)));
        let (newest, grown) = watch::channel(0);
        let store = Arc::new(open_store(&config, on_revoked(Arc::clone(&revoked), newest))?);
        let keys = keys::open(&config.keys, &*store).await?;
        let issuer = Arc::new(Issuer::new(keys, config.session.access_token));
        let passwords = passwords(&config, parts.hasher)?;

        let kept: Arc<dyn Store> = Arc::clone(&store) as _;
        let feed = RevocationFeed::new(Arc::clone(&kept), grown);
        remember_revoked(&feed, &revoked, &clock).await?;
        let (tasks, ready) = (TaskGroup::new(), Readiness::new());
        let (outbox, post) = mail::open(&config.mail)?.unzip();
        let pictures = pictures(parts.media_internal, &issuer, &clock);
        let rooms = Rooms::new(&config, &kept, issuer, passwords, outbox, pictures);
        let running = ready.condition("auth-svc is running");
        let verifier = Arc::new(Verifier::new(OwnKeys::of(&rooms.issuer), revoked, Arc::clone(&clock)));
        let guard = |policy| Guard::new(policy, Arc::clone(&verifier), Arc::clone(&clock));
        let public = Policy::new(&policy::public(&config.limits), policy::PUBLIC)?;
        let internal = Policy::new(&policy::internal(), policy::INTERNAL)?;
        rooms.start_housekeeping(&kept, &clock, config.session.keep_ended, &tasks);
        if let Some(post) = post {
            post.start(&tasks);
        }
        running.set(true);
        Ok(Self {
            public: guard(public).protect(rooms.public(&clock)),
            internal: guard(internal).protect(rooms.internal(feed, &clock, tasks.token())),
            store,
            keys_path: config.keys.path,
            accounts: rooms.accounts,
            issuer: rooms.issuer,
            clock,
            tasks,
            ready,
            running,
        })
    }

    /// What clients call, behind its guard: [`PUBLIC_SERVICES`](crate::PUBLIC_SERVICES).
    #[must_use]
    pub fn public(&self) -> Routes {
        self.public.clone()
    }

    /// What other services call, behind its guard: [`INTERNAL_SERVICES`](crate::INTERNAL_SERVICES).
    #[must_use]
    pub fn internal(&self) -> Routes {
        self.internal.clone()
    }

    /// Gives internal access tokens to the other services of this process.
    #[must_use]
    pub fn internal_token_source(&self) -> Arc<dyn TokenSource> {
        Arc::new(LocalTokens::new(Arc::clone(&self.issuer), Arc::clone(&self.clock), SessionId::new()))
    }

    /// Whether calls are taken: from when [`App::build`] returns until [`App::shutdown`] begins.
    #[must_use]
    pub fn ready(&self) -> &Readiness {
        &self.ready
    }

    /// The background tasks: their token is cancelled when one that the service needs has failed.
    #[must_use]
    pub fn tasks(&self) -> &TaskGroup {
        &self.tasks
    }

    /// Says that it is not ready, ends the background tasks and the streams of followers. The store is closed when the last of the routes is
    /// dropped.
    ///
    /// # Errors
    /// Names what had to be cut off at the deadline.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.running.set(false);
        self.tasks.shutdown(deadline).await
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("store", &self.store).finish_non_exhaustive()
    }
}

fn check(config: &Config) -> Result<(), Problems> {
    let mut problems = Problems::default();
    config.check(&mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    if !config.password.is_strong() {
        tracing::warn!("passwords are hashed more cheaply than is safe: for tests only");
    }
    Ok(())
}

fn open_store(config: &Config, on_revoked: OnRevoked) -> Result<SqliteStore, OpenError> {
    let max_bytes = Some(config.store.max_bytes).filter(|bytes| *bytes > 0);
    SqliteStore::open(Options { max_bytes, ..Options::new(&config.store.path) }, on_revoked)
}

fn pictures(media: Option<Channel>, issuer: &Arc<Issuer>, clock: &Arc<dyn Clock>) -> Arc<dyn Pictures> {
    let tokens = || LocalTokens::new(Arc::clone(issuer), Arc::clone(clock), SessionId::new());
    let media = media.map(|channel| Authorized::new(channel, Arc::new(tokens())));
    Arc::new(RemotePictures::new(media))
}

fn on_revoked(set: Arc<RevokedSet>, newest: watch::Sender<u64>) -> OnRevoked {
    Arc::new(move |revocation: &Revocation| {
        set.insert(revocation.session_id);
        newest.send_replace(revocation.seq);
    })
}

/// Those ended before this start whose access tokens may still be good.
async fn remember_revoked(
    feed: &RevocationFeed,
    set: &RevokedSet,
    clock: &Arc<dyn Clock>,
) -> Result<(), Refusal> {
    let mut cursor = 0;
    loop {
        let page = feed.after(cursor, clock.wall().into()).await?;
        for revocation in &page.revocations {
            set.insert(revocation.session_id);
        }
        cursor = page.cursor;
        if !page.more {
            return Ok(());
        }
    }
}

fn passwords(config: &Config, hasher: Option<Arc<dyn Hasher>>) -> Result<Passwords, StartError> {
    let password = &config.password;
    let argon2id = Argon2id::new(password.memory_kib, password.passes, password.lanes);
    let argon2id = argon2id.map_err(StartError::Hasher)?;
    let dummy = argon2id.dummy().map_err(StartError::Hasher)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let hasher = hasher.unwrap_or_else(|| Arc::new(argon2id));
    Ok(Passwords::new(hasher, dummy, HashQueue::new(password.queue(cores))))
}

//! The I/O around the core: channels to the server, tokens, calls, and the task that owns the stream.

mod account;
mod chats;
mod courier;
mod dial;
mod downloads;
mod driver;
mod email;
mod files;
mod live;
mod media;
mod parcels;
mod people;
mod presence;
mod profiles;
mod record;
mod send;
mod server;
mod session;
mod stream;
mod transfer;
mod uploads;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use account::LogIn;
pub use dial::{Dialing, Wire};
pub use live::{Events, Live, LiveOptions, News, Pending};
pub use parcels::{FileDraft, FileToSend};
pub use send::Sent;
pub use server::Server;
pub use transfer::{Tell, TransferNews};

use crate::error::Error;
use crate::store::{Store, StoreError};
use server::Channels;
use session::Session;

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// HTTP/2 keep-alive: how often, and how long an answer may take.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// One account at one server.
///
/// Cheap to clone; clones share everything. Calls other than [`Client::live`] are unary: they work beside a stream of
/// another process that uses the same folder, and never displace it.
#[derive(Debug, Clone)]
pub struct Client {
    session: Arc<Session>,
    /// The server's generation has been compared with the store's since the server was last lost.
    generation_met: Arc<AtomicBool>,
}

impl Client {
    /// Opens the account kept in `folder` (made if it is not there) at `server`: an address such as `http://127.0.0.1:7700`, or a
    /// [`Server`] with more. Nothing is sent yet. Calls that fail for a reason that time may mend are repeated for `patience`.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Store`].
    pub async fn open(folder: &Path, server: impl Into<Server>, patience: Duration) -> Result<Self, Error> {
        let server = server.into();
        let channels = server.channels()?;
        let folder = folder.to_owned();
        let store = blocking(move || Store::open(&folder)).await?;
        Ok(Self::with_store(Arc::new(store), server.address(), channels, patience))
    }

    /// As [`Client::open`], with a store that is open.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn with_open_store(
        store: Arc<Store>,
        server: impl Into<Server>,
        patience: Duration,
    ) -> Result<Self, Error> {
        let server = server.into();
        let channels = server.channels()?;
        Ok(Self::with_store(store, server.address(), channels, patience))
    }

    fn with_store(store: Arc<Store>, server: &str, channels: Channels, patience: Duration) -> Self {
        let session = Session::new(store, server.to_owned(), channels, patience);
        Self { session: Arc::new(session), generation_met: Arc::default() }
    }

    /// What is saved here.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.session.store
    }

    async fn stored<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        self.session.stored(job).await
    }
}

/// SQLite blocks; the async workers must not.
async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Error> {
    blocking_call(|| Ok(job()?)).await
}

/// So do files.
async fn blocking_call<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(job).await {
        Ok(result) => result,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        Err(_) => Err(Error::Stopped),
    }
}

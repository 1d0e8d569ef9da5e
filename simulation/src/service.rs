//! One life of chat-svc: its log, router, streams and background work as `App` puts them together, without a transport.
//!
//! Each life has a runtime of its own. To end it in the middle of whatever it does is to drop the runtime: no task goes on,
//! and nobody is told.

use std::sync::Arc;
use std::time::Duration;

use chat_svc::log::{Log, LogLimits, Rules, StartLog};
use chat_svc::presence::PresenceLink;
use chat_svc::routing::{LocalRouter, Router};
use chat_svc::session::{Deps, Standing, Stream, StreamLimits};
use parlor_runtime::clock::ManualClock;
use parlor_runtime::limiter::Rate;
use parlor_types::{Id as _, NodeId};
use tokio::runtime::{Builder, Runtime};

use crate::around::Around;
use crate::disk::Disk;
use crate::planted::Planted;
use crate::planted::router::Warped;

/// How often streams are told that time passes, as in `App`.
const STREAM_TICK: Duration = Duration::from_millis(500);
/// How long clients are to wait when it asks them to leave.
pub const LEAVE_WITHIN: Duration = Duration::from_millis(300);

/// See the module.
pub struct Service {
    runtime: Runtime,
    /// Its store.
    pub disk: Arc<Disk>,
    /// What its streams stand on.
    pub deps: Deps,
    ticked: Duration,
    warped: Option<Arc<Warped>>,
}

/// Small, so that every bound is met often.
#[must_use]
pub fn limits() -> StreamLimits {
    StreamLimits {
        hello_within: Duration::from_secs(2),
        ping_interval: Duration::from_secs(4),
        background_ping_interval: Duration::from_secs(8),
        appends: 8,
        outbox_bytes: 4 * 1024,
        window_entries: 12,
        window_bytes: 16 * 1024,
        page_entries: 7,
        page_bytes: 4 * 1024,
        ..StreamLimits::default()
    }
}

impl Service {
    /// Starts it on a disk.
    ///
    /// # Panics
    /// The machine has no memory for it.
    #[must_use]
    pub fn start(disk: Disk, clock: Arc<ManualClock>, standing: Standing, planted: Option<Planted>) -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without I/O needs memory alone");
        let disk = Arc::new(disk);
        let router = Arc::new(LocalRouter::default());
        let warped = planted.map(|planted| Arc::new(Warped::new(planted, router.clone())));
        let way: Arc<dyn Router> = match &warped {
            Some(warped) => warped.clone(),
            None => router.clone(),
        };
        let fast = Rate { burst: 1_000_000, per_second: 1_000_000.0 };
        let log = Log::new(StartLog {
            store: disk.clone(),
            router: way,
            directory: Arc::new(Around),
            media: Arc::new(Around),
            watcher: Arc::new(Around),
            clock: clock.clone(),
            limits: LogLimits {
                rules: Rules { max_members: 10, edit_window: Duration::from_secs(3600) },
                user_rate: fast,
                member_rate: fast,
            },
        });
        let deliveries = log.clone();
        runtime.spawn(async move { deliveries.run().await });
        let presence = PresenceLink::new(NodeId::from_bytes([1; 16]), Duration::from_secs(60));
        let deps = Deps {
            log,
            store: disk.clone(),
            router,
            presence: Arc::new(presence),
            clock,
            standing,
            limits: limits(),
        };
        Self { runtime, disk, deps, ticked: Duration::ZERO, warped }
    }

    /// Does something in it.
    pub fn within<T>(&self, act: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.enter();
        act()
    }

    /// Lets it go on for a while: writes that are due are done, and every task runs until it waits for something later.
    pub fn run(&mut self, now: Duration, span: Duration, streams: &[Arc<Stream>]) {
        if let Some(warped) = &self.warped {
            warped.look(self.deps.clock.now());
        }
        self.within(|| self.disk.work(self.deps.clock.now()));
        if now >= self.ticked + STREAM_TICK {
            self.ticked = now;
            self.within(|| {
                streams.iter().for_each(Stream::tick);
                self.deps.router.forget_typing(self.deps.clock.now());
            });
        }
        self.runtime.block_on(async { tokio::time::sleep(span).await });
    }

    /// Ends it without a word, at whatever point it is.
    pub fn crash(self) {
        let Self { runtime, disk, deps, .. } = self;
        drop(runtime);
        disk.end();
        // The router and its streams hold each other.
        for stream in deps.router.streams() {
            deps.router.unregister(stream.user(), stream.id());
        }
    }
}

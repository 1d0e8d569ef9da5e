//! The machine with its surroundings: the time, those who wait for news, and the two tasks that ask and store.

mod machine;
mod tasks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlor_runtime::clock::Clock;
use tokio::sync::Notify;

pub use machine::{Machine, Rules, Said, TooMany};

use crate::registry::OutletId;
use crate::time::Now;
use crate::watching::{Ending, News, Pull};

/// See the module.
pub struct Hub {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    /// There is something for the store.
    store: Notify,
    /// There is something to ask.
    ask: Notify,
}

struct Inner {
    machine: Machine,
    doors: HashMap<OutletId, Arc<Notify>>,
}

/// Where a line or a call gets its news. Gone when it is dropped.
pub struct Outlet {
    hub: Arc<Hub>,
    id: OutletId,
    door: Arc<Notify>,
}

impl Hub {
    /// Around a machine that begins now.
    #[must_use]
    pub fn new(rules: Rules, clock: Arc<dyn Clock>) -> Self {
        let machine = Machine::new(rules, clock.now());
        let inner = Mutex::new(Inner { machine, doors: HashMap::new() });
        Self { clock, inner, store: Notify::new(), ask: Notify::new() }
    }

    /// Does something with the machine, and all that is due after it.
    pub fn act<T>(&self, action: impl FnOnce(&mut Machine, Now) -> T) -> T {
        let mut inner = self.inner();
        let now = self.now();
        let value = action(&mut inner.machine, now);
        let due = inner.machine.take_due(now);
        for outlet in due.wake {
            if let Some(door) = inner.doors.get(&outlet) {
                door.notify_one();
            }
        }
        drop(inner);
        if due.store {
            self.store.notify_one();
        }
        if due.ask {
            self.ask.notify_one();
        }
        value
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { instant: self.clock.now(), wall: self.clock.wall() }
    }

    /// An outlet that `open` makes.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn outlet<E>(
        self: &Arc<Self>,
        open: impl FnOnce(&mut Machine, Now) -> Result<OutletId, E>,
    ) -> Result<Outlet, E> {
        let id = self.act(open)?;
        let door = Arc::new(Notify::new());
        // What was due before the door was there.
        door.notify_one();
        self.inner().doors.insert(id, Arc::clone(&door));
        Ok(Outlet { hub: Arc::clone(self), id, door })
    }

    /// The outlet is gone; whoever still waits at it is told so.
    pub fn gone(&self, outlet: OutletId) {
        self.act(|machine, now| machine.gone(now, outlet));
        if let Some(door) = self.inner().doors.remove(&outlet) {
            door.notify_one();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> OutletId {
        self.id
    }

    /// The next news.
    ///
    /// # Errors
    /// There will be none any more.
    pub async fn next(&self) -> Result<Vec<News>, Ending> {
        loop {
            match self.hub.act(|machine, _| machine.pull(self.id)) {
                Pull::News(news) => return Ok(news),
                Pull::End(ending) => return Err(ending),
                Pull::Wait => self.door.notified().await,
            }
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.hub.gone(self.id);
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

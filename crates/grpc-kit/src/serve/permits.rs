//! How many connections are open, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::address::Source;

/// The open connections.
pub(super) struct Permits {
    max: usize,
    max_per_source: usize,
    open: Mutex<Open>,
    cut: CancellationToken,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_source: HashMap<Source, usize>,
}

/// The right to one connection; ends when dropped.
pub(super) struct Permit {
    permits: Arc<Permits>,
    /// None for a proxy, which is not limited by itself.
    source: Option<Source>,
}

impl Permits {
    pub(super) fn new(max: usize, max_per_source: usize) -> Arc<Self> {
        Arc::new(Self { max, max_per_source, open: Mutex::default(), cut: CancellationToken::new() })
    }

    pub(super) fn permit(self: &Arc<Self>, address: IpAddr, is_proxy: bool) -> Option<Permit> {
        let source = (!is_proxy).then(|| Source::from(address));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.max {
            return None;
        }
        if let Some(source) = source {
            let here = open.by_source.get(&source).copied().unwrap_or_default();
            if here >= self.max_per_source {
                return None;
            }
            open.by_source.insert(source, here + 1);
        }
        open.all += 1;
        Some(Permit { permits: Arc::clone(self), source })
    }

    /// Cancelled when all connections are to end.
    pub(super) fn cut_token(&self) -> CancellationToken {
        self.cut.clone()
    }

    /// Ends all connections now; how many there were.
    pub(super) fn cut(&self) -> usize {
        self.cut.cancel();
        self.open.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.permits.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(source) = self.source
            && let Some(here) = open.by_source.get_mut(&source)
        {
            *here -= 1;
            if *here == 0 {
                open.by_source.remove(&source);
            }
        }
    }
}

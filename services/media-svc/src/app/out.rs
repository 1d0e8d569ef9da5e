//! The way out: what Download and plain HTTP have in common.

use std::convert::Infallible;
use std::sync::Arc;

use http::Request;
use parlor_grpc_kit::{Plain, Rate, RevokedSet, Sight};
use parlor_runtime::clock::Clock;
use tokio::sync::watch;
use tonic::body::Body;
use tower::service_fn;

use crate::access::RemoteSharing;
use crate::blobs::Blobs;
use crate::download::{DownloadConfig, Downloads, Ending, Pace, Slots, Standing};
use crate::http::{Files, PREFIX};
use crate::link::Links;
use crate::rpc::OutRpc;
use crate::store::Store;

/// See the module.
pub(super) struct Out {
    pub(super) rpc: OutRpc,
    pub(super) http: Plain,
}

impl Out {
    pub(super) fn new(
        config: &DownloadConfig,
        store: &Arc<dyn Store>,
        blobs: Blobs,
        sharing: RemoteSharing,
        standing: Standing,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let slots = Slots::new(config.at_once, config.at_once_per_user);
        let downloads = Downloads::new(
            Arc::clone(store),
            Arc::new(blobs),
            Arc::new(sharing),
            standing,
            slots,
            Pace { patience: config.patience, least_rate: config.least_rate, longest: config.longest },
        );
        let links = Arc::new(Links::new(Arc::clone(store), &config.base_url, PREFIX));
        let files = Files::new(downloads.clone(), Arc::clone(&links), Arc::clone(&clock));
        let rate = Rate { burst: config.http.burst, per_second: config.http.per_second };
        let answering = service_fn(move |request| answer(files.clone(), request));
        let http = Plain::new(PREFIX, rate, Arc::clone(&clock), answering);
        Self { rpc: OutRpc { downloads, links, clock }, http }
    }
}

/// A session that ended between a call and its bytes gets none; while nobody can say which have, none does.
pub(super) fn standing(revoked: Arc<RevokedSet>, sight: watch::Receiver<Sight>) -> Standing {
    Arc::new(move |session| {
        if revoked.contains(session) {
            Err(Ending::SessionEnded)
        } else if *sight.borrow() == Sight::Clear {
            Ok(())
        } else {
            Err(Ending::Blind)
        }
    })
}

async fn answer(
    files: Files,
    request: Request<Body>,
) -> Result<http::Response<crate::http::Body>, Infallible> {
    let (parts, _) = request.into_parts();
    Ok(files.answer(&parts.method, parts.uri.path(), &parts.headers).await)
}

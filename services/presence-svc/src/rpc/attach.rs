//! Attach: a node's line, both ways.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::presence::v1::{AttachRequest, AttachResponse};
use parlor_wire::reason::status;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::{answer, encode, fields};
use crate::hub::{Hub, Outlet, Said};
use crate::registry::OutletId;

/// Hello has to come within this.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// What a node is told.
pub(super) type Told = Pin<Box<dyn Stream<Item = Result<AttachResponse, Status>> + Send>>;

/// The end of what a node says: a fault of it, if that was why.
type Heard = oneshot::Receiver<Option<Status>>;

/// Takes in what the node says, always and at once, and gives what it is told. The line has broken when either ends.
pub(super) fn attach(hub: &Arc<Hub>, inbound: Streaming<AttachRequest>) -> Told {
    let Ok(outlet) = hub.outlet(|machine, _| Ok::<_, std::convert::Infallible>(machine.open_line()));
    let (mut ended, heard) = oneshot::channel();
    let (hub, line) = (Arc::clone(hub), outlet.id());
    tokio::spawn(async move {
        let fault = tokio::select! {
            fault = listen(&hub, line, inbound) => fault,
            () = ended.closed() => return,
        };
        hub.gone(line);
        // Nobody may be left to be told.
        drop(ended.send(fault));
    });
    Box::pin(stream::unfold(Some((outlet, heard)), next))
}

async fn next(
    line: Option<(Outlet, Heard)>,
) -> Option<(Result<AttachResponse, Status>, Option<(Outlet, Heard)>)> {
    let (outlet, mut heard) = line?;
    let told = tokio::select! {
        biased;
        fault = &mut heard => return fault.ok().flatten().map(|fault| (Err(fault), None)),
        told = outlet.next() => told,
    };
    match told {
        Ok(news) => {
            let told = news.into_iter().map(encode::told).collect();
            Some((Ok(AttachResponse { told }), Some((outlet, heard))))
        }
        Err(ending) => answer::ended(ending).map(|status| (Err(status), None)),
    }
}

/// Until the node has said all, or something that cannot be, or is not to be heard any more.
async fn listen(hub: &Hub, line: OutletId, mut inbound: Streaming<AttachRequest>) -> Option<Status> {
    let mut greeted = false;
    loop {
        let next = if greeted {
            inbound.message().await
        } else {
            match timeout(HELLO_WITHIN, inbound.message()).await {
                Ok(next) => next,
                Err(_) => return Some(status(ErrorReason::HelloTimeout, "no Hello came in time")),
            }
        };
        let said = match next {
            Ok(Some(request)) => said(request, &mut greeted),
            Ok(None) => return None,
            Err(fault) => return Some(fault),
        };
        let said = match said {
            Ok(said) => said,
            Err(fault) => return Some(fault),
        };
        if !hub.act(|machine, now| machine.said(now, line, said)) {
            // It is being told why.
            return std::future::pending().await;
        }
    }
}

/// What a message says: Hello first, and once.
fn said(request: AttachRequest, greeted: &mut bool) -> Result<Vec<Said>, Status> {
    let mut all = Vec::with_capacity(request.frames.len());
    for frame in request.frames {
        let Some(said) = fields::said(frame).map_err(answer::invalid)? else { continue };
        match (&said, *greeted) {
            (Said::Hello(_), true) => {
                return Err(status(ErrorReason::HelloRepeated, "a line takes one Hello"));
            }
            (Said::Hello(_), false) => *greeted = true,
            (_, false) => return Err(status(ErrorReason::HelloExpected, "the first frame must be Hello")),
            (_, true) => {}
        }
        all.push(said);
    }
    Ok(all)
}

//! `parlor.presence.v1.PresenceService`.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use parlor_grpc_kit::caller;
use parlor_types::limits::MAX_WATCHED;
use parlor_types::{SessionId, UserId};
use parlor_wire::presence::v1::presence_service_server::PresenceService;
use parlor_wire::presence::v1::*;
use tonic::{Request, Response, Status};

use super::{answer, encode, fields};
use crate::hub::{Hub, Outlet};
use crate::presence::Sight;
use crate::store::Store;
use crate::visibility::Visibility;
use crate::watching::Ending;

/// Why a session may have no Watch, if it may not. Asked once the hub knows of the call: whoever ends sessions finds it
/// there, or has been heard of here.
pub(crate) type Standing = Arc<dyn Fn(SessionId) -> Option<Ending> + Send + Sync>;

/// See the module.
#[derive(Clone)]
pub(crate) struct PublicRpc {
    pub(crate) hub: Arc<Hub>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) visibility: Arc<dyn Visibility>,
    pub(crate) standing: Standing,
}

type Watching = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

#[tonic::async_trait]
impl PresenceService for PublicRpc {
    async fn set_status(
        &self,
        request: Request<SetStatusRequest>,
    ) -> Result<Response<SetStatusResponse>, Status> {
        let user = caller(&request)?.user_id;
        let status = fields::status(request.into_inner().status).map_err(answer::invalid)?;
        // The hub hears of it from the store.
        self.store.set_status(user, status.clone()).await.map_err(answer::store)?;
        let status = encode::status(&status.at(self.hub.now().wall));
        Ok(Response::new(SetStatusResponse { status: Some(status) }))
    }

    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        let user = caller(&request)?.user_id;
        let records = self.store.records(vec![user]).await.map_err(answer::store)?;
        let record = records.into_iter().next().unwrap_or_default();
        let status = encode::status(&record.status.at(self.hub.now().wall));
        Ok(Response::new(GetStatusResponse { status: Some(status) }))
    }

    async fn batch_get_presence(
        &self,
        request: Request<BatchGetPresenceRequest>,
    ) -> Result<Response<BatchGetPresenceResponse>, Status> {
        let viewer = caller(&request)?.user_id;
        let asked = asked(&request.get_ref().user_ids)?;
        let users: Vec<_> = asked.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let sights = self.visibility.sights(viewer, &users).await.map_err(answer::unanswered)?;
        let records = self.store.records(users.clone()).await.map_err(answer::store)?;
        let presences: BTreeMap<_, _> = self.hub.act(|machine, now| {
            let each = users.iter().zip(sights.iter().zip(&records));
            each.map(|(user, (sight, record))| {
                let sight: Sight = *sight;
                (*user, encode::presence(*user, &machine.presence(now, *user, record, sight)))
            })
            .collect()
        });
        let presences = asked.iter().filter_map(|user| presences.get(user).cloned()).collect();
        Ok(Response::new(BatchGetPresenceResponse { presences }))
    }

    type WatchStream = Watching;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Watching>, Status> {
        let caller = caller(&request)?;
        let users = asked(&request.get_ref().user_ids)?.into_iter().collect();
        let (user, session) = (caller.user_id, caller.session_id);
        let outlet = self.hub.outlet(|machine, now| machine.open_call(now, user, session, &users));
        let outlet = outlet.map_err(answer::too_many)?;
        if let Some(ending) = (self.standing)(session) {
            self.hub.act(|machine, now| machine.end_call(now, outlet.id(), ending));
        }
        Ok(Response::new(Box::pin(stream::unfold(Some(outlet), next))))
    }
}

/// The next answer of a Watch; after the last, why it was that.
async fn next(outlet: Option<Outlet>) -> Option<(Result<WatchResponse, Status>, Option<Outlet>)> {
    let outlet = outlet?;
    match outlet.next().await {
        Ok(news) => {
            let presences = news.iter().flat_map(encode::presences).collect();
            Some((Ok(WatchResponse { presences }), Some(outlet)))
        }
        Err(ending) => answer::ended(ending).map(|status| (Err(status), None)),
    }
}

fn asked(user_ids: &[String]) -> Result<Vec<UserId>, Status> {
    fields::user_ids("user_ids", user_ids, MAX_WATCHED).map_err(answer::invalid)
}

//! `parlor.internal.presence.v1.PresenceInternalService`.

use std::collections::BTreeSet;
use std::sync::Arc;

use parlor_types::UserId;
use parlor_wire::internal::presence::v1::presence_internal_service_server::PresenceInternalService;
use parlor_wire::internal::presence::v1::*;
use tonic::{Request, Response, Status, Streaming};

use super::attach::{self, Told};
use super::{answer, encode, fields};
use crate::hub::Hub;

/// See the module.
#[derive(Clone)]
pub(crate) struct InternalRpc {
    pub(crate) hub: Arc<Hub>,
}

#[tonic::async_trait]
impl PresenceInternalService for InternalRpc {
    type AttachStream = Told;

    async fn attach(&self, request: Request<Streaming<AttachRequest>>) -> Result<Response<Told>, Status> {
        Ok(Response::new(attach::attach(&self.hub, request.into_inner())))
    }

    async fn locate(&self, request: Request<LocateRequest>) -> Result<Response<LocateResponse>, Status> {
        let users = fields::user_ids("user_ids", &request.get_ref().user_ids, fields::MAX_NAMED);
        let users: BTreeSet<UserId> = users.map_err(answer::invalid)?.into_iter().collect();
        let sessions = self.hub.act(|machine, _| {
            users.iter().flat_map(|user| machine.locate(*user)).map(encode::located).collect()
        });
        Ok(Response::new(LocateResponse { sessions }))
    }
}

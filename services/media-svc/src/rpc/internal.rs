//! `parlor.internal.media.v1.MediaInternalService`.

use std::sync::Arc;

use parlor_wire::internal::media::v1::media_internal_service_server::MediaInternalService;
use parlor_wire::internal::media::v1::*;
use tonic::{Request, Response, Status};

use super::{answer, encode, fields};
use crate::store::Store;

/// See the module.
#[derive(Clone)]
pub(crate) struct InternalRpc {
    pub(crate) store: Arc<dyn Store>,
}

#[tonic::async_trait]
impl MediaInternalService for InternalRpc {
    async fn claim(&self, request: Request<ClaimRequest>) -> Result<Response<ClaimResponse>, Status> {
        let claim = fields::claim(request.get_ref()).map_err(answer::invalid)?;
        let _ = (claim, &self.store);
        let _ = encode::media;
        Err(Status::unimplemented("not served yet"))
    }

    async fn release(&self, _: Request<ReleaseRequest>) -> Result<Response<ReleaseResponse>, Status> {
        Err(Status::unimplemented("not served yet"))
    }
}

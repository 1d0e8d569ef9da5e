//! `parlor.internal.media.v1.MediaInternalService`.

use std::sync::Arc;

use parlor_wire::internal::media::v1::media_internal_service_server::MediaInternalService;
use parlor_wire::internal::media::v1::*;
use tonic::{Request, Response, Status};

use super::fields::{self, Claimed};
use super::{answer, encode};
use crate::collection::Collection;

/// See the module.
#[derive(Clone)]
pub(crate) struct InternalRpc {
    pub(crate) collection: Arc<Collection>,
}

#[tonic::async_trait]
impl MediaInternalService for InternalRpc {
    async fn claim(&self, request: Request<ClaimRequest>) -> Result<Response<ClaimResponse>, Status> {
        let claim = fields::claim(request.get_ref()).map_err(answer::invalid)?;
        let Claimed { user, place, ids, readable } = claim;
        let records = self.collection.claim(user, place, ids, readable).await.map_err(answer::failure)?;
        let media = records.iter().filter_map(|record| Some(encode::media(record, record.finished()?)));
        Ok(Response::new(ClaimResponse { media: media.collect() }))
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseResponse>, Status> {
        let (place, ids) = fields::release(request.get_ref()).map_err(answer::invalid)?;
        self.collection.release(place, ids).await.map_err(answer::failure)?;
        Ok(Response::new(ReleaseResponse {}))
    }
}

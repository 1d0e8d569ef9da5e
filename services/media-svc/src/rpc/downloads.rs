//! GetMedia, Download and BatchGetMediaUrls.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use parlor_grpc_kit::{Caller, caller};
use parlor_runtime::clock::Clock;
use parlor_wire::media::v1::download_response::Part;
use parlor_wire::media::v1::*;
use parlor_wire::to_time;
use tonic::{Request, Response, Status};

use super::public::Downloading;
use super::{answer, encode, fields};
use crate::download::{Downloads, Found, Reader, Reading, Refusal, form};
use crate::link::{self, Link, Links};

/// What these calls need.
#[derive(Clone)]
pub(crate) struct OutRpc {
    pub(crate) downloads: Downloads,
    pub(crate) links: Arc<Links>,
    pub(crate) clock: Arc<dyn Clock>,
}

pub(super) async fn get_media(
    rpc: &OutRpc,
    request: Request<GetMediaRequest>,
) -> Result<Response<GetMediaResponse>, Status> {
    let user = caller(&request)?.user_id;
    let id = fields::media_id(&request.get_ref().media_id).map_err(answer::invalid)?;
    let record = rpc.downloads.had(user, &[id]).await.map_err(answer::refused)?.pop();
    let found = record.as_ref().and_then(|record| Some((record, record.finished()?)));
    let (record, finished) = found.ok_or_else(|| answer::refused(Refusal::NotFound))?;
    let media = Some(encode::media(record, finished));
    Ok(Response::new(GetMediaResponse { media, checking: finished.checking }))
}

pub(super) async fn download(
    rpc: &OutRpc,
    request: Request<DownloadRequest>,
) -> Result<Response<Downloading>, Status> {
    let Caller { user_id: user, session_id: session, .. } = caller(&request)?;
    let asked = fields::download(request.get_ref()).map_err(answer::invalid)?;
    let found = rpc.downloads.find(user, asked.id, asked.variant).await.map_err(answer::refused)?;
    let range = asked.wanted.of(found.size, found.sha256).map_err(answer::beyond_end)?;
    let offset = range.start;
    let reading =
        rpc.downloads.read(Reader { user, session }, &found, range).await.map_err(answer::refused)?;
    Ok(Response::new(stream_of(&found, offset, reading)))
}

fn stream_of(found: &Found, offset: u64, reading: Reading) -> Downloading {
    let start = DownloadStart {
        size: found.size,
        sha256: found.sha256.0.to_vec().into(),
        media_type: found.media_type.clone(),
        offset,
    };
    let part = |part| DownloadResponse { part: Some(part) };
    let pieces = reading.map(move |piece| match piece {
        Ok(piece) => Ok(part(Part::Data(piece))),
        Err(cut) => Err(answer::cut(cut)),
    });
    Box::pin(stream::iter([Ok(part(Part::Start(start)))]).chain(pieces))
}

pub(super) async fn batch_get_media_urls(
    rpc: &OutRpc,
    request: Request<BatchGetMediaUrlsRequest>,
) -> Result<Response<BatchGetMediaUrlsResponse>, Status> {
    let Caller { user_id: user, session_id: session, .. } = caller(&request)?;
    let items = fields::media_variants(&request.get_ref().items).map_err(answer::invalid)?;
    let ids: Vec<_> = items.iter().map(|(id, _)| *id).collect();
    let had = rpc.downloads.had(user, &ids).await.map_err(answer::refused)?;
    let ends = link::ends(rpc.clock.wall());
    let mut urls = Vec::with_capacity(items.len());
    for (media, variant) in items {
        let record = had.iter().find(|record| record.id == media);
        if record.and_then(|record| form(record, variant)).is_none() {
            continue;
        }
        let url = rpc.links.address(&Link { media, variant, user, session, ends }).await;
        let item = MediaVariant { media_id: media.to_string(), variant: encode::variant(variant).into() };
        urls.push(MediaUrl {
            item: Some(item),
            url: url.map_err(|error| answer::refused(error.into()))?,
            expires_at: Some(to_time(ends)),
        });
    }
    Ok(Response::new(BatchGetMediaUrlsResponse { urls }))
}

#[cfg(test)]
mod tests;

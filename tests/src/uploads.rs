//! Files over the public API, without our client library.

use bytes::Bytes;
use parlor_testkit::compose;
use parlor_types::Op;
use parlor_wire::chat::v1::Appended;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::media::v1::download_response::Part;
use parlor_wire::media::v1::media_service_client::MediaServiceClient;
use parlor_wire::media::v1::{
    CreateUploadRequest, DownloadRequest, DownloadStart, FinishUploadRequest, Media, Purpose, Upload,
    UploadPartRequest, Variant,
};
use sha2::{Digest as _, Sha256};
use tonic::Status;

use crate::account::{Authorized, Login};
use crate::reading;
use crate::samples::Sample;

/// The media API in somebody's name.
pub type MediaClient = MediaServiceClient<Authorized>;

/// The SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&Sha256::digest(bytes))
}

/// What begins an upload of `bytes`, with a new op.
#[must_use]
pub fn beginning(name: &str, purpose: Purpose, bytes: &[u8]) -> CreateUploadRequest {
    CreateUploadRequest {
        op: Op::new().to_string(),
        name: name.to_owned(),
        size: bytes.len() as u64,
        media_type: String::new(),
        sha256: sha256(bytes),
        purpose: purpose.into(),
    }
}

/// Begins an upload.
///
/// # Errors
/// Refused, or no answer.
///
/// # Panics
/// The answer has no upload.
pub async fn begin(media: &MediaClient, request: &CreateUploadRequest) -> Result<Upload, Status> {
    let answer = media.clone().create_upload(request.clone()).await?.into_inner();
    Ok(answer.upload.expect("an upload"))
}

/// Sends all that an upload lacks, one part after the other.
///
/// # Errors
/// Refused, or no answer.
pub async fn send_missing(media: &MediaClient, upload: &Upload, bytes: &Bytes) -> Result<(), Status> {
    for range in &upload.missing {
        for offset in (range.offset..range.offset + range.length).step_by(upload.part_bytes as usize) {
            media.clone().upload_part(part(upload, bytes, offset)).await?;
        }
    }
    Ok(())
}

/// The part of `bytes` at `offset`.
///
/// # Panics
/// There is none.
#[must_use]
pub fn part(upload: &Upload, bytes: &Bytes, offset: u64) -> UploadPartRequest {
    let start = usize::try_from(offset).expect("it is in memory");
    let end = bytes.len().min(start + upload.part_bytes as usize);
    UploadPartRequest { media_id: upload.media_id.clone(), offset, data: bytes.slice(start..end) }
}

/// Ends an upload.
///
/// # Errors
/// Refused, or no answer.
///
/// # Panics
/// The answer has no file.
pub async fn finish(media: &MediaClient, media_id: &str) -> Result<Media, Status> {
    let request = FinishUploadRequest { media_id: media_id.to_owned() };
    let answer = media.clone().finish_upload(request).await?.into_inner();
    Ok(answer.media.expect("a file"))
}

/// All of it, once.
///
/// # Errors
/// Refused, or no answer.
pub async fn upload(
    media: &MediaClient,
    name: &str,
    purpose: Purpose,
    bytes: &[u8],
) -> Result<Media, Status> {
    let upload = begin(media, &beginning(name, purpose, bytes)).await?;
    send_missing(media, &upload, &Bytes::copy_from_slice(bytes)).await?;
    finish(media, &upload.media_id).await
}

/// As [`upload`], of a sample.
///
/// # Errors
/// Refused, or no answer.
pub async fn upload_sample(media: &MediaClient, sample: &Sample) -> Result<Media, Status> {
    upload(media, sample.name, sample.purpose, &sample.bytes).await
}

/// What comes, and all bytes of one form from `offset` on.
///
/// # Errors
/// Refused, or broken off.
///
/// # Panics
/// The server does not say first what comes.
pub async fn download_from(
    media: &MediaClient,
    media_id: &str,
    variant: Variant,
    offset: u64,
) -> Result<(DownloadStart, Vec<u8>), Status> {
    let request = DownloadRequest {
        media_id: media_id.to_owned(),
        variant: variant.into(),
        offset,
        ..DownloadRequest::default()
    };
    let mut answers = media.clone().download(request).await?.into_inner();
    let first = answers.message().await?.and_then(|answer| answer.part);
    let Some(Part::Start(start)) = first else { panic!("what comes is said first, not {first:?}") };
    let mut bytes = Vec::new();
    while let Some(answer) = answers.message().await? {
        let Some(Part::Data(data)) = answer.part else { panic!("bytes come after that, not {answer:?}") };
        bytes.extend_from_slice(&data);
    }
    Ok((start, bytes))
}

/// All bytes of one form, which are as they are said to be.
///
/// # Errors
/// Refused, or broken off.
///
/// # Panics
/// They are not.
pub async fn download(media: &MediaClient, media_id: &str, variant: Variant) -> Result<Vec<u8>, Status> {
    let (start, bytes) = download_from(media, media_id, variant, 0).await?;
    assert_eq!((start.size, start.sha256), (bytes.len() as u64, sha256(&bytes)), "whole, as announced");
    Ok(bytes)
}

/// Says it in a conversation.
///
/// # Errors
/// Refused, or no answer.
///
/// # Panics
/// The answer lacks something.
pub async fn say(who: &Login, conversation: &str, kind: Kind) -> Result<Appended, Status> {
    let base = reading::row(&who.chat(), conversation).await?.head;
    let append = compose::append(conversation, base, kind);
    let answer = who.chat().append(compose::unary(&append)).await?.into_inner();
    Ok(answer.appended.expect("where it is"))
}

/// As content names a file: by its id.
#[must_use]
pub fn named(media: &Media) -> Option<Media> {
    Some(Media { id: media.id.clone(), ..Media::default() })
}

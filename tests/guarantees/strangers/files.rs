//! Every method of the media API that takes the id of a file.

use parlor_tests::account::Login;
use parlor_tests::uploads::{self, beginning};
use parlor_wire::media::v1::{
    BatchGetMediaUrlsRequest, DeleteMediaRequest, DownloadRequest, FinishUploadRequest, GetMediaRequest,
    GetUploadRequest, MediaVariant, Purpose, UploadPartRequest, Variant,
};

use crate::named::{Answer, Named};

/// A file of somebody's that is nobody else's business, and an upload that they have begun.
pub async fn of(owner: &Login) -> [String; 2] {
    let file =
        uploads::upload(&owner.media(), "diary.txt", Purpose::File, b"dear diary").await.expect("uploads");
    let request = beginning("more.txt", Purpose::File, b"not yet all of it");
    let begun = uploads::begin(&owner.media(), &request).await.expect("begins");
    [file.id, begun.media_id]
}

pub async fn unary(stranger: &Login, named: &Named) -> Vec<Answer> {
    let mut media = stranger.media();
    let media_id = || named.media.clone();
    let mut answers = Vec::new();
    let mut note = |answer| answers.push(answer);
    let data = bytes::Bytes::from_static(b"not yet all of it");
    let part = UploadPartRequest { media_id: media_id(), offset: 0, data };
    note(Answer::unary(named, "UploadPart", media.upload_part(part).await));
    let request = GetUploadRequest { media_id: media_id() };
    note(Answer::unary(named, "GetUpload", media.get_upload(request).await));
    let request = FinishUploadRequest { media_id: media_id() };
    note(Answer::unary(named, "FinishUpload", media.finish_upload(request).await));
    let request = GetMediaRequest { media_id: media_id() };
    note(Answer::unary(named, "GetMedia", media.get_media(request).await));
    for variant in [Variant::Unspecified, Variant::Original, Variant::Small, Variant::Large] {
        for offset in [0, 5, 1_000_000] {
            let request = DownloadRequest {
                media_id: media_id(),
                variant: variant.into(),
                offset,
                ..DownloadRequest::default()
            };
            let mut answer = media.download(request).await;
            let first = match &mut answer {
                Ok(stream) => stream.get_mut().message().await.map(|first| first.map(tonic::Response::new)),
                Err(status) => Err(status.clone()),
            };
            let first = first.and_then(|first| first.ok_or_else(|| tonic::Status::ok("an end")));
            note(Answer::unary(named, &format!("Download {variant:?} from {offset}"), first));
        }
    }
    let item = MediaVariant { media_id: media_id(), variant: Variant::Original.into() };
    let request = BatchGetMediaUrlsRequest { items: vec![item] };
    note(Answer::unary(named, "BatchGetMediaUrls", media.batch_get_media_urls(request).await));
    let request = DeleteMediaRequest { media_id: media_id() };
    note(Answer::unary(named, "DeleteMedia", media.delete_media(request).await));
    answers
}

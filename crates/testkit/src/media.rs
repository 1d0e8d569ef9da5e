//! A media-svc to order: it keeps no bytes, and answers what other services ask of media-svc.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use parlor_grpc_kit::{Authorized, local_channel};
use parlor_types::{Id as _, MediaId, UserId};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::media::v1::media_internal_service_server::{
    MediaInternalService, MediaInternalServiceServer,
};
use parlor_wire::internal::media::v1::{ClaimRequest, ClaimResponse, ReleaseRequest, ReleaseResponse};
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{AudioInfo, ImageInfo, Media, Purpose, Thumbnail, Variant, VideoInfo};
use parlor_wire::reason::status;
use parlor_wire::to_duration;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::TestAuth;

/// See the module. Clones share everything.
#[derive(Clone, Default)]
pub struct TestMedia(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    media: HashMap<String, (UserId, Media)>,
    mood: Mood,
    claims: Vec<ClaimRequest>,
    releases: Vec<ReleaseRequest>,
}

/// How a [`TestMedia`] answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    #[default]
    Well,
    /// With this reason.
    Fails(ErrorReason),
    /// Never.
    Hangs,
}

impl TestMedia {
    /// Without any files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A finished upload: what others get of it, described as far as its purpose has anything to describe.
    #[must_use]
    pub fn upload(&self, owner: UserId, purpose: Purpose) -> Media {
        let (media_type, preview) = looks(purpose);
        let media = Media {
            id: MediaId::new().to_string(),
            name: "something".to_owned(),
            media_type: media_type.to_owned(),
            size: 12_345,
            sha256: vec![7; 32].into(),
            purpose: purpose.into(),
            preview,
        };
        self.state().media.insert(media.id.clone(), (owner, media.clone()));
        media
    }

    /// From now on there is no such file.
    pub fn remove(&self, media: &Media) {
        self.state().media.remove(&media.id);
    }

    /// How it answers from now on.
    pub fn set(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Every claim that was heard, also those that were not answered.
    #[must_use]
    pub fn claims(&self) -> Vec<ClaimRequest> {
        self.state().claims.clone()
    }

    /// Every release that was heard, also those that were not answered.
    #[must_use]
    pub fn releases(&self) -> Vec<ReleaseRequest> {
        self.state().releases.clone()
    }

    /// The internal API, for whoever has a credential to add.
    #[must_use]
    pub fn channel(&self) -> Channel {
        local_channel(Routes::new(MediaInternalServiceServer::new(self.clone())))
    }

    /// The internal API, called with a service's token.
    #[must_use]
    pub fn internal_channel(&self, auth: &TestAuth) -> Authorized {
        Authorized::new(self.channel(), Arc::new(auth.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses callers without a credential, which is not looked at, and follows the mood.
    async fn enter<T>(&self, request: &Request<T>) -> Result<(), Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(status(ErrorReason::TokenMissing, "a service has a credential"));
        }
        let mood = self.state().mood;
        match mood {
            Mood::Well => Ok(()),
            Mood::Fails(reason) => Err(status(reason, "as ordered")),
            Mood::Hangs => std::future::pending().await,
        }
    }

    fn described(&self, request: &ClaimRequest) -> Option<Vec<Media>> {
        let state = self.state();
        let user = UserId::parse(&request.user_id)?;
        let find = |id: &String| {
            let (owner, media) = state.media.get(id)?;
            (*owner == user || request.readable_ids.contains(id)).then(|| media.clone())
        };
        request.media_ids.iter().map(find).collect()
    }
}

/// What media-svc would make of an upload.
fn looks(purpose: Purpose) -> (&'static str, Option<Preview>) {
    let duration = Some(to_duration(std::time::Duration::from_millis(4_200)));
    let (width, height) = (4_000, 3_000);
    match purpose {
        Purpose::Image | Purpose::Avatar => {
            let small = Thumbnail {
                variant: Variant::Small.into(),
                width: 320,
                height: 240,
                size: 9_000,
                media_type: "image/jpeg".to_owned(),
            };
            let thumbhash = vec![3; 25].into();
            let image = ImageInfo { width, height, thumbhash, thumbnails: vec![small], animated: false };
            ("image/jpeg", Some(Preview::Image(image)))
        }
        Purpose::Voice => {
            ("audio/ogg", Some(Preview::Audio(AudioInfo { duration, waveform: vec![9; 64].into() })))
        }
        Purpose::Video => ("video/mp4", Some(Preview::Video(VideoInfo { duration, width, height }))),
        Purpose::File | Purpose::Unspecified => ("application/octet-stream", None),
    }
}

#[async_trait]
impl MediaInternalService for TestMedia {
    async fn claim(&self, request: Request<ClaimRequest>) -> Result<Response<ClaimResponse>, Status> {
        self.state().claims.push(request.get_ref().clone());
        self.enter(&request).await?;
        let described = self.described(request.get_ref());
        let missing = || status(ErrorReason::MediaNotFound, "no such file");
        Ok(Response::new(ClaimResponse { media: described.ok_or_else(missing)? }))
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseResponse>, Status> {
        self.state().releases.push(request.get_ref().clone());
        self.enter(&request).await?;
        Ok(Response::new(ReleaseResponse {}))
    }
}

//! Files by unary calls: what is known of them, what they take up, pictures of people and groups, sending on.

use std::path::Path;

use parlor_types::{ConversationId, MediaId, Seq};
use parlor_wire::auth::v1::{Profile, UpdateProfileRequest};
use parlor_wire::chat::v1::SetAvatar;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::media::v1::{
    DeleteMediaRequest, GetMediaRequest, GetMediaResponse, GetUsageRequest, GetUsageResponse, Media, Purpose,
};

use super::session::Access;
use super::transfer::Tell;
use super::uploads::finished;
use super::{Client, Sent};
use crate::core::{Draft, forwarded};
use crate::error::Error;

impl Client {
    /// What is known of a file.
    ///
    /// # Errors
    /// As `MediaService.GetMedia`.
    pub async fn media(&self, id: MediaId) -> Result<GetMediaResponse, Error> {
        let request = GetMediaRequest { media_id: id.to_string() };
        let call = async |access: Access| access.media().get_media(access.request(request.clone())).await;
        self.session.call(call).await
    }

    /// What this user's files take up, and may take up.
    ///
    /// # Errors
    /// As `MediaService.GetUsage`.
    pub async fn usage(&self) -> Result<GetUsageResponse, Error> {
        let call = async |access: Access| access.media().get_usage(access.request(GetUsageRequest {})).await;
        self.session.call(call).await
    }

    /// Deletes an upload of this user's that is used nowhere.
    ///
    /// # Errors
    /// As `MediaService.DeleteMedia`.
    pub async fn delete_media(&self, id: MediaId) -> Result<(), Error> {
        let request = DeleteMediaRequest { media_id: id.to_string() };
        let call = async |access: Access| access.media().delete_media(access.request(request.clone())).await;
        self.session.call(call).await.map(drop)
    }

    /// Uploads a picture of this user and shows it to others; without one, takes it away.
    ///
    /// # Errors
    /// As [`Client::upload`] and `ProfileService.UpdateProfile`.
    pub async fn set_avatar(&self, picture: Option<&Path>, tell: Tell<'_>) -> Result<Profile, Error> {
        let avatar_id = match picture {
            Some(path) => self.upload_avatar(path, tell).await?.to_string(),
            None => String::new(),
        };
        let request = UpdateProfileRequest { avatar_id: Some(avatar_id), ..UpdateProfileRequest::default() };
        let call =
            async |access: Access| access.profiles().update_profile(access.request(request.clone())).await;
        let profile = self.session.call(call).await?.profile.ok_or(Error::Answer("a profile"))?;
        self.keep(vec![profile.clone()]).await?;
        Ok(profile)
    }

    /// Uploads a picture of a group and gives it to the group; without one, takes it away.
    ///
    /// # Errors
    /// As [`Client::upload`] and [`Client::send`].
    pub async fn set_group_avatar(
        &self,
        group: ConversationId,
        picture: Option<&Path>,
        tell: Tell<'_>,
    ) -> Result<Sent, Error> {
        let media = match picture {
            Some(path) => {
                let id = self.upload_avatar(path, tell).await?.to_string();
                Some(Media { id, ..Media::default() })
            }
            None => None,
        };
        self.send(Draft::new(group, Kind::SetAvatar(SetAvatar { media }))).await
    }

    async fn upload_avatar(&self, path: &Path, tell: Tell<'_>) -> Result<MediaId, Error> {
        self.upload(path, Some(Purpose::Avatar), tell).await.and_then(finished)
    }

    /// Sends what the entry at `seq` says now to another conversation, with its files; nothing is uploaded.
    ///
    /// # Errors
    /// [`Error::NothingToForward`] if it is no message, or not to be read; as `ChatService.Fetch` and [`Client::send`].
    pub async fn forward(&self, from: ConversationId, seq: Seq, to: ConversationId) -> Result<Sent, Error> {
        let page = self.fetch(from, seq, seq).await?;
        let entry = page.entries.into_iter().find(|entry| entry.seq == seq.0);
        let kind = entry.and_then(|entry| entry.content?.kind).as_ref().and_then(forwarded);
        self.send(Draft::new(to, kind.ok_or(Error::NothingToForward)?)).await
    }
}

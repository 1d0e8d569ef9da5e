//! What this user shows of themselves, and how others are there, by unary calls. A program with a live connection
//! watches there instead: [`Live::watch`](super::Live::watch).

use parlor_types::UserId;
use parlor_wire::presence::v1::{
    BatchGetPresenceRequest, GetStatusRequest, Presence, SetStatusRequest, Status,
};

use super::Client;
use super::session::Access;
use crate::core::MAX_WATCHED;
use crate::error::Error;

impl Client {
    /// What this user has chosen to show.
    ///
    /// # Errors
    /// As `PresenceService.GetStatus`.
    pub async fn status(&self) -> Result<Status, Error> {
        let call =
            async |access: Access| access.presence().get_status(access.request(GetStatusRequest {})).await;
        self.session.call(call).await?.status.ok_or(Error::Answer("a status"))
    }

    /// Chooses what to show, on all devices.
    ///
    /// # Errors
    /// As `PresenceService.SetStatus`.
    pub async fn set_status(&self, status: Status) -> Result<Status, Error> {
        let request = SetStatusRequest { status: Some(status) };
        let call = async |access: Access| access.presence().set_status(access.request(request.clone())).await;
        self.session.call(call).await?.status.ok_or(Error::Answer("a status"))
    }

    /// How users are there now, in the order asked for, as far as they let this user see it.
    ///
    /// # Errors
    /// As `PresenceService.BatchGetPresence`.
    pub async fn presences(&self, users: &[UserId]) -> Result<Vec<Presence>, Error> {
        let mut all = Vec::with_capacity(users.len());
        for users in users.chunks(MAX_WATCHED) {
            let request =
                BatchGetPresenceRequest { user_ids: users.iter().map(ToString::to_string).collect() };
            let call = async |access: Access| {
                access.presence().batch_get_presence(access.request(request.clone())).await
            };
            all.extend(self.session.call(call).await?.presences);
        }
        Ok(all)
    }
}

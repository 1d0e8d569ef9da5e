//! The user's e-mail address, and finding others by theirs.

use parlor_types::{Id as _, UserId};
use parlor_wire::auth::v1::{
    ConfirmEmailRequest, Email, FindByEmailRequest, GetEmailRequest, RemoveEmailRequest,
    SetEmailDiscoverableRequest, SetEmailRequest,
};

use super::Client;
use super::session::Access;
use crate::error::Error;

impl Client {
    /// The address, and what holds of it.
    ///
    /// # Errors
    /// As `EmailService.GetEmail`.
    pub async fn email(&self) -> Result<Email, Error> {
        let call = async |access: Access| access.email().get_email(access.request(GetEmailRequest {})).await;
        self.session.call(call).await?.email.ok_or(Error::Answer("an address"))
    }

    /// Has a code sent to an address, which [`Client::confirm_email`] then proves.
    ///
    /// # Errors
    /// As `EmailService.SetEmail`.
    pub async fn set_email(&self, address: &str) -> Result<Email, Error> {
        let request = SetEmailRequest { address: address.to_owned() };
        let call = async |access: Access| access.email().set_email(access.request(request.clone())).await;
        self.session.call(call).await?.email.ok_or(Error::Answer("an address"))
    }

    /// Proves the address by the code from the mail.
    ///
    /// # Errors
    /// As `EmailService.ConfirmEmail`.
    pub async fn confirm_email(&self, code: &str) -> Result<Email, Error> {
        let request = ConfirmEmailRequest { code: code.to_owned() };
        let call = async |access: Access| access.email().confirm_email(access.request(request.clone())).await;
        self.session.call(call).await?.email.ok_or(Error::Answer("an address"))
    }

    /// Removes the address, and one that waits for a code.
    ///
    /// # Errors
    /// As `EmailService.RemoveEmail`.
    pub async fn remove_email(&self) -> Result<(), Error> {
        let call =
            async |access: Access| access.email().remove_email(access.request(RemoveEmailRequest {})).await;
        self.session.call(call).await.map(drop)
    }

    /// Whether others may find this user by the address.
    ///
    /// # Errors
    /// As `EmailService.SetEmailDiscoverable`.
    pub async fn set_email_discoverable(&self, discoverable: bool) -> Result<Email, Error> {
        let request = SetEmailDiscoverableRequest { discoverable };
        let call =
            async |access: Access| access.email().set_email_discoverable(access.request(request)).await;
        self.session.call(call).await?.email.ok_or(Error::Answer("an address"))
    }

    /// Who has exactly this address and lets others find them by it.
    ///
    /// # Errors
    /// As `EmailService.FindByEmail`.
    pub async fn find_by_email(&self, address: &str) -> Result<UserId, Error> {
        let request = FindByEmailRequest { address: address.to_owned() };
        let call = async |access: Access| access.email().find_by_email(access.request(request.clone())).await;
        let profile = self.session.call(call).await?.profile.ok_or(Error::Answer("a profile"))?;
        let user = UserId::parse(&profile.user_id).ok_or(Error::Answer("a user id"))?;
        self.keep(vec![profile]).await?;
        Ok(user)
    }
}

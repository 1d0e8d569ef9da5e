//! Registering, logging in and out, sessions, the password.

use parlor_types::{Id, Op, SessionId, UserId};
use parlor_wire::auth::v1::{
    ChangePasswordRequest, Credentials, Device, EndOtherSessionsRequest, EndSessionRequest,
    ListSessionsRequest, LoginRequest, LogoutRequest, RegisterRequest, Session as SessionInfo,
};

use super::Client;
use super::session::{Access, tokens};
use crate::error::Error;
use crate::store::{Account, Store};

/// Who logs in, and from where.
#[derive(Clone)]
pub struct LogIn {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// What the list of sessions calls this device, 1 to 64 characters.
    pub device_name: String,
}

impl Client {
    /// What is saved of the account.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn account(&self) -> Result<Account, Error> {
        self.stored(Store::account).await
    }

    /// Whose account it is.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`], [`Error::Store`].
    pub async fn me(&self) -> Result<UserId, Error> {
        let account = self.account().await?;
        account.session.and(account.user).ok_or(Error::NotLoggedIn)
    }

    /// Makes an account and logs in. An empty `display_name` means the user name.
    ///
    /// # Errors
    /// As `AuthService.Register`.
    pub async fn register(&self, who: &LogIn, display_name: &str) -> Result<UserId, Error> {
        let request = RegisterRequest {
            op: Op::new().to_string(),
            username: who.username.clone(),
            password: who.password.clone(),
            display_name: display_name.to_owned(),
            device: Some(self.device(who).await?),
        };
        let call = async |access: Access| access.auth().register(access.request(request.clone())).await;
        let answer = self.session.open_call(call).await?;
        self.enter(who, answer.credentials).await
    }

    /// Opens a session, or renews the one this device has. What was held for another user is deleted.
    ///
    /// # Errors
    /// As `AuthService.Login`.
    pub async fn log_in(&self, who: &LogIn) -> Result<UserId, Error> {
        let request = LoginRequest {
            username: who.username.clone(),
            password: who.password.clone(),
            device: Some(self.device(who).await?),
        };
        let call = async |access: Access| access.auth().login(access.request(request.clone())).await;
        let answer = self.session.open_call(call).await?;
        self.enter(who, answer.credentials).await
    }

    async fn device(&self, who: &LogIn) -> Result<Device, Error> {
        let device = self.account().await?.device;
        Ok(Device { device_id: device.to_string(), name: who.device_name.clone() })
    }

    async fn enter(&self, who: &LogIn, credentials: Option<Credentials>) -> Result<UserId, Error> {
        let credentials = credentials.ok_or(Error::Answer("credentials"))?;
        let user = UserId::parse(&credentials.user_id).ok_or(Error::Answer("a user id"))?;
        let session = SessionId::parse(&credentials.session_id).ok_or(Error::Answer("a session id"))?;
        let tokens = tokens(Some(credentials))?;
        let (server, username) = (self.session.server.clone(), who.username.to_lowercase());
        self.stored(move |store| store.log_in(&server, &username, user, session, &tokens)).await?;
        let account = self.account().await?;
        self.session.note(|record| record.enter(&account));
        Ok(user)
    }

    /// Ends the session, at the server and here, and deletes what was held. Where the server has ended it already that
    /// is as good.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`]; [`Error::Unreachable`], and nothing is deleted then.
    pub async fn log_out(&self) -> Result<(), Error> {
        let session = self.account().await?.session;
        let answer = self
            .session
            .call(async |access: Access| access.auth().logout(access.request(LogoutRequest {})).await)
            .await;
        match answer {
            Ok(_) | Err(Error::SessionOver(_)) => {
                session.into_iter().for_each(|session| self.session.note(|record| record.revoked(session)));
                self.stored(Store::log_out).await
            }
            Err(other) => Err(other),
        }
    }

    /// The account's sessions, last used first.
    ///
    /// # Errors
    /// As `AuthService.ListSessions`.
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Error> {
        let call =
            async |access: Access| access.auth().list_sessions(access.request(ListSessionsRequest {})).await;
        Ok(self.session.call(call).await?.sessions)
    }

    /// Ends one of the account's sessions.
    ///
    /// # Errors
    /// As `AuthService.EndSession`.
    pub async fn end_session(&self, session: SessionId) -> Result<(), Error> {
        let call = async |access: Access| {
            access
                .auth()
                .end_session(access.request(EndSessionRequest { session_id: session.to_string() }))
                .await
        };
        self.session.call(call).await?;
        self.session.note(|record| record.revoked(session));
        Ok(())
    }

    /// Ends all of the account's sessions but this one; answers how many.
    ///
    /// # Errors
    /// As `AuthService.EndOtherSessions`.
    pub async fn end_other_sessions(&self) -> Result<u32, Error> {
        let call = async |access: Access| {
            access.auth().end_other_sessions(access.request(EndOtherSessionsRequest {})).await
        };
        Ok(self.session.call(call).await?.ended)
    }

    /// Changes the password and ends all other sessions; answers how many.
    ///
    /// # Errors
    /// As `AuthService.ChangePassword`.
    pub async fn change_password(&self, current: &str, new: &str) -> Result<u32, Error> {
        let change =
            ChangePasswordRequest { current_password: current.to_owned(), new_password: new.to_owned() };
        let call = async |access: Access| access.auth().change_password(access.request(change.clone())).await;
        Ok(self.session.call(call).await?.ended)
    }
}

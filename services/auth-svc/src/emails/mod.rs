//! The e-mail addresses of users: proved by a code, and the way to find those who allow it.
//!
//! An address belongs to whoever proved it last. Nobody learns from here who has one: asking for a code is answered the
//! same whoever has the address, and looking for one that may not be found does the same work as for one that nobody
//! has. How much mail an address gets is limited: see [`MailQuota`].

mod address;
mod code;
mod quota;
mod state;

use std::sync::Arc;

use parlor_types::UserId;

use crate::mail::{Mail, Outbox};
use crate::profiles::Profile;
use crate::refusal::Refusal;
use crate::sessions::Sessions;
use crate::store::{Change, Store};
use crate::time::{Moment, Now};
use crate::tokens::Issuer;

pub use address::{EmailAddress, InvalidEmail};
pub use code::{Code, CodeMac};
pub use quota::{MailQuota, MailRates};
pub use state::{CODE_LIFE, EmailState, Proved, Waiting};

/// All addresses.
#[derive(Debug)]
pub struct Emails {
    store: Arc<dyn Store>,
    sessions: Arc<Sessions>,
    issuer: Arc<Issuer>,
    outbox: Option<Outbox>,
    quota: MailQuota,
}

impl Emails {
    /// Over `store`, with codes keyed by `issuer`'s keys. Mail goes into `outbox`, to one address as often as
    /// `quota` says; without an outbox nothing can be proved.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        sessions: Arc<Sessions>,
        issuer: Arc<Issuer>,
        outbox: Option<Outbox>,
        quota: MailQuota,
    ) -> Self {
        Self { store, sessions, issuer, outbox, quota }
    }

    /// What `user` has.
    ///
    /// # Errors
    /// `Unavailable`, `Overloaded`.
    pub async fn get(&self, user: UserId, now: Moment) -> Result<EmailState, Refusal> {
        Ok(self.store.email(user).await?.at(now))
    }

    /// Sends a code to `address`, for `user` to prove it with.
    ///
    /// # Errors
    /// `MailUnavailable`, `RateLimited` (the address had enough mail, or enough that `user` asked for), `Overloaded`, `StorageFull`.
    pub async fn ask(&self, user: UserId, address: EmailAddress, now: Now) -> Result<EmailState, Refusal> {
        let outbox = self.outbox.as_ref().ok_or(Refusal::MailUnavailable)?;
        let place = outbox.reserve()?;
        self.quota.take(user, &address, now.instant).map_err(Refusal::RateLimited)?;
        let code = Code::generate()?;
        let mac = self.issuer.code_mac(user, &address, &code);
        let mail = Mail::with_code(user, &address, &code);
        let state = self.change(user, move |state| state.asked(address, mac, now.moment)).await?;
        place.fill(mail);
        Ok(state)
    }

    /// Makes the address that waits for this code the user's; whoever had it before loses it.
    ///
    /// # Errors
    /// `CodeInvalid`, `StorageFull`.
    pub async fn prove(&self, user: UserId, code: Code, now: Moment) -> Result<EmailState, Refusal> {
        let issuer = Arc::clone(&self.issuer);
        let proved = self.sessions.update(user, move |stored| {
            let is_code = |address: &EmailAddress, mac: &CodeMac| issuer.is_code(user, address, &code, mac);
            let (right, state) = stored.email.clone().presented(is_code, now);
            ((right, state.clone()), put(&stored.email, state))
        });
        match proved.await?.ok_or(Refusal::SessionEnded)? {
            (true, state) => {
                tracing::info!(user_id = %user, "address proved");
                Ok(state)
            }
            (false, _) => Err(Refusal::CodeInvalid),
        }
    }

    /// Forgets the user's address, and all that goes with it.
    ///
    /// # Errors
    /// `Overloaded`, `StorageFull`.
    pub async fn remove(&self, user: UserId) -> Result<(), Refusal> {
        self.change(user, |_| EmailState::default()).await.map(drop)
    }

    /// Sets whether others may find the user by their address.
    ///
    /// # Errors
    /// `Overloaded`, `StorageFull`.
    pub async fn set_discoverable(
        &self,
        user: UserId,
        discoverable: bool,
        now: Moment,
    ) -> Result<EmailState, Refusal> {
        self.change(user, move |state| EmailState { discoverable, ..state.at(now) }).await
    }

    /// The user who has proved this address and may be found by it.
    ///
    /// # Errors
    /// `UserNotFound`, the same whether there is nobody or they may not be found.
    pub async fn find(&self, address: &EmailAddress) -> Result<Profile, Refusal> {
        self.store.profile_by_email(address).await?.ok_or(Refusal::UserNotFound)
    }

    /// Answers the state after `rule`.
    async fn change<R>(&self, user: UserId, rule: R) -> Result<EmailState, Refusal>
    where
        R: FnOnce(EmailState) -> EmailState + Send + 'static,
    {
        let changed = self.sessions.update(user, move |stored| {
            let state = rule(stored.email.clone());
            (state.clone(), put(&stored.email, state))
        });
        changed.await?.ok_or(Refusal::SessionEnded)
    }
}

fn put(stored: &EmailState, state: EmailState) -> Vec<Change> {
    if *stored == state { Vec::new() } else { vec![Change::PutEmail(state)] }
}

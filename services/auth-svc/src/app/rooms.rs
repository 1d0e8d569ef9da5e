//! The rooms, wired to each other, and the RPCs in front of them.

use std::sync::Arc;
use std::time::Duration;

use parlor_runtime::clock::Clock;
use parlor_runtime::tasks::TaskGroup;
use parlor_wire::auth::v1::auth_service_server::AuthServiceServer;
use parlor_wire::auth::v1::email_service_server::EmailServiceServer;
use parlor_wire::auth::v1::profile_service_server::ProfileServiceServer;
use parlor_wire::internal::auth::v1::auth_internal_service_server::AuthInternalServiceServer;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::accounts::{Accounts, Passwords};
use crate::config::Config;
use crate::emails::{Emails, MailQuota};
use crate::housekeeping::Housekeeping;
use crate::mail::Outbox;
use crate::profiles::{Pictures, Profiles};
use crate::rpc::{AuthRpc, EmailRpc, InternalRpc, ProfileRpc};
use crate::sessions::{RevocationFeed, Sessions};
use crate::store::Store;
use crate::tokens::Issuer;

/// All rooms over one store.
pub(super) struct Rooms {
    pub(super) accounts: Arc<Accounts>,
    pub(super) issuer: Arc<Issuer>,
    sessions: Arc<Sessions>,
    profiles: Arc<Profiles>,
    emails: Arc<Emails>,
}

impl Rooms {
    pub(super) fn new(
        config: &Config,
        store: &Arc<dyn Store>,
        issuer: Arc<Issuer>,
        passwords: Passwords,
        outbox: Option<Outbox>,
        pictures: Arc<dyn Pictures>,
    ) -> Self {
        let limits = config.session.limits();
        let sessions = Arc::new(Sessions::new(Arc::clone(store), Arc::clone(&issuer), limits));
        let throttle = config.throttle.limits();
        let accounts = Accounts::new(Arc::clone(store), Arc::clone(&sessions), passwords, throttle);
        let profiles = Profiles::new(Arc::clone(store), Arc::clone(&sessions), pictures);
        let emails = Emails::new(
            Arc::clone(store),
            Arc::clone(&sessions),
            Arc::clone(&issuer),
            outbox,
            MailQuota::new(config.limits.mail_rates()),
        );
        let (accounts, profiles, emails) = (Arc::new(accounts), Arc::new(profiles), Arc::new(emails));
        Self { accounts, issuer, sessions, profiles, emails }
    }

    /// What clients call, not yet guarded.
    pub(super) fn public(&self, clock: &Arc<dyn Clock>) -> Routes {
        let auth = AuthRpc {
            accounts: Arc::clone(&self.accounts),
            sessions: Arc::clone(&self.sessions),
            issuer: Arc::clone(&self.issuer),
            clock: Arc::clone(clock),
        };
        let profile = ProfileRpc { profiles: Arc::clone(&self.profiles) };
        let email = EmailRpc { emails: Arc::clone(&self.emails), clock: Arc::clone(clock) };
        Routes::new(AuthServiceServer::new(auth))
            .add_service(ProfileServiceServer::new(profile))
            .add_service(EmailServiceServer::new(email))
    }

    /// What other services call, not yet guarded.
    pub(super) fn internal(
        &self,
        feed: RevocationFeed,
        clock: &Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Routes {
        let profiles = Arc::clone(&self.profiles);
        let internal = InternalRpc { feed, profiles, clock: Arc::clone(clock), stop };
        Routes::new(AuthInternalServiceServer::new(internal))
    }

    pub(super) fn start_housekeeping(
        &self,
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        keep_ended: Duration,
        tasks: &TaskGroup,
    ) {
        let housekeeping = Housekeeping {
            store: Arc::clone(store),
            sessions: Arc::clone(&self.sessions),
            clock: Arc::clone(clock),
            keep_ended,
        };
        tasks.run("auth housekeeping", move |stop| async move { housekeeping.run(stop).await });
    }
}

//! An auth-svc and a chat-svc that use the files they are told to.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use parlor_testkit::TestAuth;
use parlor_wire::internal::auth::v1 as auth;
use parlor_wire::internal::auth::v1::auth_internal_service_server::AuthInternalService;
use parlor_wire::internal::chat::v1::chat_internal_service_server::ChatInternalService;
use parlor_wire::internal::chat::v1::*;
use tonic::{Request, Response, Status};

/// See the module.
#[derive(Clone, Default)]
pub struct Uses(Arc<State>);

#[derive(Default)]
struct State {
    entries: Mutex<BTreeSet<String>>,
    profiles: Mutex<BTreeSet<String>>,
    chat_away: AtomicBool,
    auth_away: AtomicBool,
}

impl Uses {
    pub fn in_entry(&self, id: &str, used: bool) {
        set(&self.0.entries, id, used);
    }

    pub fn in_profile(&self, id: &str, used: bool) {
        set(&self.0.profiles, id, used);
    }

    /// Whether each of them can be asked.
    pub fn answer(&self, chat: bool, auth: bool) {
        self.0.chat_away.store(!chat, Ordering::SeqCst);
        self.0.auth_away.store(!auth, Ordering::SeqCst);
    }

    pub fn profiles(&self, auth: &TestAuth) -> Profiles {
        Profiles { uses: self.clone(), auth: auth.clone() }
    }
}

fn set(ids: &Mutex<BTreeSet<String>>, id: &str, used: bool) {
    let mut ids = ids.lock().unwrap();
    if used {
        ids.insert(id.to_owned())
    } else {
        ids.remove(id)
    };
}

fn used(ids: &Mutex<BTreeSet<String>>, asked: Vec<String>, away: &AtomicBool) -> Result<Vec<String>, Status> {
    if away.load(Ordering::SeqCst) {
        return Err(Status::unavailable("away"));
    }
    let ids = ids.lock().unwrap();
    Ok(asked.into_iter().filter(|id| ids.contains(id)).collect())
}

#[tonic::async_trait]
impl ChatInternalService for Uses {
    async fn check_visibility(
        &self,
        _: Request<CheckVisibilityRequest>,
    ) -> Result<Response<CheckVisibilityResponse>, Status> {
        Err(Status::unimplemented("media-svc does not ask who sees whom"))
    }

    async fn check_media_access(
        &self,
        _: Request<CheckMediaAccessRequest>,
    ) -> Result<Response<CheckMediaAccessResponse>, Status> {
        Ok(Response::new(CheckMediaAccessResponse::default()))
    }

    async fn find_media_references(
        &self,
        request: Request<FindMediaReferencesRequest>,
    ) -> Result<Response<FindMediaReferencesResponse>, Status> {
        let referenced_ids = used(&self.0.entries, request.into_inner().media_ids, &self.0.chat_away)?;
        Ok(Response::new(FindMediaReferencesResponse { referenced_ids }))
    }
}

/// auth-svc, as far as it is here: all but its profiles is a [`TestAuth`]'s.
#[derive(Clone)]
pub struct Profiles {
    uses: Uses,
    auth: TestAuth,
}

#[tonic::async_trait]
impl AuthInternalService for Profiles {
    type WatchRevocationsStream = <TestAuth as AuthInternalService>::WatchRevocationsStream;

    async fn watch_revocations(
        &self,
        request: Request<auth::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        AuthInternalService::watch_revocations(&self.auth, request).await
    }

    async fn list_revocations(
        &self,
        request: Request<auth::ListRevocationsRequest>,
    ) -> Result<Response<auth::ListRevocationsResponse>, Status> {
        AuthInternalService::list_revocations(&self.auth, request).await
    }

    async fn check_users(
        &self,
        request: Request<auth::CheckUsersRequest>,
    ) -> Result<Response<auth::CheckUsersResponse>, Status> {
        AuthInternalService::check_users(&self.auth, request).await
    }

    async fn find_media_references(
        &self,
        request: Request<auth::FindMediaReferencesRequest>,
    ) -> Result<Response<auth::FindMediaReferencesResponse>, Status> {
        let State { profiles, auth_away, .. } = &*self.uses.0;
        let referenced_ids = used(profiles, request.into_inner().media_ids, auth_away)?;
        Ok(Response::new(auth::FindMediaReferencesResponse { referenced_ids }))
    }
}

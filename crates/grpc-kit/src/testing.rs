//! What the tests of this crate share: somebody who makes tokens, and somebody who answers calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use parlor_types::{DeviceId, SessionId, UserId};
use parlor_wire::auth::v1::profile_service_server::ProfileService;
use parlor_wire::auth::v1::{
    BatchGetProfilesRequest, BatchGetProfilesResponse, GetProfileRequest, GetProfileResponse, Jwk, Profile,
    SearchUsersRequest, SearchUsersResponse, UpdateProfileRequest, UpdateProfileResponse,
};
use serde::Serialize;
use tonic::{Request, Response, Status};

use crate::caller::{Caller, CallerKind, caller};
use crate::token::{Audience, Claims, KeySet, KeySource, header};

/// Time at which the tests begin; a whole second.
pub(crate) fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// Signs tokens, as auth-svc does.
pub(crate) struct Maker {
    pub(crate) kid: &'static str,
    pub(crate) public: Vec<u8>,
    private: EncodingKey,
}

impl Maker {
    pub(crate) fn new(kid: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let private = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
        Self { kid, public: pair.public_key().as_ref().to_vec(), private }
    }

    pub(crate) fn jwk(&self) -> Jwk {
        Jwk {
            kid: self.kid.to_owned(),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            r#use: "sig".to_owned(),
            x: URL_SAFE_NO_PAD.encode(&self.public),
        }
    }

    /// A token that is good for ten minutes from [`start`].
    pub(crate) fn token(&self, caller: &Caller, audience: Audience) -> String {
        self.sign(&header(self.kid), &Claims::new(caller, audience, start()))
    }

    pub(crate) fn sign(&self, header: &Header, claims: &impl Serialize) -> String {
        encode(header, claims, &self.private).unwrap()
    }
}

/// Somebody new.
pub(crate) fn somebody(kind: CallerKind) -> Caller {
    Caller {
        user_id: UserId::new(),
        session_id: SessionId::new(),
        device_id: DeviceId::new(),
        kind,
        expires_at: start() + Duration::from_secs(600),
    }
}

/// Keys that do not change, except that a refresh brings those that were held back.
#[derive(Default)]
pub(crate) struct FixedKeys {
    pub(crate) known: Arc<KeySet>,
    pub(crate) after_refresh: Option<Arc<KeySet>>,
    pub(crate) refreshes: AtomicUsize,
}

#[async_trait]
impl KeySource for FixedKeys {
    fn keys(&self) -> Arc<KeySet> {
        let refreshed = self.after_refresh.as_ref().filter(|_| self.refreshes.load(Ordering::SeqCst) > 0);
        Arc::clone(refreshed.unwrap_or(&self.known))
    }

    async fn refresh(&self) {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
    }
}

/// A service that says who it was called by, in the place of the id of a profile.
pub(crate) struct Mirror;

#[async_trait]
impl ProfileService for Mirror {
    async fn get_profile(
        &self,
        request: Request<GetProfileRequest>,
    ) -> Result<Response<GetProfileResponse>, Status> {
        let profile = Profile { user_id: caller(&request)?.user_id.to_string(), ..Profile::default() };
        Ok(Response::new(GetProfileResponse { profile: Some(profile) }))
    }

    async fn batch_get_profiles(
        &self,
        request: Request<BatchGetProfilesRequest>,
    ) -> Result<Response<BatchGetProfilesResponse>, Status> {
        let named = request.into_inner().user_ids.into_iter();
        let profiles = named.map(|user_id| Profile { user_id, ..Profile::default() }).collect();
        Ok(Response::new(BatchGetProfilesResponse { profiles }))
    }

    async fn update_profile(
        &self,
        _: Request<UpdateProfileRequest>,
    ) -> Result<Response<UpdateProfileResponse>, Status> {
        Ok(Response::new(UpdateProfileResponse::default()))
    }

    async fn search_users(
        &self,
        _: Request<SearchUsersRequest>,
    ) -> Result<Response<SearchUsersResponse>, Status> {
        Ok(Response::new(SearchUsersResponse::default()))
    }
}

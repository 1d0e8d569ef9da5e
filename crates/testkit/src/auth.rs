//! An auth-svc to order: it makes good and bad tokens, and answers what other services ask of auth-svc.

mod answers;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use parlor_grpc_kit::token::{Claims, header};
use parlor_grpc_kit::{Audience, Authorized, Caller, CallerKind, TokenSource, local_channel};
use parlor_types::{DeviceId, SessionId, UserId};
use parlor_wire::auth::v1::Jwk;
use parlor_wire::errors::v1::Problem;
use parlor_wire::internal::auth::v1::auth_internal_service_server::AuthInternalServiceServer;
use serde::Serialize;
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::transport::Channel;

/// How long tokens are good for.
const LIFE: Duration = Duration::from_secs(600);
/// Key id of all tokens.
const KID: &str = "test";

/// See the module. Every user exists until [`TestAuth::forget`]. Clones share everything.
#[derive(Clone)]
pub struct TestAuth(Arc<State>);

struct State {
    public: Vec<u8>,
    private: EncodingKey,
    revoked: Mutex<Vec<Caller>>,
    grew: watch::Sender<()>,
    forgotten: Mutex<HashSet<UserId>>,
    away: AtomicBool,
    silent: AtomicBool,
}

/// Somebody logged in.
#[derive(Debug, Clone)]
pub struct Person {
    /// User, session, device.
    pub caller: Caller,
    /// A good access token.
    pub token: String,
}

impl Person {
    /// The user id as it goes over the wire.
    #[must_use]
    pub fn id(&self) -> String {
        self.caller.user_id.to_string()
    }
}

impl Default for TestAuth {
    fn default() -> Self {
        Self::new()
    }
}

impl TestAuth {
    /// With a new key.
    ///
    /// # Panics
    /// No key can be made.
    #[must_use]
    pub fn new() -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key can be made");
        let pkcs8 = pair.to_pkcs8v1().expect("a key of ours can be written");
        Self(Arc::new(State {
            public: pair.public_key().as_ref().to_vec(),
            private: EncodingKey::from_ed_der(pkcs8.as_ref()),
            revoked: Mutex::default(),
            grew: watch::Sender::default(),
            forgotten: Mutex::default(),
            away: AtomicBool::new(false),
            silent: AtomicBool::new(false),
        }))
    }

    /// Somebody new.
    #[must_use]
    pub fn person(&self) -> Person {
        self.log_in(UserId::new())
    }

    /// Another session of somebody, on another device.
    #[must_use]
    pub fn another_session(&self, of: &Person) -> Person {
        self.log_in(of.caller.user_id)
    }

    fn log_in(&self, user_id: UserId) -> Person {
        let caller = Caller {
            user_id,
            session_id: SessionId::new(),
            device_id: DeviceId::new(),
            kind: CallerKind::Person,
            expires_at: SystemTime::now() + LIFE,
        };
        let token = self.token(&caller, Audience::Public, SystemTime::now());
        Person { caller, token }
    }

    /// A token made at `made` and good until `caller.expires_at`.
    #[must_use]
    pub fn token(&self, caller: &Caller, audience: Audience, made: SystemTime) -> String {
        self.sign(&header(KID), &Claims::new(caller, audience, made))
    }

    /// Any header and any claims, signed with the key.
    ///
    /// # Panics
    /// They cannot be encoded.
    #[must_use]
    pub fn sign(&self, header: &Header, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(header, claims, &self.0.private).expect("claims can be encoded")
    }

    /// Ends a session; whoever follows revocations is told.
    pub fn revoke(&self, person: &Person) {
        lock(&self.0.revoked).push(person.caller.clone());
        self.0.grew.send_replace(());
    }

    /// From now on there is no such user.
    pub fn forget(&self, user: UserId) {
        lock(&self.0.forgotten).insert(user);
    }

    /// Whether what services ask of each other is answered at all.
    pub fn answers(&self, answers: bool) {
        self.0.away.store(!answers, Ordering::SeqCst);
    }

    /// Whether those who watch revocations are told of them; those who ask are, in any case.
    pub fn tells(&self, tells: bool) {
        self.0.silent.store(!tells, Ordering::SeqCst);
    }

    /// The public API, as far as it is here: GetJwks.
    #[must_use]
    pub fn public_channel(&self) -> Channel {
        local_channel(Routes::new(answers::Keys(self.clone())))
    }

    /// The internal API, called with a service's token (which is not looked at).
    #[must_use]
    pub fn internal_channel(&self) -> Authorized {
        let routes = Routes::new(AuthInternalServiceServer::new(self.clone()));
        Authorized::new(local_channel(routes), Arc::new(self.clone()))
    }

    fn jwk(&self) -> Jwk {
        Jwk {
            kid: KID.to_owned(),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            r#use: "sig".to_owned(),
            x: URL_SAFE_NO_PAD.encode(&self.0.public),
        }
    }
}

#[async_trait]
impl TokenSource for TestAuth {
    async fn token(&self) -> Result<String, Problem> {
        let now = SystemTime::now();
        let caller = Caller {
            user_id: UserId::new(),
            session_id: SessionId::new(),
            device_id: DeviceId::new(),
            kind: CallerKind::Service,
            expires_at: now + LIFE,
        };
        Ok(TestAuth::token(self, &caller, Audience::Internal, now))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

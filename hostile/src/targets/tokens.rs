//! Access tokens as every service checks them, refresh tokens as auth-svc reads them, and signed addresses of files.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use auth_svc::RefreshToken;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use media_svc::{Link, Signer, Useless, Variant};
use parlor_grpc_kit::token::{LEEWAY, header};
use parlor_grpc_kit::{Audience, Caller, CallerKind, Claims, KeySet, KeySource, RevokedSet, Verifier};
use parlor_runtime::clock::{Clock, ManualClock};
use parlor_types::Id as _;
use parlor_wire::auth::v1::Jwk;
use tokio::runtime::{Builder, Runtime};

use crate::Target;
use crate::input::{Input, Script};

const KID: &str = "k";
/// When all of this happens.
const NOW: u64 = 1_800_000_000;

pub(super) const ACCESS: Target = Target {
    name: "access-token",
    about: "access tokens: any text, and any header and claims under a good signature",
    run: access,
    seeds: access_seeds,
    max_len: 2300,
};

pub(super) const REFRESH: Target = Target {
    name: "refresh-token",
    about: "refresh tokens",
    run: refresh,
    seeds: refresh_seeds,
    max_len: 256,
};

pub(super) const LINK: Target = Target {
    name: "file-address",
    about: "signed addresses of files",
    run: link,
    seeds: link_seeds,
    max_len: 256,
};

/// The one key there is.
struct Keys(Arc<KeySet>);

#[async_trait]
impl KeySource for Keys {
    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.0)
    }

    async fn refresh(&self) {}
}

struct Gate {
    pair: Ed25519KeyPair,
    verifier: Verifier,
    runtime: Runtime,
}

thread_local! {
    static GATE: Gate = Gate::new();
}

impl Gate {
    fn new() -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let [kty, crv, alg, r#use] = ["OKP", "Ed25519", "EdDSA", "sig"].map(str::to_owned);
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let jwk = Jwk { kid: KID.to_owned(), kty, crv, alg, r#use, x };
        let keys = KeySet::from_jwks(&[jwk]).expect("a key of the right form");
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now()));
        let revoked = Arc::new(RevokedSet::new(Arc::clone(&clock)));
        let verifier = Verifier::new(Arc::new(Keys(Arc::new(keys))), revoked, clock);
        let runtime = Builder::new_current_thread().build().expect("a runtime without I/O");
        Self { pair, verifier, runtime }
    }

    fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let said = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(said.as_bytes()));
        format!("{said}.{signature}")
    }

    fn good(&self) -> String {
        let header = serde_json::to_vec(&header(KID)).expect("a header is JSON");
        let claims = serde_json::to_vec(&claims()).expect("claims are JSON");
        self.sign(&header, &claims)
    }
}

/// Of a text only that which was made is taken; of what is signed only what says all that it must.
fn access(data: &[u8]) {
    GATE.with(|gate| {
        let mut input = Input::new(data);
        let signed = input.flag();
        let audience = if input.flag() { Audience::Internal } else { Audience::Public };
        let verify = |token: &str| gate.runtime.block_on(gate.verifier.verify(token, audience));
        if !signed {
            let token = String::from_utf8_lossy(input.rest());
            if verify(&token).is_ok() {
                assert_eq!(token, gate.good(), "a token that nobody made");
            }
            return;
        }
        let header = input.bytes();
        let said = input.rest();
        let Ok(caller) = verify(&gate.sign(header, said)) else { return };
        let claims: Claims = serde_json::from_slice(said).expect("what is taken are claims");
        let until = claims.exp.saturating_add(LEEWAY.as_secs());
        assert!(until >= NOW && claims.nbf < claims.exp, "a token out of its time");
        assert_eq!((claims.aud, claims.sub), (audience, caller.user_id.to_string()));
    });
}

fn access_seeds() -> Vec<Vec<u8>> {
    GATE.with(|gate| {
        let header = serde_json::to_vec(&header(KID)).expect("a header is JSON");
        let claims = serde_json::to_vec(&claims()).expect("claims are JSON");
        let signed = [Script::default().byte(1).byte(0).bytes(&header).end(), claims].concat();
        vec![[&[0, 0], gate.good().as_bytes()].concat(), signed]
    })
}

fn claims() -> Claims {
    let [user_id, session_id, device_id] = [1, 2, 3].map(|byte| [byte; 16]);
    let caller = Caller {
        user_id: parlor_types::UserId::from_bytes(user_id),
        session_id: parlor_types::SessionId::from_bytes(session_id),
        device_id: parlor_types::DeviceId::from_bytes(device_id),
        kind: CallerKind::Person,
        expires_at: now() + Duration::from_secs(600),
    };
    Claims::new(&caller, Audience::Public, now())
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

/// There is one way to write a token.
fn refresh(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some(token) = RefreshToken::parse(&text) else { return };
    let start = format!("v1.{}.{}.", token.session_id, token.generation);
    let mac = text.strip_prefix(&start).expect("what is read is what was written");
    let bytes = URL_SAFE_NO_PAD.decode(mac).expect("a MAC is base64");
    assert_eq!((bytes.len(), URL_SAFE_NO_PAD.encode(&bytes).as_str()), (32, mac));
}

fn refresh_seeds() -> Vec<Vec<u8>> {
    let session = uuid::Uuid::from_bytes([5; 16]).as_hyphenated().to_string();
    let mac = URL_SAFE_NO_PAD.encode([9; 32]);
    [0, 7, u64::MAX].map(|number| format!("v1.{session}.{number}.{mac}").into_bytes()).into()
}

fn signer_and_link() -> (Signer, Link) {
    let link = Link {
        media: parlor_types::MediaId::from_bytes([1; 16]),
        variant: Variant::Small,
        user: parlor_types::UserId::from_bytes([2; 16]),
        session: parlor_types::SessionId::from_bytes([3; 16]),
        ends: now() + Duration::from_secs(60),
    };
    (Signer::new(&[8; 32]), link)
}

/// Only what was made opens, and only in its time.
fn link(data: &[u8]) {
    let (signer, link) = signer_and_link();
    let text = String::from_utf8_lossy(data);
    match signer.open(&text, now()) {
        Ok(found) => {
            assert_eq!((found, text.as_ref()), (link, signer.token(&link).as_str()));
            assert_eq!(signer.open(&text, link.ends), Err(Useless::TooOld));
        }
        Err(useless) => assert_eq!(useless, Useless::Forged, "only what was made can be too old"),
    }
}

fn link_seeds() -> Vec<Vec<u8>> {
    let (signer, link) = signer_and_link();
    vec![signer.token(&link).into_bytes()]
}

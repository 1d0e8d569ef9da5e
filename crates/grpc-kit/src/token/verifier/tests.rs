use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, encode};
use parlor_runtime::clock::ManualClock;
use serde_json::{Value, json};

use super::*;
use crate::testing::{FixedKeys, Maker, somebody, start};
use crate::token::{KeySet, header};

struct Scene {
    maker: Maker,
    caller: Caller,
    clock: Arc<ManualClock>,
    revoked: Arc<RevokedSet>,
    keys: Arc<FixedKeys>,
    verifier: Verifier,
}

fn scene() -> Scene {
    let maker = Maker::new("ours");
    let known = Arc::new(KeySet::from_jwks(&[maker.jwk()]).unwrap());
    scene_with(maker, FixedKeys { known, ..FixedKeys::default() })
}

fn scene_with(maker: Maker, keys: FixedKeys) -> Scene {
    let clock = Arc::new(ManualClock::at(start()));
    let revoked = Arc::new(RevokedSet::new(clock.clone()));
    let keys = Arc::new(keys);
    let verifier = Verifier::new(keys.clone(), revoked.clone(), clock.clone());
    Scene { maker, caller: somebody(CallerKind::Person), clock, revoked, keys, verifier }
}

impl Scene {
    fn good(&self) -> String {
        self.maker.token(&self.caller, Audience::Public)
    }

    fn claims(&self) -> Value {
        serde_json::to_value(Claims::new(&self.caller, Audience::Public, start())).unwrap()
    }

    /// Signed by us, with one claim changed; null takes it out.
    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        let object = claims.as_object_mut().unwrap();
        object.insert(name.to_owned(), value);
        object.retain(|_, value| !value.is_null());
        self.maker.sign(&header(self.maker.kid), &claims)
    }

    /// Signed by us, with a changed header.
    fn with_header(&self, change: impl FnOnce(&mut Header)) -> String {
        let mut header = header(self.maker.kid);
        change(&mut header);
        self.maker.sign(&header, &self.claims())
    }

    async fn verdict(&self, token: &str) -> Result<Caller, ErrorReason> {
        self.verifier.verify(token, Audience::Public).await.map_err(|problem| problem.reason())
    }
}

#[tokio::test]
async fn a_good_token_names_its_bearer() {
    let scene = scene();
    assert_eq!(scene.verdict(&scene.good()).await, Ok(scene.caller.clone()));
    assert_eq!(scene.keys.refreshes.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn whatever_is_not_quite_a_good_token_is_invalid() {
    let scene = scene();
    let good = scene.good();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (_, payload) = signed.split_once('.').unwrap();
    let plain = |header: Value| URL_SAFE_NO_PAD.encode(header.to_string());
    let none = plain(json!({"alg": "none", "typ": TYPE, "kid": "ours"}));
    let hmac = Header { alg: Algorithm::HS256, ..header("ours") };
    let stranger = Maker::new("ours");
    let seconds = |offset: i64| json!(i64::try_from(seconds(start())).unwrap() + offset);

    let table = [
        ("nothing", String::new()),
        ("not a token", "a.b.c".to_owned()),
        ("alg none, signed", format!("{none}.{payload}.{signature}")),
        ("alg none, unsigned", format!("{none}.{payload}.")),
        ("HS256 with the public key", {
            encode(&hmac, &scene.claims(), &EncodingKey::from_secret(&scene.maker.public)).unwrap()
        }),
        ("another's signature", stranger.token(&scene.caller, Audience::Public)),
        ("unknown kid", scene.with_header(|header| header.kid = Some("theirs".to_owned()))),
        ("no kid", scene.with_header(|header| header.kid = None)),
        ("no typ", scene.with_header(|header| header.typ = None)),
        ("other typ", scene.with_header(|header| header.typ = Some("JWT".to_owned()))),
        ("brings its key's address", scene.with_header(|header| header.jku = Some("http://x".to_owned()))),
        ("asks for the unknown", scene.with_header(|header| header.crit = Some(vec!["b64".to_owned()]))),
        ("other aud", scene.maker.token(&scene.caller, Audience::Internal)),
        ("aud list", scene.with_claim("aud", json!(["parlor"]))),
        ("no aud", scene.with_claim("aud", Value::Null)),
        ("other iss", scene.with_claim("iss", json!("somebody"))),
        ("no iss", scene.with_claim("iss", Value::Null)),
        ("no sub", scene.with_claim("sub", Value::Null)),
        ("sub is no id", scene.with_claim("sub", json!("ada"))),
        ("no sid", scene.with_claim("sid", Value::Null)),
        ("no did", scene.with_claim("did", Value::Null)),
        ("no kind", scene.with_claim("kind", Value::Null)),
        ("other kind", scene.with_claim("kind", json!("ghost"))),
        ("no exp", scene.with_claim("exp", Value::Null)),
        ("no nbf", scene.with_claim("nbf", Value::Null)),
        ("nbf 6 s ahead", scene.with_claim("nbf", seconds(6))),
        ("ends before it begins", scene.with_claim("exp", seconds(-1))),
        ("over 2 KiB", scene.with_claim("pad", json!("x".repeat(MAX_TOKEN_BYTES)))),
        ("trailing byte", format!("{good}A")),
        ("trailing part", format!("{good}.e30")),
        ("padding", format!("{good}=")),
        ("leading space", format!(" {good}")),
    ];
    for (what, token) in table {
        assert_eq!(scene.verdict(&token).await, Err(ErrorReason::TokenInvalid), "{what}");
    }
    for length in 0..good.len() {
        let cut = &good[..length];
        assert_eq!(scene.verdict(cut).await, Err(ErrorReason::TokenInvalid), "cut to {length}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_five_seconds() {
    let scene = scene();
    let good = scene.good();
    let at = |offset: i64| {
        let shift = Duration::from_secs(offset.unsigned_abs());
        scene.clock.set_wall(if offset < 0 { start() - shift } else { start() + shift });
    };
    let cases = [
        (-6, Err(ErrorReason::TokenInvalid)),
        (-5, Ok(())),
        (605, Ok(())),
        (606, Err(ErrorReason::TokenExpired)),
    ];
    for (offset, expected) in cases {
        at(offset);
        assert_eq!(scene.verdict(&good).await.map(drop), expected, "{offset} s from its making");
    }
}

#[tokio::test]
async fn expired_is_said_only_of_a_token_that_is_good_otherwise() {
    let scene = scene();
    scene.clock.advance(Duration::from_secs(3600));
    let stranger = Maker::new("ours");
    for (token, expected) in [
        (scene.good(), ErrorReason::TokenExpired),
        (scene.maker.token(&scene.caller, Audience::Internal), ErrorReason::TokenInvalid),
        (stranger.token(&scene.caller, Audience::Public), ErrorReason::TokenInvalid),
        (scene.with_claim("sub", json!("ada")), ErrorReason::TokenInvalid),
    ] {
        assert_eq!(scene.verdict(&token).await, Err(expected));
    }
    scene.revoked.insert(scene.caller.session_id);
    assert_eq!(scene.verdict(&scene.good()).await, Err(ErrorReason::SessionEnded));
}

#[tokio::test]
async fn g7_a_revoked_session_is_told_so() {
    let scene = scene();
    scene.revoked.insert(somebody(CallerKind::Person).session_id);
    assert!(scene.verdict(&scene.good()).await.is_ok());
    scene.revoked.insert(scene.caller.session_id);
    assert_eq!(scene.verdict(&scene.good()).await, Err(ErrorReason::SessionEnded));
}

#[tokio::test]
async fn an_internal_token_is_a_service_s() {
    let scene = scene();
    let service = somebody(CallerKind::Service);
    let verify = async |caller: &Caller, audience| {
        let token = scene.maker.token(caller, audience);
        scene.verifier.verify(&token, Audience::Internal).await.is_ok()
    };
    assert!(verify(&service, Audience::Internal).await);
    assert!(!verify(&service, Audience::Public).await);
    assert!(!verify(&scene.caller, Audience::Internal).await);
}

#[tokio::test]
async fn a_key_that_is_not_known_yet_is_asked_for_once() {
    let (old, new) = (Maker::new("old"), Maker::new("new"));
    let known = Arc::new(KeySet::from_jwks(&[old.jwk()]).unwrap());
    let after_refresh = Some(Arc::new(KeySet::from_jwks(&[old.jwk(), new.jwk()]).unwrap()));
    let scene = scene_with(new, FixedKeys { known, after_refresh, ..FixedKeys::default() });
    assert!(scene.verdict(&scene.good()).await.is_ok());
    assert!(scene.verdict(&scene.good()).await.is_ok());
    assert_eq!(scene.keys.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn while_no_keys_are_known_nothing_is_said_against_a_token() {
    let scene = scene_with(Maker::new("ours"), FixedKeys::default());
    assert_eq!(scene.verdict(&scene.good()).await.unwrap_err(), ErrorReason::Unavailable);
    let other = scene.with_header(|header| header.typ = None);
    assert_ne!(scene.verdict(&other).await.unwrap_err(), ErrorReason::Unavailable, "whatever the keys are");
}

//! Access tokens as this service takes them, and GetJwks.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_grpc_kit::{Audience, Claims, RemoteKeys, RevokedSet, Verifier, token};
use parlor_runtime::clock::Clock;
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;

use crate::support::*;

fn decoded(part: &str) -> serde_json::Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encoded(value: &serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn the_keys_are_those_tokens_are_signed_with() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let keys = server.auth().get_jwks(GetJwksRequest {}).await.unwrap().into_inner().keys;
    let header = decoded(ada.access_token.split('.').next().unwrap());
    assert_eq!(header["kid"], keys[0].kid.as_str());
    let clock = Arc::clone(&server.clock) as Arc<dyn Clock>;
    let remote = Arc::new(RemoteKeys::new(server.channel()));
    let verifier = Verifier::new(remote, Arc::new(RevokedSet::new(Arc::clone(&clock))), clock);
    let caller = verifier.verify(&ada.access_token, Audience::Public).await.unwrap();
    assert_eq!(caller.user_id.to_string(), ada.user_id);
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("EdDSA"), Some("at+jwt")));
    let claims = decoded(ada.access_token.split('.').nth(1).unwrap());
    assert_eq!(claims["sub"], ada.user_id.as_str());
    assert_eq!(claims["sid"], ada.session_id.as_str());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert_eq!(ada.access_token_expires_at.unwrap().seconds, claims["exp"].as_i64().unwrap());
    let printed = claims.to_string();
    assert!(!printed.contains("ada"), "nothing personal: {printed}");
}

#[tokio::test]
async fn a_token_is_good_for_ten_minutes() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    server.clock.advance(Duration::from_secs(600));
    server.check(&ada.access_token).await.unwrap();
    server.clock.advance(Duration::from_secs(6));
    assert_eq!(server.check(&ada.access_token).await, Err(ErrorReason::TokenExpired));
    let next = server.refresh(&ada.refresh_token, &op()).await.unwrap();
    server.check(&next.access_token).await.unwrap();
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let (folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let parts: Vec<_> = ada.access_token.split('.').collect();
    let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
    let none = serde_json::json!({"alg": "none", "typ": "at+jwt", "kid": header["kid"]});
    let mut ben = claims.clone();
    ben["sub"] = parlor_types::UserId::new().to_string().into();
    // Another installation's keys, naming the key id of this one.
    let elsewhere = Server::start().await;
    let stranger = elsewhere.1.register("ada").await;
    let strange: Vec<_> = stranger.access_token.split('.').collect();
    for forged in [
        format!("{}.{}.", encoded(&none), parts[1]),
        format!("{}.{}.{}", encoded(&none), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], encoded(&ben), parts[2]),
        format!("{}.{}.{}", parts[0], strange[1], strange[2]),
        stranger.access_token.clone(),
        format!("{}x", ada.access_token),
        ada.access_token[..ada.access_token.len() - 1].to_owned(),
        ada.refresh_token.clone(),
        "x".repeat(3000),
    ] {
        assert_eq!(server.check(&forged).await, Err(ErrorReason::TokenInvalid), "{forged}");
    }
    let missing = server.people().get_profile(GetProfileRequest::default()).await;
    assert_eq!(reason(missing), ErrorReason::TokenMissing);
    drop(folder);
}

/// Signed with the right key, and yet not for this.
#[tokio::test]
async fn a_token_for_another_use_is_refused() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&server.config.keys.path).unwrap()).unwrap();
    let seed = URL_SAFE_NO_PAD.decode(file["signing"][0]["key"].as_str().unwrap()).unwrap();
    let kid = file["signing"][0]["kid"].as_str().unwrap();
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let key = jsonwebtoken::EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
    let payload = URL_SAFE_NO_PAD.decode(ada.access_token.split('.').nth(1).unwrap()).unwrap();
    let claims: Claims = serde_json::from_slice(&payload).unwrap();
    let sign = |claims: &Claims| jsonwebtoken::encode(&token::header(kid), claims, &key).unwrap();
    server.check(&sign(&claims)).await.unwrap();
    let other_audience = Claims { aud: Audience::Internal, ..claims.clone() };
    let other_issuer = Claims { iss: "elsewhere".to_owned(), ..claims };
    for wrong in [sign(&other_audience), sign(&other_issuer)] {
        assert_eq!(server.check(&wrong).await, Err(ErrorReason::TokenInvalid));
    }
}

#[tokio::test]
async fn every_method_but_those_that_log_in_wants_a_token() {
    let (_folder, server) = Server::start().await;
    let (mut auth, mut people) = (server.auth(), server.people());
    let missing = ErrorReason::TokenMissing;
    assert_eq!(reason(auth.logout(LogoutRequest {}).await), missing);
    assert_eq!(reason(auth.list_sessions(ListSessionsRequest {}).await), missing);
    assert_eq!(reason(auth.end_session(EndSessionRequest::default()).await), missing);
    assert_eq!(reason(auth.end_other_sessions(EndOtherSessionsRequest {}).await), missing);
    assert_eq!(reason(auth.change_password(ChangePasswordRequest::default()).await), missing);
    assert_eq!(reason(people.get_profile(GetProfileRequest::default()).await), missing);
    assert_eq!(reason(people.batch_get_profiles(BatchGetProfilesRequest::default()).await), missing);
    assert_eq!(reason(people.update_profile(UpdateProfileRequest::default()).await), missing);
    assert_eq!(reason(people.search_users(SearchUsersRequest::default()).await), missing);
}

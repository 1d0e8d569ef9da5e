use std::net::SocketAddr;
use std::time::SystemTime;

use parlor_runtime::clock::ManualClock;
use parlor_wire::auth::v1::get_profile_request::User;
use parlor_wire::auth::v1::profile_service_client::ProfileServiceClient;
use parlor_wire::auth::v1::profile_service_server::ProfileServiceServer;
use parlor_wire::auth::v1::{
    BatchGetProfilesRequest, GetProfileRequest, SearchUsersRequest, UpdateProfileRequest,
};
use parlor_wire::reason::from_status;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};

use super::*;
use crate::caller::CallerKind;
use crate::revocation::RevokedSet;
use crate::serve::{Listener, ServeOptions};
use crate::testing::{FixedKeys, Maker, Mirror, somebody, start};
use crate::token::KeySet;

const SERVICE: &str = "parlor.auth.v1.ProfileService";
/// Of GetProfile, the smallest.
const SMALL: usize = 64;
/// Of the whole service, after inflation.
const DECODE_LIMIT: usize = 8 * 1024;

const METHODS: [Method; 4] = [
    Method {
        path: "/parlor.auth.v1.ProfileService/GetProfile",
        auth: Auth::Session,
        limit: Limit::PerCaller { burst: 3, per_second: 2.0 },
        max_request_bytes: SMALL,
    },
    Method {
        path: "/parlor.auth.v1.ProfileService/BatchGetProfiles",
        auth: Auth::None,
        limit: Limit::None,
        max_request_bytes: 1024,
    },
    Method {
        path: "/parlor.auth.v1.ProfileService/UpdateProfile",
        auth: Auth::Internal,
        limit: Limit::None,
        max_request_bytes: 1024,
    },
    Method {
        path: "/parlor.auth.v1.ProfileService/SearchUsers",
        auth: Auth::None,
        limit: Limit::PerAddress { burst: 2, per_second: 1.0 },
        max_request_bytes: 1024,
    },
];

struct Scene {
    maker: Maker,
    clock: Arc<ManualClock>,
    client: ProfileServiceClient<Channel>,
    routes: Routes,
}

async fn scene() -> Scene {
    let maker = Maker::new("ours");
    let clock = Arc::new(ManualClock::at(start()));
    let known = Arc::new(KeySet::from_jwks(&[maker.jwk()]).unwrap());
    let keys = Arc::new(FixedKeys { known, ..FixedKeys::default() });
    let revoked = Arc::new(RevokedSet::new(clock.clone()));
    let verifier = Arc::new(Verifier::new(keys, revoked, clock.clone()));
    let guard = Guard::new(Policy::new(&METHODS, &[SERVICE]).unwrap(), verifier, clock.clone());
    let service = ProfileServiceServer::new(Mirror)
        .max_decoding_message_size(DECODE_LIMIT)
        .accept_compressed(CompressionEncoding::Gzip);
    let routes = guard.protect(Routes::new(service));

    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.address();
    let served = routes.clone();
    tokio::spawn(async move {
        listener.serve(served, &ServeOptions::default(), std::future::pending()).await.unwrap()
    });
    let channel = Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap();
    Scene { maker, clock, client: ProfileServiceClient::new(channel), routes }
}

fn with_token<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

impl Scene {
    async fn get_profile(&self, token: &str) -> Result<String, Problem> {
        let request = with_token(GetProfileRequest::default(), token);
        let answer = self.client.clone().get_profile(request).await;
        answer.map(|answer| answer.into_inner().profile.unwrap().user_id).map_err(|s| from_status(&s))
    }

    async fn search(&self) -> Result<(), Problem> {
        let answer = self.client.clone().search_users(SearchUsersRequest::default()).await;
        answer.map(drop).map_err(|status| from_status(&status))
    }
}

fn reason<T: std::fmt::Debug>(result: Result<T, Problem>) -> ErrorReason {
    result.unwrap_err().reason()
}

#[tokio::test]
async fn the_handler_learns_who_calls() {
    let scene = scene().await;
    for kind in [CallerKind::Person, CallerKind::Service] {
        let caller = somebody(kind);
        let token = scene.maker.token(&caller, Audience::Public);
        assert_eq!(scene.get_profile(&token).await, Ok(caller.user_id.to_string()));
    }
}

#[tokio::test]
async fn without_a_good_token_nobody_comes_in() {
    let scene = scene().await;
    let mut client = scene.client.clone();
    let refused = client.get_profile(GetProfileRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(from_status(&refused).reason(), ErrorReason::TokenMissing);

    assert_eq!(reason(scene.get_profile("forged").await), ErrorReason::TokenInvalid);
    assert_eq!(reason(scene.get_profile("").await), ErrorReason::TokenInvalid);
    let mut request = tonic::Request::new(GetProfileRequest::default());
    request.metadata_mut().insert("authorization", "Basic YWRhOmFkYQ==".parse().unwrap());
    let refused = client.get_profile(request).await.unwrap_err();
    assert_eq!(from_status(&refused).reason(), ErrorReason::TokenInvalid);
}

#[tokio::test]
async fn internal_methods_are_for_internal_tokens() {
    let scene = scene().await;
    let service = somebody(CallerKind::Service);
    for (token, good) in [
        (scene.maker.token(&service, Audience::Internal), true),
        (scene.maker.token(&service, Audience::Public), false),
        (scene.maker.token(&somebody(CallerKind::Person), Audience::Internal), false),
    ] {
        let request = with_token(UpdateProfileRequest::default(), &token);
        assert_eq!(scene.client.clone().update_profile(request).await.is_ok(), good);
    }
    let token = scene.maker.token(&service, Audience::Internal);
    assert_eq!(reason(scene.get_profile(&token).await), ErrorReason::TokenInvalid);
}

#[tokio::test]
async fn a_caller_has_its_own_rate_and_is_told_when_to_come_back() {
    let scene = scene().await;
    let token = |caller| scene.maker.token(caller, Audience::Public);
    let (ada, ben) = (somebody(CallerKind::Person), somebody(CallerKind::Person));
    for _ in 0..3 {
        scene.get_profile(&token(&ada)).await.unwrap();
    }
    let refused = scene.get_profile(&token(&ada)).await.unwrap_err();
    assert_eq!(refused.reason(), ErrorReason::RateLimited);
    assert_eq!(refused.retry_after, Some(parlor_wire::to_duration(Duration::from_millis(500))));
    scene.get_profile(&token(&ben)).await.unwrap();
    scene.clock.advance(Duration::from_millis(500));
    scene.get_profile(&token(&ada)).await.unwrap();
    assert_eq!(reason(scene.get_profile(&token(&ada)).await), ErrorReason::RateLimited);
}

#[tokio::test]
async fn an_address_has_its_own_rate_and_the_process_itself_has_none() {
    let scene = scene().await;
    scene.search().await.unwrap();
    scene.search().await.unwrap();
    let refused = scene.search().await.unwrap_err();
    assert_eq!(refused.reason(), ErrorReason::RateLimited);
    assert_eq!(refused.retry_after, Some(parlor_wire::to_duration(Duration::from_secs(1))));

    let inside = crate::channel::local_channel(scene.routes.clone());
    let inside = Scene { client: ProfileServiceClient::new(inside), ..scene };
    for _ in 0..10 {
        inside.search().await.unwrap();
    }
}

#[tokio::test]
async fn a_message_over_the_method_s_limit_is_too_large() {
    let scene = scene().await;
    let token = scene.maker.token(&somebody(CallerKind::Person), Audience::Public);
    let send = async |length: usize| {
        let message = GetProfileRequest { user: Some(User::UserId("x".repeat(length))) };
        let sent = scene.client.clone().get_profile(with_token(message, &token)).await;
        sent.map(drop).map_err(|status| (status.code(), from_status(&status)))
    };
    const OVERHEAD: usize = 2; // the field's tag and length
    send(SMALL - OVERHEAD).await.unwrap();
    let (code, problem) = send(SMALL - OVERHEAD + 1).await.unwrap_err();
    assert_eq!((code, problem.reason()), (Code::ResourceExhausted, ErrorReason::MessageTooLarge));
    assert!(problem.message.contains("65 bytes, this method takes 64"), "{}", problem.message);
}

#[tokio::test]
async fn a_message_that_inflates_over_the_limit_is_too_large() {
    let scene = scene().await;
    let mut client = scene.client.clone().send_compressed(CompressionEncoding::Gzip);
    let mut send = async |length: usize| {
        let message = BatchGetProfilesRequest { user_ids: vec!["x".repeat(length)] };
        client.batch_get_profiles(message).await.map_err(|status| from_status(&status).reason())
    };
    send(DECODE_LIMIT / 2).await.unwrap();
    assert_eq!(send(2 * DECODE_LIMIT).await.unwrap_err(), ErrorReason::MessageTooLarge);
}

#[tokio::test]
async fn what_is_not_in_the_protocol_is_unimplemented() {
    let scene = scene().await;
    let inner = crate::channel::local_channel(scene.routes.clone());
    for path in ["/parlor.auth.v1.ProfileService/Nothing", "/parlor.auth.v1.Nothing/GetProfile"] {
        let mut grpc = tonic::client::Grpc::new(inner.clone());
        grpc.ready().await.unwrap();
        let codec = parlor_wire::codec::Codec::<GetProfileRequest, GetProfileRequest>::default();
        let request = tonic::Request::new(GetProfileRequest::default());
        let refused = grpc.unary(request, path.parse().unwrap(), codec).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn an_expired_token_says_so() {
    let scene = scene().await;
    let caller = somebody(CallerKind::Person);
    let token = scene.maker.token(&caller, Audience::Public);
    let age = caller.expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_secs(6);
    scene.clock.set_wall(SystemTime::UNIX_EPOCH + age);
    assert_eq!(reason(scene.get_profile(&token).await), ErrorReason::TokenExpired);
}

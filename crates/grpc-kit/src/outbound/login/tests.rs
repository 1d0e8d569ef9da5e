use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, join_all};
use parlor_wire::auth::v1::LoginServiceResponse;
use parlor_wire::codec::Codec;
use tokio::time::advance;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tower::{Service, service_fn};

use super::*;
use crate::channel::local_channel;

/// Seconds that a token is good for.
const GOOD_FOR: u32 = 600;

/// As much of auth-svc as is asked here: LoginService, which gives tokens called 1, 2, 3.
#[derive(Clone, Default)]
struct Auth {
    away: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

impl Auth {
    fn tokens(&self) -> ServiceTokens {
        let channel = local_channel(Routes::new(self.clone()));
        ServiceTokens::new(channel, UserId::new(), Secret::from("opensesame".to_owned()), "chat-svc")
    }

    fn answer(&self, request: &LoginServiceRequest) -> Result<Response<LoginServiceResponse>, Status> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if self.away.load(Ordering::SeqCst) {
            return Err(Status::unavailable("away"));
        }
        assert_eq!(request.secret, "opensesame");
        let credentials = Credentials {
            access_token: number.to_string(),
            access_token_seconds: GOOD_FOR,
            ..Credentials::default()
        };
        Ok(Response::new(LoginServiceResponse { credentials: Some(credentials) }))
    }
}

impl NamedService for Auth {
    const NAME: &'static str = "parlor.auth.v1.AuthService";
}

impl Service<http::Request<Body>> for Auth {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let auth = self.clone();
        let log_in = service_fn(move |request: Request<LoginServiceRequest>| {
            std::future::ready(auth.answer(request.get_ref()))
        });
        Box::pin(async { Ok(Grpc::new(Codec::default()).unary(log_in, request).await) })
    }
}

const HALF: Duration = Duration::from_secs(GOOD_FOR as u64 / 2);

#[tokio::test(start_paused = true)]
async fn one_token_is_used_by_all_and_renewed_at_half_its_life_beside_the_calls() {
    let auth = Auth::default();
    let tokens = auth.tokens();
    let first = join_all((0..20).map(async |_| tokens.token().await.unwrap())).await;
    assert!(first.iter().all(|token| token == "1"), "{first:?}");
    advance(HALF - Duration::from_secs(1)).await;
    assert_eq!(tokens.token().await.unwrap(), "1");
    advance(Duration::from_secs(1)).await;
    assert_eq!(tokens.token().await.unwrap(), "1", "no call waits while it is good");
    while tokens.token().await.unwrap() != "2" {
        tokio::task::yield_now().await;
    }
    assert_eq!(auth.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn while_auth_is_away_the_last_token_is_used_to_its_end_and_no_longer() {
    let auth = Auth::default();
    let tokens = auth.tokens();
    tokens.token().await.unwrap();
    auth.away.store(true, Ordering::SeqCst);
    advance(2 * HALF - Duration::from_secs(1)).await;
    assert_eq!(tokens.token().await.unwrap(), "1");
    advance(Duration::from_secs(1)).await;
    let asked = || auth.asked.load(Ordering::SeqCst);
    assert_eq!(tokens.token().await.unwrap_err().reason(), ErrorReason::Unavailable);
    let before = asked();
    assert_eq!(tokens.token().await.unwrap_err().reason(), ErrorReason::Unavailable);
    assert_eq!(asked(), before, "it is asked again at once");
    auth.away.store(false, Ordering::SeqCst);
    advance(RETRY).await;
    assert_eq!(tokens.token().await.unwrap(), (before + 1).to_string());
}

#[test]
fn an_installation_is_the_same_after_a_restart_and_differs_by_service() {
    let account = UserId::new();
    assert_eq!(device_of(account, "chat-svc"), device_of(account, "chat-svc"));
    assert_ne!(device_of(account, "chat-svc"), device_of(account, "media-svc"));
}

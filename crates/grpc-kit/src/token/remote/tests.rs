use std::convert::Infallible;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, join_all};
use parlor_runtime::ready::Readiness;
use parlor_wire::auth::v1::{GetJwksResponse, Jwk};
use parlor_wire::codec::Codec;
use tokio::time::advance;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tower::{Service, service_fn};

use super::*;
use crate::channel::local_channel;
use crate::testing::Maker;

/// As much of auth-svc as is asked here: GetJwks.
#[derive(Clone, Default)]
struct Auth(Arc<State>);

#[derive(Default)]
struct State {
    asked: AtomicUsize,
    /// `None`: out of reach.
    keys: StdMutex<Option<Vec<Jwk>>>,
}

impl Auth {
    fn with(keys: &[&Maker]) -> Self {
        let auth = Self::default();
        auth.publish(keys);
        auth
    }

    fn publish(&self, keys: &[&Maker]) {
        *self.0.keys.lock().unwrap() = Some(keys.iter().map(|maker| maker.jwk()).collect());
    }

    fn vanish(&self) {
        *self.0.keys.lock().unwrap() = None;
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    fn answer(&self) -> Result<Response<GetJwksResponse>, Status> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let keys = self.0.keys.lock().unwrap().clone();
        keys.map(|keys| Response::new(GetJwksResponse { keys })).ok_or_else(|| Status::unavailable("gone"))
    }

    fn keys(&self) -> RemoteKeys {
        RemoteKeys::new(local_channel(Routes::new(self.clone())))
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
        let get_jwks = service_fn(move |_: Request<GetJwksRequest>| std::future::ready(auth.answer()));
        Box::pin(async { Ok(Grpc::new(Codec::default()).unary(get_jwks, request).await) })
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_asked_for_at_most_once_in_ten_seconds() {
    let maker = Maker::new("a");
    let auth = Auth::with(&[&maker]);
    let keys = auth.keys();
    assert!(keys.keys().is_empty());
    keys.refresh().await;
    assert!(keys.keys().get("a").is_some());
    advance(Duration::from_secs(9)).await;
    keys.refresh().await;
    assert_eq!(auth.asked(), 1);
    advance(Duration::from_secs(1)).await;
    keys.refresh().await;
    assert_eq!(auth.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn those_who_come_while_it_is_asked_wait_for_the_answer() {
    let maker = Maker::new("a");
    let auth = Auth::with(&[&maker]);
    let keys = auth.keys();
    let seen = join_all((0..20).map(async |_| {
        keys.refresh().await;
        keys.keys().get("a").is_some()
    }));
    assert!(seen.await.into_iter().all(|seen| seen));
    assert_eq!(auth.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_keys_stay_good_while_there_is_no_better_answer() {
    let (old, new) = (Maker::new("old"), Maker::new("new"));
    let auth = Auth::with(&[&old]);
    let keys = auth.keys();
    keys.refresh().await;
    auth.vanish();
    advance(PATIENCE).await;
    keys.refresh().await;
    assert!(keys.keys().get("old").is_some());
    auth.publish(&[&new, &new]);
    advance(PATIENCE).await;
    keys.refresh().await;
    assert!(keys.keys().get("old").is_some(), "a set that cannot be right was taken");
    auth.publish(&[&new]);
    advance(PATIENCE).await;
    keys.refresh().await;
    assert!(keys.keys().get("old").is_none() && keys.keys().get("new").is_some());
    assert_eq!(auth.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn they_are_asked_for_each_minute_until_the_stop() {
    let maker = Maker::new("a");
    let auth = Auth::with(&[&maker]);
    let keys = Arc::new(auth.keys());
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (keys, stop) = (keys.clone(), stop.clone());
        let known = Readiness::new().condition("keys known");
        async move { keys.run(known, stop).await }
    });
    let begun = Instant::now();
    while auth.asked() < 3 {
        tokio::task::yield_now().await;
        // waits: nothing; with the clock paused this lets time pass
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(begun.elapsed().as_secs() / 60, 2);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_there_are_none_they_are_asked_for_until_there_are() {
    let maker = Maker::new("a");
    let auth = Auth::default();
    let keys = Arc::new(auth.keys());
    let readiness = Readiness::new();
    let known = readiness.condition("keys known");
    let running = tokio::spawn({
        let keys = keys.clone();
        async move { keys.run(known, CancellationToken::new()).await }
    });
    while auth.asked() < 3 {
        tokio::task::yield_now().await;
        // waits: nothing; with the clock paused this lets time pass
        tokio::time::sleep(RETRY).await;
    }
    assert!(!readiness.now().ready());
    auth.publish(&[&maker]);
    tokio::time::timeout(2 * RETRY, readiness.wait()).await.expect("asked again soon");
    assert!(keys.keys().get("a").is_some());
    running.abort();
}

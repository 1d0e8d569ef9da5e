use bytes::Bytes;
use http::Request;
use parlor_runtime::clock::ManualClock;
use parlor_types::Id as _;
use parlor_wire::auth::v1::profile_service_server::ProfileServiceServer;
use parlor_wire::errors::v1::Problem;
use parlor_wire::reason::from_status;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tower::ServiceExt as _;

use super::*;
use crate::caller::{Caller, CallerKind};
use crate::guard::Guard;
use crate::policy::{Auth, Limit, Method, Policy};
use crate::revocation::RevokedSet;
use crate::testing::{FixedKeys, Maker, Mirror, somebody, start};
use crate::token::{Audience, KeySet, Verifier};

const SERVICE: &str = "parlor.auth.v1.ProfileService";
const GET: &str = "/parlor.auth.v1.ProfileService/GetProfile";
const SEARCH: &str = "/parlor.auth.v1.ProfileService/SearchUsers";
const BATCH: &str = "/parlor.auth.v1.ProfileService/BatchGetProfiles";
const UPDATE: &str = "/parlor.auth.v1.ProfileService/UpdateProfile";
/// Four of them are what one may have on the way.
const LARGE: usize = OF_ONE / 4;
/// A message of ten bytes is announced, five of them come.
const HALF: &[u8] = &[0, 0, 0, 0, 10, 1, 2, 3, 4, 5];
/// A message without a field.
const EMPTY: &[u8] = &[0, 0, 0, 0, 0];

fn sender(number: u8) -> Sender {
    Sender::Caller(UserId::from_bytes([number; 16]))
}

fn reason(refused: Result<Room, Status>) -> ErrorReason {
    let problem = from_status(&refused.unwrap_err());
    assert!(problem.retry_after.is_some(), "it is told when to come back");
    problem.reason()
}

#[test]
fn g8_one_sender_and_all_have_so_much_room() {
    let arriving = Arriving::new(10, 25);
    let [ada, ben, cem] = [1, 2, 3].map(sender);
    let first = arriving.take(ada, 6).unwrap();
    let second = arriving.take(ada, 4).unwrap();
    assert_eq!(reason(arriving.take(ada, 1)), ErrorReason::RateLimited, "G8");
    let third = arriving.take(ben, 12).expect("as nothing else of theirs is on its way");
    assert_eq!(reason(arriving.take(cem, 4)), ErrorReason::Unavailable, "G8");
    drop(first);
    let _fourth = arriving.take(ada, 6).unwrap();
    drop((second, third));
    assert_eq!(arriving.taken().all, 6);
    assert_eq!(arriving.taken().by_sender.len(), 1, "G8: who sends nothing is remembered");
}

struct Scene {
    routes: Routes,
    maker: Maker,
}

impl Scene {
    fn new() -> Self {
        let maker = Maker::new("ours");
        let clock = Arc::new(ManualClock::at(start()));
        let known = Arc::new(KeySet::from_jwks(&[maker.jwk()]).unwrap());
        let keys = Arc::new(FixedKeys { known, ..FixedKeys::default() });
        let verifier = Verifier::new(keys, Arc::new(RevokedSet::new(clock.clone())), clock.clone());
        let row = |path, auth| Method { path, auth, limit: Limit::None, max_request_bytes: LARGE };
        let rows = [
            row(GET, Auth::Session),
            row(SEARCH, Auth::Session),
            row(BATCH, Auth::None),
            row(UPDATE, Auth::Internal),
        ];
        let policy = Policy::new(&rows, &[SERVICE]).unwrap();
        let guard = Guard::new(policy, Arc::new(verifier), clock);
        Self { routes: guard.protect(Routes::new(ProfileServiceServer::new(Mirror))), maker }
    }

    /// A call whose body is what the test sends; it ends with a status.
    fn call(&self, path: &str, caller: &Caller) -> Call {
        let audience = if path == UPDATE { Audience::Internal } else { Audience::Public };
        let token = self.maker.token(caller, audience);
        let (body, sent) = mpsc::channel::<Bytes>(1);
        let frames = ReceiverStream::new(sent).map(|bytes| Ok::<_, Status>(Frame::data(bytes)));
        let request = Request::post(path)
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::new(http_body_util::StreamBody::new(frames)))
            .unwrap();
        let answering = self.routes.clone().oneshot(request);
        let answer = tokio::spawn(async move {
            let response = answering.await.unwrap();
            let refused = Status::from_header_map(response.headers());
            refused.map_or(Ok(()), |status| Err(from_status(&status)))
        });
        Call { body, answer }
    }
}

struct Call {
    body: mpsc::Sender<Bytes>,
    answer: JoinHandle<Result<(), Problem>>,
}

impl Call {
    fn send(self, bytes: &'static [u8]) -> Self {
        self.body.try_send(Bytes::from_static(bytes)).unwrap();
        self
    }

    /// No more comes.
    async fn end(self) -> Result<(), ErrorReason> {
        drop(self.body);
        self.answer.await.unwrap().map_err(|problem| problem.reason())
    }
}

#[tokio::test(start_paused = true)]
async fn g8_bodies_that_are_never_sent_whole_take_a_bounded_room_for_a_bounded_time() {
    let scene = Scene::new();
    let (ada, ben) = (somebody(CallerKind::Person), somebody(CallerKind::Person));
    let mut stalled = Vec::new();
    for _ in 0..4 {
        stalled.push(scene.call(GET, &ada).send(HALF));
        tokio::task::yield_now().await;
    }
    let refused = scene.call(SEARCH, &ada).send(EMPTY).end().await;
    assert_eq!(refused, Err(ErrorReason::RateLimited), "G8: a fifth of one caller, by whatever method");
    assert_eq!(scene.call(GET, &ben).send(EMPTY).end().await, Ok(()), "G8: others wait for it");

    let before = Instant::now();
    for call in stalled {
        let problem = call.answer.await.unwrap().unwrap_err();
        assert_eq!(problem.reason(), ErrorReason::Unavailable, "G8");
        assert!(problem.retry_after.is_some());
        assert!(call.body.is_closed(), "G8: what has come is still held");
    }
    let waited = before.elapsed();
    assert!(waited <= WITHIN, "G8: they were held for {waited:?}");
    assert_eq!(scene.call(GET, &ada).send(EMPTY).end().await, Ok(()), "there is room again");
}

#[tokio::test(start_paused = true)]
async fn room_is_given_back_as_soon_as_a_request_has_come() {
    let scene = Scene::new();
    let ada = somebody(CallerKind::Person);
    for _ in 0..20 {
        assert_eq!(scene.call(GET, &ada).send(EMPTY).end().await, Ok(()));
    }
    let dropped: Vec<_> = (0..4).map(|_| scene.call(GET, &ada).send(HALF)).collect();
    tokio::task::yield_now().await;
    for call in dropped {
        call.answer.abort();
        assert!(call.answer.await.unwrap_err().is_cancelled());
    }
    assert_eq!(scene.call(GET, &ada).send(EMPTY).end().await, Ok(()), "who goes leaves nothing behind");
}

#[tokio::test(start_paused = true)]
async fn other_services_are_not_counted_but_held_to_the_time() {
    let scene = Scene::new();
    let service = somebody(CallerKind::Service);
    let stalled: Vec<_> = (0..8).map(|_| scene.call(UPDATE, &service).send(HALF)).collect();
    tokio::task::yield_now().await;
    assert_eq!(scene.call(UPDATE, &service).send(EMPTY).end().await, Ok(()));
    for call in stalled {
        assert_eq!(call.answer.await.unwrap().unwrap_err().reason(), ErrorReason::Unavailable, "G8");
    }
}

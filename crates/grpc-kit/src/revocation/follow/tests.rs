use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::{Stream, stream};
use parlor_runtime::clock::ManualClock;
use parlor_wire::errors::v1::Problem;
use parlor_wire::internal::auth::v1::auth_internal_service_server::{
    AuthInternalService, AuthInternalServiceServer,
};
use parlor_wire::internal::auth::v1::{
    CheckUsersRequest, CheckUsersResponse, ListRevocationsResponse, WatchRevocationsResponse,
};
use tokio::sync::mpsc;
use tonic::service::Routes;
use tonic::{Request, Response};

use super::*;
use crate::channel::local_channel;
use crate::outbound::TokenSource;

const BLIND_AFTER: Duration = Duration::from_secs(300);

/// The revocations of an auth-svc that can be out of reach, by either way.
#[derive(Clone, Default)]
struct Auth(Arc<Log>);

#[derive(Default)]
struct Log {
    revoked: Mutex<Vec<SessionId>>,
    grew: watch::Sender<()>,
    lists_fail: AtomicBool,
    streams_hang: AtomicBool,
}

impl Auth {
    fn revoke(&self) -> SessionId {
        let session = SessionId::new();
        self.0.revoked.lock().unwrap().push(session);
        self.0.grew.send_replace(());
        session
    }

    /// At most a page after the cursor, which counts the revocations seen; all, after one that is not reached yet.
    fn after(&self, cursor: u64) -> (Vec<Revocation>, u64) {
        let revoked = self.0.revoked.lock().unwrap();
        let cursor = if cursor > revoked.len() as u64 { 0 } else { cursor };
        let page = revoked.iter().skip(usize::try_from(cursor).unwrap()).take(PAGE);
        let page: Vec<_> = page
            .map(|session| Revocation { session_id: session.to_string(), ..Revocation::default() })
            .collect();
        let next = cursor + page.len() as u64;
        (page, next)
    }
}

type Watching = Pin<Box<dyn Stream<Item = Result<WatchRevocationsResponse, Status>> + Send>>;

#[async_trait]
impl AuthInternalService for Auth {
    type WatchRevocationsStream = Watching;

    async fn watch_revocations(
        &self,
        request: Request<WatchRevocationsRequest>,
    ) -> Result<Response<Watching>, Status> {
        if self.0.streams_hang.load(Ordering::SeqCst) {
            return Ok(Response::new(Box::pin(stream::pending())));
        }
        let start = (self.clone(), self.0.grew.subscribe(), request.into_inner().cursor);
        let answers = stream::unfold(start, |(auth, mut grew, cursor)| async move {
            let (mut revocations, mut next) = auth.after(cursor);
            while revocations.is_empty() {
                grew.changed().await.ok()?;
                (revocations, next) = auth.after(cursor);
            }
            Some((Ok(WatchRevocationsResponse { revocations, cursor: next }), (auth, grew, next)))
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn list_revocations(
        &self,
        request: Request<ListRevocationsRequest>,
    ) -> Result<Response<ListRevocationsResponse>, Status> {
        if self.0.lists_fail.load(Ordering::SeqCst) {
            return Err(Status::unavailable("gone"));
        }
        let (revocations, cursor) = self.after(request.into_inner().cursor);
        Ok(Response::new(ListRevocationsResponse { revocations, cursor }))
    }

    async fn find_media_references(
        &self,
        _: Request<parlor_wire::internal::auth::v1::FindMediaReferencesRequest>,
    ) -> Result<Response<parlor_wire::internal::auth::v1::FindMediaReferencesResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn check_users(
        &self,
        _: Request<CheckUsersRequest>,
    ) -> Result<Response<CheckUsersResponse>, Status> {
        Ok(Response::new(CheckUsersResponse::default()))
    }
}

struct NoToken;

#[async_trait]
impl TokenSource for NoToken {
    async fn token(&self) -> Result<String, Problem> {
        Ok("unchecked".to_owned())
    }
}

struct Following {
    set: Arc<RevokedSet>,
    told: mpsc::Receiver<SessionId>,
    sight: watch::Receiver<Sight>,
}

fn follow(auth: &Auth) -> Following {
    let set = Arc::new(RevokedSet::new(Arc::new(ManualClock::default())));
    let (tell, told) = mpsc::channel(4 * PAGE);
    let channel = local_channel(Routes::new(AuthInternalServiceServer::new(auth.clone())));
    let channel = Authorized::new(channel, Arc::new(NoToken));
    let on_revoked = move |session| tell.try_send(session).unwrap();
    let revocations = Revocations::new(channel, set.clone(), BLIND_AFTER, on_revoked);
    let sight = revocations.sight();
    tokio::spawn(async move { revocations.run(CancellationToken::new()).await });
    Following { set, told, sight }
}

impl Following {
    async fn sees(&mut self, sight: Sight) {
        self.sight.wait_for(|seen| *seen == sight).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_past_is_loaded_before_the_sight_is_clear() {
    let auth = Auth::default();
    auth.0.streams_hang.store(true, Ordering::SeqCst);
    let past: Vec<_> = (0..2 * PAGE + 1).map(|_| auth.revoke()).collect();
    let mut following = follow(&auth);
    assert_eq!(*following.sight.borrow(), Sight::Loading);
    following.sees(Sight::Clear).await;
    assert!(past.into_iter().all(|session| following.set.contains(session)));
}

#[tokio::test(start_paused = true)]
async fn g7_the_stream_tells_at_once() {
    let auth = Auth::default();
    let mut following = follow(&auth);
    following.sees(Sight::Clear).await;
    auth.0.lists_fail.store(true, Ordering::SeqCst);
    let revoked_at = Instant::now();
    let session = auth.revoke();
    let told = timeout(POLL, following.told.recv()).await;
    assert_eq!(told.expect("the stream tells"), Some(session));
    assert!(following.set.contains(session), "told before it was in the set");
    assert!(revoked_at.elapsed() < Duration::from_millis(10), "{:?}", revoked_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn g7_the_poll_tells_within_half_a_second_when_the_stream_hangs() {
    let auth = Auth::default();
    auth.0.streams_hang.store(true, Ordering::SeqCst);
    let mut following = follow(&auth);
    following.sees(Sight::Clear).await;
    for _ in 0..5 {
        let revoked_at = Instant::now();
        let session = auth.revoke();
        assert_eq!(following.told.recv().await, Some(session));
        assert!(revoked_at.elapsed() <= POLL + Duration::from_millis(10), "{:?}", revoked_at.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn each_session_is_told_once_though_both_ways_bring_it() {
    let auth = Auth::default();
    let mut following = follow(&auth);
    following.sees(Sight::Clear).await;
    let mut expected = Vec::new();
    for _ in 0..20 {
        expected.push(auth.revoke());
        assert_eq!(following.told.recv().await.as_ref(), expected.last());
        // waits: for some polls to bring it again
        sleep(3 * POLL).await;
    }
    assert!(following.told.is_empty(), "told again");
}

#[tokio::test(start_paused = true)]
async fn g7_nothing_is_missed_when_the_log_is_restored_from_an_older_copy() {
    let auth = Auth::default();
    auth.0.streams_hang.store(true, Ordering::SeqCst);
    for _ in 0..10 {
        auth.revoke();
    }
    let mut following = follow(&auth);
    following.sees(Sight::Clear).await;
    for _ in 0..10 {
        following.told.recv().await.unwrap();
    }
    auth.0.revoked.lock().unwrap().truncate(5);
    for _ in 0..10 {
        let session = auth.revoke();
        // waits: for the poll to bring it, and so every number twice: before the restore, and after it
        sleep(2 * POLL).await;
        assert!(following.set.contains(session));
    }
    for _ in 0..3 {
        auth.revoke();
    }
    sleep(2 * POLL).await; // waits: as above, for three at once
    assert_eq!(following.told.len(), 13);
}

#[tokio::test(start_paused = true)]
async fn g7_after_five_minutes_without_an_answer_it_is_blind_until_the_next() {
    let auth = Auth::default();
    let mut following = follow(&auth);
    following.sees(Sight::Clear).await;
    let seen_at = Instant::now();
    auth.0.lists_fail.store(true, Ordering::SeqCst);
    following.sees(Sight::Blind).await;
    let blind_after = seen_at.elapsed();
    assert!((BLIND_AFTER - POLL..=BLIND_AFTER + 2 * POLL).contains(&blind_after), "{blind_after:?}");
    auth.0.lists_fail.store(false, Ordering::SeqCst);
    following.sees(Sight::Clear).await;
}

#[tokio::test(start_paused = true)]
async fn who_never_saw_is_not_blind_but_not_ready() {
    let auth = Auth::default();
    auth.0.lists_fail.store(true, Ordering::SeqCst);
    let following = follow(&auth);
    // waits: longer than blindness would take
    sleep(2 * BLIND_AFTER).await;
    assert_eq!(*following.sight.borrow(), Sight::Loading);
}

//! What a stream does before anything else can happen.

use async_trait::async_trait;
use parlor_runtime::clock::SystemClock;
use parlor_runtime::limiter::Rate;
use parlor_types::{NodeId, limits};
use parlor_wire::chat::v1 as wire;
use prost::Message as _;

use super::*;
use crate::directory::{Directory, Unreachable};
use crate::log::{LogLimits, Rules, StartLog};
use crate::media::RemoteMedia;
use crate::store::MemoryStore;

struct Everybody;

#[async_trait]
impl Directory for Everybody {
    async fn all_exist(&self, _: &[UserId]) -> Result<bool, Unreachable> {
        Ok(true)
    }
}

fn deps() -> Deps {
    let (store, router) = (Arc::new(MemoryStore::default()), Arc::new(LocalRouter::default()));
    let presence = Arc::new(PresenceLink::new(NodeId::new(), Duration::from_secs(60)));
    let rate = Rate { burst: 100, per_second: 100.0 };
    let rules = Rules { max_members: 10, edit_window: Duration::from_secs(60) };
    let log = Log::new(StartLog {
        store: store.clone(),
        router: router.clone(),
        directory: Arc::new(Everybody),
        media: Arc::new(RemoteMedia::new(None)),
        watcher: presence.clone(),
        clock: Arc::new(SystemClock),
        limits: LogLimits { rules, user_rate: rate, member_rate: rate },
    });
    let (clock, standing): (_, Standing) = (Arc::new(SystemClock), Arc::new(|_| None));
    Deps { log, store, router, presence, clock, standing, limits: StreamLimits::default() }
}

#[tokio::test]
async fn g6_the_router_knows_of_a_stream_before_it_reads_what_changed() {
    let deps = deps();
    let stream = Stream::open(UserId::new(), SessionId::new(), deps.clone());
    let hello = wire::Hello { protocol: limits::PROTOCOL, ..wire::Hello::default() };
    let frame = wire::ClientFrame { kind: Some(wire::client_frame::Kind::Hello(hello)) };
    stream.frames(vec![frame.encode_to_vec().into()]);
    // Nothing was awaited: on this runtime no other task has run, and so nothing was read.
    let known = deps.router.find(stream.user(), stream.session(), stream.id());
    assert!(known.is_some(), "G6: what is stored while it reads would be told to nobody");
}

#[tokio::test]
async fn who_is_refused_at_the_door_displaces_nobody() {
    let deps = deps();
    let (user, session) = (UserId::new(), SessionId::new());
    let enter = |standing: Standing| {
        let stream = Stream::open(user, session, Deps { standing, ..deps.clone() });
        let hello = wire::Hello { protocol: limits::PROTOCOL, ..wire::Hello::default() };
        let frame = wire::ClientFrame { kind: Some(wire::client_frame::Kind::Hello(hello)) };
        stream.frames(vec![frame.encode_to_vec().into()]);
        stream
    };
    let first = enter(Arc::new(|_| None));
    let refused = enter(Arc::new(|_| Some(Farewell::session_ended())));
    assert!(refused.has_ended() && deps.router.find(user, session, refused.id()).is_none());
    assert!(!first.has_ended() && deps.router.find(user, session, first.id()).is_some());
}

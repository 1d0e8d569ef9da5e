//! The order in which changes of members are told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use parlor_runtime::clock::SystemClock;
use parlor_runtime::limiter::Rate;
use parlor_testkit::{PATIENCE, eventually};
use parlor_types::{Id as _, Op, Seq};

use super::*;
use crate::conversation::{Content, Kind, Settings};
use crate::directory::{Directory, Unreachable};
use crate::log::Rules;
use crate::log::{Digest, Draft, LogLimits, Published, StartLog};
use crate::media::RemoteMedia;
use crate::people::VisibilityWatcher;
use crate::routing::Router;
use crate::store::MemoryStore;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Answer(String),
    Row,
    Reached(Commit),
}

/// Notes what is told, in order.
#[derive(Default)]
struct Notes(Mutex<Vec<Told>>);

impl Notes {
    fn note(&self, told: Told) {
        self.0.lock().unwrap().push(told);
    }
}

impl Router for Notes {
    fn publish(&self, _: Published) {}

    fn row_changed(&self, _: UserId, _: ConversationId, _: Option<StreamId>) {
        self.note(Told::Row);
    }

    fn receipts(&self, _: UserId, _: ConversationId, _: &[UserId]) {}

    fn account_changed(&self, _: UserId) {}

    fn parted(&self, _: UserId, _: UserId) {}

    fn reached(&self, commit: Commit) {
        self.note(Told::Reached(commit));
    }
}

/// Everybody exists, and nobody looks.
struct Everybody;

#[async_trait]
impl Directory for Everybody {
    async fn all_exist(&self, _: &[UserId]) -> Result<bool, Unreachable> {
        Ok(true)
    }
}

impl VisibilityWatcher for Everybody {
    fn changed(&self, _: &[UserId]) {}
}

fn log(router: Arc<Notes>) -> Log {
    let rate = Rate { burst: 100, per_second: 100.0 };
    let rules = Rules { max_members: 10, edit_window: std::time::Duration::from_secs(60) };
    Log::new(StartLog {
        store: Arc::new(MemoryStore::default()),
        router,
        directory: Arc::new(Everybody),
        media: Arc::new(RemoteMedia::new(None)),
        watcher: Arc::new(Everybody),
        clock: Arc::new(SystemClock),
        limits: LogLimits { rules, user_rate: rate, member_rate: rate },
    })
}

fn creation(user: UserId) -> Draft {
    let (kind, settings) = (Kind::Group, Settings::default());
    Draft {
        conversation: ConversationId::new(),
        sender: user,
        target: None,
        op: Op::from_bytes([9; 16]),
        base: Seq(0),
        lane: None,
        reply_to: None,
        mentions: Vec::new(),
        labels: BTreeMap::new(),
        content: Content::Created { kind, name: "Tea".into(), members: vec![user], settings },
        digest: Digest([0; 16]),
        bytes: 10,
    }
}

#[tokio::test]
async fn g5_changes_of_preferences_are_answered_before_what_comes_after_them() {
    let notes = Arc::new(Notes::default());
    let log = log(Arc::clone(&notes));
    let running = tokio::spawn({
        let log = log.clone();
        async move { log.run().await }
    });
    let user = UserId::from_bytes([1; 16]);
    let draft = creation(user);
    let conversation = draft.conversation;
    let Commit(created) = {
        log.append(draft).await.unwrap();
        eventually("the creation is told", PATIENCE, async || !notes.0.lock().unwrap().is_empty()).await;
        let Told::Reached(commit) = notes.0.lock().unwrap().remove(0) else { panic!("a row of nobody") };
        commit
    };
    for name in ["one", "two"] {
        let changes = PreferenceChanges { custom_name: Some(name.into()), ..PreferenceChanges::default() };
        let answering = Arc::clone(&notes);
        let reply = move |result: Result<Preferred, AppendError>| match result {
            Ok(Preferred::Now(preferences, _)) => answering.note(Told::Answer(preferences.custom_name)),
            other => panic!("{other:?}"),
        };
        log.prefer_then(user, conversation, changes, None, Box::new(reply));
    }
    eventually("all is told", PATIENCE, async || notes.0.lock().unwrap().len() == 6).await;
    let reached = |more| Told::Reached(Commit(created + more));
    let [one, two] = ["one", "two"].map(|name| Told::Answer(name.into()));
    let expected = [Told::Row, one, reached(1), Told::Row, two, reached(2)];
    assert_eq!(*notes.0.lock().unwrap(), expected, "G5: a cursor goes beyond a change that was not answered");
    running.abort();
}

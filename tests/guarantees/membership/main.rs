//! G5 and G7 over random changes of members: many small groups, several sessions of each at once.
//!
//! What everybody may read is worked out from the owner's log alone, by a model that knows nothing of the service. Then it
//! is compared with all they got: live, in pages taken while things changed, and in the whole log at the end.
//! `PARLOR_SCENARIOS` says how many, `PARLOR_SEED` which chance.

mod model;
mod people;
mod session;

use std::collections::BTreeSet;
use std::sync::Arc;

use chat_svc::{App, Config, Needs, RateConfig};
use parlor_grpc_kit::local_channel;
use parlor_testkit::{ChatClient, Person, TestAuth, chat_client, compose, in_time, reason};
use parlor_tests::{Seed, number, reading};
use parlor_wire::chat::v1::HistoryVisibility;
use parlor_wire::errors::v1::ErrorReason;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use model::readable;
use people::{act, everybody};
use session::Session;

/// Scenarios, if `PARLOR_SCENARIOS` does not say.
const SCENARIOS: u64 = 1000;
/// Scenarios at once.
const AT_ONCE: usize = 8;
/// People besides the owner, with a session each, one of them with two. The last is not in the group at first, and may
/// never be.
const OTHERS: usize = 3;

/// A chat-svc of our own; people to order.
struct Scene {
    auth: TestAuth,
    channel: Channel,
    app: App,
    _folder: TempDir,
}

impl Scene {
    /// The defaults, but for the rates of appends: a scenario appends faster than people.
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let auth = TestAuth::new();
        let fast = RateConfig { burst: 1_000_000, per_second: 1_000_000.0 };
        let config = Config { appends_per_user: fast, appends_per_member: fast, ..Config::default() };
        let needs = Needs {
            store: folder.path().join("chat.db"),
            auth: auth.public_channel(),
            auth_internal: auth.internal_channel(),
            presence_internal: None,
            media_internal: None,
        };
        let app = App::build(&config, needs).expect("it starts");
        in_time("readiness", app.readiness().wait()).await;
        let channel = local_channel(app.public());
        Self { auth, channel, app, _folder: folder }
    }

    fn calling(&self, person: &Person) -> ChatClient {
        chat_client(self.channel.clone(), Some(&person.token))
    }
}

/// One group, from its creation to the comparison.
async fn scenario(scene: &Scene, mut rng: StdRng) {
    let people: Vec<_> = (0..=OTHERS).map(|_| scene.auth.person()).collect();
    let ids: Vec<_> = people.iter().map(Person::id).collect();
    let chats: Vec<_> = people.iter().map(|person| scene.calling(person)).collect();
    let mut request = compose::group("Tea", &ids[1..OTHERS]);
    if rng.random_bool(0.2) {
        request.settings =
            Some(parlor_wire::chat::v1::Settings { history_visibility: HistoryVisibility::All.into() });
    }
    let mut sessions = Vec::new();
    for (person, chat) in people.iter().zip(&chats).skip(1) {
        sessions.push(Session::open(person.id(), chat.clone()).await);
    }
    let second = scene.auth.another_session(&people[1]);
    sessions.push(Session::open(second.id(), scene.calling(&second)).await);
    let created = chats[0].clone().create_conversation(request).await.expect("it is created").into_inner();
    let group = created.conversation.expect("a row").id;

    let everybody = everybody(&chats, &ids, &group);
    let acting = everybody.into_iter().map(|actor| act(actor, StdRng::from_rng(&mut rng)));
    let pages: Vec<_> = join_all(acting).await.into_iter().flatten().collect();

    let log = reading::log(&chats[0], &group).await.expect("the owner reads");
    for (who, page) in &pages {
        model::only_readable("a page", &ids[*who], page, &log);
    }
    for (id, chat) in ids.iter().zip(&chats) {
        let may = readable(&log, id);
        if may.is_empty() {
            let refused = reason(reading::log(chat, &group).await);
            assert_eq!(refused, ErrorReason::ConversationNotFound, "G7: who never was a member");
            continue;
        }
        let got = reading::log(chat, &group).await.expect("a member, or one who was");
        model::only_readable("the log", id, &got, &log);
        let got: BTreeSet<_> = got.iter().map(|entry| entry.seq).collect();
        assert_eq!(got, may, "G5: all of the ranges can be read");
    }
    for session in &mut sessions {
        session.catch_up(&group, &log).await;
    }
    for session in &mut sessions {
        session.nothing_more(&group, &log).await;
    }
}

/// All of them at once, in one task: their calls interleave as the answers come.
async fn join_all<T: Send + 'static>(
    futures: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = futures.map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.expect("nobody is refused without reason"));
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g5_g7_everybody_gets_what_is_theirs_and_nothing_else() {
    let seed = Seed::new();
    let scene = Arc::new(Scene::start().await);
    let mut running = JoinSet::new();
    for number in 0..number("PARLOR_SCENARIOS").unwrap_or(SCENARIOS) {
        let (scene, rng) = (scene.clone(), seed.rng(number));
        running.spawn(async move { scenario(&scene, rng).await });
        if running.len() >= AT_ONCE {
            running.join_next().await.expect("there are some").expect("a scenario holds");
        }
    }
    while let Some(done) = running.join_next().await {
        done.expect("a scenario holds");
    }
    scene.app.tasks().token().cancel();
}

//! G1 to G5 over kills of the server: SIGKILL at random moments under load, start on the same folder, go on.
//!
//! Writers repeat what has no answer, readers follow, and at the end all that was asked, answered and read is held
//! against the logs. `PARLOR_KILLS` says how many kills, `PARLOR_SEED` which chance.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parlor_history::{Event, Recorder, Summary};
use parlor_testkit::{ChatClient, compose};
use parlor_tests::account::{self, Login};
use parlor_tests::{Answer, Caller, Follower, Relay, Seed, Server, history, number, reading};
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Kills, if `PARLOR_KILLS` does not say.
const KILLS: u64 = 50;
/// How long the server lives: from just started to well into the load.
const LIFE: std::ops::Range<Duration> = Duration::from_millis(1)..Duration::from_millis(700);
/// Messages that a writer on a stream has on their way at once.
const IN_FLIGHT: usize = 6;
/// How long everything may take to be delivered after the last start.
const SETTLE: Duration = Duration::from_secs(30);

/// The server and everybody who talks through it.
struct World {
    data: PathBuf,
    server: Option<Server>,
    relay: Relay,
    recorder: Arc<Recorder>,
    /// Write and read on streams.
    followers: Vec<Arc<Follower>>,
    /// Writes by calls.
    ada: Login,
    /// Joins later; reads by calls.
    eve: Login,
    group: ConversationId,
    direct: ConversationId,
    stop: Arc<AtomicBool>,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let server = Server::start(&data).await;
        let relay = Relay::start().await;
        relay.point_to(Some(server.address()));
        let recorder = Arc::new(Recorder::default());
        let ada = Login::register(relay.channel(), "ada").await;
        let eve = Login::register(relay.channel(), "eve").await;
        let mut followers = Vec::new();
        let mut ids = Vec::new();
        for name in ["ben", "cem"] {
            let client = account::client(&folder.path().join(name), &relay.url(), name).await;
            ids.push(client.me().await.expect("it is logged in").to_string());
            followers.push(Arc::new(Follower::start(client, name, recorder.clone()).await));
        }
        let group = create(&ada.chat(), compose::group("Tea", &ids)).await;
        let direct = create(&ada.chat(), compose::direct(&ids[0])).await;
        let stop = Arc::default();
        let server = Some(server);
        Self { data, server, relay, recorder, followers, ada, eve, group, direct, stop, folder }
    }

    /// Everybody at once, until told to stop.
    fn load(&self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for (name, conversation) in [("ada", self.group), ("ada, to ben", self.direct)] {
            let caller = Caller::new(name, self.ada.chat(), self.recorder.clone());
            tasks.spawn(call(caller, conversation, self.stop.clone()));
        }
        let (ben, cem) = (self.followers[0].clone(), self.followers[1].clone());
        for (follower, conversation) in [(ben.clone(), self.group), (ben, self.direct), (cem, self.group)] {
            tasks.spawn(chat(follower, conversation, self.stop.clone()));
        }
        tasks.spawn(leaf(self.ada.chat(), self.group, self.recorder.clone(), self.stop.clone()));
        tasks
    }

    async fn kill_and_start(&mut self) {
        self.server.take().expect("it runs").kill().await;
        self.relay.point_to(None);
        let server = Server::start(&self.data).await;
        self.relay.point_to(Some(server.address()));
        self.server = Some(server);
        for follower in &self.followers {
            assert!(follower.is_live(), "G6: {} does not give up", follower.name);
            follower.hurry().await;
        }
    }

    /// Reads everything there is, as everybody may.
    async fn read_all(&self) {
        for conversation in [self.group, self.direct] {
            let log =
                reading::log(&self.ada.chat(), &conversation.to_string()).await.expect("a member reads");
            let head = log.last().map_or(Seq::default(), |entry| Seq(entry.seq));
            history::holds(&self.recorder, "ada, reading all", conversation, &log);
            let members = if conversation == self.group { &self.followers[..] } else { &self.followers[..1] };
            for member in members {
                member.caught_up(conversation, head, SETTLE).await;
                history::holds(&self.recorder, &member.name, conversation, &member.held(conversation));
            }
        }
        let group = self.group.to_string();
        let row = reading::row(&self.eve.chat(), &group).await.expect("a member reads");
        let ranges = reading::ranges(&row);
        assert!(matches!(ranges[..], [(from, None)] if from > Seq::FIRST), "Eve joined later: {ranges:?}");
        let held = reading::log(&self.eve.chat(), &group).await.expect("a member reads");
        let (user, session) = (UserId::parse(&self.eve.id()).expect("an id"), None);
        self.recorder.record("eve", Event::Begin { user, session });
        history::may_read(&self.recorder, "eve", self.group, &ranges);
        history::holds(&self.recorder, "eve", self.group, &held);
    }
}

async fn create(
    chat: &ChatClient,
    request: parlor_wire::chat::v1::CreateConversationRequest,
) -> ConversationId {
    let answer = chat.clone().create_conversation(request).await.expect("it is created").into_inner();
    ConversationId::parse(&answer.conversation.expect("a row").id).expect("an id")
}

/// One after the other, each until it is answered.
async fn call(mut caller: Caller, conversation: ConversationId, stop: Arc<AtomicBool>) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        caller.say(conversation, format!("call {number}")).await;
    }
}

/// Several at once, in order.
async fn chat(follower: Arc<Follower>, conversation: ConversationId, stop: Arc<AtomicBool>) {
    let mut on_their_way = std::collections::VecDeque::<Answer>::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        on_their_way.push_back(follower.say(conversation, format!("{} {number}", follower.name)).await);
        if on_their_way.len() >= IN_FLIGHT {
            let answer = on_their_way.pop_front().expect("there are several");
            answer.await.expect("it does not panic").expect("G2: it is stored in the end");
        }
    }
    for answer in on_their_way {
        answer.await.expect("it does not panic").expect("G2: it is stored in the end");
    }
}

/// Leafs through the log from its beginning, over and over.
async fn leaf(
    chat: ChatClient,
    conversation: ConversationId,
    recorder: Arc<Recorder>,
    stop: Arc<AtomicBool>,
) {
    let (id, mut from) = (conversation.to_string(), 1);
    while !stop.load(Ordering::Relaxed) {
        if let Ok(page) = reading::page(&chat, &id, from, 0).await {
            history::page(&recorder, "ada, leafing", conversation, &page.entries);
            from = page.next_seq.max(1);
        }
        // waits: a reader's pace; how much is read this way decides nothing
        sleep(Duration::from_millis(50)).await;
    }
}

async fn a_life(rng: &mut StdRng) {
    let life = rng.random_range(LIFE.start.as_micros()..LIFE.end.as_micros());
    // waits: the random moment is what is tested
    sleep(Duration::from_micros(u64::try_from(life).expect("less than a second"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_to_g5_hold_over_kills_of_the_server() {
    let seed = Seed::new();
    let kills = number("PARLOR_KILLS").unwrap_or(KILLS);
    let mut rng = seed.rng(0);
    let mut world = World::new().await;
    let mut load = world.load();
    let mut owner = Caller::new("ada, as owner", world.ada.chat(), world.recorder.clone());
    for kill in 0..kills {
        a_life(&mut rng).await;
        if kill == kills / 2 {
            // Under way when the server dies, so that a change of members is interrupted too.
            let add = owner.append(world.group, compose::add(&[world.eve.id()]));
            let (_, ()) = tokio::join!(add, world.kill_and_start());
        } else {
            world.kill_and_start().await;
        }
        if let Some(failed) = load.try_join_next() {
            failed.expect("nobody gives up");
        }
    }
    world.stop.store(true, Ordering::Relaxed);
    tokio::time::timeout(SETTLE, async {
        while let Some(task) = load.join_next().await {
            task.expect("nobody gives up")
        }
    })
    .await
    .expect("G2: everything is answered in the end");
    world.read_all().await;

    let clients: Vec<_> = world.followers.iter().map(|follower| &follower.client).collect();
    let seen = history::check_profiles(world.folder.path(), &clients).await;
    let marks = history::count(&seen, |event| matches!(event, Event::Marks { .. }));
    let unread = history::count(&seen, |event| matches!(event, Event::Unread { messages: 1.., .. }));
    assert!(marks > 0 && unread > 0, "{marks} marks and {unread} unread counts prove nothing");
    let history = world.recorder.history();
    history.assert_good();
    let Summary { acked, unknown, .. } = history.summary();
    println!("{acked} acked, {unknown} attempts without an answer");
    assert!(acked as u64 >= 5 * kills, "too little load to prove anything: {acked} acked");
    assert!(unknown > 0, "no kill ever cut off an answer");
}

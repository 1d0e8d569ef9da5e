//! G1 to G5 over a restore: a backup taken while 80 of 100 messages are there, put in the place of the server's data. What
//! came after the backup is gone; what clients had not yet sent is not; and in the end everybody holds the same log.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parlor_client::core::Draft;
use parlor_client::{Client, Error};
use parlor_history::{Event, Recorder, Seen};
use parlor_testkit::compose;
use parlor_tests::account::{self, Login};
use parlor_tests::{Answer, Caller, Follower, Relay, Server, history, reading, run};
use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::Text;
use parlor_wire::chat::v1::content::Kind;
use tempfile::TempDir;

/// Messages before the backup, after it, and after the restore.
const BEFORE: usize = 80;
const LOST: usize = 20;
const AFTER: usize = 30;
/// How long delivering and catching up may take.
const SETTLE: Duration = Duration::from_secs(20);

struct World {
    folder: TempDir,
    relay: Relay,
    recorder: Arc<Recorder>,
    ada: Login,
    /// Ben and Cem are there all the time, Dan leaves after half of the messages.
    clients: Vec<Client>,
    group: ConversationId,
}

impl World {
    async fn new(server: &Server) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let relay = Relay::start().await;
        relay.point_to(Some(server.address()));
        let ada = Login::register(relay.channel(), "ada").await;
        let (mut clients, mut ids) = (Vec::new(), Vec::new());
        for name in ["ben", "cem", "dan"] {
            let client = account::client(&folder.path().join(name), &relay.url(), name).await;
            ids.push(client.me().await.expect("it is logged in").to_string());
            clients.push(client);
        }
        let created = ada.chat().create_conversation(compose::group("Tea", &ids)).await.expect("creates");
        let group = created.into_inner().conversation.expect("a row").id;
        let group = ConversationId::parse(&group).expect("an id");
        Self { folder, relay, recorder: Arc::default(), ada, clients, group }
    }

    async fn live(&self, index: usize) -> Follower {
        let names = ["ben", "cem", "dan"];
        Follower::start(self.clients[index].clone(), names[index], self.recorder.clone()).await
    }

    /// Calls as Ada, knowing nothing yet.
    fn caller(&self, name: &str) -> Caller {
        Caller::new(name, self.ada.chat(), self.recorder.clone())
    }

    async fn log(&self) -> Vec<parlor_wire::chat::v1::Entry> {
        reading::log(&self.ada.chat(), &self.group.to_string()).await.expect("the owner reads")
    }
}

fn numbered(numbers: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    numbers.map(|number| format!("message {number}"))
}

/// By turns, each stored before the next.
async fn say(
    texts: impl Iterator<Item = String>,
    group: ConversationId,
    caller: &mut Caller,
    other: &Follower,
) {
    for (index, text) in texts.enumerate() {
        if index % 2 == 0 {
            caller.say(group, text).await;
        } else {
            other.say(group, text).await.await.expect("no panic").expect("stored");
        }
    }
}

async fn backup(data: &Path, to: &Path) {
    run(&[OsStr::new("backup"), to.as_os_str(), OsStr::new("--data"), data.as_os_str()]).await;
}

async fn restore(from: &Path, data: &Path) {
    run(&[OsStr::new("restore"), from.as_os_str(), OsStr::new("--data"), data.as_os_str()]).await;
}

/// What is written while the server is away, by everybody: it waits in their outboxes.
async fn write_offline(world: &World, ben: &Follower, dan: &Follower) -> Vec<Answer> {
    let mut answers = Vec::new();
    for number in 0..3 {
        answers.push(ben.say(world.group, format!("ben, offline {number}")).await);
        answers.push(dan.say(world.group, format!("dan, offline {number}")).await);
    }
    // By a call of another process, which gives up and leaves it in the outbox.
    let profile = world.folder.path().join("cem");
    let impatient =
        Client::open(&profile, &world.relay.url(), Duration::ZERO).await.expect("the profile opens");
    impatient.record_history(&history::of_profile(&profile)).await.expect("it can be written");
    let body = Kind::Text(Text { body: "cem 0".to_owned() });
    let kept = impatient.send(Draft::new(world.group, body)).await;
    assert!(matches!(kept, Err(Error::Undelivered(..))), "{kept:?}");
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_ends_with_the_same_log_after_a_restore() {
    let servers = tempfile::tempdir().expect("a folder");
    let [old, new, copy] = ["old", "new", "copy"].map(|name| servers.path().join(name));
    let server = Server::start(&old).await;
    let world = World::new(&server).await;
    let (group, mut ada) = (world.group, world.caller("ada"));
    let (ben, cem, dan) = (world.live(0).await, world.live(1).await, world.live(2).await);

    say(numbered(0..BEFORE / 2), group, &mut ada, &ben).await;
    dan.caught_up(group, Seq(1 + BEFORE as u64 / 2), SETTLE).await;
    drop(dan);
    say(numbered(BEFORE / 2..BEFORE), group, &mut ada, &ben).await;
    backup(&old, &copy).await;
    say(numbered(BEFORE..BEFORE + LOST), group, &mut ada, &ben).await;
    let head = Seq(1 + (BEFORE + LOST) as u64);
    for held_all in [&ben, &cem] {
        held_all.caught_up(group, head, SETTLE).await;
    }
    let kept = history::seen(&world.log().await[..=BEFORE]);

    // Cem says nothing until the restore, and then finds it out from a call.
    world.relay.point_to(None);
    server.kill().await;
    drop(cem);
    let dan = world.live(2).await;
    let offline = write_offline(&world, &ben, &dan).await;
    restore(&copy, &new).await;
    let server = Server::start(&new).await;
    world.relay.point_to(Some(server.address()));
    ben.hurry().await;
    dan.hurry().await;

    let mut ada = world.caller("ada, who asks anew");
    let sent_offline = offline.len() + 1;
    let body = Kind::Text(Text { body: "cem 1".to_owned() });
    world.clients[1].send(Draft::new(group, body)).await.expect("stored");
    let texts = (sent_offline + 1..AFTER).map(|number| format!("after {number}"));
    say(texts, group, &mut ada, &dan).await;
    for answer in offline {
        answer.await.expect("no panic").expect("G2: what was in an outbox is delivered");
    }
    let fresh = account_elsewhere(&world).await;
    let cem = world.live(1).await;
    let log = world.log().await;
    assert_eq!(log.len(), 1 + BEFORE + AFTER, "G2: each message once, and none that came after the backup");
    let lines = history::seen(&log);
    assert_eq!(lines[..=BEFORE], kept, "G1: what is in the backup is there");
    in_order(&lines[BEFORE + 1..]);
    for client in [&ben, &cem, &dan, &fresh] {
        client.caught_up(group, Seq(log.len() as u64), SETTLE).await;
        assert_eq!(client.held(group), log, "G3, G5: {} holds the log that is there", client.name);
        assert!(client.outbox().is_empty(), "G2: {} has delivered everything", client.name);
    }
    let clients = [&ben, &cem, &dan, &fresh].map(|follower| &follower.client);
    let seen = history::check_profiles(world.folder.path(), &clients).await;
    let lives = |event: &Event| matches!(event, Event::Generation { .. });
    assert!(history::count(&seen, lives) > clients.len(), "G5: a restore begins a new life");
    let marks = history::count(&seen, |event| matches!(event, Event::Marks { .. }));
    let unread = history::count(&seen, |event| matches!(event, Event::Unread { messages: 1.., .. }));
    assert!(marks > 0 && unread > 0, "{marks} marks and {unread} unread counts prove nothing");
}

/// Ben on a new device, which knows nothing of the past.
async fn account_elsewhere(world: &World) -> Follower {
    let username = world.clients[0].account().await.expect("an account").username.expect("a name");
    let profile = world.folder.path().join("ben, new");
    let client = Client::open(&profile, &world.relay.url(), SETTLE).await.expect("the profile opens");
    client.record_history(&history::of_profile(&profile)).await.expect("it can be written");
    let password = account::PASSWORD.to_owned();
    let device_name = "new".to_owned();
    client.log_in(&parlor_client::LogIn { username, password, device_name }).await.expect("logs in");
    Follower::start(client, "ben, on a new device", world.recorder.clone()).await
}

/// G4: whoever numbered messages did so in this order.
fn in_order(entries: &[Seen]) {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        let Some((who, number)) = entry.content.as_ref().and_then(|text| text.rsplit_once(' ')) else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        let before = last.insert(who, number);
        assert!(before.is_none_or(|before| before < number), "G4: {entry:?} comes after {before:?}");
    }
}

//! G1 to G5 over kills of a client: SIGKILL between any two of its steps, started again on the same profile, and now and
//! then on an older copy of it, as a phone that was restored from a backup.
//!
//! What was in an outbox is stored once, in order; what only a later profile knew of may be lost, but is not doubled.
//! `PARLOR_KILLS` says how many kills, `PARLOR_SEED` which chance.

mod killed;
mod profile;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parlor_client::Client;
use parlor_history::{Event, Recorder, Seen};
use parlor_testkit::compose;
use parlor_tests::account::{self, Login};
use parlor_tests::{Follower, Relay, Seed, Server, history, number, reading};
use parlor_types::{ConversationId, Id as _, Op, Seq};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tempfile::TempDir;

use killed::{Killed, Program};
use profile::Profile;

/// Kills, if `PARLOR_KILLS` does not say.
const KILLS: u64 = 50;
/// How long the last client may take to deliver what is left.
const SETTLE: Duration = Duration::from_secs(30);

struct World {
    relay: Relay,
    recorder: Arc<Recorder>,
    /// What Ada is known to have asked for.
    known: BTreeSet<Op>,
    /// What her client no longer knows of, since her profile was put back.
    forgotten: BTreeSet<Op>,
    /// Reads and writes in the same group, and is not killed.
    ben: Follower,
    owner: Login,
    group: ConversationId,
    profile: Profile,
    _server: Server,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&folder.path().join("data")).await;
        let relay = Relay::start().await;
        relay.point_to(Some(server.address()));
        let recorder = Arc::new(Recorder::default());
        let owner = Login::register(relay.channel(), "owner").await;
        let ada = account::client(&folder.path().join("ada"), &relay.url(), "ada").await;
        let ben = account::client(&folder.path().join("ben"), &relay.url(), "ben").await;
        let mut ids = Vec::new();
        for client in [&ada, &ben] {
            ids.push(client.me().await.expect("it is logged in").to_string());
        }
        let created = owner.chat().create_conversation(compose::group("Tea", &ids)).await.expect("creates");
        let group = created.into_inner().conversation.expect("a row").id;
        let group = ConversationId::parse(&group).expect("an id");
        let ben = Follower::start(ben, "ben", recorder.clone()).await;
        drop(ada);
        let profile = Profile::new(folder.path().join("ada"));
        let (known, forgotten) = Default::default();
        Self { relay, recorder, known, forgotten, ben, owner, group, profile, _server: server, folder }
    }

    /// Takes down what a client that is dead said, and what its outbox says; answers how many wait in it.
    fn note(&mut self, said: &Killed) -> usize {
        for (op, text) in &said.saved {
            history::invoked(&self.recorder, said.since, "ada", self.group, *op, Some(text));
            self.known.insert(*op);
        }
        let waiting = self.profile.outbox();
        for row in &waiting {
            if self.known.insert(row.op) {
                history::invoked(&self.recorder, said.since, "ada", self.group, row.op, Some(&row.text));
            }
        }
        for (op, seq) in &said.acked {
            history::acked(&self.recorder, "ada", *op, *seq);
        }
        waiting.len()
    }

    /// The last client of Ada has emptied her outbox.
    fn owed(&self) {
        let unanswered = self.recorder.history().unanswered("ada");
        for op in unanswered.into_iter().filter(|op| !self.forgotten.contains(op)) {
            self.recorder.record("ada", Event::Owed { op });
        }
    }

    /// Puts the profile back. What the copy's outbox does not have, the client no longer knows of.
    fn go_back(&mut self) {
        self.profile.go_back();
        let still: Vec<_> = self.profile.outbox().into_iter().map(|row| row.op).collect();
        for op in self.recorder.history().unanswered("ada") {
            if still.contains(&op) {
                self.forgotten.remove(&op);
            } else {
                self.forgotten.insert(op);
            }
        }
    }
}

fn pick(rng: &mut StdRng) -> Program {
    if rng.random_bool(0.3) { Program::CommandLine } else { Program::Library }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_to_g5_hold_over_kills_of_a_client() {
    let seed = Seed::new();
    let kills: u64 = number("PARLOR_KILLS").unwrap_or(KILLS);
    let mut rng = seed.rng(0);
    let mut world = World::new().await;
    let (mut texts, mut went_back, mut waited) = (0_u64.., 0, 0);
    for round in 0..kills {
        let since = world.recorder.now();
        let bens = world.ben.say(world.group, format!("ben {round}")).await;
        let program = pick(&mut rng);
        let mut child = program.start(world.profile.folder(), &world.relay.url(), world.group);
        let fed: Vec<_> =
            (&mut texts).take(rng.random_range(0..16)).map(|number| format!("ada {number}")).collect();
        let said = killed::feed_and_kill(&mut child, program, fed, since, &mut rng).await;
        if went_back + 1 < kills / 5 && world.profile.has_copy() && rng.random_bool(0.3) {
            waited += world.note(&said);
            world.go_back();
            went_back += 1;
        } else {
            if rng.random_bool(0.3) {
                world.profile.copy();
            }
            waited += world.note(&said);
        }
        bens.await.expect("no panic").expect("G2: what nobody kills is stored");
    }

    let client =
        Client::open(world.profile.folder(), &world.relay.url(), SETTLE).await.expect("the profile opens");
    let file = history::of_profile(world.profile.folder());
    client.record_history(&file).await.expect("what killed clients wrote can be gone on with");
    let ada = Follower::start(client, "ada, at last", world.recorder.clone()).await;
    ada.caught_up(world.group, Seq::FIRST, SETTLE).await;
    let log = reading::log(&world.owner.chat(), &world.group.to_string()).await.expect("reads");
    world.owed();
    history::holds(&world.recorder, "owner", world.group, &log);
    for member in [&ada, &world.ben] {
        member.caught_up(world.group, Seq(log.len() as u64), SETTLE).await;
        assert_eq!(member.held(world.group), log, "G3: {} holds the log that is there", member.name);
        history::holds(&world.recorder, &member.name, world.group, &member.held(world.group));
    }
    let seen = history::check_profiles(world.folder.path(), &[&ada.client, &world.ben.client]).await;
    let starts = history::count(&seen, |event| matches!(event, Event::Resumed { .. }));
    assert!(starts > 0, "no killed client wrote anything");
    once_and_in_order(&history::seen(&log));
    let history = world.recorder.history();
    history.assert_good();
    let acked = history.summary().acked;
    assert!(acked as u64 >= 2 * kills, "too little was sent to prove anything: {acked} acked");
    println!("{acked} acked, {waited} found in the outbox of a dead client, {went_back} profiles put back");
    assert!(kills < KILLS || (went_back > 0 && waited > 0), "no kill came in between");
}

/// Also of what no dead client told of: it was killed between storing and saying so.
fn once_and_in_order(entries: &[Seen]) {
    let texts = entries.iter().filter_map(|entry| entry.content.as_deref());
    let numbers = texts.filter_map(|text| text.strip_prefix("ada ")?.parse::<u64>().ok());
    let numbers: Vec<_> = numbers.collect();
    let different: BTreeSet<_> = numbers.iter().collect();
    assert_eq!(different.len(), numbers.len(), "G2: some messages are there twice: {numbers:?}");
    for pair in numbers.windows(2) {
        assert!(pair[0] < pair[1], "G4: message {} comes after {}", pair[1], pair[0]);
    }
}

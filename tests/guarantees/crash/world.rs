//! The system and everybody who talks through it, each over a network of their own.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parlor_client::{Client, Live};
use parlor_history::Recorder;
use parlor_testkit::{ChatClient, compose};
use parlor_tests::account::{self, Login};
use parlor_tests::{Caller, Follower, Relay, Seed, System};
use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::chat::v1::CreateConversationRequest;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::others::Acked;
use crate::{SETTLE, others, talk};

/// See the module.
pub struct World {
    pub system: System,
    pub recorder: Arc<Recorder>,
    /// Between each client and the system.
    pub networks: Vec<Relay>,
    /// Ben and Cem write and read on streams.
    pub followers: Vec<Arc<Follower>>,
    /// Comes and goes.
    pub dan: Arc<Guest>,
    /// Writes by calls.
    pub ada: Login,
    /// Joins later; reads by calls.
    pub eve: Login,
    pub group: ConversationId,
    pub direct: ConversationId,
    /// Of Ada alone: to see that something can be said at all.
    pub notes: ConversationId,
    /// What no history has.
    pub acked: Arc<Acked>,
    pub folder: TempDir,
    stop: Stop,
}

/// Somebody whose client writes its history by itself.
pub struct Guest {
    pub id: UserId,
    pub client: Client,
    pub live: Live,
}

/// Everybody at work.
pub type Load = JoinSet<()>;

/// Whether it is time to end.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let system = System::start(&folder.path().join("data")).await;
        let mut networks = Vec::new();
        for _ in ["ada", "ben", "cem", "dan"] {
            let network = Relay::start().await;
            network.point_to(Some(system.address()));
            networks.push(network);
        }
        let recorder = Arc::new(Recorder::default());
        let ada = Login::register(networks[0].channel(), "ada").await;
        let eve = Login::register(networks[0].channel(), "eve").await;
        let mut followers = Vec::new();
        for (name, network) in [("ben", &networks[1]), ("cem", &networks[2])] {
            let client = account::client(&folder.path().join(name), &network.url(), name).await;
            followers.push(Arc::new(Follower::start(client, name, recorder.clone()).await));
        }
        let dan = Arc::new(Guest::new(folder.path(), &networks[3]).await);
        let mut ids = Vec::new();
        for follower in &followers {
            ids.push(follower.client.me().await.expect("it is logged in").to_string());
        }
        let chat = ada.chat();
        let group = create(&chat, compose::group("Tea", &ids)).await;
        let direct = create(&chat, compose::direct(&ids[0])).await;
        let notes = create(&chat, compose::direct(&ada.id())).await;
        let (acked, stop) = Default::default();
        Self {
            system,
            recorder,
            networks,
            followers,
            dan,
            ada,
            eve,
            group,
            direct,
            notes,
            acked,
            folder,
            stop,
        }
    }

    /// Everybody at once, until told to stop.
    pub fn load(&self, seed: &Seed) -> Load {
        let mut tasks = JoinSet::new();
        let stop = || self.stop.clone();
        for (name, conversation) in [("ada", self.group), ("ada, to ben", self.direct)] {
            tasks.spawn(talk::call(self.caller(name), conversation, stop()));
        }
        let (ben, cem) = (self.followers[0].clone(), self.followers[1].clone());
        for (follower, conversation) in [(&ben, self.group), (&ben, self.direct), (&cem, self.group)] {
            tasks.spawn(talk::chat(follower.clone(), conversation, stop()));
            tasks.spawn(others::reads(follower.clone(), conversation, stop()));
        }
        tasks.spawn(talk::leaf(self.ada.chat(), self.group, self.recorder.clone(), stop()));
        let files = self.folder.path().join("files");
        tasks.spawn(others::files(ben, self.group, files, self.acked.clone(), stop(), seed.rng(1)));
        let owner = self.caller("ada, as owner");
        tasks.spawn(others::comes_and_goes(owner, self.dan.clone(), self.group, stop(), seed.rng(2)));
        tasks.spawn(others::is_there(cem, self.dan.id, self.group, stop()));
        tasks.spawn(others::accounts(self.networks[0].channel(), self.acked.clone(), stop()));
        tasks.spawn(others::statuses(self.ada.clone(), self.acked.clone(), stop()));
        tasks
    }

    /// A lane of Ada's.
    pub fn caller(&self, name: &str) -> Caller {
        Caller::new(name, self.ada.chat(), self.recorder.clone())
    }

    /// Lets everybody end what they began.
    pub async fn rest(&self, mut load: Load) {
        self.stop.0.store(true, Ordering::Relaxed);
        let ended = timeout(SETTLE, async {
            while let Some(task) = load.join_next().await {
                task.expect("nobody gives up");
            }
        });
        ended.await.expect("G2: everything is answered in the end");
    }
}

impl Drop for World {
    /// What was seen when a guarantee was broken is kept, and the logs.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            let kept = self.folder.path().display();
            // Nobody is left to be told of a failure to tell.
            let _ = writeln!(std::io::stderr(), "data, histories and logs are in {kept}");
        }
    }
}

impl Guest {
    async fn new(folder: &Path, network: &Relay) -> Self {
        let client = account::client(&folder.join("dan"), &network.url(), "dan").await;
        let id = client.me().await.expect("it is logged in");
        let (live, _) = client.live().await.expect("somebody is logged in");
        Self { id, client, live }
    }
}

async fn create(chat: &ChatClient, request: CreateConversationRequest) -> ConversationId {
    let answer = chat.clone().create_conversation(request).await.expect("it is created").into_inner();
    ConversationId::parse(&answer.conversation.expect("a row").id).expect("an id")
}

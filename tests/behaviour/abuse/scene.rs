//! Two who talk, and one who floods.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use parlor_testkit::{StreamClient, compose};
use parlor_tests::Server;
use parlor_tests::account::Login;
use parlor_wire::chat::v1::append_result::Outcome;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{CreateConversationRequest, content};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// How soon a message of others has to arrive while somebody floods. A message takes some milliseconds; a machine of two
/// cores that also runs the flood, and a server that is not optimised, make it tens.
const DELIVERED_WITHIN: Duration = Duration::from_secs(2);
/// The folder of the server's data, in one of the scene's own.
const DATA: &str = "data";
/// One scene at a time: what a flood does to others is not to be told from what another test's flood does.
static ALONE: Mutex<()> = Mutex::const_new(());
/// So many messages have to have been delivered before it says anything.
const ENOUGH: usize = 5;

/// What became of others.
#[derive(Debug)]
#[expect(dead_code, reason = "for tests to print")]
pub struct Meanwhile {
    messages: usize,
    worst: Duration,
}

/// See the module.
pub struct Scene {
    pub server: Server,
    /// Of all three.
    pub group: String,
    /// A conversation that Mallory is not in.
    pub not_theirs: String,
    pub mallory: Login,
    pub ada: Login,
    pub ben: Login,
    talk: Talk,
    folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// Ada says something, Ben hears it.
struct Talk {
    conversation: String,
    ada: StreamClient,
    ben: StreamClient,
    head: u64,
    said: usize,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With these settings.
    pub async fn with(settings: &[&str]) -> Self {
        let alone = ALONE.lock().await;
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start_with(&folder.path().join(DATA), settings).await;
        let ada = Login::register(server.channel(), "ada").await;
        let ben = Login::register(server.channel(), "ben").await;
        let mallory = Login::register(server.channel(), "mallory").await;
        let group = create(&ada, compose::group("Tea", &[ben.id(), mallory.id()])).await;
        let not_theirs = create(&ada, compose::direct(&ben.id())).await;
        let (mut on_ada, _) = StreamClient::connect(&ada.chat(), b"").await;
        let (mut on_ben, _) = StreamClient::connect(&ben.chat(), b"").await;
        on_ada.synced().await;
        on_ben.synced().await;
        let talk = Talk { conversation: not_theirs.clone(), ada: on_ada, ben: on_ben, head: 1, said: 0 };
        Self { server, group, not_theirs, mallory, ada, ben, talk, folder, _alone: alone }
    }

    /// The folder of the server's data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join(DATA)
    }

    /// Does `work` while Ada and Ben talk; every message of theirs arrives soon. Answers how many did, and how long the slowest
    /// took, too.
    ///
    /// # Panics
    /// One does not.
    pub async fn undisturbed<T>(&mut self, what: &str, work: impl Future<Output = T>) -> (T, Meanwhile) {
        let talk = &mut self.talk;
        let said = talk.said;
        let (mut worst, mut done) = (Duration::ZERO, None);
        let mut work = std::pin::pin!(work);
        while done.is_none() || talk.said < said + ENOUGH {
            let exchange = timeout(DELIVERED_WITHIN, talk.exchange());
            let mut exchange = std::pin::pin!(exchange);
            let took = loop {
                tokio::select! {
                    took = &mut exchange => break took,
                    result = &mut work, if done.is_none() => done = Some(result),
                }
            };
            let took = took.unwrap_or_else(|_| {
                panic!("G8: during {what} a message of others takes more than {DELIVERED_WITHIN:?}")
            });
            worst = worst.max(took);
        }
        (done.expect("the loop ends with it"), Meanwhile { messages: talk.said - said, worst })
    }
}

impl Talk {
    /// From the append to the arrival.
    async fn exchange(&mut self) -> Duration {
        self.said += 1;
        let text = format!("message {}", self.said);
        let begun = Instant::now();
        let result = self.ada.append(compose::text(&self.conversation, self.head, &text)).await;
        let Some(Outcome::Appended(appended)) = result.outcome else { panic!("not stored: {result:?}") };
        self.head = appended.seq;
        self.ben.find(&text, |frame| is_text(frame, &text).then_some(())).await;
        let took = begun.elapsed();
        self.ada.take_mail();
        self.ben.take_mail();
        took
    }
}

fn is_text(frame: &In, text: &str) -> bool {
    let In::Event(event) = frame else { return false };
    let content = event.entry.as_ref().and_then(|entry| entry.content.as_ref());
    matches!(content.and_then(|content| content.kind.as_ref()), Some(content::Kind::Text(said)) if said.body == text)
}

/// The id of what was made.
pub async fn create(login: &Login, request: CreateConversationRequest) -> String {
    let answer = login.chat().create_conversation(request).await.expect("creates").into_inner();
    answer.conversation.expect("a row").id
}

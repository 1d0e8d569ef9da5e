//! Ada and Ben with their devices, and Cem, who only talks.

use std::time::Duration;

use parlor_testkit::compose;
use parlor_tests::Server;
use parlor_tests::account::Login;
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::CreateConversationRequest;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::device::Device;
use crate::truth::Truth;

/// G6: how long after the end of a fault everything may take to be as it should.
pub const HEALED_WITHIN: Duration = Duration::from_secs(5);
/// Between two looks; each look costs the server some calls.
const PAUSE: Duration = Duration::from_millis(100);

/// Who goes is soon gone, also from a server that was just started.
const SETTINGS: &[&str] = &["presence.grace=1s", "presence.settle=0s"];

/// See the module.
pub struct World {
    _server: Server,
    /// Sessions without a stream: what the server says to Ada, Ben, Cem.
    pub people: Vec<Login>,
    /// Of Ada and Ben, with the number of whose it is.
    pub devices: Vec<(usize, Device)>,
    /// Of Ada and Ben; of all three; of all three.
    pub conversations: Vec<ConversationId>,
    _folder: TempDir,
}

impl World {
    /// So many devices of Ada, and of Ben; all live.
    pub async fn new(of_ada: usize, of_ben: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start_with(&folder.path().join("data"), SETTINGS).await;
        let mut people = Vec::new();
        for name in ["ada", "ben", "cem"] {
            people.push(Login::register(server.channel(), name).await);
        }
        let others = [people[1].id(), people[2].id()];
        let conversations = vec![
            create(&people[0], compose::direct(&others[0])).await,
            create(&people[0], compose::group("Tea", &others)).await,
            create(&people[0], compose::group("Coffee", &others)).await,
        ];
        let mut devices = Vec::new();
        for (owner, count) in [of_ada, of_ben].into_iter().enumerate() {
            for number in 0..count {
                devices.push((owner, Device::new(&server, folder.path(), &people[owner], number).await));
            }
        }
        Self { _server: server, people, devices, conversations, _folder: folder }
    }

    /// Somebody's user id.
    pub fn user(&self, of: usize) -> UserId {
        UserId::parse(&self.people[of].id()).expect("a user id")
    }

    /// Cem says something.
    pub async fn cem_says(&self, conversation: ConversationId, text: &str, mentions: &[UserId]) {
        let mut append = compose::text(&conversation.to_string(), 1, text);
        append.mention_ids = mentions.iter().map(ToString::to_string).collect();
        self.people[2].chat().append(compose::unary(&append)).await.expect("stored");
    }

    /// Ends all faults, and waits until all devices agree with the server, which makes them agree with each other. Answers
    /// how long it took.
    ///
    /// # Panics
    /// They do not in time.
    pub async fn heal(&mut self, after: &str) -> Duration {
        for (_, device) in &mut self.devices {
            device.heal().await;
        }
        let begun = Instant::now();
        let mut asked = false;
        while let Some(difference) = self.difference(&mut asked).await {
            assert!(begun.elapsed() < HEALED_WITHIN, "G6: {HEALED_WITHIN:?} after {after}: {difference}");
            sleep(PAUSE).await; // waits: for the next look
        }
        begun.elapsed()
    }

    /// The first difference there is. Asks devices once to hold their logs from the beginning: whoever was away for long
    /// holds the newest page alone, until somebody scrolls up.
    async fn difference(&mut self, asked: &mut bool) -> Option<String> {
        let mut first = None;
        for (owner, device) in &mut self.devices {
            let truth = Truth::ask(&self.people[*owner]).await;
            if !*asked {
                for (conversation, from) in truth.incomplete(device.store()) {
                    device.live().await.fetch_older(conversation, from).await.expect("it is live");
                }
            }
            let difference = truth.difference(device.store());
            first = first
                .or(difference
                    .map(|difference| format!("{} ({}): {difference}", device.name, device.state())));
        }
        *asked = true;
        first
    }

    /// The head of a conversation, as a device knows it.
    pub fn head(&self, device: usize, conversation: ConversationId) -> Seq {
        let known = self.devices[device].1.store().conversation(conversation).expect("the store can be read");
        known.map_or(Seq::default(), |known| known.head)
    }
}

async fn create(login: &Login, request: CreateConversationRequest) -> ConversationId {
    let answer = login.chat().create_conversation(request).await.expect("creates").into_inner();
    ConversationId::parse(&answer.conversation.expect("a row").id).expect("an id")
}

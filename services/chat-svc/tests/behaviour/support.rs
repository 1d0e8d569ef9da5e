//! A chat-svc for each test: alone but for a [`TestAuth`], over real gRPC on a free port.

use std::path::PathBuf;
use std::time::Duration;

use chat_svc::{App, Config, Needs, RateConfig};
use parlor_grpc_kit::Authorized;
use parlor_testkit::{
    ChatClient, PATIENCE, PeopleClient, Person, Serving, StreamClient, TestAuth, TestMedia, chat_client,
    compose, eventually, people_client,
};
use parlor_wire::chat::v1::append_result::Outcome;
use parlor_wire::chat::v1::client_frame::Kind as ClientKind;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::get_conversation_request::Conversation as Named;
use parlor_wire::chat::v1::{
    Append, AppendResult, Appended, Conversation, CreateConversationRequest, Entry, FetchRequest,
    GetConversationRequest, Hello, Marks,
};
use parlor_wire::errors::v1::ErrorReason;
use tempfile::TempDir;
use tonic::Status;
use tonic::transport::Channel;

/// What shutting down may take.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// A running chat-svc and what it needs.
pub struct Scene {
    pub auth: TestAuth,
    pub media: TestMedia,
    pub app: App,
    serving: Serving,
    folder: TempDir,
    config: Config,
    presence: Option<Authorized>,
}

/// Somebody logged in, with a connection of their own.
pub struct User {
    pub person: Person,
    pub chat: ChatClient,
    pub people: PeopleClient,
}

/// The defaults, but for the rates of appends: tests append faster than people.
pub fn config() -> Config {
    let fast = RateConfig { burst: 1_000_000, per_second: 1_000_000.0 };
    Config { appends_per_user: fast, appends_per_member: fast, ..Config::default() }
}

impl Scene {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::open(TestAuth::new(), TestMedia::new(), folder, config, None).await
    }

    /// With a presence-svc behind this channel.
    pub async fn with_presence(auth: TestAuth, presence: Authorized) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::open(auth, TestMedia::new(), folder, config(), Some(presence)).await
    }

    /// The same, configured otherwise.
    pub async fn with_presence_and(auth: TestAuth, presence: Authorized, config: Config) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::open(auth, TestMedia::new(), folder, config, Some(presence)).await
    }

    async fn open(
        auth: TestAuth,
        media: TestMedia,
        folder: TempDir,
        config: Config,
        presence: Option<Authorized>,
    ) -> Self {
        let mut opened = None;
        eventually("the store is free", PATIENCE, async || {
            let needs = Needs {
                store: folder.path().join("chat.db"),
                auth: auth.public_channel(),
                auth_internal: auth.internal_channel(),
                presence_internal: presence.clone(),
                media_internal: Some(media.internal_channel(&auth)),
            };
            opened = App::build(&config, needs).ok();
            opened.is_some()
        })
        .await;
        let app = opened.expect("it was waited for");
        parlor_testkit::in_time("readiness", app.readiness().wait()).await;
        let serving = Serving::start(app.public()).await;
        Self { auth, media, app, serving, folder, config, presence }
    }

    /// Ends the service, lets somebody at its folder, and starts it again on the same.
    pub async fn restart(self, config: Option<Config>, between: impl FnOnce(PathBuf)) -> Self {
        let Self { auth, media, app, serving, folder, config: old, presence } = self;
        serving.stop(Duration::ZERO).await;
        app.shutdown(SHUTDOWN).await.expect("the tasks end in time");
        drop(app);
        between(folder.path().join("chat.db"));
        Self::open(auth, media, folder, config.unwrap_or(old), presence).await
    }

    /// Somebody new.
    pub async fn user(&self) -> User {
        self.session(self.auth.person()).await
    }

    /// A session on a connection of its own.
    pub async fn session(&self, person: Person) -> User {
        let channel = self.channel().await;
        let people = people_client(channel.clone(), Some(&person.token));
        User { chat: chat_client(channel, Some(&person.token)), people, person }
    }

    /// Another session of the same user.
    pub async fn another_session(&self, of: &User) -> User {
        self.session(self.auth.another_session(&of.person)).await
    }

    /// A connection of its own, with any token.
    pub async fn calling(&self, token: Option<&str>) -> ChatClient {
        chat_client(self.channel().await, token)
    }

    /// A session on a connection that holds little of what nobody reads.
    pub async fn narrow_user(&self) -> User {
        let person = self.auth.person();
        let channel = self.serving.narrow_channel().await;
        let people = people_client(channel.clone(), Some(&person.token));
        User { chat: chat_client(channel, Some(&person.token)), people, person }
    }

    /// A connection.
    pub async fn channel(&self) -> Channel {
        self.serving.channel().await
    }
}

impl User {
    pub fn id(&self) -> String {
        self.person.id()
    }

    /// A stream without a cursor, its sync taken in.
    pub async fn stream(&self) -> StreamClient {
        let (mut stream, _) = StreamClient::connect(&self.chat, b"").await;
        stream.synced().await;
        stream
    }

    pub async fn create(&self, request: CreateConversationRequest) -> Result<(Conversation, bool), Status> {
        let answer = self.chat.clone().create_conversation(request).await?.into_inner();
        Ok((answer.conversation.expect("a row"), answer.existed))
    }

    /// A group of the user and these; its id.
    pub async fn group(&self, others: &[&User]) -> String {
        let others: Vec<String> = others.iter().map(|other| other.id()).collect();
        let (row, existed) = self.create(compose::group("Tea", &others)).await.expect("a new group");
        assert!(!existed);
        row.id
    }

    pub async fn append(&self, append: &Append) -> Result<Appended, Status> {
        let answer = self.chat.clone().append(compose::unary(append)).await?.into_inner();
        Ok(answer.appended.expect("what was appended"))
    }

    /// Appends at the head, which is asked for first; gives the seq.
    pub async fn does(&self, conversation: &str, kind: Kind) -> Result<u64, Status> {
        let base = self.row(conversation).await?.head;
        Ok(self.append(&compose::append(conversation, base, kind)).await?.seq)
    }

    /// As [`User::does`], for a message.
    pub async fn says(&self, conversation: &str, body: &str) -> u64 {
        let said = Kind::Text(parlor_wire::chat::v1::Text { body: body.to_owned() });
        self.does(conversation, said).await.expect("a member may write")
    }

    pub async fn row(&self, conversation: &str) -> Result<Conversation, Status> {
        let named = Some(Named::ConversationId(conversation.to_owned()));
        let request = GetConversationRequest { conversation: named };
        let answer = self.chat.clone().get_conversation(request).await?.into_inner();
        Ok(answer.conversation.expect("a row"))
    }

    /// Everything that the user may read, page by page.
    pub async fn log(&self, conversation: &str) -> Result<Vec<Entry>, Status> {
        let (mut entries, mut from_seq) = (Vec::new(), 1);
        while from_seq > 0 {
            let conversation_id = conversation.to_owned();
            let request = FetchRequest { conversation_id, from_seq, to_seq: 0 };
            let page = self.chat.clone().fetch(request).await?.into_inner().page.expect("a page");
            entries.extend(page.entries);
            from_seq = page.next_seq;
        }
        Ok(entries)
    }
}

/// The seqs of entries.
pub fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

/// Up to where marks have received and read.
#[expect(clippy::ref_option, reason = "a field of a message")]
pub fn places(marks: &Option<Marks>) -> (u64, u64) {
    marks.as_ref().map(|marks| (marks.received, marks.read)).expect("marks")
}

/// The text of a message; empty for anything else.
pub fn body(entry: &Entry) -> &str {
    match entry.kind() {
        Some(Kind::Text(text)) => &text.body,
        _ => "",
    }
}

/// Appends `count` messages as fast as the stream takes them; gives the head after.
pub async fn fill(stream: &mut StreamClient, conversation: &str, head: u64, count: u64, body: &str) -> u64 {
    let mut head = head;
    let end = head + count;
    while head < end {
        let some: Vec<Append> =
            (head..end).take(32).map(|base| compose::text(conversation, base, body)).collect();
        for append in &some {
            stream.send(ClientKind::Append(Append { base_seq: head, ..append.clone() })).await;
        }
        for append in &some {
            let result = stream.result_of(&append.op).await;
            let Some(Outcome::Appended(appended)) = result.outcome else { panic!("not stored: {result:?}") };
            head += 1;
            assert_eq!(appended.seq, head, "G3, G4");
        }
        stream.take_mail();
    }
    head
}

/// The answer of a stream to an append: where it is and whether it was there, or why not and the lane to go on with.
pub fn outcome(result: AppendResult) -> Result<(u64, bool), (ErrorReason, u32)> {
    match result.outcome.expect("an outcome") {
        Outcome::Appended(appended) => Ok((appended.seq, appended.duplicate)),
        Outcome::Problem(problem) => Err((problem.reason(), result.lane)),
    }
}

/// A Hello without a cursor.
pub fn hello() -> Hello {
    Hello { protocol: parlor_types::limits::PROTOCOL, ..Hello::default() }
}

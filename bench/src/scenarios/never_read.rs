//! A thousand subscribers who never read: what they cost those who do.
//!
//! Two servers, each with people who talk in pairs and with busy groups. On one of them all members of these groups but the one
//! who writes have opened a stream and take in nothing of what comes; on the other they are away.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use parlor_types::{Op, limits};
use parlor_wire::chat::v1::chat_service_client::ChatServiceClient;
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::get_conversation_request::Conversation as Which;
use parlor_wire::chat::v1::{
    Append, AppendRequest, ConnectRequest, ConnectResponse, Content, GetConversationRequest, Hello, Text,
};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use super::traffic::{DELIVERY_P99, FIGURES, Pace, Shape, Traffic};
use super::{Options, folder};
use crate::accounts::{Account, Bearer};
use crate::comparison::{Comparison, Contestant};
use crate::floors::Floor;
use crate::load::encoded;
use crate::parlor::{Conversation, Parlor};
use crate::processes::Process;
use crate::report::Report;

/// Pairs of people who talk, and their messages a second.
const PAIRS: usize = 64;
const RATE: f64 = 500.0;
/// Busy groups, and people in one: one writes, the others never read.
const GROUPS: usize = 100;
const SIZE: usize = 11;
/// Messages said in each of these groups before the first window: more than wait for one who does not read.
const SAID_BEFORE: usize = 150;
/// Messages a second in all of them after that.
const SAID: u32 = 200;
/// Bytes of one.
const BODY: usize = 1000;
/// Streams opened at once.
const AT_ONCE: usize = 32;
/// How much later one of a hundred messages may be because of them.
const LATER: f64 = 1.1;

const WITH: &str = "with them";
const WITHOUT: &str = "without";

/// See the module.
pub async fn run(options: Options) -> Result<Report> {
    let folder = folder()?;
    let mut sides: Vec<Box<dyn Contestant>> = Vec::new();
    for (name, are_there) in [(WITH, true), (WITHOUT, false)] {
        sides.push(Box::new(Side::new(&options, &folder.path().join(name), name, are_there).await?));
    }
    let name = format!("{RATE} messages a second beside {} who never read", GROUPS * (SIZE - 1));
    let comparison =
        Comparison::measure(name, FIGURES, &mut sides, options.windows, &options.progress).await?;
    let ratio = comparison.ratio(WITH, WITHOUT, DELIVERY_P99)?.context("messages take time")?;
    let floor = Floor::at_most(format!("{DELIVERY_P99}, {WITH} to {WITHOUT}"), LATER, ratio.median);
    Ok(Report { comparisons: vec![comparison], floors: vec![floor] })
}

type Client = ChatServiceClient<InterceptedService<Channel, Bearer>>;

struct Side {
    talk: Traffic,
    groups: Vec<Group>,
    /// Held and never looked at.
    _silent: Vec<Silent>,
}

/// A busy group, and who writes in it.
struct Group {
    writer: Client,
    conversation: String,
    head: u64,
}

/// A stream that nobody reads.
struct Silent {
    _frames: mpsc::Sender<ConnectRequest>,
    _answers: Streaming<ConnectResponse>,
}

impl Side {
    async fn new(options: &Options, folder: &Path, name: &'static str, are_there: bool) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let parlor = Parlor::new(folder).await?;
        options.progress.preparing(format!("{} people register", 2 * PAIRS + GROUPS * SIZE));
        let all = parlor.conversations_of(&[(PAIRS, 2), (GROUPS, SIZE)]).await?;
        let (pairs, busy) = all.split_at(PAIRS);
        options.progress.preparing("they connect".to_owned());
        let server = parlor.start().await?;
        let channel = server.channel().await?;
        let groups = busy.iter().map(|group| Group::new(channel.clone(), group));
        let groups: Vec<_> = groups.collect();
        let mut groups: Vec<Group> = stream::iter(groups).buffered(AT_ONCE).try_collect().await?;
        let mut silent = Vec::new();
        if are_there {
            let people = busy.iter().flat_map(|group| &group.members[1..]);
            let people: Vec<_> = people.map(|account| Silent::open(&server, account)).collect();
            silent = stream::iter(people).buffered(AT_ONCE).try_collect().await?;
        }
        let filling: Vec<_> = groups.iter_mut().map(Group::fill).collect();
        stream::iter(filling).buffered(AT_ONCE).try_collect::<Vec<()>>().await?;
        let shape = Shape { conversations: PAIRS, size: 2, writers: 2, pace: Pace::Open(RATE) };
        let talk = Traffic::new(name, server, shape, options.window, pairs).await?;
        Ok(Self { talk, groups, _silent: silent })
    }
}

#[async_trait]
impl Contestant for Side {
    fn name(&self) -> &'static str {
        self.talk.name()
    }

    async fn window(&mut self) -> Result<Vec<f64>> {
        let groups = &mut self.groups;
        let saying = async {
            let mut ticks = interval(Duration::from_secs(1) / SAID);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut next = 0;
            loop {
                ticks.tick().await;
                groups[next % GROUPS].say().await?;
                next += 1;
            }
        };
        match select(std::pin::pin!(self.talk.window()), std::pin::pin!(saying)).await {
            Either::Left((values, _)) => values,
            Either::Right((failed, _)) => failed,
        }
    }
}

impl Group {
    async fn new(channel: Channel, group: &Conversation) -> Result<Self> {
        let writer = group.members[0].bearer.clone();
        let mut writer = ChatServiceClient::with_interceptor(channel, writer);
        let request = GetConversationRequest { conversation: Some(Which::ConversationId(group.id.clone())) };
        let row = writer.get_conversation(request).await?.into_inner().conversation.context("a row")?;
        Ok(Self { writer, conversation: group.id.clone(), head: row.head })
    }

    async fn fill(&mut self) -> Result<()> {
        for _ in 0..SAID_BEFORE {
            self.say().await?;
        }
        Ok(())
    }

    async fn say(&mut self) -> Result<()> {
        let content = Content { kind: Some(Kind::Text(Text { body: "x".repeat(BODY) })) };
        let append = Append {
            conversation_id: self.conversation.clone(),
            op: Op::new().to_string(),
            base_seq: self.head,
            content: Some(content),
            ..Append::default()
        };
        let answer = self.writer.append(AppendRequest { append: Some(append) }).await?.into_inner();
        self.head = answer.appended.context("where it is")?.seq;
        Ok(())
    }
}

impl Silent {
    async fn open(server: &Process, account: &Account) -> Result<Self> {
        let (frames, requests) = mpsc::channel(1);
        let hello = Hello { protocol: limits::PROTOCOL, client: "bench".to_owned(), ..Hello::default() };
        frames.try_send(ConnectRequest { frames: vec![encoded(Out::Hello(hello))] })?;
        let channel = server.narrow_channel().await?;
        let mut client = ChatServiceClient::with_interceptor(channel, account.bearer.clone());
        let answers = client.connect(ReceiverStream::new(requests)).await?.into_inner();
        Ok(Self { _frames: frames, _answers: answers })
    }
}

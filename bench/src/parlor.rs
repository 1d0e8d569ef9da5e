//! `parlor-server`, with people and conversations in it, started anew before it is measured.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use parlor_types::Op;
use parlor_wire::chat::v1::chat_service_client::ChatServiceClient;
use parlor_wire::chat::v1::{ConversationKind, CreateConversationRequest};
use tokio::process::Command;
use tonic::transport::Channel;

use crate::accounts::{Account, register};
use crate::processes::Process;

/// Conversations made at once.
const AT_ONCE: usize = 16;

/// What a server would else refuse to so many people at one address, who write so much. Nothing that makes it faster.
const SETTINGS: &[&str] = &[
    "auth.limits.register.burst=1000000",
    "auth.limits.register.per_second=1000000",
    "auth.limits.login.burst=1000000",
    "auth.limits.login.per_second=1000000",
    "auth.throttle.account.burst=1000000",
    "auth.throttle.account.every=1ms",
    "auth.throttle.address.burst=1000000",
    "auth.throttle.address.every=1ms",
    "auth.password.patience=60s",
    "server.max_connections_per_address=100000",
    "chat.appends_per_user.burst=1000000",
    "chat.appends_per_user.per_second=1000000",
    "chat.appends_per_member.burst=1000000",
    "chat.appends_per_member.per_second=1000000",
    "chat.max_group_members=11",
    "media.uploads_per_day=1000000",
    "media.bytes_per_day=1099511627776",
];

/// A server's program and data.
pub struct Parlor {
    program: PathBuf,
    folder: PathBuf,
}

impl Parlor {
    /// With its data below `folder`.
    pub async fn new(folder: &Path) -> Result<Self> {
        Ok(Self { program: program().await?, folder: folder.to_owned() })
    }

    /// Starts it; the data of an earlier start is there.
    pub async fn start(&self) -> Result<Process> {
        let mut arguments: Vec<OsString> = ["--listen", "127.0.0.1:0", "--data"].map(OsString::from).to_vec();
        arguments.push(self.folder.join("parlor").into());
        for setting in SETTINGS {
            arguments.extend(["--set", setting].map(OsString::from));
        }
        Process::start(&self.program, &arguments, &self.folder.join("parlor.log")).await
    }

    /// Registers so many. The server ends after that: what is measured has hashed no passwords.
    pub async fn people(&self, people: usize) -> Result<Vec<Account>> {
        let server = self.start().await?;
        let accounts = register(server.channel().await?, people).await?;
        server.stop().await?;
        Ok(accounts)
    }

    /// Registers so many for each of so many conversations: one between two, or groups of more. The server ends after that.
    pub async fn conversations(&self, conversations: usize, size: usize) -> Result<Vec<Conversation>> {
        self.conversations_of(&[(conversations, size)]).await
    }

    /// The same of several sizes.
    pub async fn conversations_of(&self, shapes: &[(usize, usize)]) -> Result<Vec<Conversation>> {
        let server = self.start().await?;
        let channel = server.channel().await?;
        let sizes: Vec<usize> = shapes.iter().flat_map(|(count, size)| vec![*size; *count]).collect();
        let mut accounts = register(channel.clone(), sizes.iter().sum()).await?.into_iter();
        let people: Vec<Vec<Account>> =
            sizes.into_iter().map(|size| accounts.by_ref().take(size).collect()).collect();
        let made = people.iter().map(|members| create(channel.clone(), members));
        // Collected first: a stream that borrows what it is made of is too much for the compiler here.
        let made: Vec<_> = made.collect();
        let ids: Vec<String> = stream::iter(made).buffered(AT_ONCE).try_collect().await?;
        server.stop().await?;
        Ok(ids.into_iter().zip(people).map(|(id, members)| Conversation { id, members }).collect())
    }
}

/// A conversation and who is in it.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Which.
    pub id: String,
    /// All of them, its creator first.
    pub members: Vec<Account>,
}

async fn create(channel: Channel, members: &[Account]) -> Result<String> {
    let (creator, others) = members.split_first().context("a conversation has members")?;
    let is_group = others.len() > 1;
    let kind = if is_group { ConversationKind::Group } else { ConversationKind::Direct };
    let request = CreateConversationRequest {
        op: Op::new().to_string(),
        kind: kind.into(),
        name: if is_group { "bench".to_owned() } else { String::new() },
        member_ids: others.iter().map(|account| account.user_id.clone()).collect(),
        settings: None,
    };
    let mut client = ChatServiceClient::with_interceptor(channel, creator.bearer.clone());
    let answer = client.create_conversation(request).await?.into_inner();
    Ok(answer.conversation.context("a conversation")?.id)
}

/// The program, built as this one is, from the sources that are there now; or the one that `PARLOR_SERVER_BIN` names.
async fn program() -> Result<PathBuf> {
    if let Some(named) = env::var_os("PARLOR_SERVER_BIN") {
        return Ok(named.into());
    }
    let own = env::current_exe()?;
    let folder = own.parent().context("a program lies in a folder")?;
    let target = folder.parent().context("a profile's folder lies in the target folder")?;
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") => "dev",
        Some(profile) => profile,
        None => anyhow::bail!("{} is no target folder", folder.display()),
    };
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    cargo.args(["build", "--quiet", "--locked", "--package", "parlor-server", "--profile", profile]);
    let status = cargo.arg("--target-dir").arg(target).status().await?;
    ensure!(status.success(), "cargo build: {status}");
    Ok(folder.join("parlor-server"))
}

//! A demonstration: a server in a temporary folder, three people who talk, and you among them, in one terminal.
//!
//! All of it is gone when it ends. The people are clients like any other, each with an account and a connection.

mod cast;
mod picture;
mod script;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use parlor_client::{Client, LogIn};
use parlor_types::Op;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{Options, TuiError, run};
use cast::Cast;

/// How long the server may take to start.
const START_WITHIN: Duration = Duration::from_secs(30);

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no server to start.
    #[error(
        "parlor-server is neither beside this program nor on the PATH: build it with `cargo build -p parlor-server`"
    )]
    NoServer,
    /// The server did not start.
    #[error("the server did not start: {0}")]
    Start(String),
    /// The files cannot be made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The people cannot be made.
    #[error(transparent)]
    Client(#[from] parlor_client::Error),
    /// The screen failed.
    #[error(transparent)]
    Screen(#[from] TuiError),
}

/// `parlor-server`: beside this program, or on the PATH.
#[must_use]
pub fn server_program() -> Option<PathBuf> {
    let name = format!("parlor-server{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name(&name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(&name)).collect::<Vec<_>>();
    beside.into_iter().chain(on_path).find(|program| program.is_file())
}

/// Shows it, until its user quits. `options` say how the terminal is used; folder and server are the demonstration's own.
///
/// # Errors
/// [`DemoError`].
pub async fn demo(program: &Path, options: Options) -> Result<(), DemoError> {
    let stage = Stage::build(program).await?;
    let you = stage.register("you", "You").await?;
    let cast = Cast::gather(&stage, you.me().await?).await?;
    drop(you);
    let options = Options {
        folder: stage.folder("you"),
        server: Some(stage.url.clone()),
        greeting: "a demonstration: everything is gone when you quit".to_owned(),
        ..options
    };
    tokio::select! {
        shown = run(&options) => Ok(shown?),
        played = cast.play() => match played {},
    }
}

/// The server, and where everything is kept.
pub struct Stage {
    folder: TempDir,
    url: String,
    // Killed when dropped; before the folder goes.
    server: Child,
    secret: String,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.start_kill();
    }
}

impl Stage {
    async fn build(program: &Path) -> Result<Self, DemoError> {
        let folder = tempfile::Builder::new().prefix("parlor-demo-").tempdir()?;
        let mut server = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("server"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = server.stdout.take().ok_or_else(|| DemoError::Start("it says nothing".to_owned()))?;
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(START_WITHIN, lines.next_line()).await;
        let first = first.map_err(|_| DemoError::Start("it takes too long".to_owned()))??;
        let first = first.ok_or_else(|| DemoError::Start("it ended at once".to_owned()))?;
        let address = first.strip_prefix("listening on ").map(str::trim);
        let address = address.ok_or_else(|| DemoError::Start(first.clone()))?;
        let url = format!("http://{address}");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { folder, url, server, secret: format!("{} {}", Op::new(), Op::new()) })
    }

    fn folder(&self, username: &str) -> PathBuf {
        self.folder.path().join(username)
    }

    async fn register(&self, username: &str, name: &str) -> Result<Client, DemoError> {
        let client = Client::open(&self.folder(username), &self.url, START_WITHIN).await?;
        let who = LogIn {
            username: username.to_owned(),
            password: self.secret.clone(),
            device_name: "demonstration".to_owned(),
        };
        client.register(&who, name).await?;
        Ok(client)
    }
}

//! A demonstration: a server in a temporary folder, three people who talk, and you among them, in one terminal.
//!
//! All of it is gone when it ends, however it ends: the server keeps everything in a folder that it deletes, and stops as soon as
//! nobody is at the other end of its standard input. The people are clients like any other, each with an account and a connection.

mod cast;
mod picture;
mod script;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use parlor_client::{Client, LogIn};
use parlor_types::Op;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, Command};

use crate::{Options, TuiError, run};
use cast::Cast;

/// How long the server may take to start.
const START_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to stop; it cuts connections sooner.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no server to start.
    #[error(
        "parlor-server is neither beside this program nor on the PATH: install it with `cargo install --path server`"
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
    let shown = tokio::select! {
        shown = run(&options) => shown,
        played = cast.play() => match played {},
    };
    drop(cast);
    stage.clear().await;
    Ok(shown?)
}

/// The server, and where everything is kept.
pub struct Stage {
    /// The server's, which deletes it.
    folder: PathBuf,
    url: String,
    /// Stops when it is let go of: nothing else has the other end of its standard input.
    server: Child,
    secret: String,
}

impl Stage {
    async fn build(program: &Path) -> Result<Self, DemoError> {
        let mut server = Command::new(program);
        server.args(["--listen", "127.0.0.1:0", "--temporary", "--stop-with-input"]);
        // What the terminal tells its programs, such as that it is closed, is not for the server: it has to tidy up.
        #[cfg(unix)]
        server.process_group(0);
        let mut server = server.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = server.stdout.take().ok_or_else(|| DemoError::Start("it says nothing".to_owned()))?;
        let mut lines = BufReader::new(stdout).lines();
        let greeting = async {
            let address = said(&mut lines, "listening on ", "").await?;
            Ok::<_, DemoError>((address, said(&mut lines, "data in ", "; stop with Ctrl-C").await?))
        };
        let greeting = tokio::time::timeout(START_WITHIN, greeting).await;
        let (address, folder) = greeting.map_err(|_| DemoError::Start("it takes too long".to_owned()))??;
        let (url, folder) = (format!("http://{address}"), PathBuf::from(folder));
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { folder, url, server, secret: format!("{} {}", Op::new(), Op::new()) })
    }

    /// Waits until nothing is left.
    async fn clear(mut self) {
        drop(self.server.stdin.take());
        if !matches!(tokio::time::timeout(STOP_WITHIN, self.server.wait()).await, Ok(Ok(_))) {
            // It hangs, or cannot be waited for. Its folder is all that can be done without.
            let _ = self.server.kill().await;
            let _ = tokio::fs::remove_dir_all(&self.folder).await;
        }
    }

    fn folder(&self, username: &str) -> PathBuf {
        self.folder.join(username)
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

/// What stands between `before` and `after` in the next line.
async fn said(
    lines: &mut Lines<impl AsyncBufRead + Unpin>,
    before: &str,
    after: &str,
) -> Result<String, DemoError> {
    let line = lines.next_line().await?.ok_or_else(|| DemoError::Start("it ended at once".to_owned()))?;
    let said = line.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).map(str::to_owned);
    said.ok_or(DemoError::Start(line))
}

//! A client as a process: fed, killed, and what it had said by then.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use parlor_history::Nanos;
use parlor_testkit::in_time;
use parlor_tests::{Binary, binary, history};
use parlor_types::{ConversationId, Id as _, Op, Seq};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout_at};

/// A client is killed at most this long after its start.
const LIFE: Duration = Duration::from_millis(600);

/// Which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `parlor-crash-client`: our library on a stream, several messages on their way at once.
    Library,
    /// `parlor send`: one after the other, by calls.
    CommandLine,
}

/// What a dead client had said.
pub struct Killed {
    /// Nobody knew of its messages before this.
    pub since: Nanos,
    /// In the outbox, in this order.
    pub saved: Vec<(Op, String)>,
    /// Stored.
    pub acked: Vec<(Op, Seq)>,
}

impl Program {
    pub fn start(self, profile: &Path, server: &str, to: ConversationId) -> Child {
        let mut command = match self {
            Self::Library => Command::new(env!("CARGO_BIN_EXE_parlor-crash-client")),
            Self::CommandLine => Command::new(binary(Binary::Cli)),
        };
        match self {
            Self::Library => command.arg(profile).arg(server).arg(to.to_string()),
            Self::CommandLine => command
                .args(["send", "--json", "--server", server, "--to", &to.to_string(), "--profile"])
                .arg(profile)
                .arg("-"),
        };
        // Also what it writes down by itself is cut off anywhere.
        command.env("PARLOR_RECORD", history::of_profile(profile));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        command.spawn().expect("a client can be run")
    }
}

/// Kills it after it has said some lines, or after some time, whichever comes first.
pub async fn feed_and_kill(
    child: &mut Child,
    program: Program,
    fed: Vec<String>,
    since: Nanos,
    rng: &mut StdRng,
) -> Killed {
    let mut input = child.stdin.take().expect("it was piped");
    let mut lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
    let text = fed.iter().map(|line| format!("{line}\n")).collect::<String>();
    // Fails if it is dead already. All of it fits into the pipe.
    drop(input.write_all(text.as_bytes()).await);
    let until = Instant::now() + LIFE.mul_f64(rng.random_range(0.0..1.0));
    let enough = rng.random_range(0..=2 * fed.len() + 1);
    let mut said = Vec::new();
    while said.len() < enough
        && let Ok(Ok(Some(line))) = timeout_at(until, lines.next_line()).await
    {
        said.push(line);
    }
    in_time("the end of a killed client", child.kill()).await.expect("it can be killed");
    while let Ok(Some(line)) = lines.next_line().await {
        said.push(line);
    }
    match program {
        Program::Library => of_library(&said, since),
        Program::CommandLine => of_command_line(&said, fed, since),
    }
}

fn of_library(said: &[String], since: Nanos) -> Killed {
    let (mut saved, mut acked) = (Vec::new(), Vec::new());
    for line in said {
        let words: Vec<_> = line.splitn(3, ' ').collect();
        match words[..] {
            ["saved", op, text] => saved.push((Op::parse(op).expect("an op"), text.to_owned())),
            ["acked", op, seq] => {
                acked.push((Op::parse(op).expect("an op"), Seq(seq.parse().expect("a number"))));
            }
            _ => panic!("the client said {line:?}"),
        }
    }
    Killed { since, saved, acked }
}

/// It says one line for each message, when that is stored.
fn of_command_line(said: &[String], fed: Vec<String>, since: Nanos) -> Killed {
    let (mut saved, mut acked) = (Vec::new(), Vec::new());
    for (line, text) in said.iter().zip(fed) {
        let line: serde_json::Value = serde_json::from_str(line).expect("one object per line");
        let op = line["op"].as_str().and_then(Op::parse).expect("an op");
        saved.push((op, text));
        acked.push((op, Seq(line["seq"].as_u64().expect("a number"))));
    }
    Killed { since, saved, acked }
}

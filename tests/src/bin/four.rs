//! The four services as if they were `parlor-server`: the same command line, the same first line of output, one address, and
//! an end for all when one of them ends. So whatever tests `parlor-server` can test them apart.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use parlor_runtime::data_dir::DataDir;
use parlor_tests::fleet::{Ended, Fleet, Plan, Service};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

/// How long processes of before may take to be gone, when those who started them were killed.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// What the command line asks for.
struct Wanted {
    listen: SocketAddr,
    plan: Plan,
}

/// One thread: the system ends the services with the thread that started them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let own = std::env::current_exe().expect("a running program has a file");
    let programs = own.parent().expect("a file is in a folder").to_owned();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if !arguments.first().is_some_and(|first| first.to_string_lossy().starts_with("--")) {
        // Not to serve: the same folder, so the same command does it.
        let error = Command::new(programs.join("parlor-server")).args(arguments).exec();
        panic!("parlor-server cannot be run: {error}");
    }
    let wanted = wanted(programs, arguments);
    until_free(&wanted.plan).await;
    match Fleet::start(wanted.plan, wanted.listen).await {
        Ok(fleet) => serve(fleet).await,
        Err(ended) => code(ended),
    }
}

async fn serve(mut fleet: Fleet) -> ExitCode {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be listened to");
    writeln!(std::io::stdout(), "listening on {}", fleet.address()).expect("somebody listens");
    tokio::select! {
        ended = fleet.ended() => return ended.map_or(ExitCode::FAILURE, code),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    fleet.ask_to_end().await;
    let mut worst = ExitCode::SUCCESS;
    while let Some(ended) = fleet.ended().await {
        if !ended.status.success() {
            worst = code(ended);
        }
    }
    worst
}

fn code(ended: Ended) -> ExitCode {
    let Ended { service, status } = ended;
    let _ = writeln!(std::io::stderr(), "{}: {status}", service.name());
    status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code > 0).unwrap_or(1).into()
}

/// `--listen` is for the one address, `--launch-chat-svc WORDS` (separated by line feeds) is what starts chat-svc; the rest is
/// for all services.
fn wanted(programs: PathBuf, arguments: Vec<OsString>) -> Wanted {
    let mut listen = None;
    let mut data = PathBuf::from("parlor-data");
    let (mut others, mut launchers) = (Vec::new(), BTreeMap::new());
    let mut words = arguments.into_iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("the flag has a value");
        match word.to_str() {
            Some("--listen") => listen = value().to_str().and_then(|text| text.parse().ok()),
            Some("--data") => data = value().into(),
            Some("--launch-chat-svc") => {
                let words = value().into_string().expect("words are text");
                launchers.insert(Service::Chat, words.lines().map(OsString::from).collect());
            }
            _ => others.push(word),
        }
    }
    // So that nothing is left when this is killed.
    let launcher = ["setpriv", "--pdeathsig", "KILL", "--"].map(OsString::from).to_vec();
    let plan = Plan { programs, data, arguments: others, launcher, launchers, scheme: "http", log: None };
    Wanted { listen: listen.expect("--listen names an address"), plan }
}

async fn until_free(plan: &Plan) {
    let parts = ["auth", "chat", "presence", "media"];
    let deadline = Instant::now() + GONE_WITHIN;
    while let Err(error) = DataDir::open(&plan.data, &parts) {
        assert!(Instant::now() < deadline, "{error}");
        // waits: for processes whose parent was killed; the system ends them soon
        sleep(Duration::from_millis(10)).await;
    }
}

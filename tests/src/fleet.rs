//! The four services as processes of their own, on one data folder, behind one address.
//!
//! Between them are relays, which stay when a service comes back on another port; so each can be killed and started again
//! by itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::select_all;
use parlor_testkit::{FaultProxy, in_time};
use parlor_types::Op;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::programs;
use crate::relay::Relay;
use crate::router::Router;
use crate::server::{arguments, signal};

/// How long a service may take to start: five processes may share two cores with a build.
const START_WITHIN: Duration = Duration::from_secs(60);
/// Where in the data folder the account is, that the services call each other with.
const ACCOUNT: &str = "services.account";

/// One of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// auth-svc.
    Auth,
    /// chat-svc.
    Chat,
    /// presence-svc.
    Presence,
    /// media-svc.
    Media,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auth, Self::Chat, Self::Presence, Self::Media];

    /// The name of its program.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth-svc",
            Self::Chat => "chat-svc",
            Self::Presence => "presence-svc",
            Self::Media => "media-svc",
        }
    }

    fn part(self) -> &'static str {
        self.name().trim_end_matches("-svc")
    }
}

/// How services are started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The folder that their programs are in.
    pub programs: PathBuf,
    /// The folder of their data.
    pub data: PathBuf,
    /// Arguments that all of them get.
    pub arguments: Vec<OsString>,
    /// The program that starts all of them, with its first arguments; if there is one.
    pub launcher: Vec<OsString>,
    /// Another before that, for one service alone.
    pub launchers: BTreeMap<Service, Vec<OsString>>,
    /// How they call each other: `http`, or `https` if `arguments` name certificates for it.
    pub scheme: &'static str,
    /// Where they log; with the one who started them, if nowhere else.
    pub log: Option<PathBuf>,
}

impl Plan {
    /// The programs under test on the folder `data`, with the settings of all tests.
    ///
    /// # Panics
    /// They cannot be built.
    #[must_use]
    pub fn for_test(data: PathBuf) -> Self {
        let log = Some(data.with_extension("log"));
        let (launcher, launchers) = (Vec::new(), BTreeMap::new());
        let arguments = arguments(&[]);
        Self { programs: programs(), data, arguments, launcher, launchers, scheme: "http", log }
    }
}

/// See the module. All of them are killed when dropped.
#[derive(Debug)]
pub struct Fleet {
    plan: Plan,
    /// The id and the secret of the account that the services call each other with.
    account: [String; 2],
    relays: BTreeMap<Service, Relay>,
    running: BTreeMap<Service, Running>,
    router: Router,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// What it says until it is ready.
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

/// One of them ended by itself.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// Which.
    pub service: Service,
    /// How.
    pub status: ExitStatus,
}

impl Fleet {
    /// All four, ready.
    ///
    /// # Errors
    /// One ended instead of getting ready.
    ///
    /// # Panics
    /// A program cannot be run.
    pub async fn start(plan: Plan, listen: SocketAddr) -> Result<Self, Ended> {
        let account = account(&plan).await;
        let mut relays = BTreeMap::new();
        for service in Service::ALL {
            relays.insert(service, Relay::start().await);
        }
        let router = Router::start(listen).await;
        let mut fleet = Self { plan, account, relays, running: BTreeMap::new(), router };
        for service in Service::ALL {
            fleet.launch(service).await?;
        }
        for service in Service::ALL {
            fleet.ready(service).await?;
        }
        Ok(fleet)
    }

    /// The one address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.router.address()
    }

    /// Where one of them listens for the others, as these know it.
    #[must_use]
    pub fn internal_address_of(&self, service: Service) -> SocketAddr {
        self.relays[&service].address()
    }

    /// What lies between one of them and those of the others that call it.
    #[must_use]
    pub fn network_of(&self, service: Service) -> &FaultProxy {
        self.relays[&service].network()
    }

    /// Where one of them listens for clients, if it runs.
    #[must_use]
    pub fn address_of(&self, service: Service) -> Option<SocketAddr> {
        self.router.leads_to(service)
    }

    /// SIGKILL to one of them; comes back when nothing is left of it.
    ///
    /// # Panics
    /// It does not run, or is not gone in time.
    pub async fn kill(&mut self, service: Service) {
        let mut running = self.running.remove(&service).expect("it runs");
        self.relays[&service].point_to(None);
        self.router.point(service, None);
        in_time("the end of a killed service", running.child.kill()).await.expect("it can be killed");
    }

    /// Starts one that was killed, and waits until it is ready.
    ///
    /// # Panics
    /// It does not get ready.
    pub async fn restart(&mut self, service: Service) {
        self.restart_all(&[service]).await;
    }

    /// Starts these, which were killed, together, and waits until they are ready.
    ///
    /// # Panics
    /// One does not get ready.
    pub async fn restart_all(&mut self, services: &[Service]) {
        for service in services {
            self.launch(*service).await.expect("it starts");
        }
        for service in services {
            self.ready(*service).await.expect("it gets ready");
        }
    }

    /// Asks all of them to end.
    ///
    /// # Panics
    /// They cannot be asked.
    pub async fn ask_to_end(&self) {
        signal("TERM", self.running.values().filter_map(|running| running.child.id())).await;
    }

    /// SIGSTOP to one of them: from now on it does nothing, and its connections stay.
    ///
    /// # Panics
    /// It does not run.
    pub async fn freeze(&self, service: Service) {
        signal("STOP", self.running[&service].child.id()).await;
    }

    /// SIGCONT to one of them: it goes on as if no time had passed.
    ///
    /// # Panics
    /// It does not run.
    pub async fn thaw(&self, service: Service) {
        signal("CONT", self.running[&service].child.id()).await;
    }

    /// Waits until one of them has ended by itself; none, if there are no more.
    ///
    /// # Panics
    /// It cannot be waited for.
    pub async fn ended(&mut self) -> Option<Ended> {
        let waiting = self.running.iter_mut().map(|(service, running)| {
            let service = *service;
            Box::pin(async move { (service, running.child.wait().await.expect("it is our child")) })
        });
        let waiting: Vec<_> = waiting.collect();
        if waiting.is_empty() {
            return None;
        }
        let (service, status) = select_all(waiting).await.0;
        self.running.remove(&service);
        Some(Ended { service, status })
    }

    /// Starts one; comes back when it has its addresses.
    async fn launch(&mut self, service: Service) -> Result<(), Ended> {
        let mut child = self.command(service).spawn().expect("a service can be run");
        let mut lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let address = address(&mut lines, "listening for services on ").await;
        let running = self.running.entry(service).or_insert(Running { child, lines: Some(lines) });
        match address {
            Some(address) => self.relays[&service].point_to(Some(address)),
            None => return Err(ended(service, &mut running.child).await),
        }
        Ok(())
    }

    /// Waits until one that was started can be used.
    async fn ready(&mut self, service: Service) -> Result<(), Ended> {
        let running = self.running.get_mut(&service).expect("it was started");
        let mut lines = running.lines.take().expect("it was not ready yet");
        let Some(address) = address(&mut lines, "listening on ").await else {
            return Err(ended(service, &mut running.child).await);
        };
        self.router.point(service, Some(address));
        // What else it says must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(())
    }

    fn command(&self, service: Service) -> Command {
        let Plan { programs, data, arguments, launcher, launchers, scheme, log } = &self.plan;
        let program = programs.join(service.name()).into_os_string();
        let own = launchers.get(&service).map(Vec::as_slice).unwrap_or_default();
        let mut words = launcher.iter().chain(own).chain([&program]);
        let mut command = Command::new(words.next().expect("there is at least the service"));
        command.args(words).arg("--data").arg(data).args(arguments);
        command.args(["--listen", "127.0.0.1:0", "--listen-internal", "127.0.0.1:0"]);
        let [id, secret] = &self.account;
        let mut set = vec![format!("internal.account={id}"), format!("internal.secret={secret}")];
        for (other, relay) in &self.relays {
            set.push(format!("internal.{}={scheme}://{}", other.part(), relay.address()));
        }
        for setting in set {
            command.args(["--set", &setting]);
        }
        if let Some(log) = log {
            let file = OpenOptions::new().create(true).append(true).open(log);
            command.stderr(file.expect("a file beside the data"));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// The address of the line that begins so; none, if the program says no such line.
async fn address(lines: &mut Lines<BufReader<ChildStdout>>, beginning: &str) -> Option<SocketAddr> {
    let line = timeout(START_WITHIN, lines.next_line()).await.ok()?.ok()??;
    line.strip_prefix(beginning)?.parse().ok()
}

async fn ended(service: Service, child: &mut Child) -> Ended {
    // One that says something else, or nothing, is no use either.
    let status = match timeout(START_WITHIN, child.wait()).await {
        Ok(status) => status,
        Err(_) => {
            let _ = child.start_kill();
            child.wait().await
        }
    };
    Ended { service, status: status.expect("it is our child") }
}

/// The id and the secret of the services' account; made if this folder has none.
async fn account(plan: &Plan) -> [String; 2] {
    let kept = plan.data.join(ACCOUNT);
    if !kept.exists() {
        let mut command = Command::new(plan.programs.join("auth-svc"));
        let name = format!("services.{}", &Op::new().to_string()[24..]);
        command.args(["service-account", "create", &name, "--internal", "--data"]).arg(&plan.data);
        command.args(&plan.arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
        let made = in_time("an account", command.output()).await.expect("auth-svc can be run");
        assert!(made.status.success(), "an account is made: {made:?}");
        fs::write(&kept, made.stdout).expect("the data folder is there now");
    }
    let text = fs::read_to_string(&kept).expect("it was written");
    let word = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).expect("it is printed");
    ["id", "secret"].map(|key| word(key).trim().to_owned())
}

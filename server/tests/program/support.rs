//! The program as its users meet it: started with arguments, spoken to over gRPC, ended with a signal.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{Credentials, Device, LoginRequest, RegisterRequest};
use parlor_wire::chat::v1::Entry;
use parlor_wire::reason;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

/// No step of a test takes longer.
pub const LONG: Duration = Duration::from_secs(60);
pub const PASSWORD: &str = "seven purple elephants";

/// A server in a process of its own, on a port of its own. Dropping it kills it.
pub struct Running {
    pub child: Child,
    pub address: String,
    out: BufReader<ChildStdout>,
}

pub fn program(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor-server"));
    command.arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
    // Hashing is not what these tests are about.
    command.args(["--set", "auth.password.memory_kib=64", "--set", "auth.password.passes=1"]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Starts it and waits until it can be used.
pub async fn start(data: &Path) -> Running {
    start_with(data, &[]).await
}

pub async fn start_with(data: &Path, arguments: &[&str]) -> Running {
    let mut child =
        program(data).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    timeout(LONG, out.read_line(&mut first)).await.expect("the server takes too long to start").unwrap();
    let address = first.trim_end().strip_prefix("listening on ").expect("the first line is for programs");
    Running { address: address.to_owned(), child, out }
}

/// Runs it to its end.
pub async fn run(data: &Path, arguments: &[&str]) -> Output {
    timeout(LONG, program(data).args(arguments).output()).await.expect("it does not end").unwrap()
}

/// As [`run`], for what must succeed.
pub async fn run_well(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// As [`run`], for what must fail: its exit code and what it says.
pub async fn run_badly(data: &Path, arguments: &[&str]) -> (i32, String) {
    let output = run(data, arguments).await;
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A connection to `address`.
pub async fn client_of(address: &str) -> Channel {
    Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap()
}

impl Running {
    pub async fn channel(&self) -> Channel {
        client_of(&self.address).await
    }

    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().await.unwrap().success());
    }

    /// Its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        timeout(LONG, self.child.wait()).await.expect("the server does not end").unwrap().code()
    }

    pub async fn stop(mut self) {
        self.signal("TERM").await;
        assert_eq!(self.ended().await, Some(0));
    }

    /// What it says on standard output from here to its end.
    pub async fn rest_of_output(&mut self) -> String {
        let mut text = String::new();
        timeout(LONG, self.out.read_to_string(&mut text)).await.expect("the server does not end").unwrap();
        text
    }

    pub async fn register(&self, username: &str) -> Credentials {
        let request = RegisterRequest {
            op: uuid(username),
            username: username.to_owned(),
            password: PASSWORD.to_owned(),
            display_name: String::new(),
            device: Some(device(username)),
        };
        let mut client = AuthServiceClient::new(self.channel().await);
        client.register(request).await.unwrap().into_inner().credentials.unwrap()
    }

    pub async fn login(&self, username: &str) -> Credentials {
        let mut client = AuthServiceClient::new(self.channel().await);
        let request = LoginRequest {
            username: username.to_owned(),
            password: PASSWORD.to_owned(),
            device: Some(device(username)),
        };
        let answer = client.login(request).await;
        answer.map_err(|status| reason::from_status(&status)).unwrap().into_inner().credentials.unwrap()
    }
}

fn device(username: &str) -> Device {
    Device { device_id: uuid(username), name: "a test".to_owned() }
}

/// A UUID that a name always gives.
pub fn uuid(name: &str) -> String {
    let mut bytes = [0; 16];
    name.bytes().enumerate().for_each(|(at, byte)| bytes[at % 16] ^= byte);
    <parlor_types::Op as parlor_types::Id>::from_bytes(bytes).to_string()
}

pub fn with_token<T>(message: T, credentials: &Credentials) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let value = format!("Bearer {}", credentials.access_token).parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

pub fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

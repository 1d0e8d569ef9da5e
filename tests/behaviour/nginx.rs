//! The configuration of examples/router, in a real nginx, in front of services that run apart: clients call one address, over
//! TLS, and notice nothing.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use bytes::Bytes;
use parlor_client::{Client, LogIn, Server};
use parlor_history::Recorder;
use parlor_testkit::{PATIENCE, compose, eventually, in_time};
use parlor_tests::account::{Login, PASSWORD, name};
use parlor_tests::fleet::{Fleet, Plan, Service};
use parlor_tests::{Binary, Follower, binary, run, uploads};
use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::media::v1::{Purpose, Variant};
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, UnixStream};
use tokio::process::{Child, Command};
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/router/nginx.conf");

/// nginx, with certificates for a try. Killed when dropped.
struct Nginx {
    _process: Child,
    address: SocketAddr,
    ca: Vec<u8>,
}

impl Nginx {
    /// In front of `fleet`; none, if there is no nginx here.
    async fn start(folder: &Path, fleet: &Fleet) -> Option<Self> {
        if is_missing().await {
            return None;
        }
        run(&["dev-certs".as_ref(), folder.as_os_str()]).await;
        let socket = folder.join("nginx.sock");
        fs::write(folder.join("nginx.conf"), configuration(fleet, &socket)).expect("a file can be written");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder).args([
            "-c",
            "nginx.conf",
            "-e",
            "stderr",
            "-g",
            "daemon off; master_process off;",
        ]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().expect("nginx can be run");
        eventually("nginx listens", PATIENCE, async || UnixStream::connect(&socket).await.is_ok()).await;
        let ca = fs::read(folder.join("ca.pem")).expect("it was made");
        Some(Self { _process: process, address: lead_to(socket).await, ca })
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    fn channel(&self) -> Channel {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.ca));
        let endpoint = Endpoint::from_shared(self.url()).expect("an address makes a URI");
        endpoint.tls_config(tls).expect("a certificate in PEM").connect_lazy()
    }
}

/// Says so, loudly, if it is; on CI that is a failure.
async fn is_missing() -> bool {
    let found = Command::new("nginx").arg("-v").stderr(Stdio::null()).status().await;
    let is_missing = !found.is_ok_and(|status| status.success());
    if is_missing {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "nginx is not installed");
        // Beside the output that is captured.
        let _ = writeln!(std::io::stderr(), "SKIPPED: nginx is not installed");
    }
    is_missing
}

/// The example, with the addresses of this test.
fn configuration(fleet: &Fleet, socket: &Path) -> String {
    let mut text = fs::read_to_string(EXAMPLE).expect("the example is there");
    let mut fit = |usual: &str, here: &str| {
        assert!(text.contains(usual), "{usual} is not in the example");
        text = text.replace(usual, here);
    };
    let usual = [
        (Service::Auth, "127.0.0.1:7701"),
        (Service::Chat, "127.0.0.1:7702"),
        (Service::Presence, "127.0.0.1:7703"),
        (Service::Media, "127.0.0.1:7704"),
    ];
    for (service, usual) in usual {
        fit(usual, &fleet.address_of(service).expect("it runs").to_string());
    }
    fit("listen 443 ssl", &format!("listen unix:{} ssl", socket.display()));
    text
}

/// A free port that leads to a socket: nginx cannot take one that is free and say which.
async fn lead_to(socket: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let socket = socket.clone();
            tokio::spawn(async move {
                let Ok(mut nginx) = UnixStream::connect(socket).await else { return };
                let _ = copy_bidirectional(&mut client, &mut nginx).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_talk_and_send_files_through_the_router_of_the_example() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Plan::for_test(folder.path().join("data"));
    let fleet = Fleet::start(plan, ([127, 0, 0, 1], 0).into()).await.expect("all start");
    let Some(nginx) = Nginx::start(&folder.path().join("nginx"), &fleet).await else { return };

    let ada = Login::register(nginx.channel(), "ada").await;
    let server = Server::new(nginx.url()).trusting(nginx.ca.clone());
    let ben = Client::open(&folder.path().join("ben"), server, PATIENCE).await.expect("the profile opens");
    let who = LogIn { username: name("ben"), password: PASSWORD.to_owned(), device_name: "test".to_owned() };
    let id = ben.register(&who, "").await.expect("registers").to_string();
    let ben = Follower::start(ben, "ben", Arc::new(Recorder::default())).await;
    let created = ada.chat().create_conversation(compose::direct(&id)).await.expect("creates");
    let direct = created.into_inner().conversation.expect("a row");
    let conversation = ConversationId::parse(&direct.id).expect("an id");
    for number in 1..=20 {
        let append = compose::text(&direct.id, direct.head + number - 1, &format!("message {number}"));
        ada.chat().append(compose::unary(&append)).await.expect("stored");
        ben.caught_up(conversation, Seq(direct.head + number), PATIENCE).await;
    }

    let bytes: Bytes = (0..1_000_000_u32).flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>().into();
    let file = uploads::upload(&ada.media(), "large", Purpose::File, &bytes).await.expect("uploads");
    let back = uploads::download(&ada.media(), &file.id, Variant::Original).await.expect("downloads");
    assert!(back == bytes, "what comes back is what was sent");

    let internal = "/parlor.internal.auth.v1.AuthInternalService/CheckUsers";
    let token = &ada.credentials.access_token;
    let (_, status) = parlor_testkit::raw_call(nginx.channel(), token, internal, b"").await;
    assert_eq!(status.expect("it is refused").code(), Code::Unimplemented, "G7: services alone may call it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_library_trusts_the_authority_it_is_given_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Plan::for_test(folder.path().join("data"));
    let fleet = Fleet::start(plan, ([127, 0, 0, 1], 0).into()).await.expect("all start");
    let Some(nginx) = Nginx::start(&folder.path().join("nginx"), &fleet).await else { return };
    let who = LogIn { username: name("ada"), password: PASSWORD.to_owned(), device_name: "test".to_owned() };

    let server = Server::new(nginx.url()).trusting(nginx.ca.clone());
    let client = Client::open(&folder.path().join("ada"), server, PATIENCE).await.expect("the profile opens");
    client.register(&who, "").await.expect("registers");

    let terminal = async |arguments: &[&str]| {
        let mut command = Command::new(binary(Binary::Cli));
        command.args(arguments).args(["--wait", "0", "--profile"]).arg(folder.path().join("terminal"));
        command.env_remove("PARLOR_PROFILE").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("parlor can be run");
        let mut stdin = child.stdin.take().expect("it was piped");
        // One that fails before it asks reads nothing.
        let _ = stdin.write_all(format!("{PASSWORD}\n").as_bytes()).await;
        drop(stdin);
        in_time("parlor", child.wait_with_output()).await.expect("it is our child")
    };
    let url = nginx.url();
    let log_in = ["login", &who.username, "--password-stdin", "--server", &url];
    let refused = terminal(&log_in).await;
    assert!(!refused.status.success(), "nobody vouches for that certificate: {refused:?}");
    let ca = folder.path().join("nginx/ca.pem");
    let trusted = terminal(&[&log_in[..], &["--ca", ca.to_str().expect("text")]].concat()).await;
    assert!(trusted.status.success(), "{trusted:?}");
    let kept = terminal(&["conversations"]).await;
    assert!(kept.status.success(), "the profile keeps whom it trusts: {kept:?}");

    let server = Server::new(nginx.url());
    let other = Client::open(&folder.path().join("eve"), server, std::time::Duration::ZERO).await;
    other.expect("the profile opens").log_in(&who).await.expect_err("nobody vouches for that certificate");
}

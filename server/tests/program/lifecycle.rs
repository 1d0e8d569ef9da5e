//! Starting, stopping, starting again.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use parlor_wire::auth::v1::GetProfileRequest;
use parlor_wire::auth::v1::get_profile_request::User;
use parlor_wire::auth::v1::profile_service_client::ProfileServiceClient;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::timeout;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::support::{LONG, Running, run_badly, start, start_with, with_token};

const SERVICES: [&str; 7] = [
    "parlor.auth.v1.AuthService",
    "parlor.auth.v1.EmailService",
    "parlor.auth.v1.ProfileService",
    "parlor.chat.v1.ChatService",
    "parlor.chat.v1.PeopleService",
    "parlor.media.v1.MediaService",
    "parlor.presence.v1.PresenceService",
];

async fn health(server: &Running, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut client = HealthClient::new(server.channel().await);
    client.check(request).await.unwrap().into_inner().status()
}

async fn reflected(server: &Running) -> Result<Vec<String>, tonic::Code> {
    let question = MessageRequest::ListServices(String::new());
    let question = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(server.channel().await);
    let answers = client.server_reflection_info(tokio_stream::once(question)).await;
    let answer = answers.map_err(|status| status.code())?.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
        panic!("{answer:?}")
    };
    Ok(listed.service.into_iter().map(|service| service.name).collect())
}

#[tokio::test]
async fn when_it_says_where_it_listens_all_services_are_ready() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = start(&folder.path().join("data")).await;
    for service in SERVICES {
        assert_eq!(health(&server, service).await, ServingStatus::Serving, "{service}");
    }
    let listed = reflected(&server).await.unwrap();
    assert!(SERVICES.iter().all(|service| listed.iter().any(|listed| listed == service)), "{listed:?}");
    assert!(!listed.iter().any(|listed| listed.contains("internal")), "{listed:?}");
    server.signal("TERM").await;
    let rest = server.rest_of_output().await;
    assert!(rest.contains("parlor ") && rest.contains("register"), "what to type next: {rest:?}");
    assert_eq!(server.ended().await, Some(0));
}

#[tokio::test]
async fn what_only_services_may_call_is_not_there_for_clients() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client =
        parlor_wire::internal::auth::v1::auth_internal_service_client::AuthInternalServiceClient::new(
            server.channel().await,
        );
    let ada = server.register("ada").await;
    let request = with_token(Default::default(), &ada);
    assert_eq!(client.list_revocations(request).await.unwrap_err().code(), tonic::Code::Unimplemented);
}

#[tokio::test]
async fn reflection_can_be_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let server = start_with(folder.path(), &["--set", "server.reflection=off"]).await;
    assert_eq!(reflected(&server).await, Err(tonic::Code::Unimplemented));
}

#[tokio::test]
async fn the_second_start_finds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let ada = server.register("ada").await;
    server.stop().await;

    let server = start(folder.path()).await;
    let mut profiles = ProfileServiceClient::new(server.channel().await);
    let request = GetProfileRequest { user: Some(User::Username("ada".to_owned())) };
    let found = profiles.get_profile(with_token(request, &ada)).await.unwrap().into_inner();
    assert_eq!(found.profile.unwrap().user_id, ada.user_id, "the token of before the restart is good, too");
    assert_eq!(server.login("ada").await.user_id, ada.user_id);
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let (code, text) = run_badly(folder.path(), &[]).await;
    assert_eq!(code, 69);
    let holder = format!("in use by process {}", server.child.id().unwrap());
    assert!(text.contains(&holder) && text.contains("stop that first"), "{text}");
    server.register("ada").await;
}

#[tokio::test]
async fn an_address_in_use_is_said_to_be() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = start(one.path()).await;
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_parlor-server"))
        .arg("--data")
        .arg(two.path().join("data"))
        .args(["--listen", &server.address])
        .output();
    let output = timeout(LONG, output).await.expect("it does not end").unwrap();
    assert_eq!(output.status.code(), Some(69));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(&format!("cannot listen on {}", server.address)), "{text}");
}

#[tokio::test]
async fn stopping_ends_in_time_though_a_stream_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = start_with(folder.path(), &["--set", "server.stop_within=500ms"]).await;
    let mut client = HealthClient::new(server.channel().await);
    let mut endless = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    endless.message().await.unwrap().unwrap();
    let asked_at = Instant::now();
    server.signal("INT").await;
    assert_eq!(server.ended().await, Some(0));
    assert!(asked_at.elapsed() < LONG / 4, "{:?}", asked_at.elapsed());
    endless.message().await.unwrap_err();
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = start_with(folder.path(), &["--set", "server.stop_within=10m"]).await;
    let mut client = HealthClient::new(server.channel().await);
    let watching = HealthCheckRequest { service: SERVICES[0].to_owned() };
    let mut endless = client.watch(watching).await.unwrap().into_inner();
    assert_eq!(endless.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.signal("TERM").await;
    let told = timeout(LONG, endless.message()).await.expect("nobody is told").unwrap();
    assert_eq!(told.unwrap().status(), ServingStatus::NotServing);
    server.signal("TERM").await;
    assert_eq!(server.ended().await, Some(130));
}

#[tokio::test]
async fn nothing_is_left_of_a_temporary_one_once_its_input_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_parlor-server"))
        .args(["--listen", "127.0.0.1:0", "--temporary", "--stop-with-input"])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line =
        async || timeout(LONG, lines.next_line()).await.expect("it does not start").unwrap().unwrap();
    assert!(line().await.starts_with("listening on "));
    let data = line().await;
    let data =
        data.strip_prefix("data in ").and_then(|rest| rest.strip_suffix("; stop with Ctrl-C")).unwrap();
    assert!(Path::new(data).starts_with(folder.path()) && Path::new(data).join("chat.db").exists(), "{data}");
    drop(child.stdin.take());
    assert_eq!(timeout(LONG, child.wait()).await.expect("it does not stop").unwrap().code(), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn input_that_ends_stops_nothing_if_nobody_said_so() {
    let folder = tempfile::tempdir().unwrap();
    // Its input is at its end from the beginning.
    let server = start(folder.path()).await;
    server.register("ada").await;
}

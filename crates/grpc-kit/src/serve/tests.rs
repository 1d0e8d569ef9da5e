mod floods;
mod plain;
mod proxies;
mod tls;

use std::time::Instant;

use parlor_wire::auth::v1::profile_service_server::ProfileServiceServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServiceResponse};

use super::*;
use crate::health::{Health, merge, reflection};
use crate::testing::Mirror;

const SERVICE: &str = "parlor.auth.v1.ProfileService";
/// What HTTP/2 begins with: the preface, and empty SETTINGS.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const LONG: Duration = Duration::from_secs(60);

struct Scene {
    address: SocketAddr,
    health: Health,
    stop: oneshot::Sender<Duration>,
    served: JoinHandle<Result<Stopped, ServeError>>,
}

async fn serve(options: ServeOptions) -> Scene {
    serve_with(options, Vec::new()).await
}

async fn serve_with(options: ServeOptions, plain: Vec<Plain>) -> Scene {
    let health = Health::new(&[SERVICE]).await;
    let routes =
        merge([Routes::new(ProfileServiceServer::new(Mirror)), health.routes(), reflection(&[SERVICE])]);
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let listener = plain.into_iter().fold(listener, Listener::also);
    let address = listener.address();
    let (stop, stopped) = oneshot::channel();
    let stopped = async { stopped.await.unwrap_or_default() };
    let served = tokio::spawn(async move { listener.serve(routes, &options, stopped).await });
    Scene { address, health, stop, served }
}

impl Scene {
    async fn channel(&self) -> Channel {
        Endpoint::new(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    async fn health_of(&self, service: &str) -> Result<ServingStatus, Status> {
        let request = HealthCheckRequest { service: service.to_owned() };
        HealthClient::new(self.channel().await)
            .check(request)
            .await
            .map(|answer| answer.into_inner().status())
    }

    async fn greeted(&self) -> TcpStream {
        let mut tcp = TcpStream::connect(self.address).await.unwrap();
        tcp.write_all(GREETING).await.unwrap();
        tcp
    }
}

/// The next HTTP/2 frame: type, flags, payload. `None` once the server has closed.
async fn frame(tcp: &mut TcpStream) -> Option<(u8, u8, Vec<u8>)> {
    let mut head = [0; 9];
    tcp.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    tcp.read_exact(&mut payload).await.ok()?;
    Some((head[3], head[4], payload))
}

const SETTINGS: u8 = 4;
const PING: u8 = 6;

#[tokio::test]
async fn a_service_is_not_serving_until_it_is_ready() {
    let scene = serve(ServeOptions::default()).await;
    assert_eq!(scene.health_of("").await.unwrap(), ServingStatus::Serving);
    assert_eq!(scene.health_of(SERVICE).await.unwrap(), ServingStatus::NotServing);
    scene.health.set_ready(&[SERVICE], true).await;
    assert_eq!(scene.health_of(SERVICE).await.unwrap(), ServingStatus::Serving);
    scene.health.set_ready(&[SERVICE], false).await;
    assert_eq!(scene.health_of(SERVICE).await.unwrap(), ServingStatus::NotServing);
    assert_eq!(scene.health_of("nobody").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn reflection_names_the_services_that_are_served_and_no_others() {
    let scene = serve(ServeOptions::default()).await;
    let question = MessageRequest::ListServices(String::new());
    let question = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(scene.channel().await);
    let mut answers = client.server_reflection_info(tokio_stream::once(question)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let mut names: Vec<_> = listed.service.into_iter().map(|ServiceResponse { name }| name).collect();
    names.sort();
    assert_eq!(names, ["grpc.health.v1.Health", SERVICE]);
}

#[tokio::test]
async fn g8_the_limits_of_http2_are_announced() {
    let scene = serve(ServeOptions::default()).await;
    let mut tcp = scene.greeted().await;
    let (kind, _, payload) = frame(&mut tcp).await.unwrap();
    assert_eq!(kind, SETTINGS);
    let setting = |wanted: u16| {
        payload.chunks_exact(6).find_map(|entry| {
            let (id, value) = entry.split_at(2);
            let value = u32::from_be_bytes(value.try_into().unwrap());
            (id == wanted.to_be_bytes()).then_some(value)
        })
    };
    const MAX_CONCURRENT_STREAMS: u16 = 3;
    const MAX_HEADER_LIST_SIZE: u16 = 6;
    assert_eq!(setting(MAX_CONCURRENT_STREAMS), Some(128));
    assert_eq!(setting(MAX_HEADER_LIST_SIZE), Some(16 * 1024));
}

#[tokio::test]
async fn g8_a_peer_that_answers_no_ping_is_cut() {
    let options = ServeOptions {
        keepalive_interval: Duration::from_millis(50),
        keepalive_timeout: Duration::from_millis(50),
        ..ServeOptions::default()
    };
    let scene = serve(options).await;
    let mut tcp = scene.greeted().await;
    let mut pinged = false;
    while let Some((kind, flags, _)) = frame(&mut tcp).await {
        pinged |= kind == PING && flags == 0;
    }
    assert!(pinged, "cut without a ping");
}

#[tokio::test]
async fn g8_one_address_has_64_connections_and_no_more() {
    let scene = serve(ServeOptions::default()).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        let mut tcp = scene.greeted().await;
        assert!(frame(&mut tcp).await.is_some(), "connection {} was refused", open.len() + 1);
        open.push(tcp);
    }
    assert!(frame(&mut scene.greeted().await).await.is_none(), "the 65th was served");
    drop(open.pop());
    // The server learns of the end when it reads it; until then the place is taken.
    while frame(&mut scene.greeted().await).await.is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn g8_there_is_a_limit_to_all_connections() {
    let scene = serve(ServeOptions { max_connections: 1, ..ServeOptions::default() }).await;
    let mut first = scene.greeted().await;
    assert!(frame(&mut first).await.is_some());
    assert!(frame(&mut scene.greeted().await).await.is_none());
}

#[tokio::test]
async fn g8_who_connects_and_says_nothing_is_sent_away() {
    let scene = serve(ServeOptions::default()).await;
    let mut silent = TcpStream::connect(scene.address).await.unwrap();
    let mut talking = scene.greeted().await;
    assert!(frame(&mut talking).await.is_some(), "served, so the silent one has been accepted too");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    assert!(matches!(silent.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    assert!(frame(&mut talking).await.is_some(), "who has spoken stays");
}

#[tokio::test]
async fn stopping_waits_for_idle_connections_only_until_they_are_told() {
    let scene = serve(ServeOptions::default()).await;
    let channel = scene.channel().await;
    HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap();
    let stopped_at = Instant::now();
    scene.stop.send(LONG).unwrap();
    assert_eq!(scene.served.await.unwrap().unwrap(), Stopped::Drained);
    assert!(stopped_at.elapsed() < LONG / 2);
    TcpStream::connect(scene.address).await.unwrap_err();
}

#[tokio::test]
async fn stopping_ends_at_the_deadline_though_a_stream_never_does() {
    const DEADLINE: Duration = Duration::from_millis(200);
    let scene = serve(ServeOptions::default()).await;
    let mut client = HealthClient::new(scene.channel().await);
    let mut endless = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    endless.message().await.unwrap().unwrap();
    let stopped_at = Instant::now();
    scene.stop.send(DEADLINE).unwrap();
    assert_eq!(scene.served.await.unwrap().unwrap(), Stopped::Cut(1));
    assert!((DEADLINE..LONG / 2).contains(&stopped_at.elapsed()));
    timeout(LONG, endless.message()).await.expect("the connection lives on").unwrap_err();
}

async fn http1(address: SocketAddr, head: &str, body: &[u8]) -> Vec<u8> {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let head =
        format!("{head}\r\nHost: parlor\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    tcp.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    answer
}

fn contains(answer: &[u8], part: &[u8]) -> bool {
    answer.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_browser_calls_with_grpc_web_over_http1() {
    let scene = serve(ServeOptions::default()).await;
    let head = "POST /grpc.health.v1.Health/Check HTTP/1.1\r\nOrigin: https://app.example\r\n\
                Content-Type: application/grpc-web+proto";
    let answer = http1(scene.address, head, b"\0\0\0\0\0").await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(contains(&answer, b"\0\0\0\0\x02\x08\x01"), "no message with SERVING: {text}");
    assert!(contains(&answer, b"grpc-status:0"), "no trailers: {text}");
    let exposed = "access-control-expose-headers: grpc-status,grpc-message,grpc-status-details-bin";
    assert!(text.contains(exposed), "{text}");
}

#[tokio::test]
async fn a_page_of_another_origin_may_call_if_its_origin_is_allowed() {
    let preflight = async |options: ServeOptions, origin: &str| {
        let head = format!(
            "OPTIONS /grpc.health.v1.Health/Check HTTP/1.1\r\nOrigin: {origin}\r\n\
             Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,x-grpc-web"
        );
        let answer = http1(serve(options).await.address, &head, b"").await;
        String::from_utf8(answer).unwrap().to_ascii_lowercase()
    };
    let any = preflight(ServeOptions::default(), "https://app.example").await;
    assert!(any.contains("access-control-allow-origin: *"), "{any}");
    assert!(any.contains("access-control-allow-headers: authorization,x-grpc-web"), "{any}");

    let one = || ServeOptions {
        allowed_origins: vec!["https://app.example".to_owned()],
        ..ServeOptions::default()
    };
    let same = preflight(one(), "https://app.example").await;
    assert!(same.contains("access-control-allow-origin: https://app.example"), "{same}");
    let other = preflight(one(), "https://evil.example").await;
    assert!(!other.contains("access-control-allow-origin: https://evil.example"), "{other}");
}

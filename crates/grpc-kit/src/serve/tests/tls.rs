use std::path::Path;

use rcgen::{CertificateParams, Issuer, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::channel::remote_channel;
use crate::tls::{ClientTls, ServerTls, TlsFiles};

/// An authority and a certificate of it for this machine, in files.
struct Certs {
    folder: TempDir,
}

impl Certs {
    fn new() -> Self {
        let certs = Self { folder: tempfile::tempdir().unwrap() };
        certs.write();
        certs
    }

    /// Others in the place of those.
    fn write(&self) {
        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        let own = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let cert = CertificateParams::new(names).unwrap().signed_by(&own, &issuer).unwrap().pem();
        for (name, text) in [("ca.pem", ca), ("own.key", own.serialize_pem()), ("own.pem", cert)] {
            std::fs::write(self.path(name), text).unwrap();
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn files(&self, ca: Option<&Path>) -> TlsFiles {
        TlsFiles { cert: self.path("own.pem"), key: self.path("own.key"), ca: ca.map(Path::to_owned) }
    }

    /// For who trusts this authority and shows this certificate.
    fn client(&self) -> ClientTls {
        ClientTls::load(self.files(Some(&self.path("ca.pem")))).unwrap()
    }
}

async fn serve_over(tls: ServerTls, options: ServeOptions) -> Scene {
    let health = Health::new(&[SERVICE]).await;
    let routes = merge([Routes::new(ProfileServiceServer::new(Mirror)), health.routes()]);
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap().over(tls);
    let address = listener.address();
    let (stop, stopped) = oneshot::channel();
    let stopped = async { stopped.await.unwrap_or_default() };
    let served = tokio::spawn(async move { listener.serve(routes, &options, stopped).await });
    Scene { address, health, stop, served }
}

fn uri(scene: &Scene) -> http::Uri {
    format!("https://{}", scene.address).parse().unwrap()
}

async fn answers(scene: &Scene, client: ClientTls) -> Result<(), Status> {
    let channel = remote_channel(uri(scene), Some(client));
    timeout(LONG, HealthClient::new(channel).check(HealthCheckRequest::default())).await.unwrap().map(drop)
}

#[tokio::test]
async fn what_is_served_over_tls_is_served_to_who_trusts_its_authority_and_to_nobody_in_clear_text() {
    let certs = Certs::new();
    let scene = serve_over(ServerTls::load(certs.files(None)).unwrap(), ServeOptions::default()).await;
    answers(&scene, certs.client()).await.unwrap();
    let refused = answers(&scene, Certs::new().client()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    let mut clear = scene.greeted().await;
    while let Some((kind, ..)) = frame(&mut clear).await {
        assert_ne!(kind, SETTINGS, "HTTP/2 in clear text is answered");
    }
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_1_3_is_refused() {
    let certs = Certs::new();
    let scene = serve_over(ServerTls::load(certs.files(None)).unwrap(), ServeOptions::default()).await;
    // A ClientHello as TLS 1.2 has it: no extension that names a later version.
    let body = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0xC0, 0x2B], &[1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    let hello = [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat();
    let mut tcp = TcpStream::connect(scene.address).await.unwrap();
    tcp.write_all(&hello).await.unwrap();
    let mut answer = Vec::new();
    timeout(LONG, tcp.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer.first(), Some(&21), "an alert and nothing else: {answer:?}");
}

#[tokio::test]
async fn a_certificate_that_is_exchanged_is_used_by_new_connections_and_streams_go_on() {
    let certs = Certs::new();
    let scene = serve_over(ServerTls::load(certs.files(None)).unwrap(), ServeOptions::default()).await;
    let before = certs.client();
    let channel = remote_channel(uri(&scene), Some(before.clone()));
    let watching = HealthCheckRequest { service: SERVICE.to_owned() };
    let mut stream = HealthClient::new(channel).watch(watching).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();

    std::fs::write(certs.path("own.pem"), "half of a certi").unwrap();
    // waits: for the files to be looked at, which must change nothing
    tokio::time::sleep(Duration::from_secs(3)).await;
    answers(&scene, before.clone()).await.expect("what cannot be used is not");

    certs.write();
    let end = Instant::now() + LONG;
    while answers(&scene, certs.client()).await.is_err() {
        assert!(Instant::now() < end, "the new certificate is not used");
    }
    answers(&scene, before).await.unwrap_err();
    scene.health.set_ready(&[SERVICE], true).await;
    let told = timeout(LONG, stream.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(told.status(), ServingStatus::Serving, "the stream of before goes on");
}

#[tokio::test]
async fn where_certificates_are_asked_for_nobody_comes_in_without_one() {
    let (certs, others) = (Certs::new(), Certs::new());
    let tls = ServerTls::load(certs.files(Some(&certs.path("ca.pem")))).unwrap();
    let scene = serve_over(tls, ServeOptions::default()).await;
    answers(&scene, certs.client()).await.unwrap();
    // Trusts the right authority, and shows a certificate of another.
    let stranger = ClientTls::load(others.files(Some(&certs.path("ca.pem")))).unwrap();
    answers(&scene, stranger).await.unwrap_err();
}

#[tokio::test]
async fn files_that_do_not_fit_are_told_by_name() {
    let (certs, others) = (Certs::new(), Certs::new());
    let of = |change: &dyn Fn(&mut TlsFiles)| {
        let mut files = certs.files(None);
        change(&mut files);
        ServerTls::load(files).unwrap_err().to_string()
    };
    assert!(of(&|files| files.cert = certs.path("none.pem")).contains("none.pem"));
    assert!(of(&|files| files.cert = certs.path("own.key")).contains("holds no certificate"));
    assert!(of(&|files| files.key = certs.path("own.pem")).contains("holds no private key"));
    assert!(of(&|files| files.key = others.path("own.key")).contains("own.pem and its key"));
}

#[tokio::test]
async fn g8_handshakes_end_in_time_and_so_many_are_under_way() {
    let certs = Certs::new();
    let options = ServeOptions { max_handshakes: 2, ..ServeOptions::default() };
    let scene = serve_over(ServerTls::load(certs.files(None)).unwrap(), options).await;
    answers(&scene, certs.client()).await.unwrap();
    let mut silent = TcpStream::connect(scene.address).await.unwrap();
    let _another = TcpStream::connect(scene.address).await.unwrap();
    let channel = remote_channel(uri(&scene), Some(certs.client()));
    let mut waiting = HealthClient::new(channel);
    let mut waiting = Box::pin(waiting.check(HealthCheckRequest::default()));
    // waits: so long that an answer would have come
    assert!(timeout(Duration::from_millis(300), &mut waiting).await.is_err(), "more than two shake hands");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    assert!(matches!(silent.read(&mut [0; 1]).await, Ok(0) | Err(_)), "who says nothing is sent away");
    timeout(LONG, answers(&scene, certs.client())).await.unwrap().expect("and there is room again");
}

#[tokio::test]
async fn g8_one_address_has_so_many_connections_over_tls_too() {
    let certs = Certs::new();
    let options = ServeOptions { max_connections_per_address: 2, ..ServeOptions::default() };
    let scene = serve_over(ServerTls::load(certs.files(None)).unwrap(), options).await;
    let open = async || {
        let channel = remote_channel(uri(&scene), Some(certs.client()));
        let answer = HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await;
        answer.map(|_| channel)
    };
    let (_first, _second) = (open().await.unwrap(), open().await.unwrap());
    open().await.unwrap_err();
}

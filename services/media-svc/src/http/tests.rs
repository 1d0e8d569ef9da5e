use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::http::Request;
use parlor_grpc_kit::{Listener, Plain, Rate, ServeOptions};
use parlor_testkit::{PATIENCE, eventually, in_time};
use parlor_types::{MediaId, SessionId, UserId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tower::service_fn;

use super::*;
use crate::app::testing::{Scene, noise, sha256};
use crate::media::{Purpose, Variant, random_id};

/// Serves the scene's files as the server does; ends with the test.
async fn serve(scene: &Scene) -> SocketAddr {
    let files = scene.files();
    let answer = service_fn(move |request: Request<_>| {
        let files = files.clone();
        async move {
            let (method, path) = (request.method(), request.uri().path());
            Ok(files.answer(method, path, request.headers()).await)
        }
    });
    let rate = Rate { burst: 10_000, per_second: 10_000.0 };
    let plain = Plain::new(PREFIX, rate, Arc::clone(&scene.clock) as _, answer);
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap().also(plain);
    let address = listener.address();
    tokio::spawn(async move {
        listener.serve(Default::default(), &ServeOptions::default(), std::future::pending()).await
    });
    address
}

/// An answer, read to the end of its connection.
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Whoever gets it may keep it, but not beyond the life of its address.
fn assert_kept_no_longer_than_the_address(got: &Got) {
    let rule = got.header("cache-control");
    let age = rule.strip_prefix("private, max-age=").and_then(|rest| rest.strip_suffix(", immutable"));
    let age = age.and_then(|age| age.parse::<u64>().ok());
    assert!(age.is_some_and(|age| (1..=300).contains(&age)), "{rule}");
}

async fn open(address: SocketAddr, method: &str, path: &str, lines: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    say(&mut tcp, method, path, lines).await;
    tcp
}

async fn say(tcp: &mut TcpStream, method: &str, path: &str, lines: &str) {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: parlor\r\nConnection: close\r\n{lines}\r\n");
    tcp.write_all(head.as_bytes()).await.unwrap();
}

async fn call(address: SocketAddr, method: &str, path: &str, lines: &str) -> Got {
    let mut bytes = Vec::new();
    let mut tcp = open(address, method, path, lines).await;
    in_time("the answer", tcp.read_to_end(&mut bytes)).await.unwrap();
    parse(&bytes)
}

async fn get(address: SocketAddr, path: &str) -> Got {
    call(address, "GET", path, "").await
}

fn parse(bytes: &[u8]) -> Got {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    Got { status, headers, body: bytes[end + 4..].to_vec() }
}

/// Somebody with a file of 100,000 bytes, and its address.
struct Sender {
    scene: Scene,
    server: SocketAddr,
    user: UserId,
    session: SessionId,
    id: MediaId,
    bytes: Vec<u8>,
    path: String,
}

async fn sender() -> Sender {
    let scene = Scene::new();
    let server = serve(&scene).await;
    let (user, session) = (UserId::new(), SessionId::new());
    let bytes = noise(100_000);
    let id = scene.file(user, "report.pdf", Purpose::File, "application/pdf", &bytes).await;
    let path = scene.address(user, session, id, Variant::Original).await;
    Sender { scene, server, user, session, id, bytes, path }
}

fn assert_harmless(got: &Got) {
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    assert_eq!(got.header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(got.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(got.header("referrer-policy"), "no-referrer");
    assert!(!got.header("content-type").contains("html"), "{}", got.header("content-type"));
    assert_eq!(got.header("set-cookie"), "");
}

#[tokio::test]
async fn a_file_comes_whole_with_all_that_browsers_need_to_know() {
    let Sender { scene: _scene, server, bytes, path, .. } = sender().await;
    let got = get(server, &path).await;
    assert_eq!(got.status, 200);
    assert!(got.body == bytes, "other bytes");
    assert_harmless(&got);
    assert_eq!(got.header("content-length"), "100000");
    assert_eq!(got.header("content-type"), "application/pdf");
    assert_eq!(got.header("content-disposition"), "attachment; filename=\"report.pdf\"");
    assert_kept_no_longer_than_the_address(&got);
    assert_eq!(got.header("accept-ranges"), "bytes");
    assert_eq!(got.header("etag"), format!("\"{:?}\"", sha256(&bytes)));

    let head = call(server, "HEAD", &path, "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "content-type", "content-disposition", "cache-control", "etag"] {
        assert_eq!(head.header(name), got.header(name), "{name}");
    }
    assert_harmless(&head);
}

#[tokio::test]
async fn a_picture_is_shown_in_each_of_its_forms_and_what_only_says_so_is_not() {
    let Sender { scene, server, user, session, .. } = sender().await;
    let picture = scene.picture(user, &noise(5000), &noise(700)).await;
    for (variant, kind, size) in
        [(Variant::Original, "image/jpeg", 5000), (Variant::Small, "image/webp", 700)]
    {
        let got = get(server, &scene.address(user, session, picture, variant).await).await;
        assert_eq!((got.status, got.body.len()), (200, size));
        assert_eq!(got.header("content-type"), kind);
        assert_eq!(got.header("content-disposition"), "inline; filename=\"a.jpg\"");
        assert_harmless(&got);
    }
    let missing = get(server, &scene.address(user, session, picture, Variant::Large).await).await;
    assert_eq!(missing.status, 404, "a form that there is not");

    for (kind, served) in [
        ("image/png", "image/png"),
        ("image/svg+xml", "application/octet-stream"),
        ("text/html", "application/octet-stream"),
        ("video/mp4", "video/mp4"),
    ] {
        let page = b"<script>alert(1)</script>";
        let id = scene.file(user, "a.html", Purpose::File, kind, page).await;
        let got = get(server, &scene.address(user, session, id, Variant::Original).await).await;
        assert_eq!(got.header("content-type"), served, "{kind}");
        assert!(got.header("content-disposition").starts_with("attachment"), "{kind}");
        assert_harmless(&got);
    }
}

#[tokio::test]
async fn ranges_give_their_bytes_up_to_the_edges() {
    let Sender { scene: _scene, server, bytes, path, .. } = sender().await;
    for (asked, first, last) in [
        ("0-0", 0, 0),
        ("0-", 0, 99_999),
        ("99999-", 99_999, 99_999),
        ("65535-65536", 65_535, 65_536),
        ("65536-131071", 65_536, 99_999),
        ("-1", 99_999, 99_999),
        ("-200000", 0, 99_999),
    ] {
        let got = call(server, "GET", &path, &format!("Range: bytes={asked}\r\n")).await;
        assert_eq!(got.status, 206, "{asked}");
        assert_eq!(got.header("content-range"), format!("bytes {first}-{last}/100000"), "{asked}");
        assert_eq!(got.header("content-length"), (last - first + 1).to_string(), "{asked}");
        assert!(got.body == bytes[first..=last], "{asked}: other bytes");
        assert_harmless(&got);
    }
    let beyond = call(server, "GET", &path, "Range: bytes=100000-\r\n").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */100000"));
    assert_eq!(beyond.header("cache-control"), "no-store");
    assert_harmless(&beyond);
    let several = call(server, "GET", &path, "Range: bytes=0-1,5-6\r\n").await;
    assert_eq!((several.status, several.body.len()), (200, 100_000));
}

#[tokio::test]
async fn who_has_it_gets_no_bytes_and_who_has_others_gets_all() {
    let Sender { scene: _scene, server, bytes, path, .. } = sender().await;
    let tag = format!("\"{:?}\"", sha256(&bytes));
    for method in ["GET", "HEAD"] {
        let got = call(server, method, &path, &format!("If-None-Match: {tag}\r\n")).await;
        assert_eq!((got.status, got.body.len(), got.header("etag")), (304, 0, &*tag));
        assert_kept_no_longer_than_the_address(&got);
    }
    let part = "Range: bytes=5-9\r\n";
    let same = call(server, "GET", &path, &format!("{part}If-Range: {tag}\r\n")).await;
    assert_eq!((same.status, &same.body[..]), (206, &bytes[5..10]));
    let other = call(server, "GET", &path, &format!("{part}If-Range: \"other\"\r\n")).await;
    assert_eq!((other.status, other.body.len()), (200, 100_000));
    let failed = call(server, "GET", &path, "If-Match: \"other\"\r\n").await;
    assert_eq!((failed.status, failed.body.len()), (412, 0));
}

#[tokio::test]
async fn a_download_that_was_cut_goes_on_where_it_broke_off() {
    let Sender { scene: _scene, server, bytes, path, .. } = sender().await;
    let mut tcp = open(server, "GET", &path, "").await;
    let mut first = vec![0; 40_000];
    tcp.read_exact(&mut first).await.unwrap();
    drop(tcp);
    let end = first.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let mut whole = first.split_off(end + 4);
    let lines = format!("Range: bytes={}-\r\nIf-Range: \"{:?}\"\r\n", whole.len(), sha256(&bytes));
    let rest = call(server, "GET", &path, &lines).await;
    assert_eq!(rest.status, 206);
    whole.extend(rest.body);
    assert!(whole == bytes, "other bytes");
}

/// What an answer says, but for the time.
fn said(got: &Got) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers: Vec<_> = got
        .headers
        .iter()
        .filter(|(name, _)| *name != header::DATE)
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (got.status, headers, got.body.clone())
}

#[tokio::test]
async fn g7_whatever_is_not_there_for_somebody_gets_one_and_the_same_answer() {
    let Sender { scene, server, user, session, id, path, .. } = sender().await;
    let (ben, stranger) = (UserId::new(), UserId::new());
    let guessed = get(server, &scene.address(stranger, session, random_id(), Variant::Original).await).await;
    assert_eq!((guessed.status, &guessed.body[..]), (404, &b"Not Found\n"[..]));
    assert_eq!(guessed.header("cache-control"), "no-store");
    assert_harmless(&guessed);

    let to_ben = scene.address(ben, session, id, Variant::Original).await;
    scene.told.lets_read(ben, id, true);
    assert_eq!(get(server, &to_ben).await.status, 200, "a member");
    scene.told.lets_read(ben, id, false);
    let quarantined = scene.quarantined(user, b"harm").await;
    let refused = scene.quarantined(user, b"harm").await;
    assert!(scene.store.checked(refused, false).await.unwrap());
    let ended = SessionId::new();
    let of_ended = scene.address(user, ended, id, Variant::Original).await;
    assert_eq!(get(server, &of_ended).await.status, 200);
    scene.end(ended);

    let mut changed = path.clone();
    changed.replace_range(path.len() - 1.., if path.ends_with('A') { "B" } else { "A" });
    for (who, path) in [
        ("an ex-member", to_ben),
        ("a stranger", scene.address(stranger, session, id, Variant::Original).await),
        ("an ended session", of_ended),
        (
            "the owner, of one in quarantine",
            scene.address(user, session, quarantined, Variant::Original).await,
        ),
        ("the owner, of a refused one", scene.address(user, session, refused, Variant::Original).await),
        ("a changed address", changed),
        ("no address", PREFIX.to_owned()),
        ("half an address", path[..path.len() / 2].to_owned()),
        ("a longer address", format!("{path}/..")),
        ("an id", format!("{PREFIX}{id}")),
        ("a path out of it", format!("{PREFIX}../media.db")),
    ] {
        assert_eq!(said(&get(server, &path).await), said(&guessed), "G7: {who}");
    }
}

#[tokio::test]
async fn g7_a_picture_of_a_profile_is_everybody_s() {
    let Sender { scene, server, user, session, id, .. } = sender().await;
    let to_anybody = scene.address(UserId::new(), session, id, Variant::Original).await;
    scene.claim_for_profile(user, id).await;
    assert_eq!(get(server, &to_anybody).await.status, 404, "G7: a claim alone is no use");
    scene.told.is_picture(id);
    assert_eq!(get(server, &to_anybody).await.status, 200);
}

#[tokio::test]
async fn an_address_that_is_too_old_is_said_to_be() {
    let Sender { scene, server, path, .. } = sender().await;
    scene.clock.advance(Duration::from_secs(5 * 60));
    let old = get(server, &path).await;
    assert_eq!((old.status, old.header("cache-control")), (410, "no-store"));
    assert_harmless(&old);
}

#[tokio::test]
async fn what_cannot_be_told_now_is_to_be_tried_again() {
    let Sender { scene, server, session, id, path, .. } = sender().await;
    scene.told.answers(false);
    assert_eq!(get(server, &path).await.status, 200, "the owner needs nobody's word");
    let to_ben = scene.address(UserId::new(), session, id, Variant::Original).await;
    let unknown = get(server, &to_ben).await;
    assert_eq!((unknown.status, unknown.header("retry-after")), (503, "1"));
    scene.sees_revocations(false);
    assert_eq!(get(server, &path).await.status, 503, "G7: nobody knows whether the session has ended");
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    let Sender { scene: _scene, server, path, .. } = sender().await;
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let got = call(server, method, &path, "Content-Length: 0\r\n").await;
        assert_eq!((got.status, got.header("allow")), (405, "GET, HEAD"), "{method}");
        assert_harmless(&got);
    }
}

/// A connection whose system holds as little as it can.
async fn slow(server: SocketAddr, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut tcp = socket.connect(server).await.unwrap();
    say(&mut tcp, "GET", path, "").await;
    tcp
}

#[tokio::test]
async fn g8_of_a_slow_reader_s_file_only_a_few_pieces_are_read() {
    /// What the two systems and the connection may hold; far less than the file.
    const HELD: u64 = 8 << 20;
    const SIZE: usize = 64 << 20;
    let Sender { scene, server, user, session, .. } = sender().await;
    let id = scene.file(user, "a", Purpose::File, "", &noise(SIZE)).await;
    let path = scene.address(user, session, id, Variant::Original).await;
    let mut tcp = slow(server, &path).await;
    let mut taken = 0;
    let mut buffer = vec![0; 1 << 20];
    while taken < (SIZE / 2) as u64 {
        taken += in_time("more bytes", tcp.read(&mut buffer)).await.unwrap() as u64;
        let read = scene.read.load(Ordering::SeqCst);
        assert!(read <= taken + HELD, "G8: {read} bytes were read for a reader who took {taken}");
    }
}

#[tokio::test]
async fn g8_only_so_many_are_read_at_once() {
    let Sender { scene, server, user, session, path, .. } = sender().await;
    let large = scene.file(user, "a", Purpose::File, "", &noise(32 << 20)).await;
    let large = scene.address(user, session, large, Variant::Original).await;
    let readers = [slow(server, &large).await, slow(server, &large).await];
    eventually("both are being read", PATIENCE, async || scene.slots.in_use() == 2).await;
    let third = get(server, &path).await;
    assert_eq!((third.status, third.header("retry-after")), (429, "1"));
    assert_eq!(call(server, "HEAD", &path, "").await.status, 200, "no bytes, no place");
    drop(readers);
    eventually("their places are free", PATIENCE, async || scene.slots.in_use() == 0).await;
    assert_eq!(get(server, &path).await.status, 200);
}

#[tokio::test]
async fn g7_a_session_that_ends_while_it_reads_gets_no_more() {
    const SIZE: usize = 32 << 20;
    let Sender { scene, server, user, session, .. } = sender().await;
    let id = scene.file(user, "a", Purpose::File, "", &noise(SIZE)).await;
    let mut tcp = slow(server, &scene.address(user, session, id, Variant::Original).await).await;
    tcp.read_exact(&mut [0; 1000]).await.unwrap();
    scene.end(session);
    let mut rest = Vec::new();
    // Cut off: an end, or a fault of the connection.
    let _ = in_time("the end", tcp.read_to_end(&mut rest)).await;
    assert!(rest.len() < SIZE / 2, "G7: {} bytes after the session's end", rest.len());
}

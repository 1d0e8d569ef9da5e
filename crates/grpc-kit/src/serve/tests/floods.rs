//! Floods below gRPC: what a peer sends that costs it little and the server much.

use super::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ENHANCE_YOUR_CALM: u32 = 11;
/// More of anything than any limit.
const MANY: u32 = 20_000;
/// More than the buffers of two sockets hold.
const MUCH: usize = 64 << 20;
/// A server that has not read for so long has stopped reading.
const STUCK: Duration = Duration::from_secs(1);

fn encoded(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head, stream.to_be_bytes().as_slice(), payload].concat()
}

/// A field of a header list that is in no table.
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).ok().filter(|length| *length < 127).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// The headers of a call of the health service, with these besides.
fn call(more: &[u8]) -> Vec<u8> {
    // ":method: POST" and ":scheme: http", of the static table.
    let mut block = vec![0x83, 0x86];
    block.extend(field(":path", "/grpc.health.v1.Health/Check"));
    block.extend(field(":authority", "parlor"));
    block.extend(field("content-type", "application/grpc"));
    block.extend(field("te", "trailers"));
    block.extend(more);
    block
}

/// Ids of the streams of a client.
fn streams() -> impl Iterator<Item = u32> {
    (0..MANY).map(|number| 2 * number + 1)
}

/// Sends until the server closes, and reads meanwhile: the code of its GOAWAY.
async fn goaway_after(tcp: TcpStream, frames: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
    let (mut reading, mut writing) = tcp.into_split();
    let send = async {
        for frame in frames {
            if writing.write_all(&frame).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let heard = async {
        let mut code = None;
        let mut head = [0; 9];
        while reading.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            if reading.read_exact(&mut payload).await.is_err() {
                break;
            }
            if head[3] == GOAWAY {
                code = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
            }
        }
        code
    };
    let ended = async {
        tokio::select! {
            code = heard => code,
            () = send => unreachable!("it waits for ever"),
        }
    };
    timeout(LONG, ended).await.expect("G8: the connection goes on")
}

async fn is_served(scene: &Scene) {
    let answer = timeout(LONG, scene.health_of("")).await.expect("G8: others wait");
    assert_eq!(answer.unwrap(), ServingStatus::Serving);
}

#[tokio::test]
async fn g8_calls_reset_at_once_end_the_connection() {
    let scene = serve(ServeOptions::default()).await;
    let block = call(&[]);
    let cancelled = 8_u32.to_be_bytes();
    let frames: Vec<Vec<u8>> = streams()
        .map(|stream| {
            let begun = encoded(HEADERS, END_HEADERS, stream, &block);
            [begun, encoded(RST_STREAM, 0, stream, &cancelled)].concat()
        })
        .collect();
    // Many in one piece: the server reads their resets before it has looked at one call.
    let pieces = frames.chunks(500).map(<[_]>::concat);
    let code = goaway_after(scene.greeted().await, pieces).await;
    assert_eq!(code, Some(ENHANCE_YOUR_CALM), "G8");
    is_served(&scene).await;
}

#[tokio::test]
async fn g8_calls_that_must_be_reset_end_the_connection() {
    let scene = serve(ServeOptions::default()).await;
    // One byte is announced and none is sent.
    let block = call(&field("content-length", "1"));
    let frames = streams().map(|stream| {
        let begun = encoded(HEADERS, END_HEADERS, stream, &block);
        [begun, encoded(DATA, END_STREAM, stream, &[])].concat()
    });
    let code = goaway_after(scene.greeted().await, frames).await;
    assert_eq!(code, Some(ENHANCE_YOUR_CALM), "G8");
    is_served(&scene).await;
}

#[tokio::test]
async fn g8_headers_without_an_end_end_the_connection() {
    let scene = serve(ServeOptions::default()).await;
    let more = field("x-more", &"x".repeat(100));
    let first = encoded(HEADERS, 0, 1, &call(&[]));
    let frames = std::iter::once(first).chain((0..MANY).map(|_| encoded(CONTINUATION, 0, 1, &more)));
    let code = goaway_after(scene.greeted().await, frames).await;
    assert!(code.is_some(), "G8: the server says that it goes");
    is_served(&scene).await;
}

#[tokio::test]
async fn g8_a_call_with_too_many_headers_is_refused() {
    let scene = serve(ServeOptions::default()).await;
    let mut client = HealthClient::new(scene.channel().await);
    let with = |bytes: usize| {
        let mut request = tonic::Request::new(HealthCheckRequest { service: String::new() });
        request.metadata_mut().insert("x-long", "x".repeat(bytes).parse().unwrap());
        request
    };
    client.check(with(8 * 1024)).await.unwrap();
    assert!(client.check(with(17 * 1024)).await.is_err(), "G8");
    is_served(&scene).await;
}

/// Sends the same again and again and reads no answer: what the server takes in before it stops reading.
async fn taken_unread(scene: &Scene, what: &[u8]) -> usize {
    let mut tcp = scene.greeted().await;
    let many = what.repeat(1 << 12);
    let mut taken = 0;
    while taken < MUCH {
        match timeout(STUCK, tcp.write(&many)).await {
            Ok(Ok(bytes)) => taken += bytes,
            Ok(Err(_)) | Err(_) => break,
        }
    }
    is_served(scene).await;
    taken
}

#[tokio::test]
async fn g8_of_those_who_take_no_answer_no_more_is_read() {
    let scene = serve(ServeOptions::default()).await;
    let ping = encoded(PING, 0, 0, &[7; 8]);
    let settings = encoded(SETTINGS, 0, 0, &[]);
    for (what, frame) in [("pings", ping), ("settings", settings)] {
        let taken = taken_unread(&scene, &frame).await;
        assert!(taken < MUCH, "G8: {taken} bytes of {what} were read, and all of the answers are kept");
    }
}

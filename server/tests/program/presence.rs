//! Presence, from a client's stream through both services to an answer.

use parlor_wire::chat::v1::chat_service_client::ChatServiceClient;
use parlor_wire::chat::v1::{ClientFrame, ConnectRequest, Hello, client_frame};
use parlor_wire::presence::v1::presence_service_client::PresenceServiceClient;
use parlor_wire::presence::v1::{Availability, Presence, WatchRequest, WatchResponse};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::support::{LONG, start_with, with_token};

/// The next that is told.
async fn told(watch: &mut Streaming<WatchResponse>) -> Vec<Availability> {
    let answer = timeout(LONG, watch.message()).await.expect("nothing is told").unwrap().unwrap();
    answer.presences.iter().map(Presence::availability).collect()
}

#[tokio::test]
async fn who_has_a_stream_is_there_and_who_lets_it_go_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at_once = ["--set", "presence.settle=0s", "--set", "presence.grace=0s"];
    let server = start_with(folder.path(), &at_once).await;
    let ada = server.register("ada").await;
    let mut presence = PresenceServiceClient::new(server.channel().await);
    let herself = WatchRequest { user_ids: vec![ada.user_id.clone()] };
    let mut watch = presence.watch(with_token(herself, &ada)).await.unwrap().into_inner();
    assert_eq!(told(&mut watch).await, [Availability::Offline]);
    let hello = Hello { protocol: 1, ..Hello::default() };
    let hello = ClientFrame { kind: Some(client_frame::Kind::Hello(hello)) };
    let hello = ConnectRequest { frames: vec![hello.encode_to_vec().into()] };
    let (frames, sent) = mpsc::channel(1);
    frames.send(hello).await.unwrap();
    let mut chat = ChatServiceClient::new(server.channel().await);
    let stream = chat.connect(with_token(ReceiverStream::new(sent), &ada)).await.unwrap().into_inner();
    assert_eq!(told(&mut watch).await, [Availability::Online]);
    drop((frames, stream));
    assert_eq!(told(&mut watch).await, [Availability::Offline]);
    server.stop().await;
}

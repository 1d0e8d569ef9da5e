//! What services ask of each other is not to be had from outside: for clients it does not exist.

use parlor_testkit::raw_call;
use parlor_tests::Server;
use parlor_tests::account::Login;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::Code;
use tonic::transport::Channel;

/// Every method that is not for clients.
fn paths() -> Vec<String> {
    let files = FileDescriptorSet::decode(parlor_wire::DESCRIPTORS).expect("ours").file;
    let mut paths = Vec::new();
    for file in files.iter().filter(|file| file.package().starts_with("parlor.internal.")) {
        for service in &file.service {
            let path = |name: &str| format!("/{}.{}/{name}", file.package(), service.name());
            paths.extend(service.method.iter().map(|method| path(method.name())));
        }
    }
    paths
}

/// Code, message and details of the refusal.
async fn refusal(channel: Channel, token: &str, path: &str) -> (Code, String, Vec<u8>) {
    let (messages, status) = raw_call(channel, token, path, b"").await;
    assert!(messages.is_empty(), "G7: {path} answers");
    let status = status.expect("a call that is refused");
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

#[tokio::test]
async fn g7_methods_between_services_are_none_to_the_public() {
    let paths = paths();
    for service in ["auth", "chat", "media", "presence"] {
        let prefix = format!("/parlor.internal.{service}.v1.");
        assert!(paths.iter().any(|path| path.starts_with(&prefix)), "{service} has internal methods");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data")).await;
    let eve = Login::register(server.channel(), "eve").await;
    for token in [eve.credentials.access_token.as_str(), "none of ours"] {
        let none = refusal(server.channel(), token, "/parlor.internal.none.v1.NoService/NoMethod").await;
        assert_eq!(none.0, Code::Unimplemented, "there is no such service");
        for path in &paths {
            assert_eq!(refusal(server.channel(), token, path).await, none, "G7: {path}");
        }
    }
}

//! Bytes that are not what they should be.

use parlor_wire::auth::v1::*;
use parlor_wire::codec::Codec;
use parlor_wire::errors::v1::ErrorReason;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Response, Status};

use crate::support::*;

/// RegisterRequest with bytes for text.
#[derive(Clone, PartialEq, prost::Message)]
struct RawRegister {
    #[prost(bytes = "vec", tag = "2")]
    username: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    password: Vec<u8>,
}

async fn call(
    server: &Server,
    path: &'static str,
    message: RawRegister,
) -> Result<Response<RegisterResponse>, Status> {
    let mut grpc = Grpc::new(server.channel());
    grpc.ready().await.unwrap();
    let codec = Codec::<RawRegister, RegisterResponse>::default();
    grpc.unary(Request::new(message), PathAndQuery::from_static(path), codec).await
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_malformed() {
    let (_folder, server) = Server::start().await;
    let path = "/parlor.auth.v1.AuthService/Register";
    let good = RawRegister { username: b"ada".to_vec(), password: PASSWORD.into() };
    assert_eq!(reason(call(&server, path, good.clone()).await), ErrorReason::FieldInvalid, "op is missing");
    for bad in [b"\xff\xfe\xfd".as_slice(), b"ad\xc3", b"\xed\xa0\x80", b"a\xc0\x80a"] {
        let username = RawRegister { username: bad.to_vec(), ..good.clone() };
        let password = RawRegister { password: bad.repeat(4), ..good.clone() };
        for message in [username, password] {
            assert_eq!(reason(call(&server, path, message).await), ErrorReason::MessageMalformed, "{bad:?}");
        }
    }
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused() {
    let (_folder, server) = Server::start().await;
    let path = "/parlor.auth.v1.AuthService/Register";
    let large = RawRegister { username: vec![b'a'; 5000], password: PASSWORD.into() };
    assert_eq!(reason(call(&server, path, large).await), ErrorReason::MessageTooLarge);
}

#[tokio::test]
async fn a_method_there_is_not_is_unimplemented() {
    let (_folder, server) = Server::start().await;
    for path in ["/parlor.auth.v1.AuthService/Ghost", "/parlor.auth.v1.GhostService/Register"] {
        let status = call(&server, path, RawRegister::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
    }
}

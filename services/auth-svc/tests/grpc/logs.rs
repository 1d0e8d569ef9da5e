//! What the service logs: ids, and nothing that people typed or that opens a door.

use std::io;
use std::sync::{Arc, Mutex};

use parlor_wire::auth::v1::*;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn g7_names_passwords_and_tokens_are_in_no_line() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("auth_svc=trace,parlor_grpc_kit=trace,parlor_embedded=trace,parlor_runtime=trace")
        .with_writer(lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let (_folder, server) = Server::start().await;
    let request = RegisterRequest {
        display_name: "Countess Lovelace".to_owned(),
        device: Some(Device { name: "telephone of hers".to_owned(), ..device() }),
        ..registration("adaline")
    };
    let ada = server.auth().register(request).await.unwrap().into_inner().credentials.unwrap();
    server.login("adaline", OTHER_PASSWORD, device()).await.unwrap_err();
    let next = server.refresh(&ada.refresh_token, &op()).await.unwrap();
    server.refresh(&ada.refresh_token, &op()).await.unwrap_err();
    server.check(&next.access_token).await.unwrap_err();
    server.stop().await;

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for id in [&ada.user_id, &ada.session_id] {
        assert!(text.contains(id), "the log says who by id: {text}");
    }
    let mac = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    for secret in [
        "adaline",
        "Lovelace",
        "telephone",
        PASSWORD,
        OTHER_PASSWORD,
        "argon2id",
        &mac(&ada.refresh_token),
        &mac(&next.access_token),
    ] {
        assert!(!text.contains(secret), "{secret:?} was logged:\n{text}");
    }
}

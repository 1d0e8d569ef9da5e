//! What the service logs: ids, and nothing that people typed or that opens a door.

use std::io;
use std::sync::{Arc, Mutex};

use auth_svc::{MailTransport, SmtpSecurity};
use parlor_testkit::{PATIENCE, eventually, in_time};
use parlor_wire::auth::v1::*;
use tracing_subscriber::fmt::MakeWriter;

use crate::emails::code_in;
use crate::support::smtp::Smtp;
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

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn listen() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("auth_svc=trace,parlor_grpc_kit=trace,parlor_embedded=trace,parlor_runtime=trace")
        .with_writer(lines.clone())
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn g7_addresses_and_codes_are_in_no_line() {
    let (lines, _guard) = listen();
    let (folder, mut smtp) = (tempfile::tempdir().unwrap(), Smtp::start().await);
    let mut config = config(folder.path());
    config.mail.transport = MailTransport::Smtp;
    config.mail.from = "parlor@example.org".to_owned();
    (config.mail.smtp.host, config.mail.smtp.port) = ("127.0.0.1".to_owned(), smtp.port);
    config.mail.smtp.security = SmtpSecurity::None;
    let server = Server::start_with(config).await;
    let ada = server.register("adaline").await;
    let set = async |address: &str| {
        let request = with(&ada.access_token, SetEmailRequest { address: address.to_owned() });
        server.emails().set_email(request).await.unwrap();
    };
    // A mail server quotes the address when it says no.
    *smtp.answers.lock().unwrap() =
        vec!["550 <{to}> is not here".to_owned(), "451 <{to}> comes too often".to_owned()];
    set("Lovelace@example.org").await;
    eventually("the refusal in the log", PATIENCE, async || lines.text().contains("mail refused")).await;
    set("Lovelace@example.org").await;
    let code = code_in(&in_time("a mail", smtp.received.recv()).await.unwrap().text);
    for code in ["98765432", &code] {
        let request = with(&ada.access_token, ConfirmEmailRequest { code: code.to_owned() });
        server.emails().confirm_email(request).await.ok();
    }
    eventually("the mail in the log", PATIENCE, async || lines.text().contains("mail sent")).await;
    server.stop().await;

    let text = lines.text();
    assert!(text.contains("address proved") && text.contains(&ada.user_id), "{text}");
    assert!(text.contains("451") && text.contains("550"), "the log says what went wrong: {text}");
    for secret in ["lovelace", "example.org", &code, "98765432", "too often"] {
        assert!(!text.to_lowercase().contains(secret), "{secret:?} was logged:\n{text}");
    }
}

#[tokio::test]
async fn g7_names_passwords_and_tokens_are_in_no_line() {
    let (lines, _guard) = listen();
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

    let text = lines.text();
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

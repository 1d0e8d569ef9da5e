//! Proving an e-mail address, and being found by it.

use std::path::Path;
use std::time::Duration;

use auth_svc::{Config, DailyLimit, Limits, MailTransport, RateLimit, SmtpSecurity};
use parlor_testkit::{PATIENCE, eventually, in_time};
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;
use tempfile::TempDir;
use tonic::{Response, Status};

use crate::support::smtp::{Received, Smtp};
use crate::support::*;

const MINUTE: Duration = Duration::from_secs(60);

/// Mail through `smtp`.
fn by_smtp(folder: &Path, smtp: &Smtp) -> Config {
    let mut config = config(folder);
    config.mail.transport = MailTransport::Smtp;
    config.mail.from = "Parlor <parlor@example.org>".to_owned();
    config.mail.smtp.host = "127.0.0.1".to_owned();
    config.mail.smtp.port = smtp.port;
    config.mail.smtp.security = SmtpSecurity::None;
    config
}

async fn start() -> (TempDir, Smtp, Server) {
    let (folder, smtp) = (tempfile::tempdir().unwrap(), Smtp::start().await);
    let server = Server::start_with(by_smtp(folder.path(), &smtp)).await;
    (folder, smtp, server)
}

/// The code in a mail.
pub fn code_in(text: &str) -> String {
    let after = text.split_once("Your code is ").expect("the mail has a code").1;
    after[..8].to_owned()
}

/// One that is wrong.
fn other(code: &str) -> String {
    let last = if code.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &code[..7])
}

async fn next(smtp: &mut Smtp) -> Received {
    in_time("a mail", smtp.received.recv()).await.unwrap()
}

impl Server {
    async fn set_email(&self, token: &str, address: &str) -> Result<Response<SetEmailResponse>, Status> {
        self.emails().set_email(with(token, SetEmailRequest { address: address.to_owned() })).await
    }

    async fn confirm(&self, token: &str, code: &str) -> Result<Response<ConfirmEmailResponse>, Status> {
        self.emails().confirm_email(with(token, ConfirmEmailRequest { code: code.to_owned() })).await
    }

    async fn discoverable(&self, token: &str, discoverable: bool) -> Email {
        let request = with(token, SetEmailDiscoverableRequest { discoverable });
        self.emails().set_email_discoverable(request).await.unwrap().into_inner().email.unwrap()
    }

    pub async fn email(&self, token: &str) -> Email {
        let answer = self.emails().get_email(with(token, GetEmailRequest {})).await.unwrap();
        answer.into_inner().email.unwrap()
    }

    async fn find(&self, token: &str, address: &str) -> Result<Response<FindByEmailResponse>, Status> {
        self.emails().find_by_email(with(token, FindByEmailRequest { address: address.to_owned() })).await
    }

    /// Asks for a code and answers what the mail says.
    async fn code(&self, smtp: &mut Smtp, token: &str, address: &str) -> String {
        self.set_email(token, address).await.unwrap();
        code_in(&next(smtp).await.text)
    }

    async fn prove(&self, smtp: &mut Smtp, token: &str, address: &str) {
        let code = self.code(smtp, token, address).await;
        self.confirm(token, &code).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_is_proved_by_the_code_from_the_mail() {
    let (_folder, mut smtp, server) = start().await;
    let token = server.register("ada").await.access_token;
    assert_eq!(server.email(&token).await, Email::default());
    let waiting = server.set_email(&token, "Ada@Bücher.example").await.unwrap().into_inner().email.unwrap();
    assert_eq!((waiting.address.as_str(), waiting.unproved_address.as_str()), ("", "Ada@Bücher.example"));
    assert!(waiting.code_expires_at.is_some());
    assert_eq!(server.email(&token).await, waiting);

    let mail = next(&mut smtp).await;
    assert_eq!(mail.greeted_as, "example.org");
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("parlor@example.org", "Ada@xn--bcher-kva.example"));
    assert!(mail.text.contains("\nSubject: Prove your e-mail address\n"), "{}", mail.text);

    let proved = server.confirm(&token, &code_in(&mail.text)).await.unwrap().into_inner().email.unwrap();
    let expected = Email { address: "Ada@Bücher.example".to_owned(), ..Email::default() };
    assert_eq!((&proved, &server.email(&token).await), (&expected, &expected));
    let retried = server.confirm(&token, &code_in(&mail.text)).await.unwrap().into_inner().email.unwrap();
    assert_eq!(retried, expected);

    let server = server.restart().await;
    assert_eq!(server.email(&token).await, expected);
    server.emails().remove_email(with(&token, RemoveEmailRequest {})).await.unwrap();
    server.emails().remove_email(with(&token, RemoveEmailRequest {})).await.unwrap();
    assert_eq!(server.email(&token).await, Email::default());
}

#[tokio::test]
async fn five_wrong_codes_make_the_right_one_void() {
    let (_folder, mut smtp, server) = start().await;
    let token = server.register("ada").await.access_token;
    let code = server.code(&mut smtp, &token, "ada@example.org").await;
    for _ in 0..4 {
        assert_eq!(reason(server.confirm(&token, &other(&code)).await), ErrorReason::CodeInvalid);
    }
    assert_eq!(server.email(&token).await.unproved_address, "ada@example.org");
    assert_eq!(reason(server.confirm(&token, &other(&code)).await), ErrorReason::CodeInvalid);
    assert_eq!(reason(server.confirm(&token, &code).await), ErrorReason::CodeInvalid);
    assert_eq!(server.email(&token).await, Email::default());
    server.prove(&mut smtp, &token, "ada@example.org").await;
}

#[tokio::test]
async fn a_code_expires_and_another_makes_it_void() {
    let (_folder, mut smtp, server) = start().await;
    let token = server.register("ada").await.access_token;
    let first = server.code(&mut smtp, &token, "ada@example.org").await;
    let second = server.code(&mut smtp, &token, "ada@example.org").await;
    assert_eq!(reason(server.confirm(&token, &first).await), ErrorReason::CodeInvalid);
    server.clock.advance(15 * MINUTE);
    let token = server.login("ada", PASSWORD, device()).await.unwrap().access_token;
    assert_eq!(server.email(&token).await, Email::default());
    assert_eq!(reason(server.confirm(&token, &second).await), ErrorReason::CodeInvalid);

    let third = server.code(&mut smtp, &token, "ada@example.org").await;
    server.clock.advance(Duration::from_secs(9 * 60));
    server.confirm(&token, &third).await.unwrap();
}

#[tokio::test]
async fn a_code_is_its_owners_alone() {
    let (_folder, mut smtp, server) = start().await;
    let (ada, eve) = (server.register("ada").await.access_token, server.register("eve").await.access_token);
    let of_ada = server.code(&mut smtp, &ada, "ada@example.org").await;
    assert_eq!(reason(server.confirm(&eve, &of_ada).await), ErrorReason::CodeInvalid, "nothing waits");
    server.code(&mut smtp, &eve, "ada@example.org").await;
    assert_eq!(reason(server.confirm(&eve, &of_ada).await), ErrorReason::CodeInvalid, "it is another's");
    server.confirm(&ada, &of_ada).await.unwrap();
}

#[tokio::test]
async fn of_two_accounts_the_later_proof_has_the_address() {
    let (_folder, mut smtp, server) = start().await;
    let (ada, eve) = (server.register("ada").await, server.register("eve").await);
    server.prove(&mut smtp, &ada.access_token, "shared@example.org").await;
    server.discoverable(&ada.access_token, true).await;

    // Asking is answered as for any address.
    let taken = server.set_email(&eve.access_token, "Shared@example.org").await.unwrap().into_inner();
    let code = code_in(&next(&mut smtp).await.text);
    let free = server.set_email(&ada.access_token, "Unknown@example.org").await.unwrap().into_inner();
    next(&mut smtp).await;
    let (taken, free) = (taken.email.unwrap(), free.email.unwrap());
    assert_eq!(taken.unproved_address, "Shared@example.org");
    assert_eq!(taken.code_expires_at, free.code_expires_at);
    assert_eq!(server.email(&ada.access_token).await.address, "shared@example.org", "not lost by asking");

    server.confirm(&eve.access_token, &code).await.unwrap();
    assert_eq!(server.email(&eve.access_token).await.address, "Shared@example.org");
    assert_eq!(server.email(&ada.access_token).await.address, "");
    let refused = server.find(&ada.access_token, "shared@example.org").await;
    assert_eq!(reason(refused), ErrorReason::UserNotFound, "eve did not allow it");
    server.discoverable(&eve.access_token, true).await;
    let found = server.find(&ada.access_token, "shared@example.org").await.unwrap().into_inner();
    assert_eq!(found.profile.unwrap().user_id, eve.user_id);
}

#[tokio::test]
async fn g7_one_who_may_not_be_found_is_nobody() {
    let (_folder, mut smtp, server) = start().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await.access_token);
    server.code(&mut smtp, &ada.access_token, "waits@example.org").await;
    server.prove(&mut smtp, &ada.access_token, "Ada@example.org").await;
    let refused = server.find(&ben, "ada@example.org").await.unwrap_err();
    let unknown = server.find(&ben, "nobody@example.org").await.unwrap_err();
    assert_eq!(reason::<()>(Err(unknown.clone())), ErrorReason::UserNotFound);
    assert_eq!(bytes_of(&refused), bytes_of(&unknown));

    assert!(server.discoverable(&ada.access_token, true).await.discoverable);
    let found = server.find(&ben, "ADA@Example.org").await.unwrap().into_inner().profile.unwrap();
    assert_eq!((found.user_id, found.username), (ada.user_id.clone(), "ada".to_owned()));
    let waits = server.find(&ben, "waits@example.org").await.unwrap_err();
    assert_eq!(bytes_of(&waits), bytes_of(&unknown), "what is not proved finds nobody");

    server.discoverable(&ada.access_token, false).await;
    let hidden = server.find(&ben, "ada@example.org").await.unwrap_err();
    assert_eq!(bytes_of(&hidden), bytes_of(&unknown));
}

#[tokio::test]
async fn without_mail_nothing_is_proved() {
    let (_folder, server) = Server::start().await;
    let token = server.register("ada").await.access_token;
    let refused = server.set_email(&token, "ada@example.org").await;
    assert_eq!(reason(refused), ErrorReason::MailUnavailable);
    assert_eq!(server.email(&token).await, Email::default());
    assert_eq!(reason(server.confirm(&token, "12345678").await), ErrorReason::CodeInvalid);
    let refused = server.find(&token, "ada@example.org").await;
    assert_eq!(reason(refused), ErrorReason::UserNotFound);
}

#[tokio::test]
async fn bad_input_is_refused_by_field() {
    let (_folder, _smtp, server) = start().await;
    let token = server.register("ada").await.access_token;
    let long = format!("{}@example.org", "a".repeat(243));
    for bad in ["", "ada", "a@b@example.org", "ada@[192.0.2.1]", "ä@example.org", "a\r\nb@example.org", &long]
    {
        assert_eq!(fields(server.set_email(&token, bad).await), ["address"], "{bad:?}");
        assert_eq!(fields(server.find(&token, bad).await), ["address"], "{bad:?}");
    }
    for bad in ["", "1234567", "123456789", "1234567x", "１２３４５６７８"] {
        assert_eq!(fields(server.confirm(&token, bad).await), ["code"], "{bad:?}");
    }
    let stranger = "not a token";
    let missing = ErrorReason::TokenInvalid;
    assert_eq!(reason(server.set_email(stranger, "ada@example.org").await), missing);
    assert_eq!(reason(server.find(stranger, "ada@example.org").await), missing);
    assert_eq!(reason(server.confirm(stranger, "12345678").await), missing);
    let (mut emails, request) = (server.emails(), with(stranger, GetEmailRequest {}));
    assert_eq!(reason(emails.get_email(request).await), missing);
    assert_eq!(reason(emails.remove_email(with(stranger, RemoveEmailRequest {})).await), missing);
    let request = with(stranger, SetEmailDiscoverableRequest { discoverable: true });
    assert_eq!(reason(emails.set_email_discoverable(request).await), missing);
    let large = "a".repeat(10_000_000);
    assert_eq!(reason(server.set_email(&token, &large).await), ErrorReason::MessageTooLarge);
    assert_eq!(reason(server.find(&token, &large).await), ErrorReason::MessageTooLarge);
}

#[tokio::test]
async fn g8_one_account_does_not_keep_the_owner_of_an_address_from_proving_it() {
    let (folder, mut smtp) = (tempfile::tempdir().unwrap(), Smtp::start().await);
    let mut config = by_smtp(folder.path(), &smtp);
    let limits = Limits::default();
    config.limits.mail_per_address = limits.mail_per_address;
    config.limits.mail_per_account_and_address = limits.mail_per_account_and_address;
    let server = Server::start_with(config).await;
    let (ada, eve) = (server.register("ada").await.access_token, server.register("eve").await.access_token);
    for _ in 0..3 {
        server.code(&mut smtp, &eve, "ada@example.org").await;
    }
    let refused = problem(server.set_email(&eve, "Ada@example.org").await);
    assert_eq!(refused.reason(), ErrorReason::RateLimited, "G8");
    let wait = Duration::try_from(refused.retry_after.unwrap()).unwrap();
    assert!(wait > Duration::from_secs(7 * 60 * 60), "G8: again after {wait:?}");
    server.prove(&mut smtp, &ada, "ada@example.org").await;
}

#[tokio::test]
async fn g8_no_address_is_flooded_and_none_are_tried_out() {
    let (folder, mut smtp) = (tempfile::tempdir().unwrap(), Smtp::start().await);
    let mut config = by_smtp(folder.path(), &smtp);
    config.limits.mail_per_address = DailyLimit { burst: 2, per_day: 10_000 };
    config.limits.mail_per_account_and_address = DailyLimit { burst: 1, per_day: 9_999 };
    config.limits.set_email = RateLimit { burst: 4, per_second: 0.1 };
    config.limits.find_by_email = RateLimit { burst: 2, per_second: 0.1 };
    let server = Server::start_with(config).await;
    let (ada, eve) = (server.register("ada").await.access_token, server.register("eve").await.access_token);
    for (token, address) in [(&ada, "victim@example.org"), (&eve, "Victim@example.org")] {
        server.code(&mut smtp, token, address).await;
    }
    let refused = problem(server.set_email(&ada, "VICTIM@example.org").await);
    assert_eq!(refused.reason(), ErrorReason::RateLimited);
    // A refusal changes nothing: what was sent is still good.
    assert_eq!(server.email(&ada).await.unproved_address, "victim@example.org");
    for n in 0..2 {
        server.code(&mut smtp, &ada, &format!("other{n}@example.org")).await;
    }
    assert_eq!(reason(server.set_email(&ada, "third@example.org").await), ErrorReason::RateLimited);
    server.clock.advance(Duration::try_from(refused.retry_after.unwrap()).unwrap());
    let cem = server.register("cem").await.access_token;
    server.code(&mut smtp, &cem, "victim@example.org").await;

    for _ in 0..2 {
        assert_eq!(reason(server.find(&eve, "ada@example.org").await), ErrorReason::UserNotFound);
    }
    assert_eq!(reason(server.find(&eve, "ada@example.org").await), ErrorReason::RateLimited);
}

#[tokio::test]
async fn a_mail_server_that_is_busy_is_asked_again() {
    let (_folder, mut smtp, server) = start().await;
    smtp.answers.lock().unwrap().push("451 come back".to_owned());
    let token = server.register("ada").await.access_token;
    server.prove(&mut smtp, &token, "ada@example.org").await;
    assert_eq!(*smtp.dialogues.lock().unwrap(), 2);
}

#[tokio::test]
async fn no_mail_goes_unsecured_where_security_is_asked_for() {
    let (folder, smtp) = (tempfile::tempdir().unwrap(), Smtp::start().await);
    let mut config = by_smtp(folder.path(), &smtp);
    config.mail.smtp.security = SmtpSecurity::Starttls;
    let server = Server::start_with(config).await;
    let token = server.register("ada").await.access_token;
    server.set_email(&token, "ada@example.org").await.unwrap();
    // The second dialogue begins only after the first has failed.
    eventually("a second try", PATIENCE, async || *smtp.dialogues.lock().unwrap() >= 2).await;
    let mut smtp = smtp;
    assert!(smtp.received.try_recv().is_err(), "the server offers no STARTTLS");
}

#[tokio::test]
async fn in_development_mails_are_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mails = folder.path().join("in/mails");
    let mut config = config(folder.path());
    config.mail.transport = MailTransport::Folder;
    config.mail.from = "parlor@example.org".to_owned();
    config.mail.folder = mails.clone();
    let server = Server::start_with(config).await;
    let token = server.register("ada").await.access_token;
    server.set_email(&token, "ada@example.org").await.unwrap();
    let is_mail = |path: &Path| path.extension().is_some_and(|extension| extension == "eml");
    let found =
        || std::fs::read_dir(&mails).unwrap().map(|entry| entry.unwrap().path()).find(|path| is_mail(path));
    eventually("a file", PATIENCE, async || found().is_some()).await;
    let path = found().unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("To: ada@example.org\r\n"), "{text}");
    server.confirm(&token, &code_in(&text)).await.unwrap();
}

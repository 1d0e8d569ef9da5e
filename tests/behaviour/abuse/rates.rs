//! Whoever calls too often is told so, and when to come back: each method that clients may call, as the protocol has them.

use parlor_testkit::{StreamClient, compose, raw_answer};
use parlor_tests::account::Login;
use parlor_tests::{Server, methods};
use parlor_types::Op;
use parlor_wire::chat::v1::append_result::Outcome;
use parlor_wire::chat::v1::{Append, AppendRequest};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::from_status;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Few of everything, so that the end comes soon; chat-svc's own rates are fixed, and the largest is 400 at once.
const SETTINGS: &[&str] = &[
    "auth.limits.register.burst=3",
    "auth.limits.register.per_second=0.1",
    "auth.limits.login.burst=3",
    "auth.limits.login.per_second=0.1",
    "auth.limits.refresh.burst=3",
    "auth.limits.refresh.per_second=0.1",
    "auth.limits.read.burst=3",
    "auth.limits.read.per_second=0.1",
    "auth.limits.write.burst=3",
    "auth.limits.write.per_second=0.1",
    "auth.limits.change_password.burst=3",
    "auth.limits.change_password.per_second=0.1",
    "media.limits.read.burst=3",
    "media.limits.read.per_second=0.1",
    "media.limits.write.burst=3",
    "media.limits.write.per_second=0.1",
    "media.limits.part.burst=3",
    "media.limits.part.per_second=0.1",
    "chat.appends_per_user.burst=5",
    "chat.appends_per_user.per_second=0.1",
    "chat.appends_per_member.burst=3",
    "chat.appends_per_member.per_second=0.1",
];
/// What has rates of its own, where retries do not count: [`g8_appends_beyond_their_rate_say_when_to_come_back`]; and Push,
/// which is the way in of a stream that has them.
const OF_THEIR_OWN: [&str; 3] = [
    "/parlor.chat.v1.ChatService/Append",
    "/parlor.chat.v1.ChatService/CreateConversation",
    "/parlor.chat.v1.ChatService/Push",
];
/// More calls than any rate lets through, and made faster.
const MANY: usize = 1_500;
/// Calls under way at once.
const AT_ONCE: usize = 32;

async fn start(folder: &tempfile::TempDir, more: &[&str]) -> Server {
    Server::start_with(&folder.path().join("data"), &[SETTINGS, more].concat()).await
}

/// Calls with nothing in them, until one is refused for its rate; where that would end the session, with what cannot be read.
async fn refused(channel: &Channel, token: &str, path: &str) -> Option<Status> {
    let message: &[u8] = if path.ends_with("/Logout") { b"\xff" } else { b"" };
    for _ in 0..MANY / AT_ONCE {
        let calls = (0..AT_ONCE).map(|_| raw_answer(channel.clone(), Some(token), path, message));
        let answers = futures_util::future::join_all(calls).await;
        let limited = |status: &Status| from_status(status).reason() == ErrorReason::RateLimited;
        if let Some(status) = answers.into_iter().filter_map(Result::err).find(limited) {
            return Some(status);
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_every_method_with_a_rate_says_when_to_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    // Streams are opened here and no Hello is said.
    let server = start(&folder, &["chat.hello_within=100ms"]).await;
    let ada = Login::register(server.channel(), "ada").await;
    let token = &ada.credentials.access_token;
    let public = methods::public();
    assert!(OF_THEIR_OWN.iter().all(|path| public.iter().any(|method| method == path)), "they are there");
    for path in &public {
        let refused = refused(&server.channel(), token, path).await;
        if OF_THEIR_OWN.contains(&path.as_str()) {
            assert!(refused.is_none(), "{path} has a rate after all");
            continue;
        }
        let refused = refused.unwrap_or_else(|| panic!("G8: {path} is called {MANY} times"));
        assert_eq!(refused.code(), Code::ResourceExhausted, "{path}");
        assert!(says_when(&from_status(&refused)), "G8: {path} does not say when to come back: {refused:?}");
    }
}

fn says_when(problem: &Problem) -> bool {
    problem.retry_after.is_some_and(|after| after.seconds > 0 || after.nanos > 0)
}

#[tokio::test]
async fn g8_appends_beyond_their_rate_say_when_to_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(&folder, &[]).await;
    let ada = Login::register(server.channel(), "ada").await;
    let made = ada.chat().create_conversation(compose::group("Tea", &[])).await.expect("creates");
    let tea = made.into_inner().conversation.expect("a row").id;
    let said = |text: &str| AppendRequest { append: Some(compose::text(&tea, 1, text)) };
    let mut answers = Vec::new();
    for number in 0..4 {
        answers.push(ada.chat().append(said(&number.to_string())).await);
    }
    let refused = answers.into_iter().find_map(Result::err).expect("G8: three and no more");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let problem = from_status(&refused);
    assert_eq!(problem.reason(), ErrorReason::RateLimited);
    assert!(says_when(&problem), "G8: {problem:?}");

    // The same on a stream, and over all conversations.
    let (mut stream, _) = StreamClient::connect(&ada.chat(), b"").await;
    stream.synced().await;
    let elsewhere = ada.chat().create_conversation(compose::group("Cake", &[])).await;
    let wait = elsewhere.map_or_else(|status| Some(from_status(&status)), |_| None);
    let append = Append { op: Op::new().to_string(), ..compose::text(&tea, 1, "more") };
    let result = stream.append(append).await;
    let Some(Outcome::Problem(problem)) = result.outcome else { panic!("G8: stored: {result:?}") };
    for problem in wait.into_iter().chain([problem]) {
        assert_eq!(problem.reason(), ErrorReason::RateLimited);
        assert!(says_when(&problem), "G8: {problem:?}");
    }
}

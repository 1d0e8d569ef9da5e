//! What people say, how they are called and what opens their accounts stands in no log, however talkative it is.

use std::fs::{self, File};
use std::process::Stdio;

use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::profile_service_client::ProfileServiceClient;
use parlor_wire::auth::v1::{
    Device, LoginRequest, RegisterRequest, SearchUsersRequest, UpdateProfileRequest,
};
use parlor_wire::chat::v1 as chat;
use parlor_wire::chat::v1::chat_service_client::ChatServiceClient;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::timeout;

use crate::support::{LONG, client_of, program, uuid, with_token};

const WORD: &str = "canarywhispers";

#[tokio::test]
async fn g7_no_log_line_says_what_was_said_or_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = program(&folder.path().join("data"));
    command.args(["--set", "log.filter=debug"]).stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
    let mut server = command.spawn().unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(server.stdout.take().unwrap());
    timeout(LONG, out.read_line(&mut first)).await.expect("the server takes too long to start").unwrap();
    let address = first.trim_end().strip_prefix("listening on ").unwrap();

    let secrets = talk(address).await;
    let pid = server.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").arg(pid).status().await.unwrap().success());
    timeout(LONG, server.wait()).await.expect("the server does not end").unwrap();

    let said = fs::read_to_string(&log).unwrap();
    assert!(said.contains("account created") && said.contains("DEBUG"), "the log is on: {said}");
    for secret in secrets.iter().map(String::as_str).chain([WORD]) {
        let line = said.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert_eq!(line, None, "G7: a secret is in the log");
    }
}

/// All that a log must not repeat, said in calls that succeed and in calls that fail; gives the tokens used.
async fn talk(address: &str) -> Vec<String> {
    let channel = client_of(address).await;
    let mut auth = AuthServiceClient::new(channel.clone());
    let device = Some(Device { device_id: uuid("device"), name: format!("{WORD} phone") });
    let password = format!("{WORD} seven purple elephants");
    let register = RegisterRequest {
        op: uuid("op"),
        username: WORD.to_owned(),
        password: password.clone(),
        display_name: format!("{WORD} Lovelace"),
        device: device.clone(),
    };
    let credentials = auth.register(register.clone()).await.unwrap().into_inner().credentials.unwrap();
    let taken = RegisterRequest { op: uuid("another"), ..register };
    assert!(auth.register(taken).await.is_err());
    let wrong = LoginRequest { username: WORD.to_owned(), password: format!("{password}!"), device };
    assert!(auth.login(wrong).await.is_err());

    let mut people = ProfileServiceClient::new(channel.clone());
    let bio = UpdateProfileRequest { bio: Some(format!("{WORD} of numbers")), ..Default::default() };
    people.update_profile(with_token(bio, &credentials)).await.unwrap();
    let search = SearchUsersRequest { prefix: WORD.to_owned(), ..Default::default() };
    people.search_users(with_token(search, &credentials)).await.unwrap();

    let mut talk = ChatServiceClient::new(channel);
    let group = chat::CreateConversationRequest {
        op: uuid("group"),
        kind: chat::ConversationKind::Group.into(),
        name: format!("{WORD} club"),
        ..Default::default()
    };
    let group = talk.create_conversation(with_token(group, &credentials)).await.unwrap().into_inner();
    let conversation_id = group.conversation.unwrap().id;
    for (body, good) in [(format!("{WORD}: hello"), true), (format!("{WORD}\u{0}"), false)] {
        let text = chat::content::Kind::Text(chat::Text { body });
        let append = chat::Append {
            conversation_id: conversation_id.clone(),
            op: uuid(if good { "good" } else { "bad" }),
            base_seq: 1,
            labels: [("app".to_owned(), WORD.to_owned())].into(),
            content: Some(chat::Content { kind: Some(text) }),
            ..Default::default()
        };
        let request = chat::AppendRequest { append: Some(append) };
        assert_eq!(talk.append(with_token(request, &credentials)).await.is_ok(), good);
    }
    let forged =
        parlor_wire::auth::v1::Credentials { access_token: format!("{WORD}.x.y"), ..credentials.clone() };
    assert!(talk.sync(with_token(chat::SyncRequest::default(), &forged)).await.is_err());
    vec![credentials.access_token, credentials.refresh_token]
}

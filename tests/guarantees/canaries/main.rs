//! G7: what people say, how they are called and what opens their accounts stands in no line of any log, however talkative, in
//! no field of a span, and in no error that somebody else is told.

#[path = "../matrix/named.rs"]
mod named;
#[path = "../matrix/requests.rs"]
mod requests;
mod words;

use std::fs;
use std::path::Path;

use parlor_testkit::{PATIENCE, StreamClient, compose, eventually, raw_answer, reason};
use parlor_tests::account::{Login, PASSWORD};
use parlor_tests::{Server, methods, reading, uploads};
use parlor_types::{Op, UserId};
use parlor_wire::auth::v1::{
    ConfirmEmailRequest, FindByEmailRequest, RefreshRequest, SearchUsersRequest, SetEmailRequest,
    UpdateProfileRequest,
};
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Append, Draft, File, Location, PreferenceChanges, RequestContactRequest, SetPreferences, Text,
};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::{BatchGetMediaUrlsRequest, MediaVariant, Purpose, Variant};
use parlor_wire::presence::v1::{SetStatusRequest, Status};

use named::Named;
use words::{Words, word};

/// What is logged: all there is, of our code and of the libraries below it.
const FILTERS: [(&str, &str); 2] = [("trace", "text"), ("info", "json")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_nothing_that_people_say_is_logged_or_told_to_others_by_an_error() {
    for (filter, format) in FILTERS {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let mails = folder.path().join("mails");
        let (filter, format) = (format!("log.filter={filter}"), format!("log.format={format}"));
        let mail_folder = format!("auth.mail.folder={}", mails.display());
        let mail = ["auth.mail.transport=folder", "auth.mail.from=parlor@example.org"];
        let settings = [&[filter.as_str(), &format, &mail_folder], mail.as_slice()].concat();
        let server = Server::start_with(&data, &settings).await;

        let mut words = Words::default();
        let ada = introduce(&server, &mut words).await;
        proves_an_address(&ada, &mails, &mut words).await;
        let adas = talks(&ada, &mut words).await;
        on_a_stream(&ada, &adas.conversation, &mut words).await;
        fails(&ada, &adas.conversation, &mut words).await;
        let told = errors_told_to_a_stranger(&server, &adas).await;
        server.end().await;

        let log = fs::read(data.with_extension("log")).expect("a log");
        assert!(String::from_utf8_lossy(&log).contains("account created"), "the log is on");
        assert_eq!(words.found_in(&log), Vec::<String>::new(), "G7: in the log with {filter}, {format}");
        assert_eq!(words.found_in(&told), Vec::<String>::new(), "G7: in errors that others are told");
    }
}

/// Somebody new, with a profile.
async fn introduce(server: &Server, words: &mut Words) -> Login {
    let ada = Login::register(server.channel(), &word("name")).await;
    words.add(&ada.username);
    words.add(PASSWORD);
    words.add(&ada.credentials.access_token);
    words.add(&ada.credentials.refresh_token);
    let request = UpdateProfileRequest {
        display_name: Some(words.say("display")),
        bio: Some(words.say("bio")),
        ..UpdateProfileRequest::default()
    };
    ada.profiles().update_profile(request).await.expect("updates");
    let another = ada.another_device(PASSWORD).await.expect("logs in");
    words.add(&another.credentials.access_token);
    let refresh = RefreshRequest {
        refresh_token: another.credentials.refresh_token.clone(),
        op: Op::new().to_string(),
    };
    let fresh = another.auth().refresh(refresh).await.expect("refreshes").into_inner().credentials;
    words.add(&fresh.expect("credentials").access_token);
    let search = SearchUsersRequest { prefix: words.say("search"), ..SearchUsersRequest::default() };
    ada.profiles().search_users(search).await.expect("searches");
    ada
}

async fn proves_an_address(ada: &Login, mails: &Path, words: &mut Words) {
    let address = format!("{}@example.org", words.say("mail"));
    ada.emails().set_email(SetEmailRequest { address: address.clone() }).await.expect("sends a mail");
    let mut code = None;
    eventually("the mail", PATIENCE, async || {
        let files = fs::read_dir(mails).into_iter().flatten().flatten();
        let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
        code = texts.into_iter().find_map(|text| words::code_in(&text));
        code.is_some()
    })
    .await;
    let code = code.expect("it was waited for");
    words.add(&code);
    let wrong = ConfirmEmailRequest { code: "00000000".to_owned() };
    assert_eq!(reason(ada.emails().confirm_email(wrong).await), ErrorReason::CodeInvalid);
    ada.emails().confirm_email(ConfirmEmailRequest { code }).await.expect("proves it");
    let find = FindByEmailRequest { address };
    assert!(ada.emails().find_by_email(find).await.is_err(), "she has not said that she may be found");
}

/// Says something of each kind, unary; what there is then.
async fn talks(ada: &Login, words: &mut Words) -> Named {
    let made = ada.chat().create_conversation(compose::group(&words.say("group"), &[])).await;
    let conversation = made.expect("creates").into_inner().conversation.expect("a row").id;
    let say = async |kind| uploads::say(ada, &conversation, kind).await.expect("says").seq;
    let said = say(Kind::Text(Text { body: words.say("text") })).await;
    let edit = compose::edit(&conversation, said, said, &words.say("edit"));
    ada.chat().append(compose::unary(&edit)).await.expect("edits");
    let labels = [("app".to_owned(), words.say("label"))].into();
    let labelled = Append { labels, ..compose::text(&conversation, said, "with a label") };
    ada.chat().append(compose::unary(&labelled)).await.expect("appends");
    let (name, bytes) = (format!("{}.txt", words.say("file")), words.say("bytes"));
    let file = uploads::upload(&ada.media(), &name, Purpose::File, bytes.as_bytes()).await.expect("uploads");
    say(Kind::File(File { media: uploads::named(&file), caption: words.say("caption") })).await;
    let place = Location { name: words.say("place"), address: words.say("street"), ..Location::default() };
    say(Kind::Location(place)).await;
    reading::log(&ada.chat(), &conversation).await.expect("reads");
    uploads::download(&ada.media(), &file.id, Variant::Original).await.expect("downloads");
    let item = MediaVariant { media_id: file.id.clone(), variant: Variant::Original.into() };
    let urls = ada.media().batch_get_media_urls(BatchGetMediaUrlsRequest { items: vec![item] }).await;
    for url in urls.expect("addresses").into_inner().urls {
        words.add(url.url.rsplit('/').next().expect("a last part"));
    }
    let status = Status { text: words.say("status"), ..Status::default() };
    ada.presence().set_status(SetStatusRequest { status: Some(status) }).await.expect("sets");
    Named {
        conversation,
        user: ada.id(),
        username: ada.username.clone(),
        file: file.id,
        session: ada.credentials.session_id.clone(),
        ..Named::made_up()
    }
}

async fn on_a_stream(ada: &Login, conversation: &str, words: &mut Words) {
    let (mut stream, _) = StreamClient::connect(&ada.chat(), b"").await;
    stream.synced().await;
    stream.append(compose::text(conversation, 1, &words.say("streamed"))).await;
    let changes = PreferenceChanges {
        draft: Some(Draft { text: words.say("draft"), reply_to: 0 }),
        custom_name: Some(words.say("nickname")),
        ..PreferenceChanges::default()
    };
    let conversation_id = conversation.to_owned();
    stream
        .send(Frame::SetPreferences(SetPreferences {
            request_id: 1,
            conversation_id,
            changes: Some(changes),
        }))
        .await;
    stream.ping().await;
    // And what ends it.
    let mut broken = compose::text(conversation, 1, &words.say("broken"));
    broken.op = words.say("op");
    stream.append(broken).await;
    stream.send_bytes(vec![format!("\u{a}\u{7f}{}", words.say("bytes")).into_bytes().into()]).await;
    assert_eq!(stream.end().await.reason(), (ErrorReason::MessageMalformed, false));
}

/// What is refused is not repeated in a log either.
async fn fails(ada: &Login, conversation: &str, words: &mut Words) {
    let bad = compose::text(conversation, 1, &format!("{}\u{0}", words.say("nul")));
    assert!(ada.chat().append(compose::unary(&bad)).await.is_err());
    let wrong = words.say("wrong password");
    assert!(ada.another_device(&wrong).await.is_err());
    let note = words.say("note");
    let request = RequestContactRequest { user_id: UserId::new().to_string(), note };
    assert!(ada.people().request_contact(request).await.is_err());
    let name = format!("../{}", words.say("path"));
    let begun = uploads::begin(&ada.media(), &uploads::beginning(&name, Purpose::File, b"x")).await;
    assert!(begun.is_err(), "a name is no path");
    let forged = format!("{}.x.y", word("token"));
    words.add(&forged);
    for token in [forged.as_str(), &format!("{}x", ada.credentials.access_token)] {
        let path = "/parlor.chat.v1.ChatService/Sync";
        assert!(raw_answer(ada.channel(), Some(token), path, b"").await.is_err());
    }
}

/// All that is said in errors to somebody who asks about what is Ada's.
async fn errors_told_to_a_stranger(server: &Server, adas: &Named) -> Vec<u8> {
    let eve = Login::register(server.channel(), "eve").await;
    let token = &eve.credentials.access_token;
    let mut told = Vec::new();
    for path in methods::public().into_iter().chain(methods::internal()) {
        let method = path.trim_start_matches("/parlor.");
        if method.ends_with("/Logout") {
            continue;
        }
        let request = requests::about(method, adas);
        if let Err(status) = raw_answer(server.channel(), Some(token), &path, &request).await {
            told.extend(status.message().as_bytes());
            told.extend(status.details());
        }
    }
    assert!(!told.is_empty(), "a stranger is refused");
    told
}

//! Three people on a new server, who do some of everything that is kept.

use parlor_testkit::compose;
use parlor_tests::account::Login;
use parlor_tests::samples::jpeg;
use parlor_tests::uploads;
use parlor_types::Seq;
use parlor_wire::auth::v1::UpdateProfileRequest;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    AcceptContactRequest, Append, BlockUserRequest, CreateConversationRequest, Draft, File, Image,
    MarkReadRequest, MarkReceivedRequest, PreferenceChanges, RequestContactRequest, SetPreferencesRequest,
};
use parlor_wire::media::v1::Purpose;
use parlor_wire::presence::v1::{SetStatusRequest, Status};
use tonic::transport::Channel;

/// Tells it; answers who is in it.
pub async fn told(channel: &Channel) -> Vec<Login> {
    let mut people = Vec::new();
    for name in ["ada", "ben", "cem"] {
        let login = Login::register(channel.clone(), name).await;
        presents_themselves(&login, name).await;
        people.push(login);
    }
    let [ada, ben, cem] = &people[..] else { unreachable!("there are three") };
    let group = create(ada, compose::group("Tea", &[ben.id(), cem.id()])).await;
    let direct = create(ada, compose::direct(&ben.id())).await;
    talk(ada, ben, &direct).await;
    share(ada, ben, cem, &group).await;
    know_each_other(ada, ben, cem).await;
    prefer(ada, &group, &direct).await;
    people
}

async fn create(login: &Login, request: CreateConversationRequest) -> String {
    let answer = login.chat().create_conversation(request).await.expect("creates").into_inner();
    answer.conversation.expect("a row").id
}

async fn append(login: &Login, append: Append) -> Seq {
    let answer = login.chat().append(compose::unary(&append)).await.expect("stored").into_inner();
    Seq(answer.appended.expect("where it is").seq)
}

async fn presents_themselves(login: &Login, name: &str) {
    let (display_name, bio) = (Some(format!("The {name}")), Some(format!("Of {name} there is one.")));
    let request = UpdateProfileRequest { display_name, bio, ..UpdateProfileRequest::default() };
    login.profiles().update_profile(request).await.expect("it is changed");
    let status = Some(Status { text: format!("{name} is fine"), ..Status::default() });
    login.presence().set_status(SetStatusRequest { status }).await.expect("it is set");
}

/// Texts, an answer, an edit, a deletion, receipts.
async fn talk(ada: &Login, ben: &Login, direct: &str) {
    for number in 0..5 {
        append(ada, compose::text(direct, 1, &format!("ada says {number}"))).await;
    }
    let said = append(ben, compose::text(direct, 1, "ben says one thing")).await;
    let answer = Append { reply_to: said.0, ..compose::text(direct, said.0, "and ada another") };
    let answered = append(ada, answer).await;
    append(ben, compose::edit(direct, answered.0, said.0, "ben says something else")).await;
    append(ada, compose::delete(direct, answered.0, 3)).await;
    let conversation_id = direct.to_owned();
    let received = MarkReceivedRequest { conversation_id: conversation_id.clone(), seq: said.0 };
    ben.chat().mark_received(received).await.expect("it is marked");
    let read = MarkReadRequest { conversation_id, seq: said.0 - 1 };
    ben.chat().mark_read(read).await.expect("it is marked");
}

/// A picture, a file, a mention, another name, and somebody who goes.
async fn share(ada: &Login, ben: &Login, cem: &Login, group: &str) {
    let picture = uploads::upload(&ada.media(), "tea.jpg", Purpose::Image, &jpeg(600, 400, 6)).await;
    let media = uploads::named(&picture.expect("it is uploaded"));
    append(ada, compose::append(group, 1, Kind::Image(Image { media, caption: "Look.".to_owned() }))).await;
    let note = uploads::upload(&ben.media(), "note.txt", Purpose::File, b"two sugars").await;
    let media = uploads::named(&note.expect("it is uploaded"));
    let file = File { media, ..File::default() };
    append(ben, compose::append(group, 1, Kind::File(file))).await;
    let calling = Append { mention_ids: vec![ben.id()], ..compose::text(group, 1, "Ben, come here.") };
    append(cem, calling).await;
    append(ada, compose::append(group, 1, compose::rename("Tea at five"))).await;
    append(cem, compose::append(group, 1, compose::leave())).await;
    append(ada, compose::text(group, 1, "cem has gone")).await;
}

async fn know_each_other(ada: &Login, ben: &Login, cem: &Login) {
    let asking = RequestContactRequest { user_id: ben.id(), note: "It is me.".to_owned() };
    ada.people().request_contact(asking).await.expect("asks");
    ben.people().accept_contact(AcceptContactRequest { user_id: ada.id() }).await.expect("accepts");
    let asking = RequestContactRequest { user_id: ada.id(), note: "And me.".to_owned() };
    cem.people().request_contact(asking).await.expect("asks");
    ben.people().block_user(BlockUserRequest { user_id: cem.id() }).await.expect("blocks");
}

async fn prefer(ada: &Login, group: &str, direct: &str) {
    let begun = Draft { text: "as I was saying".to_owned(), reply_to: 0 };
    let pinned = PreferenceChanges { pinned: Some(true), draft: Some(begun), ..PreferenceChanges::default() };
    let custom_name = Some("The best of them".to_owned());
    let archived = PreferenceChanges { archived: Some(true), custom_name, ..PreferenceChanges::default() };
    for (conversation, changes) in [(group, pinned), (direct, archived)] {
        let request =
            SetPreferencesRequest { conversation_id: conversation.to_owned(), changes: Some(changes) };
        ada.chat().set_preferences(request).await.expect("they are set");
    }
}

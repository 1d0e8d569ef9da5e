//! Edits and deletes over gRPC: who may, what everybody sees, and what is left.

use std::time::Duration;

use parlor_testkit::{compose, reason};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::list_messages_request::Conversation as Named;
use parlor_wire::chat::v1::{
    Append, Entry, HistoryVisibility, ListMessagesRequest, MarkReadRequest, WithheldReason,
};
use parlor_wire::errors::v1::ErrorReason;
use tonic::Status;

use crate::support::{Scene, User, body, config};

/// A text that is to be found nowhere.
const CANARY: &str = "canary-7d1f";

impl User {
    /// Edits at the head; gives the seq.
    async fn edits(&self, conversation: &str, about: u64, body: &str) -> Result<u64, Status> {
        let base = self.row(conversation).await?.head;
        Ok(self.append(&compose::edit(conversation, base, about, body)).await?.seq)
    }

    async fn deletes(&self, conversation: &str, about: u64) -> Result<u64, Status> {
        let base = self.row(conversation).await?.head;
        Ok(self.append(&compose::delete(conversation, base, about)).await?.seq)
    }

    /// As a person sees it, oldest first.
    async fn messages(&self, conversation: &str) -> Vec<Entry> {
        let conversation = Some(Named::ConversationId(conversation.to_owned()));
        let request = ListMessagesRequest { conversation, page_size: 100, ..ListMessagesRequest::default() };
        let page = self.chat.clone().list_messages(request).await.expect("a page").into_inner();
        page.messages.into_iter().rev().filter_map(|message| message.entry).collect()
    }
}

fn kind(entry: &Entry) -> &Kind {
    entry.kind().expect("a kind")
}

fn deleted_by(entry: &Entry) -> Option<&str> {
    match kind(entry) {
        Kind::Deleted(deleted) => Some(&deleted.user_id),
        _ => None,
    }
}

fn withheld(entry: &Entry) -> Option<WithheldReason> {
    match kind(entry) {
        Kind::Withheld(withheld) => Some(withheld.reason()),
        _ => None,
    }
}

#[tokio::test]
async fn everybody_sees_what_a_message_says_now() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut bens = ben.stream().await;
    let two = ada.says(&tea, "tow").await;
    assert_eq!(bens.event().await.seq, two);
    let edit = ada.edits(&tea, two, "two").await.unwrap();
    let live = bens.event().await;
    assert_eq!((live.seq, live.target, live.message_number), (edit, two, 1), "no message of its own");
    assert!(matches!(kind(&live), Kind::Edit(edit) if edit.body == "two"));
    let last = bens.row().await.last_message.unwrap();
    assert_eq!((body(&last), last.rev), ("two", edit), "the row says so too");
    let seen = ben.log(&tea).await.unwrap();
    assert_eq!((body(&seen[1]), seen[1].rev, seen[1].seq), ("two", edit, two));
    assert_eq!(ben.messages(&tea).await, seen);
    let row = ben.row(&tea).await.unwrap();
    assert_eq!((row.head, row.head_number, row.unread), (edit, 1, 1));

    let delete = ada.deletes(&tea, two).await.unwrap();
    let live = bens.event().await;
    assert_eq!((live.seq, live.target), (delete, two));
    assert!(matches!(kind(&live), Kind::Delete(_)));
    let seen = ben.log(&tea).await.unwrap();
    for place in [two, edit] {
        let entry = &seen[place as usize - 1];
        assert_eq!((deleted_by(entry), entry.rev), (Some(ada.id().as_str()), delete));
    }
    assert_eq!(ben.messages(&tea).await, seen);
    let row = ben.row(&tea).await.unwrap();
    assert_eq!((row.unread, deleted_by(&row.last_message.unwrap())), (1, Some(ada.id().as_str())));
}

#[tokio::test]
async fn who_may_not_change_a_message_is_told_why() {
    use ErrorReason as R;
    let edit_window = Duration::from_millis(1);
    let scene = Scene::with(chat_svc::Config { edit_window, ..config() }).await;
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben, &cleo]).await;
    let two = ben.says(&tea, "two").await;
    assert_eq!(reason(ada.edits(&tea, two, "three").await), R::RoleInsufficient, "not even the owner");
    assert_eq!(reason(cleo.deletes(&tea, two).await), R::RoleInsufficient);
    // waits: the message's age to be more than the edit window
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(reason(ben.edits(&tea, two, "three").await), R::EditTooLate);
    assert_eq!(reason(ben.edits(&tea, 1, "three").await), R::TargetNotFound, "no message");
    assert_eq!(reason(ben.deletes(&tea, 77).await), R::TargetNotFound);
    assert_eq!(reason(ben.deletes(&tea, u64::MAX).await), R::TargetNotFound);
    assert_eq!(reason(ben.edits(&tea, 0, "three").await), R::FieldInvalid);
    let stranger = scene.user().await;
    let foreign = compose::delete(&tea, 2, two);
    assert_eq!(reason(stranger.append(&foreign).await), R::ConversationNotFound, "G7");
    ada.deletes(&tea, two).await.expect("the owner moderates");
    assert_eq!(reason(ben.deletes(&tea, two).await), R::TargetNotFound, "it was deleted");
    let direct = ada.create(compose::direct(&ben.id())).await.unwrap().0.id;
    let hello = ben.says(&direct, "hello").await;
    assert_eq!(reason(ada.deletes(&direct, hello).await), R::RoleInsufficient);
    ben.deletes(&direct, hello).await.unwrap();
}

#[tokio::test]
async fn g2_an_edit_of_what_was_deleted_since_is_answered_as_stored() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let text = compose::text(&tea, 1, "two");
    let two = ben.append(&text).await.unwrap().seq;
    let edit = compose::edit(&tea, two, two, "Two");
    let first = ben.append(&edit).await.unwrap();
    ada.deletes(&tea, two).await.unwrap();
    let again = async |ben: &User| {
        for (append, seq) in [(&text, two), (&edit, first.seq)] {
            let again = ben.append(append).await.unwrap();
            assert_eq!((again.seq, again.duplicate), (seq, true), "G2");
        }
    };
    again(&ben).await;
    let person = ben.person.clone();
    let scene = scene.restart(None, |_| {}).await;
    again(&scene.session(person).await).await;
}

#[tokio::test]
async fn g7_a_change_is_for_those_who_can_read_the_message() {
    let scene = Scene::start().await;
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let (two, three) = (ada.says(&tea, "two").await, ada.says(&tea, "three").await);
    ada.does(&tea, compose::add(&[cleo.id()])).await.unwrap();
    let mut cleos = cleo.stream().await;
    let edit = ada.edits(&tea, two, CANARY).await.unwrap();
    let live = cleos.event().await;
    assert_eq!((live.seq, live.target, withheld(&live)), (edit, 0, Some(WithheldReason::NotMember)), "G7");
    assert_eq!(cleo.log(&tea).await.unwrap().last(), Some(&live), "live and later are the same");
    let delete = ada.deletes(&tea, three).await.unwrap();
    let live = cleos.event().await;
    assert_eq!((live.seq, live.target, withheld(&live)), (delete, 0, Some(WithheldReason::NotMember)), "G7");
    assert_eq!(reason(cleo.deletes(&tea, two).await), ErrorReason::TargetNotFound, "G7: as if it were none");

    let six = ada.says(&tea, "before").await;
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    ada.edits(&tea, six, CANARY).await.unwrap();
    let seen = ben.log(&tea).await.unwrap();
    let last = seen.iter().find(|entry| entry.seq == six).unwrap();
    assert_eq!((withheld(last), last.rev), (Some(WithheldReason::NotMember), six), "G7: it came afterwards");
    let row = ben.row(&tea).await.unwrap();
    assert_eq!(withheld(&row.last_message.unwrap()), Some(WithheldReason::NotMember), "G7");
    ada.does(&tea, compose::history(HistoryVisibility::All)).await.unwrap();
    ada.does(&tea, compose::add(&[ben.id()])).await.unwrap();
    let seen = ben.log(&tea).await.unwrap();
    assert_eq!(body(&seen[six as usize - 1]), CANARY, "all of it is for them now");
}

#[tokio::test]
async fn mentions_follow_edits_and_end_with_deletes() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let two = ada.says(&tea, "two").await;
    let call = Append { mention_ids: vec![ben.id()], ..compose::edit(&tea, two, two, "@ben") };
    ada.append(&call).await.unwrap();
    let row = ben.row(&tea).await.unwrap();
    assert_eq!((row.unread, row.unread_mentions), (1, 1));
    ada.edits(&tea, two, "nobody").await.unwrap();
    assert_eq!(ben.row(&tea).await.unwrap().unread_mentions, 0);
    let again = Append { op: parlor_types::Op::new().to_string(), base_seq: 4, ..call };
    ada.append(&again).await.unwrap();
    assert_eq!(ben.row(&tea).await.unwrap().unread_mentions, 1);
    let mut bens = ben.stream().await;
    ada.deletes(&tea, two).await.unwrap();
    let row = bens.row().await;
    assert_eq!((row.unread, row.unread_mentions), (1, 0));
    let request = MarkReadRequest { conversation_id: tea.clone(), seq: 6 };
    ben.chat.clone().mark_read(request).await.unwrap();
    assert_eq!(ben.row(&tea).await.unwrap().unread, 0);
}

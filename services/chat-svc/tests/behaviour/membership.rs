//! Who may do and read what, as people come and go.

use parlor_testkit::{compose, reason};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::list_messages_request::Conversation as Named;
use parlor_wire::chat::v1::{
    Conversation, FetchRequest, HistoryVisibility, Leave, ListMessagesRequest, ReadableRange, Role,
};
use parlor_wire::errors::v1::ErrorReason;

use crate::support::{Scene, User, body, seqs};

fn range(from_seq: u64, to_seq: u64) -> ReadableRange {
    ReadableRange { from_seq, to_seq }
}

fn role_of(row: &Conversation, user: &User) -> Option<Role> {
    row.members.iter().find(|member| member.user_id == user.id()).map(|member| member.role())
}

#[tokio::test]
async fn g5_g7_who_was_removed_reads_what_was_theirs_and_nothing_after_it() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.says(&tea, "with Ben").await;
    assert_eq!(ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap(), 3);
    ada.says(&tea, "without Ben").await;
    ada.does(&tea, compose::rename("Without Ben")).await.unwrap();
    ada.does(&tea, compose::history(HistoryVisibility::All)).await.unwrap();

    assert_eq!(seqs(&ben.log(&tea).await.unwrap()), [1, 2, 3], "G5, G7");
    let row = ben.row(&tea).await.unwrap();
    assert_eq!((row.name.as_str(), row.head, row.head_number, row.unread), ("Tea", 3, 1, 1), "G7");
    assert_eq!(row.settings.unwrap().history_visibility(), HistoryVisibility::FromJoin, "G7");
    assert_eq!((row.readable.as_slice(), row.members.len()), ([range(1, 3)].as_slice(), 0), "G7");
    assert_eq!(row.last_message.as_ref().map(body), Some("with Ben"));
    let request = FetchRequest { conversation_id: tea.clone(), from_seq: 4, to_seq: 0 };
    let page = ben.chat.clone().fetch(request).await.unwrap().into_inner().page.unwrap();
    assert_eq!((page.entries.len(), page.next_seq, page.head), (0, 0, 3), "G7");
    for kind in [Kind::Leave(Leave::default()), compose::rename("Mine"), compose::add(&[ben.id()])] {
        assert_eq!(reason(ben.does(&tea, kind).await), ErrorReason::ConversationNotFound, "G7");
    }
}

#[tokio::test]
async fn g5_g7_who_comes_back_reads_both_times_and_nothing_in_between() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.says(&tea, "first time").await;
    ben.does(&tea, compose::leave()).await.unwrap();
    ada.says(&tea, "away").await;
    assert_eq!(ada.does(&tea, compose::add(&[ben.id()])).await.unwrap(), 5);

    let row = ben.row(&tea).await.unwrap();
    assert_eq!(row.readable, [range(1, 3), range(5, 0)]);
    assert_eq!((row.head, row.unread), (5, 0), "what came while he was away is not unread");
    let last = row.last_message.expect("he may read one");
    assert_eq!((last.seq, body(&last)), (2, "first time"), "the newest that he may read");

    ada.says(&tea, "second time").await;
    assert_eq!(ben.row(&tea).await.unwrap().unread, 1);
    let fetch = |from_seq, to_seq| {
        let mut chat = ben.chat.clone();
        let request = FetchRequest { conversation_id: tea.clone(), from_seq, to_seq };
        async move { chat.fetch(request).await.unwrap().into_inner().page.unwrap() }
    };
    let first = fetch(1, 0).await;
    assert_eq!((seqs(&first.entries), first.next_seq), (vec![1, 2, 3], 5), "a page has no hole");
    let hole = fetch(4, 4).await;
    assert_eq!((seqs(&hole.entries), hole.next_seq), (vec![], 0), "G7");
    let across = fetch(4, 6).await;
    assert_eq!((seqs(&across.entries), across.next_seq), (vec![5, 6], 0), "from the lowest readable one");
    assert_eq!(seqs(&ben.log(&tea).await.unwrap()), [1, 2, 3, 5, 6], "G5, G7");
    let conversation = Some(Named::ConversationId(tea.clone()));
    let request = ListMessagesRequest { conversation, ..ListMessagesRequest::default() };
    let listed = ben.chat.clone().list_messages(request).await.unwrap().into_inner();
    let listed: Vec<_> = listed.messages.into_iter().filter_map(|message| message.entry).collect();
    assert_eq!(seqs(&listed), [6, 5, 3, 2, 1], "a list goes on beyond the hole");
}

#[tokio::test]
async fn g7_history_is_for_those_who_join_when_it_is_visible() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let (ben, cem, dora) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[]).await;
    ada.says(&tea, "before all").await;
    ada.does(&tea, compose::add(&[ben.id()])).await.unwrap();
    ada.does(&tea, compose::history(HistoryVisibility::All)).await.unwrap();
    ada.does(&tea, compose::add(&[cem.id()])).await.unwrap();
    ada.does(&tea, compose::history(HistoryVisibility::FromJoin)).await.unwrap();
    ada.does(&tea, compose::add(&[dora.id()])).await.unwrap();
    for (user, from) in [(&ada, 1), (&ben, 3), (&cem, 1), (&dora, 7)] {
        assert_eq!(user.row(&tea).await.unwrap().readable, [range(from, 0)]);
        assert_eq!(seqs(&user.log(&tea).await.unwrap()), (from..=7).collect::<Vec<_>>(), "G5, G7");
    }
    assert_eq!(ben.row(&tea).await.unwrap().last_message, None, "the newest message is older than Ben here");
    assert_eq!(cem.row(&tea).await.unwrap().unread, 0, "history is not unread");
}

#[tokio::test]
async fn the_last_owner_who_leaves_has_a_successor() {
    let scene = Scene::start().await;
    let (ada, ben, cem) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.does(&tea, compose::add(&[cem.id()])).await.unwrap();
    ada.does(&tea, compose::set_role(&cem.id(), Role::Admin)).await.unwrap();
    let stays = compose::set_role(&ada.id(), Role::Member);
    assert_eq!(reason(ada.does(&tea, stays).await), ErrorReason::RoleInsufficient, "the last owner");

    let wish = Kind::Leave(Leave { new_owner_id: ben.id() });
    ada.does(&tea, wish).await.unwrap();
    let left = ben.log(&tea).await.unwrap().pop().unwrap().content.unwrap().kind;
    assert_eq!(left, Some(Kind::Leave(Leave { new_owner_id: cem.id() })), "an admin before a member");
    let row = ben.row(&tea).await.unwrap();
    assert_eq!([role_of(&row, &cem), role_of(&row, &ben)], [Some(Role::Owner), Some(Role::Member)]);
    cem.does(&tea, compose::leave()).await.unwrap();
    assert_eq!(role_of(&ben.row(&tea).await.unwrap(), &ben), Some(Role::Owner), "else whoever is left");
    ben.does(&tea, compose::leave()).await.unwrap();
    assert_eq!(reason(ada.does(&tea, compose::leave()).await), ErrorReason::ConversationNotFound);
}

#[tokio::test]
async fn each_role_may_do_what_it_may_and_no_more() {
    let scene = Scene::start().await;
    let (owner, admin, member) = (scene.user().await, scene.user().await, scene.user().await);
    let (other, new) = (scene.user().await, scene.user().await);
    let tea = owner.group(&[&admin, &member, &other]).await;
    owner.does(&tea, compose::set_role(&admin.id(), Role::Admin)).await.unwrap();
    let role = Err(ErrorReason::RoleInsufficient);
    for (who, kind, wanted) in [
        (&member, compose::add(&[new.id()]), role),
        (&member, compose::remove(&[other.id()]), role),
        (&member, compose::rename("Mine"), role),
        (&member, compose::history(HistoryVisibility::All), role),
        (&member, compose::set_role(&member.id(), Role::Owner), role),
        (&admin, compose::set_role(&admin.id(), Role::Owner), role),
        (&admin, compose::remove(&[owner.id()]), role),
        (&admin, compose::remove(&[member.id(), owner.id()]), role),
        (&owner, compose::remove(&[owner.id()]), role),
        (&admin, compose::remove(&[new.id()]), Err(ErrorReason::MemberNotFound)),
        (&owner, compose::set_role(&new.id(), Role::Admin), Err(ErrorReason::MemberNotFound)),
        (&admin, compose::add(&[other.id()]), Err(ErrorReason::AlreadyMember)),
        (&admin, compose::rename("Ours"), Ok(())),
        (&admin, compose::add(&[other.id(), new.id(), new.id()]), Ok(())),
        (&admin, compose::remove(&[other.id()]), Ok(())),
        (&owner, compose::remove(&[admin.id()]), Ok(())),
    ] {
        let asked = format!("{kind:?}");
        let done = who.does(&tea, kind).await.map(drop);
        assert_eq!(done.map_err(|status| reason(Err::<(), _>(status))), wanted, "{asked}");
    }
    let log = new.log(&tea).await.unwrap();
    assert_eq!(
        log[0].content.clone().unwrap().kind,
        Some(compose::add(&[new.id()])),
        "who was there is left out"
    );
    let row = member.row(&tea).await.unwrap();
    assert_eq!((row.name.as_str(), row.member_count), ("Ours", 3));
}

#[tokio::test]
async fn a_direct_conversation_does_not_change_its_members() {
    let scene = Scene::start().await;
    let (ada, ben, cem) = (scene.user().await, scene.user().await, scene.user().await);
    let (row, _) = ada.create(compose::direct(&ben.id())).await.unwrap();
    for kind in [
        compose::add(&[cem.id()]),
        compose::remove(&[ben.id()]),
        compose::leave(),
        compose::rename("Us"),
        compose::history(HistoryVisibility::All),
        compose::set_role(&ben.id(), Role::Owner),
    ] {
        assert_eq!(reason(ada.does(&row.id, kind).await), ErrorReason::ContentNotAllowed);
    }
}

//! Contacts and requests: both sides, all devices, live and later.

use parlor_testkit::{StreamClient, people_client, reason};
use parlor_types::UserId;
use parlor_wire::chat::v1::server_frame::Kind as Frame;
use parlor_wire::chat::v1::{
    AcceptContactRequest, BlockUserRequest, GetPrivacyRequest, ListPeopleRequest, PeopleFilter, Person,
    Relation, RemoveContactRequest, RequestContactRequest, SetPrivacyRequest, SyncRequest, SyncResponse,
    UnblockUserRequest,
};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use tonic::Status;

use crate::acts::told;
use crate::support::{Scene, User};

#[tokio::test]
async fn a_request_is_shown_and_answered_on_all_devices() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tablet = scene.another_session(&ada).await;
    let (mut on_tablet, mut on_bens) = (tablet.stream().await, ben.stream().await);
    let asked = ada.request(&ben, "We met\nat tea.").await.unwrap();
    assert_eq!((asked.relation(), asked.note.as_str()), (Relation::Requested, "We met\nat tea."));
    assert!(asked.changed_at.is_some_and(|at| at.seconds > 0));
    let note = || "We met\nat tea.".to_owned();
    assert_eq!(told(&mut on_bens).await, (ada.id(), Relation::RequestReceived, note(), false));
    assert_eq!(told(&mut on_tablet).await, (ben.id(), Relation::Requested, note(), false));
    assert_eq!(ada.request(&ben, "Tea!").await.unwrap().note, "Tea!");
    assert_eq!(told(&mut on_bens).await.2, "Tea!", "asking again changes the note");

    assert_eq!(ben.accept(&ada).await.unwrap().relation(), Relation::Contact);
    told(&mut on_tablet).await;
    assert_eq!(told(&mut on_tablet).await, (ben.id(), Relation::Contact, String::new(), false));
    assert_eq!(told(&mut on_bens).await, (ada.id(), Relation::Contact, String::new(), false));
    assert_eq!(ben.accept(&ada).await.unwrap().relation(), Relation::Contact, "a retry is a retry");
    assert_eq!(ada.request(&ben, "again").await.unwrap().relation(), Relation::Contact);

    assert_eq!(ada.remove(&ben).await.unwrap().relation(), Relation::Unspecified);
    for (stream, other) in [(&mut on_tablet, &ben), (&mut on_bens, &ada)] {
        assert_eq!(told(stream).await, (other.id(), Relation::Unspecified, String::new(), false));
        stream.ping().await;
        let more = stream.take_mail();
        assert!(!more.iter().any(|frame| matches!(frame, Frame::SyncPerson(_))), "once each: {more:?}");
    }
    assert_eq!(ada.listed(PeopleFilter::Unspecified).await, []);
}

#[tokio::test]
async fn a_request_can_be_declined_and_withdrawn() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    for ends in [&ada, &ben] {
        let other = if ends.id() == ada.id() { &ben } else { &ada };
        ada.request(&ben, "").await.unwrap();
        assert_eq!(ends.remove(other).await.unwrap().relation(), Relation::Unspecified);
        assert_eq!(ada.listed(PeopleFilter::Requests).await, []);
        assert_eq!(ben.listed(PeopleFilter::Requests).await, []);
        assert_eq!(reason(ben.accept(&ada).await), ErrorReason::RequestNotFound);
    }
    assert_eq!(ada.remove(&ben).await.unwrap().relation(), Relation::Unspecified, "nothing ends nothing");
    let cleo = scene.user().await;
    assert_eq!(reason(ada.accept(&cleo).await), ErrorReason::RequestNotFound);
}

#[tokio::test]
async fn requests_that_cross_become_a_friendship() {
    let scene = Scene::start().await;
    for _ in 0..20 {
        let (ada, ben) = (scene.user().await, scene.user().await);
        let (one, other) = tokio::join!(ada.request(&ben, "a"), ben.request(&ada, "b"));
        let mut relations = [one.unwrap().relation(), other.unwrap().relation()];
        relations.sort();
        assert_eq!(relations, [Relation::Requested, Relation::Contact], "one of them came second");
        for (user, other) in [(&ada, &ben), (&ben, &ada)] {
            let contacts = user.listed(PeopleFilter::Contacts).await;
            assert_eq!(
                contacts.iter().map(|person| person.user_id.clone()).collect::<Vec<_>>(),
                [other.id()]
            );
            assert_eq!(contacts[0].note, "");
        }
    }
}

#[tokio::test]
async fn people_are_listed_page_by_page() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let mut others = Vec::new();
    for number in 0..7 {
        let other = scene.user().await;
        match number % 3 {
            0 => ada.befriend(&other).await,
            1 => drop(other.request(&ada, "").await.unwrap()),
            _ => drop(ada.block(&other).await),
        }
        others.push((other.id(), number % 3));
    }
    others.sort();
    let page = async |filter: PeopleFilter, page_size, page_token: String| {
        let request = ListPeopleRequest { filter: filter.into(), page_size, page_token };
        ada.people.clone().list_people(request).await.map(tonic::Response::into_inner)
    };
    for (filter, kind) in [
        (PeopleFilter::Unspecified, None),
        (PeopleFilter::Contacts, Some(0)),
        (PeopleFilter::Requests, Some(1)),
        (PeopleFilter::Blocked, Some(2)),
    ] {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let answer = page(filter, 2, token).await.unwrap();
            assert!(answer.people.len() <= 2);
            found.extend(answer.people.into_iter().map(|person| person.user_id));
            token = answer.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let wanted = others.iter().filter(|(_, number)| kind.is_none_or(|kind| *number == kind));
        assert_eq!(found, wanted.map(|(id, _)| id.clone()).collect::<Vec<_>>(), "{filter:?}, by id");
    }
    let token = page(PeopleFilter::Unspecified, 2, String::new()).await.unwrap().next_page_token;
    let other_list = page(PeopleFilter::Blocked, 2, token.clone()).await;
    assert_eq!(reason(other_list), ErrorReason::PageTokenInvalid);
    let ben = scene.user().await;
    let request = ListPeopleRequest { page_token: token, ..ListPeopleRequest::default() };
    assert_eq!(reason(ben.people.clone().list_people(request).await), ErrorReason::PageTokenInvalid);
}

/// The people and settings that a sync on a stream told, before its end.
fn synced(mail: Vec<Frame>) -> (Vec<Person>, usize) {
    let (mut people, mut settings) = (Vec::new(), 0);
    for frame in mail {
        match frame {
            Frame::SyncPerson(changed) => people.extend(changed.person),
            Frame::SyncPrivacy(_) => settings += 1,
            _ => {}
        }
    }
    people.sort_by(|a, b| a.user_id.cmp(&b.user_id));
    (people, settings)
}

async fn sync(user: &User, cursor: &[u8]) -> SyncResponse {
    let request = SyncRequest { cursor: cursor.to_vec().into(), ..SyncRequest::default() };
    let mut answer = user.chat.clone().sync(request).await.expect("a page").into_inner();
    answer.people.sort_by(|a, b| a.user_id.cmp(&b.user_id));
    answer
}

#[tokio::test]
async fn a_device_learns_what_changed_while_it_was_away() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let others = [scene.user().await, scene.user().await, scene.user().await];
    ada.befriend(&others[0]).await;
    ada.request(&others[1], "").await.unwrap();
    ada.remove(&others[1]).await.unwrap();

    let (mut stream, _) = StreamClient::connect(&ada.chat, b"").await;
    let cursor = stream.synced().await.1;
    let (people, settings) = synced(stream.take_mail());
    assert_eq!(people, ada.listed(PeopleFilter::Unspecified).await, "what there is, before SyncDone");
    assert_eq!((people.len(), settings), (1, 1));
    let answer = sync(&ada, b"").await;
    assert_eq!((answer.people, answer.privacy.is_some()), (people, true), "the same without a stream");
    drop(stream);

    ada.remove(&others[0]).await.unwrap();
    ada.block(&others[2]).await;
    let (mut stream, _) = StreamClient::connect(&ada.chat, &cursor).await;
    let newer = stream.synced().await.1;
    let (people, settings) = synced(stream.take_mail());
    let (gone, blocked) = (others[0].id(), others[2].id());
    let mut wanted = [(gone, false), (blocked, true)];
    wanted.sort();
    let seen: Vec<_> = people.iter().map(|person| (person.user_id.clone(), person.blocked)).collect();
    assert_eq!(
        (seen.as_slice(), settings),
        (&wanted[..], 0),
        "what changed, also what has ended, and no more"
    );
    let answer = sync(&ada, &cursor).await;
    assert_eq!((answer.people, answer.privacy), (people, None));
    assert_eq!(sync(&ada, &newer).await.people, [], "nothing twice");
}

#[tokio::test]
async fn a_checkpoint_covers_people() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let mut stream = ada.stream().await;
    ben.request(&ada, "").await.unwrap();
    // A cursor stays one commit behind what was delivered.
    ada.set_privacy(SetPrivacyRequest { read_receipts: Some(false), ..SetPrivacyRequest::default() }).await;
    assert_eq!(told(&mut stream).await.1, Relation::RequestReceived);
    let cursor = stream.find("a Checkpoint", |frame| match frame {
        Frame::Checkpoint(checkpoint) => Some(checkpoint.cursor.clone()),
        _ => None,
    });
    let cursor = cursor.await;
    assert_eq!(sync(&ada, &cursor).await.people, []);
}

#[tokio::test]
async fn many_people_come_in_pages() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    // More than a page of a sync, more than a part of a stream's.
    let channel = scene.channel().await;
    for _ in 0..520 {
        let mut people = people_client(channel.clone(), Some(&scene.auth.person().token));
        let request = RequestContactRequest { user_id: ada.id(), note: String::new() };
        people.request_contact(request).await.unwrap();
    }
    let (mut found, mut page_token) = (Vec::new(), String::new());
    let cursor = loop {
        let request = SyncRequest { page_token, ..SyncRequest::default() };
        let page = ada.chat.clone().sync(request).await.unwrap().into_inner();
        found.extend(page.people.into_iter().map(|person| person.user_id));
        assert_eq!(page.privacy.is_some(), page.next_page_token.is_empty());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break page.cursor;
        }
        assert!(page.cursor.is_empty(), "a cursor comes at the end");
    };
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 520);
    assert!(sync(&ada, &cursor).await.people.is_empty());
    let mut stream = ada.stream().await;
    let (people, settings) = synced(stream.take_mail());
    assert_eq!((people.len(), settings), (520, 1));
}

#[tokio::test]
async fn people_outlive_a_restart() {
    let scene = Scene::start().await;
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    ada.request(&ben, "hi").await.unwrap();
    ada.block(&cleo).await;
    let before = (ada.listed(PeopleFilter::Unspecified).await, ben.listed(PeopleFilter::Unspecified).await);
    let persons = (ada.person, ben.person);
    let scene = scene.restart(None, |_| {}).await;
    let (ada, ben) = (scene.session(persons.0).await, scene.session(persons.1).await);
    let after = (ada.listed(PeopleFilter::Unspecified).await, ben.listed(PeopleFilter::Unspecified).await);
    assert_eq!(before, after, "G1");
}

/// The reason, and the fields it names.
fn fault<T: std::fmt::Debug>(result: Result<T, Status>) -> (ErrorReason, Vec<String>) {
    let problem = from_status(&result.expect_err("the call fails"));
    (problem.reason(), problem.violations.into_iter().map(|violation| violation.field).collect())
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_named() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let mut people = ada.people.clone();
    let invalid = |field: &str| (ErrorReason::FieldInvalid, vec![field.to_owned()]);
    let bad_ids = [String::new(), "ada".to_owned(), ben.id().to_uppercase(), ada.id()];
    for user_id in bad_ids {
        let id = || user_id.clone();
        let request = RequestContactRequest { user_id: id(), note: String::new() };
        assert_eq!(fault(people.request_contact(request).await), invalid("user_id"), "{user_id}");
        assert_eq!(
            fault(people.accept_contact(AcceptContactRequest { user_id: id() }).await),
            invalid("user_id")
        );
        assert_eq!(
            fault(people.remove_contact(RemoveContactRequest { user_id: id() }).await),
            invalid("user_id")
        );
        assert_eq!(fault(people.block_user(BlockUserRequest { user_id: id() }).await), invalid("user_id"));
        assert_eq!(
            fault(people.unblock_user(UnblockUserRequest { user_id: id() }).await),
            invalid("user_id")
        );
    }
    for note in ["x".repeat(201), "bell\u{7}".to_owned(), "tab\t".to_owned(), "c1\u{85}".to_owned()] {
        let request = RequestContactRequest { user_id: ben.id(), note };
        assert_eq!(fault(people.request_contact(request).await), invalid("note"));
    }
    let longest = "ü".repeat(200);
    assert_eq!(ada.request(&ben, &longest).await.unwrap().note, longest, "characters, not bytes");
    let request = ListPeopleRequest { filter: 99, ..ListPeopleRequest::default() };
    assert_eq!(fault(people.list_people(request).await), invalid("filter"));
    let request = ListPeopleRequest { page_token: "%".to_owned(), ..ListPeopleRequest::default() };
    assert_eq!(fault(people.list_people(request).await).0, ErrorReason::PageTokenInvalid);
    let none = SetPrivacyRequest::default();
    for (request, field) in [
        (SetPrivacyRequest { online: 4, ..none }, "online"),
        (SetPrivacyRequest { last_seen: -1, ..none }, "last_seen"),
        (SetPrivacyRequest { direct: 99, ..none }, "direct"),
        (SetPrivacyRequest { groups: i32::MAX, ..none }, "groups"),
    ] {
        assert_eq!(fault(people.set_privacy(request).await), invalid(field));
    }
    let nobody = UserId::new();
    scene.auth.forget(nobody);
    let user_id = nobody.to_string();
    let request = RequestContactRequest { user_id: user_id.clone(), note: String::new() };
    assert_eq!(fault(people.request_contact(request).await).0, ErrorReason::UserNotFound);
    let block = people.block_user(BlockUserRequest { user_id: user_id.clone() }).await;
    assert_eq!(fault(block).0, ErrorReason::UserNotFound);
    scene.auth.answers(false);
    let block = people.block_user(BlockUserRequest { user_id: ben.id() }).await;
    assert_eq!(fault(block).0, ErrorReason::Unavailable);
    let unblock = people.unblock_user(UnblockUserRequest { user_id }).await;
    assert!(unblock.is_ok(), "what needs no look-up works while there is none");
}

#[tokio::test]
async fn nobody_without_a_token_is_answered() {
    let scene = Scene::start().await;
    let mut people = people_client(scene.channel().await, None);
    let user_id = || UserId::new().to_string();
    let request = RequestContactRequest { user_id: user_id(), note: String::new() };
    let missing = ErrorReason::TokenMissing;
    assert_eq!(reason(people.request_contact(request).await), missing);
    assert_eq!(reason(people.accept_contact(AcceptContactRequest { user_id: user_id() }).await), missing);
    assert_eq!(reason(people.remove_contact(RemoveContactRequest { user_id: user_id() }).await), missing);
    assert_eq!(reason(people.block_user(BlockUserRequest { user_id: user_id() }).await), missing);
    assert_eq!(reason(people.unblock_user(UnblockUserRequest { user_id: user_id() }).await), missing);
    assert_eq!(reason(people.list_people(ListPeopleRequest::default()).await), missing);
    assert_eq!(reason(people.get_privacy(GetPrivacyRequest {}).await), missing);
    assert_eq!(reason(people.set_privacy(SetPrivacyRequest::default()).await), missing);
}

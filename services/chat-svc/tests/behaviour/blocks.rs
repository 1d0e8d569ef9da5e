//! Blocks: what a blocked sender's messages become, and that nobody can tell that they are blocked.

use std::collections::BTreeSet;

use parlor_testkit::{StreamClient, compose, reason};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::list_messages_request::Conversation as Named;
use parlor_wire::chat::v1::server_frame::Kind as Frame;
use parlor_wire::chat::v1::{
    Audience, Entry, ListMessagesRequest, MarkReadRequest, PeopleFilter, Person, Relation, SetPrivacyRequest,
    WithheldReason,
};
use parlor_wire::errors::v1::ErrorReason;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use tonic::{Code, Status};

use crate::acts::told;
use crate::support::{Scene, User, body};

fn is_withheld(entry: &Entry) -> bool {
    match entry.kind() {
        Some(Kind::Withheld(withheld)) => {
            assert_eq!(withheld.reason(), WithheldReason::SenderBlocked);
            assert!(
                entry.mention_ids.is_empty() && entry.labels.is_empty() && entry.reply_to == 0,
                "{entry:?}"
            );
            true
        }
        _ => false,
    }
}

async fn listed(user: &User, conversation: &str) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListMessagesRequest {
            conversation: Some(Named::ConversationId(conversation.to_owned())),
            page_token,
            page_size: 7,
            ..ListMessagesRequest::default()
        };
        let page = user.chat.clone().list_messages(request).await.expect("a page").into_inner();
        all.extend(page.messages.into_iter().filter_map(|message| message.entry));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            all.reverse();
            return all;
        }
    }
}

#[tokio::test]
async fn g7_what_a_blocked_sender_writes_comes_without_its_content() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let direct = ada.create(compose::direct(&ben.id())).await.unwrap().0.id;
    ben.says(&direct, "before").await;
    let mut stream = ada.stream().await;
    assert!(ada.block(&ben).await.blocked);
    let mut rich = compose::text(&direct, 2, "after");
    rich.mention_ids = vec![ada.id()];
    rich.reply_to = 2;
    rich.labels.insert("app".to_owned(), "1".to_owned());
    let sent = ben.append(&rich).await.unwrap();
    assert_eq!((sent.seq, sent.duplicate), (3, false), "accepted as ever");
    let live = stream.event().await;
    assert!(is_withheld(&live), "G7: {live:?}");
    assert_eq!((live.seq, live.message_number, live.sender_id.clone()), (3, 2, ben.id()), "the seq stays");
    assert_eq!(ada.log(&direct).await.unwrap()[2], live);
    assert_eq!(listed(&ada, &direct).await[2], live);
    let row = ada.row(&direct).await.unwrap();
    assert_eq!((row.head, row.unread, body(row.last_message.as_ref().unwrap())), (3, 1, "before"));
    assert_eq!(row.active_at, ada.log(&direct).await.unwrap()[1].time, "nothing came that can be seen");

    assert!(!ada.unblock(&ben).await.blocked);
    assert!(is_withheld(&ada.log(&direct).await.unwrap()[2]), "what was withheld stays withheld");
    ben.says(&direct, "again").await;
    assert_eq!(body(&stream.event().await), "again");
    let log = ada.log(&direct).await.unwrap();
    let bodies: Vec<&str> = log.iter().map(body).collect();
    assert_eq!(bodies, ["", "before", "", "again"]);
    assert_eq!(ada.row(&direct).await.unwrap().unread, 2);
    assert_eq!(body(&ben.log(&direct).await.unwrap()[2]), "after", "the sender has it");
}

#[tokio::test]
async fn a_block_ends_what_there_was_on_both_sides() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    ada.befriend(&ben).await;
    let mut on_bens = ben.stream().await;
    let mut on_adas = ada.stream().await;
    on_bens.take_mail();
    on_adas.take_mail();
    let blocked = ada.block(&ben).await;
    assert_eq!((blocked.relation(), blocked.blocked), (Relation::Unspecified, true));
    let nothing = String::new;
    assert_eq!(told(&mut on_adas).await, (ben.id(), Relation::Unspecified, nothing(), true));
    assert_eq!(told(&mut on_bens).await, (ada.id(), Relation::Unspecified, nothing(), false), "as a removal");
    assert_eq!(reason(ada.request(&ben, "").await), ErrorReason::UserBlocked);
    assert_eq!(ada.listed(PeopleFilter::Blocked).await.len(), 1);
    assert_eq!(ben.listed(PeopleFilter::Unspecified).await, []);
    // What Ben asks now reaches nobody, and waits for nobody.
    ben.request(&ada, "please").await.unwrap();
    ada.unblock(&ben).await;
    assert_eq!(told(&mut on_adas).await, (ben.id(), Relation::Unspecified, nothing(), false));
    assert_eq!(ada.listed(PeopleFilter::Unspecified).await, []);
    assert_eq!(ada.request(&ben, "").await.unwrap().relation(), Relation::Contact, "until Ada asks too");
}

#[tokio::test]
async fn whom_one_has_blocked_one_does_not_bring_in() {
    let scene = Scene::start().await;
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&cleo]).await;
    ada.block(&ben).await;
    let blocked = ErrorReason::UserBlocked;
    assert_eq!(reason(ada.create(compose::direct(&ben.id())).await), blocked);
    assert_eq!(reason(ada.create(compose::group("Chess", &[cleo.id(), ben.id()])).await), blocked);
    assert_eq!(reason(ada.does(&tea, compose::add(&[ben.id()])).await), blocked);
    ada.unblock(&ben).await;
    ada.does(&tea, compose::add(&[ben.id()])).await.unwrap();
    ada.create(compose::direct(&ben.id())).await.unwrap();
}

#[tokio::test]
async fn in_a_group_only_messages_to_whoever_blocks_are_withheld() {
    let scene = Scene::start().await;
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ben.group(&[&ada, &cleo]).await;
    let (mut on_adas, mut on_cleos) = (ada.stream().await, cleo.stream().await);
    ada.block(&ben).await;
    ben.says(&tea, "hidden").await;
    ben.does(&tea, compose::rename("Coffee")).await.unwrap();
    cleo.says(&tea, "shown").await;
    assert!(is_withheld(&on_adas.event().await), "G7");
    assert!(matches!(on_adas.event().await.content.unwrap().kind, Some(Kind::Rename(_))), "G5: what happens");
    assert_eq!(body(&on_adas.event().await), "shown");
    assert_eq!(body(&on_cleos.event().await), "hidden");
    let row = ada.row(&tea).await.unwrap();
    assert_eq!((row.unread, row.name.as_str(), row.head_number), (1, "Coffee", 2));
    assert_eq!(cleo.row(&tea).await.unwrap().unread, 0, "own messages read");
}

/// All that a caller can see of an answer, but for ids and times.
fn seen<T: std::fmt::Debug>(result: Result<T, Status>) -> Result<T, (Code, String, Vec<u8>)> {
    result.map_err(|status| (status.code(), status.message().to_owned(), status.details().to_vec()))
}

fn without_who(person: Person) -> Person {
    assert!(person.changed_at.is_some());
    Person { user_id: String::new(), changed_at: None, ..person }
}

/// What `sender` is answered and told of all they may do about `other`, who does nothing, or nothing but to read.
async fn answers(sender: &User, other: &User, reads: bool, stream: &mut StreamClient) -> Vec<String> {
    let mut all = Vec::new();
    let direct = sender.create(compose::direct(&other.id())).await.expect("it is there");
    all.push(format!("{:?}", (direct.1, direct.0.head, direct.0.unread, direct.0.members.len())));
    let id = direct.0.id;
    let text = compose::text(&id, 1, "hello");
    for _ in 0..2 {
        let sent = sender.append(&text).await.expect("a member may write");
        all.push(format!("{:?}", (sent.seq, sent.message_number, sent.duplicate)));
    }
    let mut mention = compose::text(&id, 2, "@you");
    mention.mention_ids = vec![other.id()];
    all.push(format!("{:?}", sender.append(&mention).await.expect("a member may write").seq));
    if reads {
        let request = MarkReadRequest { conversation_id: id.clone(), seq: 3 };
        other.chat.clone().mark_read(request).await.expect("what one may read one may mark");
    }
    let row = sender.row(&id).await.expect("a row");
    let marks: Vec<_> = row.members.iter().filter(|member| member.user_id == other.id()).collect();
    all.push(format!(
        "{:?}",
        (row.head, row.unread, row.last_message.map(|entry| entry.seq), marks[0].marks)
    ));
    let log = sender.log(&id).await.expect("a log");
    all.push(format!("{:?}", log.iter().map(body).collect::<Vec<_>>()));
    for note in ["hi", "hi", "please"] {
        all.push(format!("{:?}", seen(sender.request(other, note).await).map(without_who)));
    }
    all.push(format!("{:?}", seen(sender.accept(other).await)));
    let people = sender.listed(PeopleFilter::Requests).await;
    let about: Vec<Person> = people.into_iter().filter(|person| person.user_id == other.id()).collect();
    all.push(format!("{:?}", about.into_iter().map(without_who).collect::<Vec<_>>()));
    all.push(format!("{:?}", seen(sender.remove(other).await).map(without_who)));
    all.push(format!("{:?}", without_who(sender.block(other).await)));
    let unblocked = sender.unblock(other).await;
    all.push(format!("{:?}", without_who(unblocked.clone())));
    // Of several changes of a person only the last is sure to be told.
    let last = |frame: &Frame| match frame {
        Frame::SyncPerson(changed) => changed.person.clone().filter(|person| *person == unblocked),
        _ => None,
    };
    stream.find("the last change", last).await;
    let of_the_end = |frame: &Frame| matches!(frame, Frame::Receipts(_)).then_some(());
    stream.find("receipts, as the sender's own block has ended", of_the_end).await;
    stream.ping().await;
    for frame in stream.take_mail() {
        match frame {
            Frame::Event(event) => all.push(format!("{:?}", event.entry.map(|entry| entry.seq))),
            Frame::Receipts(_) => all.push("receipts".to_owned()),
            Frame::Typing(_) => all.push("typing".to_owned()),
            _ => {}
        }
    }
    all
}

#[tokio::test]
async fn g7_a_blocked_sender_is_answered_as_any_other() {
    let scene = Scene::start().await;
    let mut both = Vec::new();
    for blocks in [false, true] {
        let (sender, other) = (scene.user().await, scene.user().await);
        sender.create(compose::direct(&other.id())).await.unwrap();
        if blocks {
            other.block(&sender).await;
        }
        let mut stream = scene.another_session(&sender).await.stream().await;
        stream.take_mail();
        both.push(answers(&sender, &other, blocks, &mut stream).await);
    }
    assert_eq!(both[0], both[1], "G7");
}

#[tokio::test]
async fn g7_being_blocked_looks_like_being_let_in_by_nobody() {
    let scene = Scene::start().await;
    let sender = scene.user().await;
    let (blocking, shy, open) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = sender.group(&[&blocking, &shy, &open]).await;
    blocking.block(&sender).await;
    let nobody = Audience::Nobody.into();
    shy.set_privacy(SetPrivacyRequest { direct: nobody, groups: nobody, ..SetPrivacyRequest::default() })
        .await;
    let chess = sender.group(&[]).await;
    let mut both = Vec::new();
    for other in [&blocking, &shy] {
        both.push([
            seen(sender.create(compose::direct(&other.id())).await.map(drop)),
            seen(sender.create(compose::group("Go", &[other.id(), open.id()])).await.map(drop)),
            seen(sender.does(&chess, compose::add(&[other.id()])).await.map(drop)),
            seen(sender.does(&tea, compose::add(&[other.id()])).await.map(drop)),
        ]);
    }
    assert_eq!(both[0], both[1], "G7");
    assert!(both[0].iter().all(Result::is_err));
    let late = scene.user().await;
    sender.does(&tea, compose::add(&[blocking.id(), late.id()])).await.expect("members are not asked again");
}

/// What a reader should see of an entry: `None` is withheld.
type Sight = Vec<(u64, Option<String>)>;

fn sight(entries: &[Entry]) -> Sight {
    let one = |entry: &Entry| (entry.seq, (!is_withheld(entry)).then(|| body(entry).to_owned()));
    entries.iter().map(one).collect()
}

/// Random blocks, unblocks and messages in a group, against a model that remembers who had blocked whom.
async fn a_random_history(scene: &Scene, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut users = Vec::new();
    for _ in 0..4 {
        users.push(scene.user().await);
    }
    let others: Vec<&User> = users[1..].iter().collect();
    let tea = users[0].group(&others).await;
    let mut streams = Vec::new();
    for user in &users {
        streams.push(user.stream().await);
    }
    let mut blocked = BTreeSet::new();
    let mut model: Vec<Sight> = vec![vec![(1, Some(String::new()))]; users.len()];
    let mut head = 1;
    for step in 0..60 {
        let (one, other) = (random.random_range(0..users.len()), random.random_range(0..users.len()));
        match random.random_range(0..10) {
            0..=1 if one != other => {
                users[one].block(&users[other]).await;
                blocked.insert((one, other));
            }
            2 if one != other => {
                users[one].unblock(&users[other]).await;
                blocked.remove(&(one, other));
            }
            _ => {
                let said = format!("{step}");
                let sent =
                    users[one].append(&compose::text(&tea, head, &said)).await.expect("a member may write");
                head += 1;
                assert_eq!(sent.seq, head);
                for (reader, sight) in model.iter_mut().enumerate() {
                    let shown = !blocked.contains(&(reader, one));
                    sight.push((head, shown.then(|| said.clone())));
                }
            }
        }
    }
    for ((user, stream), model) in users.iter().zip(&mut streams).zip(&model) {
        stream.ping().await;
        let live = stream.take_mail().into_iter().filter_map(|frame| match frame {
            Frame::Event(event) => event.entry,
            _ => None,
        });
        let live: Vec<Entry> = live.collect();
        let fetched = user.log(&tea).await.expect("a log");
        assert_eq!(&sight(&fetched), model, "G7, G5: seed {seed}");
        assert_eq!(live, fetched[1..], "G6: live is what is fetched, seed {seed}");
        assert_eq!(listed(user, &tea).await, fetched, "seed {seed}");
        let row = user.row(&tea).await.expect("a row");
        let last = model.iter().rev().find(|(seq, said)| *seq > 1 && said.is_some());
        assert_eq!(row.last_message.map(|entry| entry.seq), last.map(|(seq, _)| *seq), "seed {seed}");
        let read = row.marks.expect("own marks").read;
        let unread = model.iter().filter(|(seq, said)| *seq > read && said.is_some()).count();
        assert_eq!(row.unread, unread as u64, "seed {seed}");
    }
}

#[tokio::test]
async fn g7_each_reader_sees_what_it_should_live_fetched_and_listed() {
    let scene = Scene::start().await;
    for seed in 0..6 {
        a_random_history(&scene, seed).await;
    }
}

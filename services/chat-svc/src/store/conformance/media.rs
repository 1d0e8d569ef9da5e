//! Files that entries name, one rule after another.

use bytes::Bytes;
use parlor_types::{Id as _, MediaId};
use parlor_wire::media::v1 as wire;
use prost::Message as _;

use super::people::relate;
use super::*;
use crate::conversation::{AlbumItem, Description, HistoryVisibility, Media, Purpose};
use crate::people::Action;

rules!(
    a_file_is_for_those_who_may_read_an_entry_that_names_it,
    a_file_in_a_gap_is_for_those_who_were_there,
    what_is_withheld_gives_no_file,
    a_picture_of_a_group_is_for_all_in_whose_list_it_is,
    an_album_names_all_that_is_in_it,
    a_file_that_many_entries_name_is_found_alike,
    members_are_those_of_now,
);

/// A described file, the same for the same number.
pub(super) fn file(number: u8, purpose: Purpose) -> Media {
    let id = MediaId::from_bytes([number; 16]);
    let code = match purpose {
        Purpose::Image => wire::Purpose::Image,
        Purpose::File => wire::Purpose::File,
        Purpose::Voice => wire::Purpose::Voice,
        Purpose::Video => wire::Purpose::Video,
        Purpose::Avatar => wire::Purpose::Avatar,
    };
    let media = wire::Media { id: id.to_string(), purpose: code.into(), size: 5, ..wire::Media::default() };
    let encoded = Bytes::from(media.encode_to_vec());
    Media { id, description: Some(Description { purpose, encoded }) }
}

/// A picture sent by somebody.
pub(super) fn image(sender: UserId, number: u8) -> (UserId, Content) {
    (sender, Content::Image { media: file(number, Purpose::Image), caption: format!("picture {number}") })
}

/// Another picture of the group.
fn avatar(sender: UserId, number: u8) -> (UserId, Content) {
    (sender, Content::SetAvatar(Some(file(number, Purpose::Avatar))))
}

fn ids(numbers: &[u8]) -> Vec<MediaId> {
    numbers.iter().map(|number| MediaId::from_bytes([*number; 16])).collect()
}

/// Which of the files up to 9 a user can have.
async fn readable(store: &Arc<dyn Store>, user: UserId) -> Vec<u8> {
    let found = store.readable_media(user, ids(&[1, 2, 3, 4, 5, 6, 7, 8, 9])).await.unwrap();
    found.into_iter().map(|id| id.bytes()[0]).collect()
}

async fn a_file_is_for_those_who_may_read_an_entry_that_names_it(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut tea) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let contents = [group(ada, &[ben], Settings::default()), image(ada, 1), (ada, Content::Add(vec![cleo]))];
    append(&store, tea.batch(&contents)).await.unwrap();
    assert_eq!(readable(&store, ada).await, [1]);
    assert_eq!(readable(&store, ben).await, [1]);
    assert!(readable(&store, cleo).await.is_empty(), "G7: from before she came");
    assert!(readable(&store, UserId::new()).await.is_empty(), "G7");
    append(&store, tea.batch(&[image(ben, 2), (ada, Content::Remove(vec![ben])), image(ada, 3)]))
        .await
        .unwrap();
    assert_eq!(readable(&store, ben).await, [1, 2], "G7: up to the removal");
    assert_eq!(readable(&store, cleo).await, [2, 3]);
    // Sent on to where somebody else can read it.
    append(&store, tea.batch(&[image(ada, 1)])).await.unwrap();
    assert_eq!(readable(&store, cleo).await, [1, 2, 3]);
    assert_eq!(store.referenced_media(ids(&[3, 7, 1])).await.unwrap(), ids(&[3, 1]));
    let page = store.rows(ada, vec![tea.conversation]).await.unwrap().remove(0);
    assert_eq!(page.last_message.unwrap().content, image(ada, 1).1, "it is kept as it was described");
}

async fn a_file_in_a_gap_is_for_those_who_were_there(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let contents = [
        group(ada, &[ben], Settings::default()), // 1
        image(ada, 1),                           // 2
        (ada, Content::Remove(vec![ben])),       // 3
        image(ada, 2),                           // 4
        (ada, Content::Add(vec![ben])),          // 5
        image(ada, 3),                           // 6
    ];
    append(&store, tea.batch(&contents)).await.unwrap();
    assert_eq!(readable(&store, ben).await, [1, 3], "G7: nothing of the time in between");
    let all = Settings { history_visibility: HistoryVisibility::All };
    let contents = [
        (ada, Content::Settings(all)),
        (ada, Content::Remove(vec![ben])),
        image(ada, 4),
        (ada, Content::Add(vec![ben])),
    ];
    append(&store, tea.batch(&contents)).await.unwrap();
    assert_eq!(readable(&store, ben).await, [1, 2, 3, 4]);
}

async fn what_is_withheld_gives_no_file(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut tea) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let contents = [group(ada, &[ben, cleo], Settings::default()), image(cleo, 1)];
    append(&store, tea.batch(&contents)).await.unwrap();
    relate(&store, ben, cleo, Action::Block).await.unwrap();
    append(&store, tea.batch(&[image(cleo, 2), image(ada, 3)])).await.unwrap();
    assert_eq!(readable(&store, ben).await, [1, 3], "G7");
    assert_eq!(readable(&store, ada).await, [1, 2, 3]);
    append(&store, tea.batch(&[image(ada, 2)])).await.unwrap();
    assert_eq!(readable(&store, ben).await, [1, 2, 3], "by somebody else he can have it");
}

async fn a_picture_of_a_group_is_for_all_in_whose_list_it_is(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut tea) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    let shown = async |user| {
        let row = store.rows(user, vec![id]).await.unwrap().remove(0);
        row.avatar.map(|media| media.id.bytes()[0])
    };
    append(&store, tea.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
    assert_eq!(shown(ada).await, None);
    let batch = tea.batch(&[avatar(ada, 1), avatar(ada, 2), (ada, Content::Add(vec![cleo]))]);
    append(&store, batch).await.unwrap();
    assert_eq!((shown(ada).await, shown(cleo).await), (Some(2), Some(2)));
    assert_eq!(readable(&store, ada).await, [1, 2]);
    assert_eq!(readable(&store, cleo).await, [2], "the entry she cannot read, the picture she sees");
    let batch = tea.batch(&[(ada, Content::Remove(vec![cleo])), avatar(ada, 3)]);
    append(&store, batch).await.unwrap();
    assert_eq!((shown(ada).await, shown(cleo).await), (Some(3), Some(2)), "G7: as it was when she left");
    assert_eq!(readable(&store, cleo).await, [2], "G7");
    let batch = tea.batch(&[(ada, Content::Add(vec![cleo])), (ada, Content::SetAvatar(None))]);
    append(&store, batch).await.unwrap();
    assert_eq!((shown(cleo).await, readable(&store, cleo).await), (None, vec![]));
    assert_eq!(store.referenced_media(ids(&[1, 2, 3])).await.unwrap(), ids(&[1, 2, 3]), "the log names them");
}

async fn an_album_names_all_that_is_in_it(store: Arc<dyn Store>) {
    let (ada, mut tea) = (UserId::new(), Writer::new());
    let poster = Some(file(2, Purpose::Image));
    let video = crate::conversation::Video { media: file(1, Purpose::Video), poster };
    let picture = || AlbumItem::Image(file(3, Purpose::Image));
    let items = vec![AlbumItem::Video(video), picture(), picture()];
    let album = Content::Album { items, caption: "all".to_owned() };
    append(&store, tea.batch(&[group(ada, &[], Settings::default()), (ada, album.clone())])).await.unwrap();
    assert_eq!(readable(&store, ada).await, [1, 2, 3]);
    let row = store.rows(ada, vec![tea.conversation]).await.unwrap().remove(0);
    assert_eq!((row.last_message.map(|entry| entry.content), row.number), (Some(album), 1));
}

async fn a_file_that_many_entries_name_is_found_alike(store: Arc<dyn Store>) {
    let (ada, ben, mut tea, mut chess) = (UserId::new(), UserId::new(), Writer::new(), Writer::new());
    append(&store, tea.batch(&[group(ada, &[], Settings::default())])).await.unwrap();
    append(&store, chess.batch(&[group(ada, &[ben], Settings::default()), image(ada, 2)])).await.unwrap();
    let many: Vec<_> = (0..600).map(|_| image(ada, 1)).collect();
    append(&store, tea.batch(&many)).await.unwrap();
    assert_eq!((readable(&store, ada).await, readable(&store, ben).await), (vec![1, 2], vec![2]), "G7");
    append(&store, chess.batch(&[image(ada, 1)])).await.unwrap();
    assert_eq!(readable(&store, ben).await, [1, 2]);
    append(&store, tea.batch(&[(ada, Content::Add(vec![ben]))])).await.unwrap();
    append(&store, chess.batch(&[(ada, Content::Remove(vec![ben])), avatar(ada, 1)])).await.unwrap();
    assert_eq!(readable(&store, ben).await, [1, 2]);
}

async fn members_are_those_of_now(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    append(&store, tea.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
    assert!(store.is_member(ben, tea.conversation).await.unwrap());
    assert!(!store.is_member(UserId::new(), tea.conversation).await.unwrap());
    assert!(!store.is_member(ben, ConversationId::new()).await.unwrap());
    append(&store, tea.batch(&[(ada, Content::Remove(vec![ben]))])).await.unwrap();
    assert!(!store.is_member(ben, tea.conversation).await.unwrap());
}

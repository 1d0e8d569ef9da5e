use std::slice::from_ref;
use std::sync::Mutex;
use std::time::SystemTime;

use parlor_types::Op;

use super::*;
use crate::media::{Declared, FileName, Finished, MediaType, Purpose, Sha256, random_id};
use crate::parts::Parts;

/// Knows what it is told, and what it was asked.
#[derive(Default)]
struct Told {
    readable: Vec<(UserId, MediaId)>,
    pictures: Vec<MediaId>,
    chat_away: bool,
    auth_away: bool,
    asked_chat: Mutex<Vec<MediaId>>,
}

#[async_trait]
impl Sharing for Told {
    async fn readable(&self, user: UserId, media: &[MediaId]) -> Result<HashSet<MediaId>, Unanswered> {
        self.asked_chat.lock().unwrap().extend(media);
        if self.chat_away {
            return Err(Unanswered);
        }
        Ok(self.readable.iter().filter(|(reader, _)| *reader == user).map(|(_, id)| *id).collect())
    }

    async fn pictures(&self, _: &[MediaId]) -> Result<HashSet<MediaId>, Unanswered> {
        if self.auth_away { Err(Unanswered) } else { Ok(self.pictures.iter().copied().collect()) }
    }
}

fn record(owner: UserId) -> Record {
    Record {
        id: random_id(),
        owner,
        op: Op::new(),
        declared: Declared {
            name: FileName::new("a").unwrap(),
            media_type: MediaType::default(),
            size: 1,
            sha256: Sha256([0; 32]),
            purpose: Purpose::File,
        },
        created: SystemTime::UNIX_EPOCH,
        stage: Stage::Finished(Finished {
            media_type: String::new(),
            size: 1,
            sha256: Sha256([0; 32]),
            preview: None,
            checking: false,
        }),
        was_avatar: false,
    }
}

async fn ids_had(user: UserId, found: &[Record], told: &Told) -> Result<Vec<MediaId>, Unanswered> {
    let asked: Vec<_> = found.iter().map(|record| record.id).collect();
    Ok(had_by(user, &asked, found.to_vec(), told).await?.iter().map(|record| record.id).collect())
}

#[tokio::test]
async fn the_owner_has_it_whoever_else_is_away() {
    let ada = UserId::new();
    let file = record(ada);
    let told = Told { chat_away: true, auth_away: true, ..Told::default() };
    assert_eq!(ids_had(ada, from_ref(&file), &told).await, Ok(vec![file.id]));
}

#[tokio::test]
async fn g7_somebody_else_has_what_chat_svc_says_they_can_read_and_nothing_more() {
    let (ada, ben, cyd) = (UserId::new(), UserId::new(), UserId::new());
    let (shown, secret) = (record(ada), record(ada));
    let told = Told { readable: vec![(ben, shown.id)], ..Told::default() };
    let both = [shown.clone(), secret];
    assert_eq!(ids_had(ben, &both, &told).await, Ok(vec![shown.id]), "G7");
    assert_eq!(ids_had(cyd, &both, &told).await, Ok(vec![]), "G7");
    let away = Told { chat_away: true, ..told };
    assert_eq!(ids_had(ben, &both, &away).await, Err(Unanswered));
}

#[tokio::test]
async fn g7_a_picture_of_a_profile_is_everybody_s_as_long_as_auth_svc_says_so() {
    let (ada, ben) = (UserId::new(), UserId::new());
    let avatar = Record { was_avatar: true, ..record(ada) };
    let in_use = Told { pictures: vec![avatar.id], chat_away: true, ..Told::default() };
    assert_eq!(ids_had(ben, from_ref(&avatar), &in_use).await, Ok(vec![avatar.id]), "without chat-svc");
    let replaced = Told::default();
    assert_eq!(ids_had(ben, from_ref(&avatar), &replaced).await, Ok(vec![]), "G7");
    let also_sent = Told { readable: vec![(ben, avatar.id)], ..Told::default() };
    assert_eq!(ids_had(ben, from_ref(&avatar), &also_sent).await, Ok(vec![avatar.id]));

    let never_one = record(ada);
    let claimed = Told { pictures: vec![never_one.id], ..Told::default() };
    assert_eq!(ids_had(ben, &[never_one], &claimed).await, Ok(vec![]), "G7: no profile has claimed it");
}

#[tokio::test]
async fn what_is_not_there_yet_is_nobody_s() {
    let ada = UserId::new();
    let uploading = Stage::Uploading { parts: Parts::none(1), expires: SystemTime::UNIX_EPOCH };
    let file = Record { stage: uploading, ..record(ada) };
    let told = Told { readable: vec![(ada, file.id)], ..Told::default() };
    assert_eq!(ids_had(ada, &[file], &told).await, Ok(vec![]));
    let refused = Record { stage: Stage::Refused, ..record(ada) };
    assert_eq!(
        ids_had(ada, from_ref(&refused), &Told::default()).await,
        Ok(vec![refused.id]),
        "to be told so"
    );
}

#[tokio::test]
async fn g7_a_guessed_id_is_asked_about_like_one_that_exists() {
    let (ada, ben) = (UserId::new(), UserId::new());
    let (secret, guessed) = (record(ada), random_id());
    // chat-svc may know of one that has been collected.
    let told = Told { readable: vec![(ben, guessed)], ..Told::default() };
    let had = had_by(ben, &[secret.id, guessed], vec![secret.clone()], &told).await;
    assert_eq!(had, Ok(vec![]));
    assert_eq!(*told.asked_chat.lock().unwrap(), [secret.id, guessed], "G7: time tells which exists");
}

#[tokio::test]
async fn an_answer_about_others_gives_nothing() {
    let (ada, ben) = (UserId::new(), UserId::new());
    let (asked, other) = (record(ada), record(ada));
    let told = Told { readable: vec![(ben, other.id)], ..Told::default() };
    let had = had_by(ben, &[asked.id], vec![asked, other], &told).await;
    assert_eq!(had, Ok(vec![]));
}

#[tokio::test]
async fn what_an_entry_gives_needs_no_auth_svc() {
    let (ada, ben) = (UserId::new(), UserId::new());
    let [sent, other] = [record(ada), record(ada)].map(|file| Record { was_avatar: true, ..file });
    let told = Told { readable: vec![(ben, sent.id)], auth_away: true, ..Told::default() };
    assert_eq!(ids_had(ben, from_ref(&sent), &told).await, Ok(vec![sent.id]));
    assert_eq!(
        ids_had(ben, &[sent, other], &told).await,
        Err(Unanswered),
        "nobody can say whether it is a picture"
    );
}

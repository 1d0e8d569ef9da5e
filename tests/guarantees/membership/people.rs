//! People who do things at random, each one after the other, all at once.

use parlor_testkit::{ChatClient, compose};
use parlor_tests::reading;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, HistoryVisibility, Role, Text};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use rand::RngExt as _;
use rand::rngs::StdRng;

/// Things that one person does.
const ACTIONS: std::ops::Range<usize> = 3..8;

/// One person, and all of them.
pub struct Actor {
    number: usize,
    chat: ChatClient,
    ids: Vec<String>,
    group: String,
}

/// Who does something: everybody, the owner first.
pub fn everybody(chats: &[ChatClient], ids: &[String], group: &str) -> Vec<Actor> {
    let actor = |(number, chat): (usize, &ChatClient)| Actor {
        number,
        chat: chat.clone(),
        ids: ids.to_vec(),
        group: group.to_owned(),
    };
    chats.iter().enumerate().map(actor).collect()
}

/// Does some things; answers the pages that were got, and whose they are.
pub async fn act(actor: Actor, mut rng: StdRng) -> Vec<(usize, Vec<Entry>)> {
    let mut pages = Vec::new();
    for _ in 0..rng.random_range(ACTIONS) {
        for _ in 0..rng.random_range(0..4) {
            tokio::task::yield_now().await;
        }
        if rng.random_bool(0.25) {
            let from = rng.random_range(1..6);
            if let Ok(page) = reading::page(&actor.chat, &actor.group, from, 0).await {
                pages.push((actor.number, page.entries));
            }
        } else {
            let kind = actor.something(&mut rng);
            actor.append(kind).await;
        }
    }
    pages
}

impl Actor {
    /// The owner mostly changes who is in; others mostly talk, and try what they may not do.
    fn something(&self, rng: &mut StdRng) -> Kind {
        let is_owner = self.number == 0;
        let other = [self.ids[rng.random_range(1..self.ids.len())].clone()];
        match rng.random_range(0..10) {
            0..3 if is_owner => compose::add(&other),
            3..5 if is_owner => compose::remove(&other),
            5 if is_owner => compose::set_role(&other[0], Role::Admin),
            6 if is_owner && rng.random_bool(0.5) => compose::history(match rng.random_bool(0.5) {
                true => HistoryVisibility::All,
                false => HistoryVisibility::FromJoin,
            }),
            0 => compose::add(&other),
            1 if other[0] != self.ids[self.number] => compose::remove(&other),
            2 if !is_owner => compose::leave(),
            number => Kind::Text(Text { body: format!("{} says {number}", self.number) }),
        }
    }

    /// Refusals are part of it, but only those that membership and roles lead to.
    async fn append(&self, kind: Kind) {
        let append = compose::append(&self.group, 0, kind);
        let Err(status) = self.chat.clone().append(compose::unary(&append)).await else { return };
        let reason = from_status(&status).reason();
        let is_expected = matches!(
            reason,
            ErrorReason::ConversationNotFound
                | ErrorReason::RoleInsufficient
                | ErrorReason::AlreadyMember
                | ErrorReason::MemberNotFound
        );
        assert!(is_expected, "{append:?}: {status:?}");
    }
}

//! What every store does with e-mail addresses.

use super::*;
use crate::emails::{CodeMac, EmailAddress, Proved, Waiting};

fn address(text: &str) -> EmailAddress {
    EmailAddress::new(text).unwrap()
}

/// `text`, proved by code `n`.
pub(super) fn proved(text: &str, n: u8) -> Option<Proved> {
    Some(Proved { address: address(text), proof: Some(CodeMac([n; 32])) })
}

/// `text`, waiting for code `n` until `second`.
pub(super) fn waiting(text: &str, n: u8, second: i64) -> Option<Waiting> {
    Some(Waiting { address: address(text), code: CodeMac([n; 32]), expires_at: at(second), wrong: 2 })
}

async fn put_email(store: &dyn Store, n: u8, state: EmailState) {
    store.update(user(n), Box::new(move |_| vec![Change::PutEmail(state)])).await.unwrap();
}

async fn found_by(store: &dyn Store, text: &str) -> Option<String> {
    let profile = store.profile_by_email(&address(text)).await.unwrap();
    profile.map(|profile| profile.username.as_str().to_owned())
}

pub(in crate::store) async fn an_address_is_kept_as_it_was_put(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada"), account(2, "ben", "Ben")]).await;
    assert_eq!(f.store.email(user(1)).await, Ok(EmailState::default()));
    let states = [
        EmailState { waiting: waiting("Ada@Bücher.example", 1, 900), ..EmailState::default() },
        EmailState {
            proved: proved("Ada@Bücher.example", 1),
            discoverable: true,
            waiting: waiting("b@c.org", 2, 5),
        },
        EmailState {
            proved: Some(Proved { address: address("a@b.org"), proof: None }),
            ..EmailState::default()
        },
        EmailState { discoverable: true, ..EmailState::default() },
        EmailState::default(),
    ];
    for expected in states {
        put_email(&*f.store, 1, expected.clone()).await;
        assert_eq!(f.store.email(user(1)).await, Ok(expected.clone()));
        assert_eq!(state(&*f.store, 1).await.email, expected, "a rule sees it");
    }
    assert_eq!(f.store.email(user(2)).await, Ok(EmailState::default()));
}

pub(in crate::store) async fn an_account_comes_with_an_address_that_is_nobodys(f: Fixture) {
    let with = |n, username: &str, text: &str| (account(n, username, username), Some(address(text)));
    let batch =
        vec![with(1, "ada", "Ada@Example.org"), with(2, "ben", "ada@example.org"), with(3, "ada", "c@d.org")];
    let created = f.store.create_accounts_with(batch).await;
    assert_eq!(created, Ok(vec![Created::Made, Created::Taken, Created::Taken]));
    assert_eq!(f.store.email(user(1)).await, Ok(EmailState::imported(address("Ada@Example.org"))));
    assert_eq!(found_by(&*f.store, "ada@example.org").await, None, "not before she says so");
    assert_eq!((f.store.account(user(2)).await, f.store.account(user(3)).await), (Ok(None), Ok(None)));
    assert_eq!(f.store.email(user(3)).await, Ok(EmailState::default()));
    let free = f.store.create_accounts_with(vec![with(4, "dan", "c@d.org")]).await;
    assert_eq!(free, Ok(vec![Created::Made]), "who was not made has taken nothing");
}

pub(in crate::store) async fn an_address_is_of_whoever_put_it_last(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada"), account(2, "ben", "Ben")]).await;
    let other = waiting("other@example.org", 3, 5);
    let of_ada =
        EmailState { proved: proved("A@Example.org", 1), discoverable: true, waiting: other.clone() };
    let of_ben = EmailState { proved: proved("a@example.org", 2), ..EmailState::default() };
    put_email(&*f.store, 1, of_ada.clone()).await;
    put_email(&*f.store, 2, of_ben.clone()).await;
    assert_eq!(f.store.email(user(2)).await, Ok(of_ben));
    let left = EmailState { proved: None, ..of_ada };
    assert_eq!(f.store.email(user(1)).await, Ok(left), "the wish and what waits stay");
}

pub(in crate::store) async fn only_those_who_may_be_found_are(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada"), account(2, "ben", "Ben")]).await;
    let hidden = EmailState { proved: proved("Ada@example.org", 1), ..EmailState::default() };
    put_email(&*f.store, 1, hidden.clone()).await;
    let unproved = EmailState { discoverable: true, waiting: waiting("ben@example.org", 2, 9), proved: None };
    put_email(&*f.store, 2, unproved).await;
    assert_eq!(found_by(&*f.store, "ada@example.org").await, None);
    assert_eq!(found_by(&*f.store, "ben@example.org").await, None);
    put_email(&*f.store, 1, EmailState { discoverable: true, ..hidden.clone() }).await;
    assert_eq!(found_by(&*f.store, "ADA@EXAMPLE.ORG").await.as_deref(), Some("ada"));
    assert_eq!(found_by(&*f.store, "ada@example.com").await, None);
    put_email(&*f.store, 1, hidden).await;
    assert_eq!(found_by(&*f.store, "ada@example.org").await, None);
}

pub(in crate::store) async fn what_was_never_proved_is_forgotten(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada"), account(2, "ben", "Ben"), account(3, "eve", "Eve")]).await;
    let expired = EmailState { waiting: waiting("a@example.org", 1, 5), ..EmailState::default() };
    let with_more = EmailState { proved: proved("b@example.org", 1), discoverable: true, ..expired.clone() };
    let fresh = EmailState { waiting: waiting("c@example.org", 1, 6), ..EmailState::default() };
    for (n, state) in [(1, expired), (2, with_more.clone()), (3, fresh.clone())] {
        put_email(&*f.store, n, state).await;
    }
    f.store.forget_unproved(at(6)).await.unwrap();
    assert_eq!(f.store.email(user(1)).await, Ok(EmailState::default()));
    assert_eq!(f.store.email(user(2)).await, Ok(EmailState { waiting: None, ..with_more }));
    assert_eq!(f.store.email(user(3)).await, Ok(fresh));
}

//! What every store does, checked on each of them; and a property test of one against the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use parlor_types::{DeviceId, DisplayName, Id as _, MediaId, Op, SessionId, UserId, Username};
use parlor_wire::media::v1::Media;
use tempfile::TempDir;

use super::{Change, Created, OnRevoked, Rule, Store, UserState};
use crate::accounts::{Account, Credential, PasswordHash};
use crate::emails::EmailState;
use crate::profiles::{Avatar, ProfileText, fold};
use crate::sessions::{Device, Lifetimes, RefreshState, Revocation, RowSecret, Session};
use crate::time::Moment;

mod emails;
mod model;

pub(super) use emails::{
    an_account_comes_with_an_address_that_is_nobodys, an_address_is_kept_as_it_was_put,
    an_address_is_of_whoever_put_it_last, only_those_who_may_be_found_are,
    what_was_never_proved_is_forgotten,
};

/// What a store has told of ended sessions.
pub(super) type Told = Arc<Mutex<Vec<Revocation>>>;

/// A new, empty store.
pub(super) struct Fixture {
    pub(super) store: Arc<dyn Store>,
    pub(super) told: Told,
    pub(super) _folder: Option<TempDir>,
}

pub(super) fn listener(told: &Told) -> OnRevoked {
    let told = Arc::clone(told);
    Arc::new(move |revocation| told.lock().unwrap().push(*revocation))
}

/// The suite, as tests of the module that calls it.
macro_rules! suite {
    ($fixture:path) => {
        $crate::store::conformance::suite! { $fixture:
            accounts_are_unique, a_batch_answers_for_each, profiles_in_order, search_by_either_name,
            search_knows_no_internal_accounts, a_rule_sees_and_changes_one_user, nobody_is_not_asked,
            an_ended_session_stays_ended, ends_are_told_and_logged, the_log_is_paged, numbers_are_not_used_again,
            expired_sessions_are_found, pruning_spares_the_open, passwords_change_version_and_hashes_do_not,
            profiles_change, an_account_comes_with_an_address_that_is_nobodys, an_address_is_kept_as_it_was_put, an_address_is_of_whoever_put_it_last,
            only_those_who_may_be_found_are, what_was_never_proved_is_forgotten
        }
    };
    ($fixture:path: $($name:ident),+) => {
        $(#[tokio::test]
        async fn $name() {
            $crate::store::conformance::$name($fixture()).await;
        })+
    };
}
pub(super) use suite;

const LIFETIMES: Lifetimes = Lifetimes { idle: Duration::from_secs(60), absolute: Duration::from_secs(600) };

pub(super) fn at(second: i64) -> Moment {
    Moment::from_millis(second * 1000)
}

pub(super) fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

pub(super) fn account(n: u8, username: &str, display_name: &str) -> Account {
    Account {
        user_id: user(n),
        username: name(username),
        credential: Credential::Password(PasswordHash::stored(format!("hash {n}"))),
        credential_version: 1,
        registered_with: Some(Op::from_bytes([n; 16])),
        created_at: at(i64::from(n)),
        text: ProfileText { display_name: display_name.to_owned(), bio: "words\nand more".to_owned() },
        avatar: None,
        profile_version: 1,
    }
}

/// A picture, the same for the same number.
pub(super) fn avatar(n: u8) -> Avatar {
    let id = MediaId::from_bytes([n; 16]).to_string();
    Avatar::new(Media { id, size: 5, ..Media::default() }).unwrap()
}

pub(super) fn account_numbered(n: u32) -> Account {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    Account {
        user_id: UserId::from_bytes(id),
        username: name(&format!("user{n}")),
        ..account(1, "unused", &"x".repeat(64))
    }
}

/// Session `n` of user `owner`, on device `n`, last used at `second`.
pub(super) fn session(owner: u8, n: u8, second: i64) -> Session {
    let mut id = [n; 16];
    id[15] = owner;
    Session {
        id: SessionId::from_bytes(id),
        user_id: user(owner),
        device: Device { id: DeviceId::from_bytes([n; 16]), name: DisplayName::new("phone", 64).unwrap() },
        created_at: at(0),
        authenticated_at: at(0),
        refreshed_at: at(second),
        refresh: RefreshState {
            generation: 3,
            login_generation: 2,
            last_op: Some(Op::from_bytes([n; 16])),
            secret: RowSecret([n; 32]),
        },
        ended_at: None,
    }
}

pub(super) fn ending(session: &Session, second: i64) -> Rule {
    let id = session.id;
    Box::new(move |_| vec![Change::EndSession { id, at: at(second) }])
}

pub(super) async fn put(store: &dyn Store, session: Session) {
    store.update(session.user_id, Box::new(move |_| vec![Change::PutSession(session)])).await.unwrap();
}

pub(super) async fn end(store: &dyn Store, session: &Session, second: i64) {
    store.update(session.user_id, ending(session, second)).await.unwrap();
}

async fn make(store: &dyn Store, accounts: Vec<Account>) {
    let created = store.create_accounts(accounts).await.unwrap();
    assert!(created.iter().all(|created| *created == Created::Made));
}

async fn state(store: &dyn Store, n: u8) -> UserState {
    let seen = Arc::new(Mutex::new(None));
    let rule = {
        let seen = Arc::clone(&seen);
        move |state: &UserState| {
            *seen.lock().unwrap() = Some(state.clone());
            Vec::new()
        }
    };
    store.update(user(n), Box::new(rule)).await.unwrap();
    let state = seen.lock().unwrap().take();
    state.expect("the rule was asked")
}

pub(super) async fn accounts_are_unique(f: Fixture) {
    assert!(f.store.is_empty().await.unwrap());
    let ada = account(1, "ada", "Ada");
    make(&*f.store, vec![ada.clone()]).await;
    assert!(!f.store.is_empty().await.unwrap());
    for taken in [account(2, "ada", "Other"), account(1, "ben", "Ben")] {
        assert_eq!(f.store.create_accounts(vec![taken]).await, Ok(vec![Created::Taken]));
    }
    assert_eq!(f.store.account(user(1)).await, Ok(Some(ada.clone())));
    assert_eq!(f.store.account_by_name(&name("ADA")).await, Ok(Some(ada)));
    assert_eq!(f.store.account(user(2)).await, Ok(None));
    assert_eq!(f.store.account_by_name(&name("ben")).await, Ok(None));
}

pub(super) async fn a_batch_answers_for_each(f: Fixture) {
    let bot = Account {
        credential: Credential::Secret { sha256: [7; 32], internal: true },
        registered_with: None,
        ..account(3, "bot", "Bot")
    };
    let batch = vec![account(1, "ada", "Ada"), account(2, "ada", "Ada"), bot.clone()];
    let created = f.store.create_accounts(batch).await;
    assert_eq!(created, Ok(vec![Created::Made, Created::Taken, Created::Made]));
    assert_eq!(f.store.account(user(3)).await, Ok(Some(bot)));
}

pub(super) async fn profiles_in_order(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada"), account(2, "ben", "Ben")]).await;
    let found = f.store.profiles(vec![user(2), user(9), user(1), user(2)]).await.unwrap();
    let names: Vec<_> = found.iter().map(|profile| profile.username.as_str()).collect();
    assert_eq!(names, ["ben", "ada", "ben"]);
    assert_eq!(found[1], account(1, "ada", "Ada").into());
}

async fn found(store: &dyn Store, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let found = store.search(fold(prefix), after.map(name), limit).await.unwrap();
    found.iter().map(|profile| profile.username.as_str().to_owned()).collect()
}

pub(super) async fn search_by_either_name(f: Fixture) {
    let accounts = vec![
        account(1, "zoe", "Ada Z."),
        account(2, "ada", "Nobody"),
        account(3, "ada_2", "Ada Too"),
        account(4, "odysseus", "ΟΔΥΣΣΕΥΣ"),
        account(5, "adb", "a%d_a"),
    ];
    make(&*f.store, accounts).await;
    let store = &*f.store;
    assert_eq!(found(store, "aDa", None, 10).await, ["ada", "ada_2", "zoe"]);
    assert_eq!(found(store, "ada", None, 2).await, ["ada", "ada_2"]);
    assert_eq!(found(store, "ada", Some("ada"), 2).await, ["ada_2", "zoe"]);
    assert_eq!(found(store, "ada", Some("zoe"), 2).await, [] as [&str; 0]);
    assert_eq!(found(store, "οδυς", None, 10).await, ["odysseus"]);
    assert_eq!(found(store, "a%", None, 10).await, ["adb"], "letters of LIKE are plain letters");
    assert_eq!(found(store, "a_", None, 10).await, [] as [&str; 0]);
    assert_eq!(found(store, "\u{10ffff}", None, 10).await, [] as [&str; 0]);
}

pub(super) async fn search_knows_no_internal_accounts(f: Fixture) {
    let service = |n, username, internal| Account {
        credential: Credential::Secret { sha256: [n; 32], internal },
        ..account(n, username, "Service")
    };
    make(&*f.store, vec![service(1, "bot", false), service(2, "chat", true)]).await;
    assert_eq!(found(&*f.store, "service", None, 10).await, ["bot"]);
    assert_eq!(found(&*f.store, "chat", None, 10).await, [] as [&str; 0]);
}

pub(super) async fn a_rule_sees_and_changes_one_user(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada"), account(2, "ben", "Ben")]).await;
    let (second, first, strange) = (session(1, 8, 3), session(1, 7, 4), session(2, 7, 5));
    for session in [&second, &first, &strange] {
        put(&*f.store, session.clone()).await;
    }
    let expected = UserState {
        account: account(1, "ada", "Ada"),
        sessions: vec![first.clone(), second.clone()],
        email: EmailState::default(),
    };
    assert_eq!(state(&*f.store, 1).await, expected);
    assert_eq!(f.store.sessions(user(1)).await, Ok(expected.sessions));

    let renewed = Session {
        device: Device { name: DisplayName::new("new phone", 64).unwrap(), ..first.device.clone() },
        authenticated_at: at(9),
        refreshed_at: at(9),
        refresh: first.refresh.after_login(),
        ..first.clone()
    };
    put(&*f.store, renewed.clone()).await;
    assert_eq!(f.store.session(first.id).await, Ok(Some(renewed)));
    // Somebody else's session is not ended by a rule of this user.
    f.store.update(user(1), ending(&strange, 6)).await.unwrap();
    assert_eq!(f.store.session(strange.id).await, Ok(Some(strange)));
}

pub(super) async fn nobody_is_not_asked(f: Fixture) {
    f.store.update(user(1), Box::new(|_| panic!("there is no such user"))).await.unwrap();
    assert_eq!(f.store.session(session(1, 1, 0).id).await, Ok(None));
    assert_eq!(f.store.sessions(user(1)).await, Ok(Vec::new()));
}

pub(super) async fn an_ended_session_stays_ended(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada")]).await;
    let gone = session(1, 1, 0);
    put(&*f.store, gone.clone()).await;
    assert_eq!(f.store.knows_device(user(1), gone.device.id).await, Ok(true));
    assert_eq!(f.store.knows_device(user(2), gone.device.id).await, Ok(false));
    end(&*f.store, &gone, 5).await;
    end(&*f.store, &gone, 6).await;
    assert_eq!(f.store.sessions(user(1)).await, Ok(Vec::new()));
    let kept = Session { ended_at: Some(at(5)), ..gone.clone() };
    assert_eq!(f.store.session(gone.id).await, Ok(Some(kept)));
    assert_eq!(f.store.knows_device(user(1), gone.device.id).await, Ok(true));
    put(&*f.store, gone.clone()).await;
    assert_eq!(f.store.sessions(user(1)).await, Ok(Vec::new()), "it does not come back");
    // The device may have another.
    let next = Session { id: SessionId::from_bytes([77; 16]), ..gone };
    put(&*f.store, next.clone()).await;
    assert_eq!(f.store.sessions(user(1)).await, Ok(vec![next]));
}

pub(super) async fn ends_are_told_and_logged(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada")]).await;
    let sessions = [session(1, 1, 0), session(1, 2, 0), session(1, 3, 0)];
    for session in &sessions {
        put(&*f.store, session.clone()).await;
    }
    let ids = [sessions[1].id, sessions[0].id, sessions[1].id];
    let both = move |_: &UserState| ids.iter().map(|id| Change::EndSession { id: *id, at: at(4) }).collect();
    f.store.update(user(1), Box::new(both)).await.unwrap();
    end(&*f.store, &sessions[2], 5).await;
    let revocation = |seq, session: &Session, second| Revocation {
        seq,
        session_id: session.id,
        user_id: user(1),
        revoked_at: at(second),
    };
    let expected =
        vec![revocation(1, &sessions[1], 4), revocation(2, &sessions[0], 4), revocation(3, &sessions[2], 5)];
    assert_eq!(*f.told.lock().unwrap(), expected);
    let page = f.store.revocations(0, at(0), 10).await.unwrap();
    assert_eq!((page.revocations, page.newest), (expected, 3));
}

pub(super) async fn the_log_is_paged(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada")]).await;
    for n in 1..=5 {
        let session = session(1, n, 0);
        put(&*f.store, session.clone()).await;
        end(&*f.store, &session, i64::from(n)).await;
    }
    let seqs = |after, since, limit| {
        let store = Arc::clone(&f.store);
        async move {
            let page = store.revocations(after, at(since), limit).await.unwrap();
            assert_eq!(page.newest, 5);
            page.revocations.iter().map(|revocation| revocation.seq).collect::<Vec<_>>()
        }
    };
    assert_eq!(seqs(0, 0, 2).await, [1, 2]);
    assert_eq!(seqs(2, 0, 10).await, [3, 4, 5]);
    assert_eq!(seqs(0, 4, 10).await, [4, 5], "what is older is left out");
    assert_eq!(seqs(5, 0, 10).await, [] as [u64; 0]);
    assert_eq!(seqs(u64::MAX, 0, 10).await, [] as [u64; 0]);
}

pub(super) async fn numbers_are_not_used_again(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada")]).await;
    for n in 1..=2 {
        let session = session(1, n, 0);
        put(&*f.store, session.clone()).await;
        end(&*f.store, &session, i64::from(n)).await;
        f.store.prune(at(100), at(100)).await.unwrap();
        let page = f.store.revocations(0, at(0), 10).await.unwrap();
        assert_eq!((page.revocations.len(), page.newest), (0, u64::from(n)));
    }
}

pub(super) async fn expired_sessions_are_found(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada"), account(2, "ben", "Ben")]).await;
    let idle = session(1, 1, 10);
    let live = session(1, 2, 40);
    let old = Session { authenticated_at: at(-530), ..session(2, 3, 60) };
    let ended = session(2, 4, 10);
    for session in [&idle, &live, &old, &ended] {
        put(&*f.store, session.clone()).await;
    }
    end(&*f.store, &ended, 20).await;
    let expired = f.store.expired_sessions(LIFETIMES, at(70), 10).await.unwrap();
    assert_eq!(expired, [(user(1), idle.id), (user(2), old.id)]);
    assert_eq!(f.store.expired_sessions(LIFETIMES, at(70), 1).await.unwrap().len(), 1);
    let just_before = Moment::from_millis(69_999);
    assert_eq!(f.store.expired_sessions(LIFETIMES, just_before, 10).await.unwrap(), []);
}

pub(super) async fn pruning_spares_the_open(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada")]).await;
    let (open, early, late) = (session(1, 1, 0), session(1, 2, 0), session(1, 3, 0));
    for session in [&open, &early, &late] {
        put(&*f.store, session.clone()).await;
    }
    end(&*f.store, &early, 5).await;
    end(&*f.store, &late, 6).await;
    f.store.prune(at(6), at(6)).await.unwrap();
    assert_eq!(f.store.session(open.id).await, Ok(Some(open)));
    assert_eq!(f.store.session(early.id).await, Ok(None));
    assert!(f.store.session(late.id).await.unwrap().is_some());
    let page = f.store.revocations(0, at(0), 10).await.unwrap();
    assert_eq!(page.revocations.iter().map(|revocation| revocation.seq).collect::<Vec<_>>(), [2]);
}

pub(super) async fn passwords_change_version_and_hashes_do_not(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada")]).await;
    for (change, version, hash) in [
        (Change::RenewHash(PasswordHash::stored("renewed".to_owned())), 1, "renewed"),
        (Change::SetPassword(PasswordHash::stored("other".to_owned())), 2, "other"),
    ] {
        f.store.update(user(1), Box::new(|_| vec![change])).await.unwrap();
        let account = f.store.account(user(1)).await.unwrap().unwrap();
        assert_eq!(account.credential_version, version);
        assert_eq!(account.credential, Credential::Password(PasswordHash::stored(hash.to_owned())));
    }
}

pub(super) async fn profiles_change(f: Fixture) {
    make(&*f.store, vec![account(1, "ada", "Ada")]).await;
    let text = ProfileText { display_name: "Countess".to_owned(), bio: String::new() };
    let change = Change::SetProfile(text.clone(), Some(avatar(1)));
    f.store.update(user(1), Box::new(|_| vec![change])).await.unwrap();
    let changed = f.store.account(user(1)).await.unwrap().unwrap();
    assert_eq!((changed.text, changed.avatar, changed.profile_version), (text.clone(), Some(avatar(1)), 2));
    assert_eq!(found(&*f.store, "count", None, 10).await, ["ada"]);
    assert_eq!(found(&*f.store, "ada", None, 10).await, ["ada"], "the user name stays");
    let used = async || f.store.used_avatars(vec![avatar(2).id(), avatar(1).id()]).await.unwrap();
    assert_eq!(used().await, [avatar(1).id()]);
    let profiles = f.store.profiles(vec![user(1)]).await.unwrap();
    assert_eq!(profiles[0].avatar, Some(avatar(1)));
    f.store.update(user(1), Box::new(|_| vec![Change::SetProfile(text, None)])).await.unwrap();
    assert_eq!((used().await, f.store.account(user(1)).await.unwrap().unwrap().avatar), (vec![], None));
}

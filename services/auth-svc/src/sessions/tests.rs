use std::time::Duration;

use parlor_types::{DeviceId, Id as _, Username};

use super::open::{Opening, open};
use super::*;
use crate::accounts::{Account, Credential, PasswordHash};
use crate::emails::EmailState;
use crate::profiles::ProfileText;
use crate::store::{Change, UserState};

const LIFETIMES: Lifetimes = Lifetimes { idle: Duration::from_secs(60), absolute: Duration::from_secs(1000) };

fn at(second: i64) -> Moment {
    Moment::from_millis(second * 1000)
}

fn user() -> UserId {
    UserId::from_bytes([1; 16])
}

fn device(n: u8) -> Device {
    Device { id: DeviceId::from_bytes([n; 16]), name: DisplayName::new("phone", 64).unwrap() }
}

fn session(n: u8, used: Moment) -> Session {
    Session {
        id: SessionId::from_bytes([n; 16]),
        user_id: user(),
        device: device(n),
        created_at: at(0),
        authenticated_at: at(0),
        refreshed_at: used,
        refresh: RefreshState::new(RowSecret([n; 32])),
        ended_at: None,
    }
}

fn state(sessions: Vec<Session>) -> UserState {
    let account = Account {
        user_id: user(),
        username: Username::new("ada").unwrap(),
        credential: Credential::Password(PasswordHash::stored(String::new())),
        credential_version: 3,
        registered_with: None,
        created_at: at(0),
        text: ProfileText { display_name: "Ada".to_owned(), bio: String::new() },
        avatar: None,
        profile_version: 1,
    };
    UserState { account, sessions, email: EmailState::default() }
}

fn opening(n: u8, max_sessions: usize) -> Opening {
    Opening {
        device: device(n),
        new_id: SessionId::from_bytes([100 + n; 16]),
        new_secret: RowSecret([9; 32]),
        credential_version: 3,
        max_sessions,
    }
}

fn ended(changes: &[Change]) -> Vec<u8> {
    let ended = changes.iter().filter_map(|change| match change {
        Change::EndSession { id, .. } => Some(id.bytes()[0]),
        _ => None,
    });
    ended.collect()
}

#[test]
fn a_session_ends_when_it_is_idle_or_old() {
    let fresh = session(1, at(10));
    assert!(fresh.is_alive(LIFETIMES, at(69)));
    assert!(!fresh.is_alive(LIFETIMES, at(70)));
    let old = session(1, at(990));
    assert_eq!(old.expires_at(LIFETIMES), at(1000));
    assert!(!old.is_alive(LIFETIMES, at(1000)), "refreshing does not go on for ever");
    assert!(!Session { ended_at: Some(at(11)), ..fresh }.is_alive(LIFETIMES, at(12)));
}

#[test]
fn a_device_that_logs_in_again_renews_its_session() {
    let (opened, changes) = open(&state(vec![session(1, at(0))]), opening(1, 20), LIFETIMES, at(50));
    let opened = opened.unwrap();
    assert_eq!(opened.id, SessionId::from_bytes([1; 16]), "the same session");
    assert_eq!((opened.refresh.generation, opened.refresh.login_generation), (2, 2));
    assert_eq!((opened.created_at, opened.authenticated_at, opened.refreshed_at), (at(0), at(50), at(50)));
    assert_eq!(changes, [Change::PutSession(opened)]);
}

#[test]
fn a_device_whose_session_expired_gets_another() {
    let (opened, changes) = open(&state(vec![session(1, at(0))]), opening(1, 20), LIFETIMES, at(60));
    assert_eq!(opened.unwrap().id, SessionId::from_bytes([101; 16]));
    assert_eq!(ended(&changes), [1], "the expired one is ended first");
    assert!(matches!(changes.last(), Some(Change::PutSession(_))));
}

#[test]
fn beyond_the_limit_the_one_used_longest_ago_ends() {
    let sessions = vec![session(1, at(12)), session(2, at(10)), session(3, at(11))];
    let (_, changes) = open(&state(sessions.clone()), opening(4, 4), LIFETIMES, at(20));
    assert_eq!(ended(&changes), [] as [u8; 0]);
    let (_, changes) = open(&state(sessions.clone()), opening(4, 3), LIFETIMES, at(20));
    assert_eq!(ended(&changes), [2]);
    let (_, changes) = open(&state(sessions), opening(4, 1), LIFETIMES, at(20));
    assert_eq!(ended(&changes), [2, 3, 1], "also after the limit was lowered");
}

#[test]
fn a_credential_exchanged_meanwhile_opens_nothing() {
    let stale = Opening { credential_version: 2, ..opening(4, 20) };
    assert_eq!(open(&state(Vec::new()), stale, LIFETIMES, at(20)), (None, Vec::new()));
}

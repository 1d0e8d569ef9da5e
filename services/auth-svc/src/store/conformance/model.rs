//! The two stores side by side: whatever is done to both, they answer alike.

use proptest::prelude::*;

use super::emails::{proved, waiting};
use super::*;
use crate::emails::EmailAddress;
use crate::sessions::Decision;
use crate::store::memory::MemoryStore;
use crate::store::sqlite::SqliteStore;

#[derive(Clone, Debug)]
enum Step {
    Create { user: u8, name: u8, display: String, internal: Option<bool> },
    Open { user: u8, device: u8, id: u8 },
    Refresh { user: u8, device: u8, generation: u64, op: u8 },
    End { user: u8, device: u8 },
    Rename { user: u8, display: String },
    Picture { user: u8, picture: Option<u8> },
    Password { user: u8, exchanged: bool },
    Prune { revocations: i64, sessions: i64 },
    Email { user: u8, proved: Option<u8>, discoverable: bool, waiting: Option<u8> },
    ForgetUnproved { seconds: i64 },
    Wait { seconds: i64 },
    Look { user: u8, prefix: String, after: Option<u8>, limit: usize, cursor: u64 },
}

fn display() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[aAbßéΣσς_%\u{10ffff}]{1,4}").expect("a valid pattern")
}

fn step() -> impl Strategy<Value = Step> {
    let user = || 0_u8..4;
    let device = || 0_u8..3;
    prop_oneof![
        (user(), 0_u8..5, display(), prop::option::of(any::<bool>()))
            .prop_map(|(user, name, display, internal)| Step::Create { user, name, display, internal }),
        (user(), device(), any::<u8>()).prop_map(|(user, device, id)| Step::Open { user, device, id }),
        (user(), device(), 0_u64..6, 0_u8..2).prop_map(|(user, device, generation, op)| Step::Refresh {
            user,
            device,
            generation,
            op
        }),
        (user(), device()).prop_map(|(user, device)| Step::End { user, device }),
        (user(), display()).prop_map(|(user, display)| Step::Rename { user, display }),
        (user(), prop::option::of(0_u8..3)).prop_map(|(user, picture)| Step::Picture { user, picture }),
        (user(), any::<bool>()).prop_map(|(user, exchanged)| Step::Password { user, exchanged }),
        (0_i64..100, 0_i64..100).prop_map(|(revocations, sessions)| Step::Prune { revocations, sessions }),
        (user(), prop::option::of(0_u8..3), any::<bool>(), prop::option::of(0_u8..3)).prop_map(
            |(user, proved, discoverable, waiting)| Step::Email { user, proved, discoverable, waiting }
        ),
        (0_i64..100).prop_map(|seconds| Step::ForgetUnproved { seconds }),
        (1_i64..40).prop_map(|seconds| Step::Wait { seconds }),
        (user(), display(), prop::option::of(0_u8..5), 1_usize..4, 0_u64..8).prop_map(
            |(user, prefix, after, limit, cursor)| Step::Look { user, prefix, after, limit, cursor }
        ),
    ]
}

fn username(n: u8) -> Username {
    name(["ada", "ab_b", "bea", "abc", "sss"][usize::from(n)])
}

fn email(n: u8) -> &'static str {
    ["ada@example.org", "ADA@example.org", "b@bücher.example"][usize::from(n)]
}

/// What a step does to one store, and everything it answers.
async fn run(store: &dyn Store, step: &Step, now: Moment) -> Vec<String> {
    let mut answers = Vec::new();
    match step.clone() {
        Step::Create { user, name, display, internal } => {
            let credential = match internal {
                Some(internal) => Credential::Secret { sha256: [user; 32], internal },
                None => Credential::Password(PasswordHash::stored("hash".to_owned())),
            };
            let account =
                Account { username: username(name), credential, ..account(user, "unused", &display) };
            answers.push(format!("{:?}", store.create_accounts(vec![account]).await));
        }
        Step::Look { user: n, prefix, after, limit, cursor } => {
            let found = store.search(fold(&prefix), after.map(username), limit).await.unwrap();
            answers.extend(found.iter().map(|profile| profile.username.as_str().to_owned()));
            answers.push(format!("{:?}", store.profiles(vec![user(n), user(3 - n)]).await));
            answers.push(format!(
                "{:?}",
                store.revocations(cursor, now.minus(Duration::from_secs(50)), limit).await
            ));
            answers.push(format!("{:?}", store.expired_sessions(LIFETIMES, now, limit).await));
            answers.push(format!("{:?}", store.is_empty().await));
            let pictures = (0..3).map(|picture| avatar(picture).id()).collect();
            answers.push(format!("{:?}", store.used_avatars(pictures).await));
            for n in 0..3 {
                let address = EmailAddress::new(email(n)).unwrap();
                answers.push(format!("{:?}", store.profile_by_email(&address).await));
                answers.push(format!("{:?}", texts(&store.email(user(n)).await.unwrap())));
            }
        }
        Step::Prune { revocations, sessions } => store.prune(at(revocations), at(sessions)).await.unwrap(),
        Step::ForgetUnproved { seconds } => store.forget_unproved(at(seconds)).await.unwrap(),
        Step::Wait { .. } => {}
        step => {
            let n = user_of(&step);
            store.update(user(n), Box::new(move |state| decide(state, &step, now))).await.unwrap();
            answers.push(format!("{:?}", store.account(user(n)).await));
            answers.push(format!("{:?}", store.sessions(user(n)).await));
        }
    }
    answers
}

/// A state in words, since it does not print itself.
fn texts(state: &EmailState) -> (Vec<String>, bool, Option<Moment>) {
    let addresses = state.proved.iter().map(|proved| &proved.address);
    let addresses = addresses.chain(state.waiting.iter().map(|waiting| &waiting.address));
    let texts = addresses.map(|address| format!("{} {}", address.as_typed(), address.compared())).collect();
    (texts, state.discoverable, state.waiting.as_ref().map(|waiting| waiting.expires_at))
}

fn user_of(step: &Step) -> u8 {
    match step {
        Step::Open { user, .. }
        | Step::Refresh { user, .. }
        | Step::End { user, .. }
        | Step::Rename { user, .. }
        | Step::Picture { user, .. }
        | Step::Email { user, .. }
        | Step::Password { user, .. } => *user,
        _ => unreachable!("not about one user"),
    }
}

fn decide(state: &UserState, step: &Step, now: Moment) -> Vec<Change> {
    let of =
        |device: u8| state.sessions.iter().find(move |s| s.device.id == DeviceId::from_bytes([device; 16]));
    match step.clone() {
        Step::Open { user, device, id } => {
            let renewed = of(device).map(|s| Session { refresh: s.refresh.after_login(), ..s.clone() });
            let mut bytes = [id; 16];
            (bytes[0], bytes[1]) = (user, device);
            let fresh = Session {
                id: SessionId::from_bytes(bytes),
                authenticated_at: now,
                ended_at: None,
                ..session(user, device, now.seconds())
            };
            vec![Change::PutSession(Session { refreshed_at: now, ..renewed.unwrap_or(fresh) })]
        }
        Step::Refresh { device, generation, op, .. } => {
            let op = Op::from_bytes([op; 16]);
            let Some(session) = of(device) else { return Vec::new() };
            match session.refresh.judge(generation, op) {
                Decision::Advance(next) => {
                    let refresh = session.refresh.advanced(next, op);
                    vec![Change::PutSession(Session { refresh, refreshed_at: now, ..session.clone() })]
                }
                Decision::Reused => vec![Change::EndSession { id: session.id, at: now }],
                Decision::Repeat(_) | Decision::Superseded => Vec::new(),
            }
        }
        Step::End { device, .. } => {
            of(device).map(|s| Change::EndSession { id: s.id, at: now }).into_iter().collect()
        }
        Step::Rename { display, .. } => {
            vec![Change::SetProfile(ProfileText { display_name: display, bio: String::new() }, None)]
        }
        Step::Picture { picture, .. } => {
            vec![Change::SetProfile(state.account.text.clone(), picture.map(avatar))]
        }
        Step::Email { proved: has, discoverable, waiting: waits, .. } => {
            vec![Change::PutEmail(EmailState {
                proved: has.and_then(|n| proved(email(n), n)),
                discoverable,
                waiting: waits.and_then(|n| waiting(email(n), n, now.seconds() + 20)),
            })]
        }
        Step::Password { exchanged, .. } => {
            let hash = PasswordHash::stored(format!("hash at {now:?}"));
            match (&state.account.credential, exchanged) {
                (Credential::Secret { .. }, _) => Vec::new(),
                (Credential::Password(_), true) => vec![Change::SetPassword(hash)],
                (Credential::Password(_), false) => vec![Change::RenewHash(hash)],
            }
        }
        _ => unreachable!("not about one user"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_answer_alike(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (told_memory, told_sqlite) = (Told::default(), Told::default());
        let memory = MemoryStore::new(listener(&told_memory));
        let options = parlor_embedded::Options::new(folder.path().join("auth.db"));
        let sqlite = SqliteStore::open(options, listener(&told_sqlite)).unwrap();
        let mut now = at(0);
        for step in &steps {
            if let Step::Wait { seconds } = step {
                now = now.plus(Duration::from_secs(seconds.unsigned_abs()));
            }
            let expected = runtime.block_on(run(&memory, step, now));
            let found = runtime.block_on(run(&sqlite, step, now));
            prop_assert_eq!(found, expected, "{:?}", step);
        }
        prop_assert_eq!(&*told_sqlite.lock().unwrap(), &*told_memory.lock().unwrap());
    }
}

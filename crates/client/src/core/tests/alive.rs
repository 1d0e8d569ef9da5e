//! Single steps: preferences, typing, presence, the app behind and in front.

use std::time::Duration;

use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::client_frame::Kind as Said;
use parlor_wire::chat::v1::content::Kind as Content;
use parlor_wire::chat::v1::server_frame::Kind;
use parlor_wire::chat::v1::{
    self as chat, Activity, Draft as Unsent, Entry, Event as Live, MarkRefused, PreferenceChanges,
    Preferences, PreferencesResult, PresenceChanged, SyncDone, Text, Typing, preferences_result,
};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::presence::v1::{Availability, Presence};
use parlor_wire::to_duration;
use prost_types::Timestamp;

use super::steps::{Steps, id, row, said};
use crate::core::{Command, Conn, Draft, Effects, Event, Input, MAX_WATCHED, Mutation};

fn ben() -> UserId {
    parlor_types::Id::from_bytes([2; 16])
}

/// What `find` finds first in what the core does by itself.
fn first_of<T>(steps: &mut Steps, find: impl Fn(&Effects) -> Vec<T>) -> Vec<T> {
    let woken = (0..100).map(|_| find(&steps.wake()));
    woken.into_iter().find(|found| !found.is_empty()).expect("it does so without being asked")
}

fn asked(effects: &Effects) -> Option<(u64, PreferenceChanges)> {
    said(effects).into_iter().find_map(|said| match said {
        Said::SetPreferences(set) => Some((set.request_id, set.changes.clone().unwrap())),
        _ => None,
    })
}

fn set(steps: &mut Steps, changes: PreferenceChanges) -> Effects {
    steps.input(Input::Command(Command::SetPreferences(id(), changes)))
}

fn answer(request_id: u64, outcome: Result<Preferences, ErrorReason>) -> Kind {
    let outcome = match outcome {
        Ok(preferences) => preferences_result::Outcome::Preferences(preferences),
        Err(reason) => {
            let problem = Problem { reason: reason.into(), ..Problem::default() };
            preferences_result::Outcome::Problem(problem)
        }
    };
    Kind::PreferencesResult(PreferencesResult { request_id, outcome: Some(outcome) })
}

fn pin() -> PreferenceChanges {
    PreferenceChanges { pinned: Some(true), ..PreferenceChanges::default() }
}

fn name(name: &str) -> PreferenceChanges {
    PreferenceChanges { custom_name: Some(name.into()), ..PreferenceChanges::default() }
}

fn saved_wish(effects: &Effects) -> Option<PreferenceChanges> {
    effects.save.iter().rev().find_map(|mutation| match mutation {
        Mutation::Wish(_, changes) => Some((**changes).clone()),
        _ => None,
    })
}

#[test]
fn what_changes_while_an_answer_is_awaited_goes_next() {
    let mut steps = Steps::live();
    let effects = set(&mut steps, pin());
    assert_eq!(saved_wish(&effects), Some(pin()), "saved before it is sent");
    let (request, sent) = asked(&effects).unwrap();
    assert_eq!(sent, pin());
    assert_eq!(asked(&set(&mut steps, name("Tea"))), None, "one set at a time");
    let effects = steps.hear(Conn(1), [answer(request, Ok(Preferences::default()))]);
    let (request, sent) = asked(&effects).unwrap();
    assert_eq!((sent, saved_wish(&effects)), (name("Tea"), Some(name("Tea"))));
    let effects = steps.hear(Conn(1), [answer(request, Ok(Preferences::default()))]);
    assert_eq!((asked(&effects), saved_wish(&effects)), (None, Some(PreferenceChanges::default())));
}

#[test]
fn what_is_not_answered_is_sent_again_on_the_next_stream() {
    let mut steps = Steps::live();
    set(&mut steps, pin());
    set(&mut steps, name("Tea"));
    steps.input(Input::Closed(Conn(1), None));
    while steps.wake().open.is_none() {}
    steps.welcome(Conn(2));
    let effects = steps.hear(Conn(2), [Kind::SyncDone(SyncDone { cursor: "second".into() })]);
    let both = PreferenceChanges { custom_name: Some("Tea".into()), ..pin() };
    assert_eq!(asked(&effects).map(|(_, sent)| sent), Some(both));
}

#[test]
fn a_set_that_is_refused_is_taken_apart() {
    let mut steps = Steps::live();
    let both = PreferenceChanges { custom_name: Some("Tea".into()), ..pin() };
    let (request, _) = asked(&set(&mut steps, both)).unwrap();
    let effects = steps.hear(Conn(1), [answer(request, Err(ErrorReason::TooManyPinned))]);
    let (request, sent) = asked(&effects).unwrap();
    assert_eq!(sent, pin());
    let effects = steps.hear(Conn(1), [answer(request, Err(ErrorReason::TooManyPinned))]);
    let is_told = |event: &Event| {
        matches!(event, Event::PreferencesRefused { changes, problem, .. }
            if **changes == pin() && problem.reason() == ErrorReason::TooManyPinned)
    };
    assert!(effects.tell.iter().any(is_told), "{:?}", effects.tell);
    let (request, sent) = asked(&effects).unwrap();
    assert_eq!(sent, name("Tea"), "the other one was not at fault");
    let effects = steps.hear(Conn(1), [answer(request, Ok(Preferences::default()))]);
    assert_eq!(saved_wish(&effects), Some(PreferenceChanges::default()));
}

#[test]
fn a_busy_server_is_asked_again_later() {
    let mut steps = Steps::live();
    let (request, _) = asked(&set(&mut steps, pin())).unwrap();
    let problem = Problem {
        reason: ErrorReason::Overloaded.into(),
        retry_after: Some(to_duration(Duration::from_secs(3))),
        ..Problem::default()
    };
    let outcome = Some(preferences_result::Outcome::Problem(problem));
    let refused_at = steps.now;
    let effects =
        steps.hear(Conn(1), [Kind::PreferencesResult(PreferencesResult { request_id: request, outcome })]);
    assert_eq!(asked(&effects), None);
    first_of(&mut steps, |effects| asked(effects).into_iter().collect());
    assert!(steps.now - refused_at >= Duration::from_secs(3), "as the server advised");
}

#[test]
fn a_draft_outlives_what_it_answers() {
    let mut steps = Steps::live();
    let draft = |reply_to| {
        let draft = Some(Unsent { text: "well".into(), reply_to });
        PreferenceChanges { draft, ..PreferenceChanges::default() }
    };
    let (request, _) = asked(&set(&mut steps, draft(9))).unwrap();
    let effects = steps.hear(Conn(1), [answer(request, Err(ErrorReason::SeqAhead))]);
    assert_eq!(asked(&effects).map(|(_, sent)| sent), Some(draft(0)));
}

#[test]
fn opening_takes_the_mark_away_and_the_read_mark_goes_first() {
    let mut steps = Steps::live();
    let Kind::SyncConversation(mut sync) = row(4, &[(1, 0)]) else { unreachable!("a row") };
    let marked = Preferences { marked_unread: true, ..Preferences::default() };
    sync.conversation.as_mut().unwrap().preferences = Some(marked.clone());
    steps.hear(Conn(1), [Kind::SyncConversation(sync)]);
    let effects = steps.input(Input::Command(Command::MarkRead(id(), Seq(4))));
    let kinds = said(&effects);
    assert!(matches!(kinds[0], Said::Read(read) if read.seq == 4), "{kinds:?}");
    let unmarked = PreferenceChanges { marked_unread: Some(false), ..PreferenceChanges::default() };
    let (request, sent) = asked(&effects).unwrap();
    assert_eq!(sent, unmarked);
    let effects = steps.input(Input::Command(Command::MarkRead(id(), Seq(4))));
    assert!(effects.save.is_empty() && said(&effects).is_empty(), "once is enough");

    // The user marks it again: an answer that comes now is about what was before.
    set(&mut steps, PreferenceChanges { marked_unread: Some(true), ..PreferenceChanges::default() });
    let effects = steps.hear(Conn(1), [answer(request, Ok(Preferences::default()))]);
    let (request, sent) = asked(&effects).unwrap();
    assert_eq!(sent.marked_unread, Some(true));
    let effects = steps.hear(Conn(1), [answer(request, Ok(marked.clone()))]);
    assert!(effects.save.contains(&Mutation::Preferences(id(), Box::new(marked))), "{:?}", effects.save);
}

fn typing(activity: Activity) -> Kind {
    Kind::Typing(Typing {
        conversation_id: id().to_string(),
        user_id: ben().to_string(),
        activity: activity.into(),
        expires_after: Some(to_duration(Duration::from_secs(6))),
    })
}

fn told(activity: Activity) -> Vec<Event> {
    vec![Event::Typing { conversation: id(), user: ben(), activity }]
}

#[test]
fn typing_is_told_once_and_ends_by_time_by_a_message_and_with_the_stream() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(0, &[(1, 0)])]);
    assert_eq!(steps.hear(Conn(1), [typing(Activity::Typing)]).tell, told(Activity::Typing));
    let began_at = steps.now;
    assert_eq!(steps.hear(Conn(1), [typing(Activity::Typing)]).tell, []);
    assert_eq!(steps.core.typing(id()), [(ben(), Activity::Typing)]);
    let ended = first_of(&mut steps, |effects| effects.tell.clone());
    assert_eq!(ended, told(Activity::Unspecified));
    assert_eq!(steps.now - began_at, Duration::from_secs(6));
    assert_eq!(steps.core.typing(id()), []);

    steps.hear(Conn(1), [typing(Activity::Recording)]);
    let content = Some(chat::Content { kind: Some(Content::Text(Text { body: "hi".into() })) });
    let message = Entry { sender_id: ben().to_string(), content, ..super::steps::entry(1) };
    let effects = steps.hear(Conn(1), [Kind::Event(Live { entry: Some(message) })]);
    assert!(effects.tell.contains(&told(Activity::Unspecified)[0]), "by a message");

    steps.hear(Conn(1), [typing(Activity::Typing)]);
    let effects = steps.input(Input::Closed(Conn(1), None));
    assert_eq!(effects.tell[0], told(Activity::Unspecified)[0], "with the stream");
}

fn types(steps: &mut Steps, activity: Activity) -> Vec<Activity> {
    let effects = steps.input(Input::Command(Command::SetTyping(id(), activity)));
    spoken(&effects)
}

fn spoken(effects: &Effects) -> Vec<Activity> {
    let said = said(effects).into_iter();
    said.filter_map(|said| if let Said::SetTyping(typing) = said { Some(typing.activity()) } else { None })
        .collect()
}

#[test]
fn own_typing_is_told_every_three_seconds_and_a_stop_at_once() {
    let mut steps = Steps::live();
    assert_eq!(types(&mut steps, Activity::Unspecified), [], "nothing to stop");
    assert_eq!(types(&mut steps, Activity::Typing), [Activity::Typing]);
    let first_at = steps.now;
    assert_eq!(types(&mut steps, Activity::Typing), []);
    let repeated = first_of(&mut steps, spoken);
    assert_eq!((repeated, steps.now - first_at), (vec![Activity::Typing], Duration::from_secs(3)));
    assert_eq!(types(&mut steps, Activity::Unspecified), [Activity::Unspecified]);
    assert_eq!(types(&mut steps, Activity::Unspecified), []);

    steps.now += Duration::from_secs(3);
    assert_eq!(types(&mut steps, Activity::Recording), [Activity::Recording]);
    let draft = Draft::new(id(), Content::Text(Text { body: "sent".into() }));
    let (_, _) = steps.core.append(steps.now, draft);
    assert_eq!(types(&mut steps, Activity::Unspecified), [], "the message has ended it");

    steps.input(Input::Closed(Conn(1), None));
    assert_eq!(types(&mut steps, Activity::Typing), []);
    while steps.wake().open.is_none() {}
    steps.welcome(Conn(2));
    let effects = steps.hear(Conn(2), [Kind::SyncDone(SyncDone { cursor: "second".into() })]);
    assert_eq!(spoken(&effects), [], "what was typed without a stream is past");
}

#[test]
fn the_watch_list_goes_over_to_the_next_stream_and_what_was_known_does_not() {
    let mut steps = Steps::live();
    let watched = |effects: &Effects| {
        said(effects)
            .iter()
            .find_map(|said| if let Said::Watch(watch) = said { Some(watch.user_ids.clone()) } else { None })
    };
    let watch = |steps: &mut Steps, users| steps.input(Input::Command(Command::Watch(users)));
    assert_eq!(watched(&watch(&mut steps, vec![ben(), ben()])), Some(vec![ben().to_string()]));
    assert_eq!(watched(&watch(&mut steps, vec![ben()])), None, "it is watched already");
    let online = Presence {
        user_id: ben().to_string(),
        availability: Availability::Online.into(),
        ..Presence::default()
    };
    let changed = || Kind::PresenceChanged(PresenceChanged { presence: Some(online.clone()) });
    let news = |presence| vec![Event::Presence { user: ben(), presence }];
    assert_eq!(steps.hear(Conn(1), [changed()]).tell, news(Some(online.clone())));
    assert_eq!(steps.hear(Conn(1), [changed()]).tell, []);
    let hidden = Presence { user_id: ben().to_string(), ..Presence::default() };
    let effects = steps.hear(Conn(1), [Kind::PresenceChanged(PresenceChanged { presence: Some(hidden) })]);
    assert_eq!(effects.tell, news(None));
    let last_seen = Some(Timestamp { seconds: 50, nanos: 0 });
    let was_here = Presence { user_id: ben().to_string(), last_seen, ..Presence::default() };
    let says = Presence { user_id: ben().to_string(), text: "at sea".into(), ..Presence::default() };
    for seen in [was_here, says] {
        let told = PresenceChanged { presence: Some(seen.clone()) };
        assert_eq!(steps.hear(Conn(1), [Kind::PresenceChanged(told)]).tell, news(Some(seen)));
    }
    steps.hear(Conn(1), [changed()]);

    let effects = steps.input(Input::Closed(Conn(1), None));
    assert_eq!(effects.tell[0], news(None)[0]);
    assert_eq!(steps.core.presence(ben()), None);
    while steps.wake().open.is_none() {}
    steps.welcome(Conn(2));
    let effects = steps.hear(Conn(2), [Kind::SyncDone(SyncDone { cursor: "second".into() })]);
    assert_eq!(watched(&effects), Some(vec![ben().to_string()]));
    assert_eq!(watched(&watch(&mut steps, Vec::new())), Some(Vec::new()), "an empty list ends it");
    assert_eq!(steps.hear(Conn(2), [changed()]).tell, [], "nobody asked");

    let many: Vec<UserId> = (0..=MAX_WATCHED).map(|_| UserId::new()).collect();
    assert_eq!(watched(&watch(&mut steps, many)).map(|users| users.len()), Some(MAX_WATCHED));
}

#[test]
fn the_app_behind_says_so_and_pings_seldom() {
    let mut steps = Steps::live();
    steps.wake();
    let effects = steps.input(Input::Command(Command::Background));
    assert!(matches!(said(&effects)[..], [Said::SetActive(active)] if !active.foreground));
    let behind_at = steps.now;
    let effects = steps.wake();
    assert!(matches!(said(&effects)[..], [Said::Ping(_)]));
    assert_eq!(steps.now - behind_at, Duration::from_secs(240), "the interval of the background");
    let effects = steps.input(Input::Command(Command::Foreground));
    assert!(matches!(said(&effects)[..], [Said::SetActive(active), Said::Ping(_)] if active.foreground));

    steps.input(Input::Command(Command::Background));
    steps.input(Input::Closed(Conn(1), None));
    let hello = loop {
        if let Some((_, hello)) = steps.wake().open {
            break hello;
        }
    };
    assert!(hello.background, "the next stream begins with it");
    steps.input(Input::Command(Command::Foreground));
    steps.welcome(Conn(2));
    let effects = steps.hear(Conn(2), [Kind::SyncDone(SyncDone { cursor: "second".into() })]);
    assert!(said(&effects).iter().any(|said| matches!(said, Said::SetActive(active) if active.foreground)));
}

/// The marks that are said; a hundred more for the seq of a read mark.
fn marks(effects: &Effects) -> Vec<u64> {
    let said = said(effects).into_iter();
    said.filter_map(|said| match said {
        Said::Received(mark) => Some(mark.seq),
        Said::Read(mark) => Some(100 + mark.seq),
        _ => None,
    })
    .collect()
}

#[test]
fn a_mark_is_said_once_on_a_stream_and_again_on_the_next() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(1, &[(1, 0)]), Kind::Event(Live { entry: Some(super::steps::entry(2)) })]);
    steps.input(Input::Command(Command::MarkRead(id(), Seq(99))));
    assert_eq!(first_of(&mut steps, marks), [2, 102], "nothing above what is held was shown");
    let effects = steps.hear(Conn(1), [Kind::Event(Live { entry: Some(super::steps::entry(3)) })]);
    assert!(marks(&effects).is_empty());
    assert_eq!(first_of(&mut steps, marks), [3], "the read mark was said");

    steps.input(Input::Closed(Conn(1), None));
    while steps.wake().open.is_none() {}
    steps.welcome(Conn(2));
    steps.hear(Conn(2), [Kind::SyncDone(SyncDone { cursor: "second".into() })]);
    assert_eq!(first_of(&mut steps, marks), [3, 102], "nobody knows what arrived of the last stream");
}

/// What is held at first is nothing: the row alone came, and there is nothing to say that was received.
#[test]
fn the_first_page_from_above_is_received() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(3, &[(1, 0)])]);
    assert!(marks(&steps.wake()).is_empty(), "a row is no entry");
    let asked = steps.input(Input::Command(Command::FetchOlder(id(), Seq(1))));
    let request = super::steps::fetch(&asked).expect("it goes down").0;
    steps.hear(Conn(1), [super::steps::page(request, 1..4, 0)]);
    assert_eq!(first_of(&mut steps, marks), [3]);
}

#[test]
fn marks_of_many_conversations_are_said_a_few_at_a_time_and_what_was_read_first() {
    let mut steps = Steps::live();
    let many: Vec<ConversationId> =
        (0..150_u128).map(|number| ConversationId::from_bytes((number + 1).to_be_bytes())).collect();
    for id in &many {
        let Kind::SyncConversation(mut sync) = row(1, &[(1, 0)]) else { panic!("a row") };
        sync.conversation.as_mut().unwrap().id = id.to_string();
        let entry = Entry { conversation_id: id.to_string(), ..super::steps::entry(2) };
        steps.hear(Conn(1), [Kind::SyncConversation(sync), Kind::Event(Live { entry: Some(entry) })]);
    }
    steps.input(Input::Command(Command::MarkRead(many[149], Seq(2))));
    let first = first_of(&mut steps, marks);
    assert_eq!((first.len(), &first[..2]), (65, &[2, 102][..]), "both marks of what was read, and 63 more");
    let first_at = steps.now;
    assert_eq!(first_of(&mut steps, marks).len(), 64);
    assert_eq!(steps.now - first_at, Duration::from_secs(1));
    assert_eq!(first_of(&mut steps, marks).len(), 22);
}

fn mark_refused(seq: u64, reason: ErrorReason, retry_after: Option<Duration>) -> Kind {
    let retry_after = retry_after.map(to_duration);
    let problem = Some(Problem { reason: reason.into(), retry_after, ..Problem::default() });
    Kind::MarkRefused(MarkRefused { conversation_id: id().to_string(), seq, problem })
}

fn read_taken_back(effects: &Effects) -> bool {
    effects.save.iter().any(|mutation| matches!(mutation, Mutation::ReadWanted(_, seq) if *seq == Seq(0)))
}

#[test]
fn marks_that_a_busy_server_refuses_are_said_again_later() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(1, &[(1, 0)]), Kind::Event(Live { entry: Some(super::steps::entry(2)) })]);
    steps.input(Input::Command(Command::MarkRead(id(), Seq(2))));
    assert_eq!(first_of(&mut steps, marks), [2, 102]);
    let refused_at = steps.now;
    let refused = || mark_refused(2, ErrorReason::StorageFull, Some(Duration::from_secs(5)));
    let effects = steps.hear(Conn(1), [refused(), refused()]);
    assert!(!read_taken_back(&effects), "what was read stays read: {:?}", effects.save);
    assert_eq!(first_of(&mut steps, marks), [2, 102]);
    assert!(steps.now - refused_at >= Duration::from_secs(5), "as the server advised");
}

#[test]
fn only_the_refusal_of_the_read_mark_itself_takes_it_back() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(1, &[(1, 0)]), Kind::Event(Live { entry: Some(super::steps::entry(2)) })]);
    assert_eq!(first_of(&mut steps, marks), [2]);
    let refused = |seq| mark_refused(seq, ErrorReason::SeqAhead, None);
    steps.input(Input::Command(Command::MarkRead(id(), Seq(1))));
    assert!(!read_taken_back(&steps.hear(Conn(1), [refused(2)])), "that was the other mark");
    assert_eq!(first_of(&mut steps, marks), [101]);
    steps.input(Input::Command(Command::MarkRead(id(), Seq(2))));
    assert!(!read_taken_back(&steps.hear(Conn(1), [refused(1)])), "more has been read since");
    assert_eq!(first_of(&mut steps, marks), [102]);
    assert!(read_taken_back(&steps.hear(Conn(1), [refused(2)])));
}

#[test]
fn a_wish_that_has_no_room_waits_for_an_answer_and_not_for_the_clock() {
    let mut steps = Steps::live();
    let (request_id, _) = asked(&set(&mut steps, pin())).unwrap();
    let others: Vec<ConversationId> = (0..9).map(|n| ConversationId::from_bytes([20 + n; 16])).collect();
    for other in &others {
        steps.input(Input::Command(Command::SetPreferences(*other, pin())));
    }
    steps.hear(Conn(1), [answer(request_id, Err(ErrorReason::Overloaded))]); // its place is taken at once
    for _ in 0..20 {
        assert_eq!(asked(&steps.wake()), None, "there is no room");
        assert!(steps.core.deadline().is_none_or(|at| at > steps.now), "a timer that changes nothing");
    }
}

fn cursor(effects: &Effects) -> Option<&[u8]> {
    effects.save.iter().rev().find_map(|mutation| match mutation {
        Mutation::Cursor(cursor) => Some(&cursor[..]),
        _ => None,
    })
}

#[test]
fn a_first_sync_that_is_cut_leaves_nobody_behind() {
    let mut steps = Steps::new();
    steps.wake();
    assert!(steps.welcome(Conn(1)).save.contains(&Mutation::ForgetPeople));
    let person = chat::Person { user_id: ben().to_string(), blocked: true, ..chat::Person::default() };
    let person = Kind::SyncPerson(chat::SyncPerson { person: Some(person) });
    assert_eq!(steps.hear(Conn(1), [person]).tell, [Event::Person(ben())]);
    let drain = Kind::Drain(chat::Drain { reconnect_after: None });
    steps.hear(Conn(1), [drain]);
    assert!(steps.wake().open.is_some_and(|(_, hello)| hello.cursor.is_empty()));
    let effects = steps.hear(Conn(1), [Kind::SyncDone(SyncDone { cursor: "first".into() })]);
    assert_eq!(cursor(&effects), Some(&b"first"[..]));
    let effects = steps.welcome(Conn(2));
    assert!(effects.save.contains(&Mutation::ForgetPeople), "who is no longer blocked does not come");
    assert_eq!(cursor(&effects), Some(&b""[..]), "until all have come anew");
    steps.hear(Conn(2), [Kind::SyncDone(SyncDone { cursor: "second".into() })]);
    steps.input(Input::Closed(Conn(2), None));
    while steps.wake().open.is_none() {}
    assert!(!steps.welcome(Conn(3)).save.contains(&Mutation::ForgetPeople), "a sync of changes alone");
}

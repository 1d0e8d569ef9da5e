//! Single steps: timers, ends, and what a simulated network meets too seldom.

use std::time::Duration;

use parlor_types::{ConversationId, Id as _, Op, Seq, UserId};
use parlor_wire::chat::v1::client_frame::Kind as Said;
use parlor_wire::chat::v1::content::Kind as Content;
use parlor_wire::chat::v1::server_frame::Kind;
use parlor_wire::chat::v1::{
    Activity, AppendResult, Conversation, Drain, Entry, Event as Live, FetchResult, Goodbye, Head, LogPage,
    ReadableRange, ServerFrame, SyncConversation, SyncDone, Text, Typing, Welcome, append_result,
    fetch_result,
};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::to_duration;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::core::sync::MAX_KNOWN;
use crate::core::{
    Command, Conn, Core, Draft, Effects, Event, Input, Mutation, Now, Outgoing, Range, Saved, Setup,
    UploadNews,
};

const PING_INTERVAL: Duration = Duration::from_secs(60);

pub struct Steps {
    pub core: Core,
    pub now: Now,
    batch: u64,
}

impl Steps {
    pub fn new() -> Self {
        let core = Core::new(setup(me()), StdRng::seed_from_u64(7), Saved::default());
        Self { core, now: Now::ZERO, batch: 0 }
    }

    pub fn live() -> Self {
        let mut steps = Self::new();
        assert!(steps.wake().open.is_some());
        steps.welcome(Conn(1));
        let done = steps.hear(Conn(1), [Kind::SyncDone(SyncDone { cursor: "first".into() })]);
        assert_eq!(done.tell, [Event::Online]);
        assert!(done.load_outbox);
        steps.input(Input::Outbox(Vec::new()));
        steps
    }

    pub fn input(&mut self, input: Input) -> Effects {
        self.core.handle(self.now, input)
    }

    pub fn hear(&mut self, conn: Conn, kinds: impl IntoIterator<Item = Kind>) -> Effects {
        self.batch += 1;
        let frames = kinds.into_iter().map(|kind| ServerFrame { kind: Some(kind) }).collect();
        self.input(Input::Batch(conn, self.batch, frames))
    }

    pub fn welcome(&mut self, conn: Conn) -> Effects {
        let welcome = Welcome {
            generation: "one".into(),
            ping_interval: Some(to_duration(PING_INTERVAL)),
            ..Welcome::default()
        };
        self.hear(conn, [Kind::Welcome(welcome)])
    }

    /// Sleeps until the core wants to be woken.
    pub fn wake(&mut self) -> Effects {
        self.now = self.now.max(self.core.deadline().expect("it waits for something"));
        self.input(Input::Timer)
    }

    fn goodbye(&mut self, reason: ErrorReason, reconnect: bool, after: Duration) -> Effects {
        let after = Some(to_duration(after));
        let goodbye = Goodbye { reason: reason.into(), reconnect, after, message: String::new() };
        self.hear(Conn(1), [Kind::Goodbye(goodbye)])
    }
}

pub fn setup(me: UserId) -> Setup {
    Setup { me, client: "test".into(), mobile: false, foreground: true }
}

fn me() -> UserId {
    UserId::from_bytes([1; 16])
}

pub fn id() -> ConversationId {
    ConversationId::from_bytes([9; 16])
}

pub fn entry(seq: u64) -> Entry {
    Entry { conversation_id: id().to_string(), seq, ..Entry::default() }
}

fn event(seq: u64) -> Kind {
    Kind::Event(Live { entry: Some(entry(seq)) })
}

pub fn row(head: u64, ranges: &[(u64, u64)]) -> Kind {
    let readable = ranges.iter().map(|&(from_seq, to_seq)| ReadableRange { from_seq, to_seq }).collect();
    let conversation = Conversation { id: id().to_string(), head, readable, ..Conversation::default() };
    Kind::SyncConversation(SyncConversation { conversation: Some(conversation) })
}

pub fn page(request_id: u64, seqs: std::ops::Range<u64>, next_seq: u64) -> Kind {
    let entries = seqs.map(entry).collect();
    let page = LogPage { conversation_id: id().to_string(), entries, next_seq, head: 0 };
    Kind::FetchResult(FetchResult { request_id, outcome: Some(fetch_result::Outcome::Page(page)) })
}

pub fn said(effects: &Effects) -> Vec<&Said> {
    effects.send.iter().filter_map(|frame| frame.kind.as_ref()).collect()
}

fn extent(effects: &Effects) -> Option<(Range, Seq)> {
    effects.save.iter().rev().find_map(|mutation| match mutation {
        Mutation::Extent(_, range, head) => Some((*range, *head)),
        _ => None,
    })
}

pub fn fetch(effects: &Effects) -> Option<(u64, u64, u64)> {
    said(effects).into_iter().find_map(|said| match said {
        Said::Fetch(fetch) => Some((fetch.request_id, fetch.from_seq, fetch.to_seq)),
        _ => None,
    })
}

#[test]
fn g5_a_gap_is_saved_before_a_cursor_can_pass_it() {
    let mut steps = Steps::live();
    let effects = steps.hear(Conn(1), [row(3, &[(1, 0)])]);
    assert_eq!(extent(&effects).map(|(_, head)| head), Some(Seq(3)));
    let effects = steps.hear(Conn(1), [event(5)]);
    assert_eq!(
        extent(&effects).map(|(_, head)| head),
        Some(Seq(5)),
        "G5: 4 is missing, and a crash forgets it"
    );
    let head = Head { conversation_id: id().to_string(), head: 9 };
    let effects = steps.hear(Conn(1), [Kind::Head(head)]);
    assert_eq!(extent(&effects).map(|(_, head)| head), Some(Seq(9)), "G5: all up to 9 is missing");
}

#[test]
fn batches_are_acked_in_time_and_in_number() {
    let mut steps = Steps::live();
    let heard_at = steps.now;
    let effects = steps.wake();
    assert_eq!(steps.now - heard_at, Duration::from_millis(250));
    assert!(matches!(said(&effects)[..], [Said::Ack(ack)] if ack.batch == 2));
    for _ in 0..31 {
        assert!(steps.hear(Conn(1), []).send.is_empty());
    }
    let effects = steps.hear(Conn(1), []);
    assert!(matches!(said(&effects)[..], [Said::Ack(ack)] if ack.batch == 34));
}

#[test]
fn silence_is_pinged_and_then_given_up() {
    let mut steps = Steps::live();
    steps.wake();
    let spoke_at = steps.now;
    let effects = steps.wake();
    assert_eq!(steps.now - spoke_at, PING_INTERVAL);
    assert!(matches!(said(&effects)[..], [Said::Ping(_)]));
    let pinged_at = steps.now;
    let effects = steps.wake();
    assert_eq!(steps.now - pinged_at, Duration::from_secs(10));
    assert_eq!((effects.close, effects.tell), (vec![Conn(1)], vec![Event::Offline(None)]));
    let effects = steps.wake();
    assert!(effects.open.is_some_and(|(conn, hello)| conn == Conn(2) && hello.cursor == "first"), "rule 3");

    let mut steps = Steps::live();
    let effects = steps.input(Input::Command(Command::Foreground));
    assert!(matches!(said(&effects)[..], [Said::Ping(_)]), "rule 6: at once when the app comes to the front");
}

#[test]
fn goodbye_says_whether_and_when_to_come_back() {
    let mut steps = Steps::live();
    let effects = steps.goodbye(ErrorReason::Displaced, false, Duration::ZERO);
    assert!(
        matches!(&effects.tell[..], [Event::Stopped(problem)] if problem.reason() == ErrorReason::Displaced)
    );
    assert_eq!(steps.core.deadline(), None);

    let mut steps = Steps::live();
    let effects = steps.goodbye(ErrorReason::Overloaded, true, Duration::from_secs(3));
    assert_eq!(effects.close, [Conn(1)]);
    let said_at = steps.now;
    assert!(steps.wake().open.is_some());
    let waited = steps.now - said_at;
    assert!((Duration::from_secs(3)..Duration::from_millis(3_500)).contains(&waited), "{waited:?}");

    let mut steps = Steps::live();
    let effects = steps.goodbye(ErrorReason::CursorInvalid, false, Duration::ZERO);
    assert_eq!(effects.save, [Mutation::Cursor("".into())]);
    assert!(steps.wake().open.is_some_and(|(_, hello)| hello.cursor.is_empty()));
}

#[test]
fn after_drain_the_new_stream_comes_before_the_old_one_goes() {
    let mut steps = Steps::live();
    let drained_at = steps.now;
    steps.hear(
        Conn(1),
        [Kind::Drain(Drain { reconnect_after: Some(to_duration(Duration::from_millis(100))) })],
    );
    let effects = steps.wake();
    let waited = steps.now - drained_at;
    assert!((Duration::from_millis(100)..Duration::from_millis(600)).contains(&waited), "{waited:?}");
    assert!(!waited.subsec_micros().is_multiple_of(100_000), "all clients of the server were told the same");
    assert!(effects.open.is_some() && effects.close.is_empty());
    let effects = steps.hear(Conn(1), [row(0, &[(1, 0)]), event(1)]);
    assert!(extent(&effects).is_some(), "the old one is still heard");
    let effects = steps.goodbye(ErrorReason::Displaced, false, Duration::ZERO);
    assert!(effects.tell.is_empty(), "displaced by our own");
    assert_eq!(steps.welcome(Conn(2)).tell, []);
}

#[test]
fn what_displaced_a_stream_may_have_been_a_successor_that_failed() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [Kind::Drain(Drain { reconnect_after: None })]);
    assert!(steps.wake().open.is_some());
    let draining = Problem { reason: ErrorReason::Draining.into(), ..Problem::default() };
    steps.input(Input::Closed(Conn(2), Some(draining)));
    let effects = steps.goodbye(ErrorReason::Displaced, false, Duration::ZERO);
    assert!(matches!(effects.tell[..], [Event::Offline(_)]), "{:?}", effects.tell);
    assert!(steps.wake().open.is_some(), "by our own");
}

#[test]
fn entries_wait_for_those_before_them() {
    let mut steps = Steps::live();
    let effects = steps.hear(Conn(1), [row(4, &[(1, 0)])]);
    assert_eq!(extent(&effects), Some((Range::empty_at(Seq(4)), Seq(4))), "first sight begins at the head");
    let effects = steps.hear(Conn(1), [event(7)]);
    assert_eq!(extent(&effects), Some((Range::empty_at(Seq(4)), Seq(7))));
    let (request, from, to) = fetch(&effects).expect("what is missing");
    assert_eq!((from, to), (5, 6));
    let effects = steps.hear(Conn(1), [page(request, 5..7, 0)]);
    assert_eq!(extent(&effects), Some((Range { low: Seq(5), have: Seq(7) }, Seq(7))));
    assert_eq!(effects.tell, [Event::Entries { conversation: id(), from: Seq(5), to: Seq(7) }]);
    assert!(steps.hear(Conn(1), [event(6)]).save.is_empty(), "known");

    let mut received = Vec::new();
    while received.is_empty() {
        let effects = steps.wake();
        received = effects.send.into_iter().filter(|f| matches!(f.kind, Some(Said::Received(_)))).collect();
    }
    assert!(matches!(&received[0].kind, Some(Said::Received(mark)) if mark.seq == 7), "rule 4: after saving");
}

#[test]
fn the_way_down_ends_where_reading_ends() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(9, &[(4, 0)])]);
    let effects = steps.input(Input::Command(Command::FetchOlder(id(), Seq(1))));
    let (request, from, to) = fetch(&effects).expect("it goes down");
    assert_eq!((from, to), (4, 9));
    let effects = steps.hear(Conn(1), [page(request, 4..7, 7)]);
    assert_eq!(extent(&effects), None, "what does not reach up to what is held waits");
    let (request, from, _) = fetch(&effects).expect("the rest");
    assert_eq!(from, 7);
    let effects = steps.hear(Conn(1), [page(request, 7..10, 0)]);
    assert_eq!(extent(&effects), Some((Range { low: Seq(4), have: Seq(9) }, Seq(9))));
    assert_eq!(effects.tell, [Event::Older { conversation: id(), low: Seq(4), complete: true }]);
    let effects = steps.input(Input::Command(Command::FetchOlder(id(), Seq(1))));
    assert_eq!(effects.tell, [Event::Older { conversation: id(), low: Seq(4), complete: true }]);
    assert_eq!(fetch(&effects), None);
}

#[test]
fn a_way_down_that_does_not_go_on_is_not_gathered() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(9, &[(4, 0)])]);
    let effects = steps.input(Input::Command(Command::FetchOlder(id(), Seq(1))));
    let mut asked = fetch(&effects);
    for (seqs, next) in [(4..7, 4), (4..5, 3), (9..12, 0), (7..7, 4)] {
        let (request, from, to) = asked.expect("it goes on asking");
        assert_eq!((from, to), (4, 9), "nothing of what was said is kept");
        let effects = steps.hear(Conn(1), [page(request, seqs, next)]);
        assert_eq!(
            (extent(&effects), fetch(&effects)),
            (None, None),
            "nothing is taken, and nothing asked at once"
        );
        asked = (0..100).find_map(|_| fetch(&steps.wake()));
    }
}

#[test]
fn no_server_makes_a_client_wait_for_ever() {
    let ever = Some(prost_types::Duration { seconds: i64::MAX, nanos: 0 });
    let day = Duration::from_secs(24 * 60 * 60 + 1);
    let mut steps = Steps::new();
    steps.wake();
    let welcome = Welcome { generation: "one".into(), ping_interval: ever, ..Welcome::default() };
    steps.hear(Conn(1), [Kind::Welcome(welcome)]);
    while !steps.wake().send.iter().any(|frame| matches!(frame.kind, Some(Said::Ping(_)))) {}
    assert!(steps.now <= day, "{:?}", steps.now);
    let mut steps = Steps::live();
    let goodbye = Goodbye { reconnect: true, after: ever, ..Goodbye::default() };
    steps.hear(Conn(1), [Kind::Goodbye(goodbye)]);
    assert!(steps.core.next_attempt().is_some_and(|at| at <= steps.now + day));
}

#[test]
fn a_time_before_any_other_is_none() {
    let never = Some(prost_types::Duration { seconds: i64::MIN, nanos: i32::MIN });
    let mut steps = Steps::live();
    let typing = Typing {
        conversation_id: id().to_string(),
        user_id: UserId::new().to_string(),
        activity: Activity::Typing.into(),
        expires_after: never,
    };
    steps.hear(Conn(1), [Kind::Typing(typing), Kind::Drain(Drain { reconnect_after: never })]);
    assert!(steps.wake().open.is_some());
}

#[test]
fn g8_a_server_that_names_too_many_conversations_is_not_listened_to_any_more() {
    let mut steps = Steps::live();
    let head = |number: usize| {
        let named = ConversationId::from_bytes((number as u128).to_be_bytes());
        Kind::Head(Head { conversation_id: named.to_string(), head: 1 })
    };
    let effects = steps.hear(Conn(1), (0..MAX_KNOWN).map(head));
    assert_eq!((effects.close, effects.tell), (vec![], vec![]), "so many are borne");
    assert_eq!(steps.hear(Conn(1), [head(0), head(MAX_KNOWN - 1)]).close, [], "these are known");
    let done = Kind::SyncDone(SyncDone { cursor: "all of it".into() });
    let effects = steps.hear(Conn(1), [head(MAX_KNOWN), head(MAX_KNOWN + 1), done]);
    assert_eq!(effects.close, [Conn(1)], "G8: a server fills a client");
    assert_eq!(effects.save, [], "no cursor passes over what was not taken in");
    let [Event::Stopped(problem)] = &effects.tell[..] else { panic!("{:?}", effects.tell) };
    assert_eq!(problem.reason(), ErrorReason::TooManyConversations);
    assert_eq!(steps.core.deadline(), None, "and not called again");
}

#[test]
fn a_rejoin_opens_a_new_range() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(1, &[(1, 0)]), event(2), event(3)]);
    let effects = steps.hear(Conn(1), [row(12, &[(1, 3), (10, 0)])]);
    let (request, from, to) = fetch(&effects).expect("the new range");
    assert_eq!((from, to), (10, 12));
    let effects = steps.hear(Conn(1), [page(request, 10..13, 0)]);
    assert_eq!(extent(&effects), Some((Range { low: Seq(10), have: Seq(12) }, Seq(12))));
}

#[test]
fn a_log_that_shrank_is_reported_and_taken_afresh() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(5, &[(1, 0)]), event(6)]);
    assert!(
        !steps.hear(Conn(1), [row(5, &[(1, 0)])]).tell.contains(&Event::Regressed(id())),
        "rows may be late"
    );
    steps.input(Input::Closed(Conn(1), None));
    while steps.wake().open.is_none() {}
    steps.welcome(Conn(2));
    let effects = steps.hear(Conn(2), [row(3, &[(1, 0)])]);
    assert!(effects.tell.contains(&Event::Regressed(id())));
    assert!(effects.save.contains(&Mutation::Forget(id())));
    assert_eq!(extent(&effects), Some((Range::empty_at(Seq(3)), Seq(3))));
}

#[test]
fn a_late_row_of_a_stream_that_is_being_replaced_is_no_log_that_shrank() {
    let mut steps = Steps::live();
    steps.hear(Conn(1), [row(5, &[(1, 0)]), event(6), Kind::Drain(Drain { reconnect_after: None })]);
    assert!(steps.wake().open.is_some());
    let effects = steps.hear(Conn(1), [row(5, &[(1, 0)])]);
    assert!(
        !effects.tell.contains(&Event::Regressed(id())),
        "the new stream has said what is held, not this one"
    );
    steps.welcome(Conn(2));
    let effects = steps.hear(Conn(2), [row(5, &[(1, 0)])]);
    assert!(effects.tell.contains(&Event::Regressed(id())));
}

#[test]
fn an_op_nobody_can_look_for_is_given_up() {
    let mut steps = Steps::live();
    let draft = Draft::new(id(), Content::Text(Text { body: "old".into() }));
    let row = Outgoing::new(Op::new(), Seq(50), draft);
    steps.input(Input::Outbox(vec![row.clone()]));
    let problem = Problem { reason: ErrorReason::OpTooOld.into(), ..Problem::default() };
    let result = AppendResult {
        op: row.op.to_string(),
        outcome: Some(append_result::Outcome::Problem(problem)),
        lane: 1,
        conversation_id: id().to_string(),
    };
    let effects = steps.hear(Conn(1), [Kind::AppendResult(result)]);
    let (request, from, _) = fetch(&effects).expect("it looks in the log");
    assert_eq!(from, 51);
    // The readable part ends before that: reading brings nothing, now or ever.
    let effects = steps.hear(Conn(1), [page(request, 0..0, 0)]);
    assert!(matches!(&effects.tell[..], [Event::Settled(op, Err(_))] if *op == row.op));
    assert_eq!(effects.save, [Mutation::Settle(row.op)]);
}

#[test]
fn a_message_whose_files_the_server_has_forgotten_goes_back_to_them() {
    for recallable in [true, false] {
        let mut steps = Steps::live();
        let message = |body: &str| Outgoing::new(Op::new(), Seq(3), Draft::new(id(), text(body)));
        let (first, later) = (Outgoing { recallable, ..message("photo") }, message("text"));
        steps.input(Input::Outbox(vec![first.clone(), later.clone()]));
        let answer = |op: Op, lane, reason: ErrorReason| {
            let problem = Problem { reason: reason.into(), ..Problem::default() };
            Kind::AppendResult(AppendResult {
                op: op.to_string(),
                outcome: Some(append_result::Outcome::Problem(problem)),
                lane,
                conversation_id: id().to_string(),
            })
        };
        let effects = steps.hear(Conn(1), [answer(first.op, 1, ErrorReason::MediaNotFound)]);
        if recallable {
            assert_eq!(effects.save, [Mutation::Recall(first.op)]);
            assert_eq!(effects.tell, [Event::Upload { message: first.op, news: UploadNews::Again }]);
        } else {
            assert_eq!(effects.save, [Mutation::Settle(first.op)]);
            assert!(matches!(&effects.tell[..], [Event::Settled(op, Err(_))] if *op == first.op));
        }
        // What was behind it does not wait for its files.
        let effects = steps.hear(Conn(1), [answer(later.op, 0, ErrorReason::OutOfOrder)]);
        let said = said(&effects);
        assert!(
            matches!(&said[..], [Said::Append(append)] if append.op == later.op.to_string() && append.lane == 1),
            "{said:?}"
        );
    }
}

fn text(body: &str) -> Content {
    Content::Text(Text { body: body.into() })
}

//! Small histories, each with one thing wrong: the rule that finds it, and the lines that it shows.

use parlor_history::{Event, Guarantee, History, Line, Seen};
use parlor_types::{ConversationId, Id, Op, SessionId, UserId};

const SECOND: u64 = 1_000_000_000;

fn id<T: Id>(number: u8) -> T {
    T::from_bytes([number; 16])
}

fn room() -> ConversationId {
    id(7)
}

/// The entry that `op(seq)` made.
fn entry(seq: u64) -> Seen {
    let number = u8::try_from(seq).expect("a small number");
    let sender = id(if seq == 3 { 2 } else { 1 });
    let content = Some(format!("message {seq}"));
    let (op, message) = (op(number), seq > 1);
    Seen { seq, rev: 0, op, sender, content, message, added: Vec::new(), removed: Vec::new() }
}

fn op(number: u8) -> Op {
    id(number)
}

fn entries(seqs: impl IntoIterator<Item = u64>) -> Vec<Seen> {
    seqs.into_iter().map(entry).collect()
}

fn invoke(number: u8, base: u64) -> Event {
    let content = Some(format!("message {number}"));
    Event::Invoke { op: op(number), conversation: room(), base_seq: Some(base), content }
}

fn ok(number: u8) -> Event {
    Event::Ok { op: op(number), seq: number.into() }
}

fn applied(seqs: impl IntoIterator<Item = u64>) -> Event {
    Event::Applied { conversation: room(), entries: entries(seqs) }
}

fn page(seqs: impl IntoIterator<Item = u64>) -> Event {
    Event::Page { conversation: room(), entries: entries(seqs) }
}

fn held(from: u64, to: u64, whole: bool) -> Event {
    Event::Held { conversation: room(), ranges: vec![(from, to)], whole }
}

fn readable(ranges: &[(u64, Option<u64>)]) -> Event {
    Event::Readable { conversation: room(), ranges: ranges.to_vec() }
}

fn marks(user: u8, received: u64, read: u64) -> Event {
    Event::Marks { conversation: room(), user: id(user), received, read }
}

fn unread(head: u64, read: u64, messages: u64) -> Event {
    Event::Unread { conversation: room(), head, read, messages }
}

/// Seq 1 is the creation; ada says 2 and 4, ben 3 in between.
struct Story(Vec<Line>);

impl Story {
    fn new() -> Self {
        let mut story = Self(Vec::new());
        for (name, number) in [("ada", 1), ("ben", 2)] {
            let (user, session) = (id(number), Some(id::<SessionId>(number)));
            story.at(1, name, Event::Begin { user, session });
            story.at(2, name, Event::Head { conversation: room(), head: 1 });
        }
        story.at(10, "ada", invoke(2, 1)).at(11, "ada", invoke(4, 1)).at(20, "ada", ok(2));
        story.at(21, "ben", invoke(3, 1)).at(30, "ben", ok(3)).at(40, "ada", ok(4)).at(41, "ada", ok(4));
        story.at(42, "ada", applied([1, 2])).at(43, "ada", applied([3, 4])).at(44, "ben", applied(1..=4));
        story.at(50, "ada", marks(2, 3, 3)).at(51, "ada", marks(2, 4, 3)).at(52, "ben", unread(4, 3, 1));
        story.at(90, "ada", held(1, 4, true)).at(91, "ben", held(1, 4, false));
        story
    }

    fn at(&mut self, at: u64, client: &str, event: Event) -> &mut Self {
        self.0.push(Line { at, client: client.into(), event });
        self
    }

    /// Takes away what `which` says.
    fn without(&mut self, which: impl Fn(&Line) -> bool) -> &mut Self {
        let before = self.0.len();
        self.0.retain(|line| !which(line));
        assert!(self.0.len() < before, "there was such a line");
        self
    }

    fn each(&mut self, change: impl Fn(&mut Line)) -> &mut Self {
        self.0.iter_mut().for_each(change);
        self
    }

    fn each_entry(&mut self, change: impl Fn(&str, &mut Vec<Seen>)) -> &mut Self {
        self.each(|line| {
            if let Event::Applied { entries, .. } | Event::Page { entries, .. } = &mut line.event {
                change(&line.client, entries);
            }
        })
    }

    /// What is found, and with how many lines it is shown.
    #[track_caller]
    fn found(&self) -> Vec<(Guarantee, usize)> {
        let history = History::new(self.0.clone());
        let found = history.check();
        let shown = |violation| history.slice(violation).len();
        found.iter().map(|violation| (violation.guarantee, shown(violation))).collect()
    }

    #[track_caller]
    fn breaks(&self, guarantee: Guarantee, shown: usize) {
        assert_eq!(self.found(), [(guarantee, shown)], "{:#?}", History::new(self.0.clone()).check());
    }
}

fn is_ack(line: &Line, number: u8) -> bool {
    line.event == ok(number)
}

#[test]
fn a_good_history_passes() {
    assert_eq!(Story::new().found(), []);
    History::new(Story::new().0).assert_good();
}

#[test]
fn g1_an_ack_without_its_entry() {
    let mut story = Story::new();
    story.each_entry(|_, entries| entries.retain(|entry| entry.seq < 4));
    story.each(|line| {
        if let Event::Held { ranges, .. } = &mut line.event {
            *ranges = vec![(1, 3)];
        }
    });
    story.without(|line| matches!(line.event, Event::Marks { received: 4, .. } | Event::Unread { .. }));
    let found = story.found();
    assert!(found.contains(&(Guarantee::G1, 3)), "invoke, ack and who read everything: {found:?}");
}

#[test]
fn g1_an_ack_that_names_another_place() {
    let mut story = Story::new();
    story.each(|line| {
        if line.event == ok(3) {
            line.event = Event::Ok { op: op(3), seq: 1 };
        }
    });
    story.breaks(Guarantee::G1, 3);
}

#[test]
fn g1_an_entry_that_says_something_else() {
    let mut story = Story::new();
    story.each_entry(|_, entries| {
        entries.iter_mut().filter(|entry| entry.seq == 3).for_each(|entry| entry.content = Some("no".into()));
    });
    story.breaks(Guarantee::G1, 2);
}

#[test]
fn g1_an_entry_of_another_sender() {
    let mut story = Story::new();
    story.each_entry(|_, entries| {
        entries.iter_mut().filter(|entry| entry.seq == 3).for_each(|entry| entry.sender = id(1));
    });
    story.breaks(Guarantee::G1, 2);
}

#[test]
fn g1_a_log_that_nobody_read_proves_nothing() {
    let mut story = Story::new();
    let reads =
        |event: &Event| matches!(event, Event::Applied { .. } | Event::Held { .. } | Event::Marks { .. });
    story.without(|line| reads(&line.event));
    assert!(story.found().iter().all(|(guarantee, _)| *guarantee == Guarantee::G1));
    assert_eq!(story.found().len(), 4, "each ack");
}

#[test]
fn g2_an_entry_that_is_there_twice() {
    let mut story = Story::new();
    let again = Seen { seq: 5, ..entry(3) };
    story.at(60, "ada", Event::Applied { conversation: room(), entries: vec![again.clone()] });
    story.at(60, "ben", Event::Applied { conversation: room(), entries: vec![again] });
    story.each(|line| {
        if let Event::Held { ranges, .. } = &mut line.event {
            *ranges = vec![(1, 5)];
        }
    });
    story.breaks(Guarantee::G2, 2);
}

#[test]
fn g2_two_acks_at_different_places() {
    let mut story = Story::new();
    story.at(45, "ada", Event::Ok { op: op(4), seq: 2 });
    let found = story.found();
    assert!(found.contains(&(Guarantee::G2, 3)), "{found:?}");
}

#[test]
fn g2_what_is_owed_is_not_there() {
    let mut story = Story::new();
    story.at(50, "ben", invoke(9, 1)).at(51, "ben", Event::Unknown { op: op(9) });
    assert_eq!(story.found(), [], "without an answer it may be lost");
    story.at(60, "ben", Event::Owed { op: op(9) });
    story.breaks(Guarantee::G2, 2);
}

#[test]
fn g2_what_was_refused_is_there() {
    let mut story = Story::new();
    story.without(|line| is_ack(line, 3));
    assert_eq!(story.found(), [], "a lost ack breaks nothing");
    story.at(60, "ben", Event::Fail { op: op(3), reason: "NOT_FOUND".to_owned() });
    story.breaks(Guarantee::G2, 3);
}

#[test]
fn g2_one_op_for_two_appends_and_an_answer_to_no_question() {
    let mut story = Story::new();
    story.at(25, "ben", invoke(3, 1));
    story.breaks(Guarantee::G2, 2);
    let mut story = Story::new();
    story.at(25, "ben", Event::Ok { op: op(9), seq: 3 });
    story.breaks(Guarantee::G2, 1);
}

#[test]
fn what_was_recalled_may_be_asked_for_once_more() {
    let mut story = Story::new();
    story.at(22, "ben", Event::Recalled { op: op(3) }).at(23, "ben", invoke(3, 1));
    assert_eq!(story.found(), []);
    story.at(24, "ben", invoke(3, 1));
    story.breaks(Guarantee::G2, 2);
}

#[test]
fn what_was_recalled_may_be_stored_after_a_refusal() {
    let mut story = Story::new();
    story.at(21, "ben", Event::Fail { op: op(3), reason: "NOT_FOUND".to_owned() });
    assert_eq!(story.found(), [(Guarantee::G2, 3), (Guarantee::G2, 3)], "it is acked, and there");
    story.at(22, "ben", Event::Recalled { op: op(3) });
    assert_eq!(story.found(), [], "whoever goes back to an older copy of itself still has it to send");
}

#[test]
fn g2_a_base_that_was_never_heard_of() {
    let mut story = Story::new();
    story.each(|line| {
        if line.event == invoke(4, 1) {
            line.event = invoke(4, 2);
        }
    });
    story.breaks(Guarantee::G2, 1);
}

#[test]
fn g3_readers_that_see_different_logs() {
    for spoil in [
        |entry: &mut Seen| entry.op = op(99),
        |entry: &mut Seen| entry.content = Some("another".to_owned()),
        |entry: &mut Seen| entry.sender = id(99),
    ] {
        let mut story = Story::new();
        story.each_entry(|client, entries| {
            entries.iter_mut().filter(|entry| client == "ben" && entry.seq == 1).for_each(spoil);
        });
        story.breaks(Guarantee::G3, 2);
    }
    let mut story = Story::new();
    story.each_entry(|client, entries| {
        for entry in entries.iter_mut().filter(|entry| client == "ben" && entry.seq == 2) {
            (entry.rev, entry.content) = (3, Some("edited".to_owned()));
        }
    });
    assert_eq!(story.found(), [], "another rev may say something else");
    let mut story = Story::new();
    story.each_entry(|client, entries| {
        entries.iter_mut().filter(|entry| client == "ben" && entry.seq == 1).for_each(|it| it.content = None);
    });
    assert_eq!(story.found(), [], "what is withheld cannot be compared");
}

#[test]
fn g3_a_gap_a_repetition_and_a_step_back() {
    for seqs in [vec![1, 3, 4], vec![1, 2, 2, 3, 4], vec![1, 3, 2, 3, 4]] {
        for event in [applied(seqs.clone()), page(seqs)] {
            let mut story = Story::new();
            story.at(60, "cem", event);
            let found = story.found();
            assert!(found.contains(&(Guarantee::G3, 1)), "{found:?}");
        }
    }
    let mut story = Story::new();
    story.at(60, "ada", applied([4]));
    story.breaks(Guarantee::G3, 2);
    let mut story = Story::new();
    story.at(60, "ada", Event::Forgot { conversation: room() }).at(61, "ada", applied([3, 4]));
    assert_eq!(story.found(), [], "what was forgotten comes anew");
}

#[test]
fn who_is_started_again_goes_on_after_what_was_saved() {
    let with = |to| {
        let mut story = Story::new();
        story.without(|line| line.event == applied([1, 2]));
        story.at(42, "ada", Event::Resumed { conversation: room(), from: 1, to });
        story
    };
    assert_eq!(with(2).found(), []);
    with(1).without(|line| matches!(line.event, Event::Held { .. })).breaks(Guarantee::G3, 2);
}

#[test]
fn g4_asked_after_an_ack_and_placed_before_it() {
    let asked = |at| {
        let mut story = Story::new();
        story.each(|line| {
            if line.event == invoke(3, 1) {
                line.at = at;
            }
        });
        story
    };
    assert_eq!(asked(40).found(), [], "at once is not after");
    asked(41).breaks(Guarantee::G4, 2);
}

#[test]
fn g4_a_lane_out_of_order() {
    let mut story = Story::new();
    story.each(|line| {
        if line.event == invoke(4, 1) {
            line.at = 9;
        }
    });
    story.breaks(Guarantee::G4, 2);
}

#[test]
fn g5_a_client_that_lacks_something() {
    let with = |event: Event| {
        let mut story = Story::new();
        story.at(60, "cem", page(1..=4)).at(95, "cem", event);
        story
    };
    assert_eq!(with(held(3, 4, false)).found(), [], "who did not go down lacks nothing");
    with(held(3, 4, true)).breaks(Guarantee::G5, 2);
    with(held(1, 3, false)).breaks(Guarantee::G5, 2);
    let hole = Event::Held { conversation: room(), ranges: vec![(1, 1), (3, 4)], whole: false };
    with(hole).breaks(Guarantee::G5, 2);
    let mut story = Story::new();
    story.at(95, "cem", held(1, 4, true));
    story.breaks(Guarantee::G5, 1);
}

#[test]
fn g5_after_a_restore_everything_comes_anew() {
    let generation = |name: &str| Event::Generation { generation: name.to_owned() };
    let mut story = Story::new();
    story.at(95, "ada", generation("b")).at(95, "ben", generation("b"));
    story.at(96, "ada", applied(1..=3)).at(96, "ben", applied(1..=3));
    story.at(97, "ada", held(1, 3, true)).at(97, "ben", held(1, 3, true));
    assert_eq!(story.found(), [], "what a restore took away is not missed");
    story.without(|line| line.at == 96 && &*line.client == "ben");
    story.breaks(Guarantee::G5, 1);
}

#[test]
fn g6_marks_that_go_back_or_are_beyond_what_their_owner_has() {
    let with = |event: Event| {
        let mut story = Story::new();
        story.at(60, "ada", event);
        story
    };
    assert_eq!(with(marks(2, 4, 4)).found(), []);
    with(marks(2, 3, 3)).breaks(Guarantee::G6, 2);
    with(marks(2, 4, 2)).breaks(Guarantee::G6, 2);
    with(marks(2, 5, 3)).breaks(Guarantee::G6, 1);
    assert_eq!(with(marks(9, 5, 3)).found(), [], "of who is not recorded one cannot tell");
    let mut story = Story::new();
    story.at(35, "ada", marks(2, 3, 3));
    assert_eq!(story.found(), [], "one has what one has written");
    let mut story = Story::new();
    story.at(60, "ada", marks(2, 0, 0)).at(61, "ada", marks(2, 4, 0)).at(62, "ada", marks(2, 4, 2));
    story.breaks(Guarantee::G6, 2); // what was not told is not forgotten
}

#[test]
fn who_becomes_a_member_has_what_was_before() {
    let joined = |added: &[u8]| {
        let added: Vec<UserId> = added.iter().map(|number| id(*number)).collect();
        let mut story = Story::new();
        story.each_entry(|_, entries| {
            for entry in entries.iter_mut().filter(|entry| entry.seq == 4) {
                entry.added.clone_from(&added);
            }
        });
        story.at(60, "cem", Event::Begin { user: id(3), session: None }).at(61, "ada", marks(3, 4, 4));
        story
    };
    assert_eq!(joined(&[3]).found(), []);
    joined(&[]).breaks(Guarantee::G6, 1);
}

#[test]
fn what_was_had_before_a_restore_may_be_in_the_backup() {
    let mut story = Story::new();
    for client in ["ada", "ben"] {
        story.at(100, client, Event::Generation { generation: "restored".to_owned() });
    }
    story.at(110, "ada", marks(2, 4, 4)).at(120, "ada", page(1..=4));
    assert_eq!(story.found(), []);
    story.at(121, "ada", marks(2, 5, 4));
    story.breaks(Guarantee::G6, 1);
}

#[test]
fn g6_unread_that_one_does_not_count() {
    let mut story = Story::new();
    story.at(60, "ben", unread(4, 1, 3));
    assert_eq!(story.found(), []);
    story.at(61, "ben", unread(4, 1, 2));
    story.breaks(Guarantee::G6, 3);
}

#[test]
fn g7_what_may_not_be_read() {
    let mut story = Story::new();
    story.at(5, "ben", readable(&[(1, Some(1)), (3, None)]));
    assert!(story.found().iter().all(|(guarantee, _)| *guarantee == Guarantee::G7));
    assert_eq!(story.found().len(), 2, "what was taken in, and what is held");
    story.each_entry(|client, entries| entries.retain(|entry| client != "ben" || entry.seq != 2));
    story.each(|line| {
        if let Event::Held { ranges, whole: false, .. } = &mut line.event {
            *ranges = vec![(1, 1), (3, 4)];
        }
    });
    assert_eq!(story.found(), [], "a gap that may not be read is none");
}

#[test]
fn g7_what_came_after_a_removal() {
    let change = |removed_at: u64, added_at: Option<u64>| {
        let mut story = Story::new();
        story.each_entry(|_, entries| {
            for entry in entries {
                entry.removed = if entry.seq == removed_at { vec![id(2)] } else { Vec::new() };
                entry.added = if Some(entry.seq) == added_at { vec![id(2)] } else { Vec::new() };
            }
        });
        story
    };
    assert_eq!(change(4, None).found(), [], "the removal is the last entry its victim gets");
    change(3, None).breaks(Guarantee::G7, 2);
    assert_eq!(change(3, Some(4)).found(), [], "who is back gets the entry that says so");
    change(2, Some(4)).breaks(Guarantee::G7, 2);
    let mut story = change(2, Some(4));
    story.at(5, "ben", readable(&[(1, None)]));
    assert_eq!(story.found(), [], "who is back may read what was said meanwhile, if the group shows it");
}

#[test]
fn g7_what_came_after_the_end_of_a_session() {
    let after = |late: u64| {
        let mut story = Story::new();
        story.at(100, "ada", Event::Revoked { session: id(2) });
        story.at(100 + late, "ben", page([4]));
        story
    };
    assert_eq!(after(SECOND).found(), []);
    after(SECOND + 1).breaks(Guarantee::G7, 2);
}

//! A good history passes; each way to be bad is found, and called by its guarantee.

use parlor_types::{ConversationId, Id as _, Op, Seq};

use super::*;

const ROOM: [u8; 16] = [7; 16];

fn room() -> ConversationId {
    ConversationId::from_bytes(ROOM)
}

fn op(number: u8) -> Op {
    Op::from_bytes([number; 16])
}

fn line(seq: u64, number: u8) -> Line {
    Line { seq: Seq(seq), op: op(number), text: number.to_string() }
}

fn append(lane: &str, place: u64, number: u8, invoked: Tick, acks: &[(Tick, u64)]) -> (Op, Append) {
    let acks = acks.iter().map(|(at, seq)| (*at, Seq(*seq))).collect();
    let (lane, text) = (lane.to_owned(), number.to_string());
    let append =
        Append { lane, place, conversation: room(), text, invoked, acks, fate: Fate::Owed, unknown: 0 };
    (op(number), append)
}

/// Seq 1 by nobody here; ada says 2 and 4, ben 3 in between, whose ack was lost once.
fn good() -> History {
    let log = vec![line(1, 1), line(2, 2), line(3, 3), line(4, 4)];
    let reading = |reader: &str, from: usize| Reading {
        reader: reader.to_owned(),
        conversation: room(),
        lines: log[from..].to_vec(),
    };
    History {
        appends: BTreeMap::from([
            append("ada", 1, 2, 10, &[(20, 2)]),
            append("ada", 2, 4, 11, &[(50, 4), (60, 4)]),
            append("ben", 1, 3, 21, &[]),
        ]),
        readings: vec![reading("ada", 0), reading("ben", 2)],
        holdings: vec![Holding {
            reader: "ben".to_owned(),
            conversation: room(),
            ranges: vec![(Seq(1), Some(Seq(1))), (Seq(3), None)],
            held: BTreeSet::from([Seq(1), Seq(3), Seq(4)]),
        }],
        logs: BTreeMap::from([(room(), log)]),
    }
}

/// The guarantees that a history made bad is said to break.
#[track_caller]
fn broken(spoil: impl FnOnce(&mut History)) -> Vec<Guarantee> {
    let mut history = good();
    spoil(&mut history);
    let mut found: Vec<_> = history.check().into_iter().map(|violation| violation.guarantee).collect();
    found.sort();
    found.dedup();
    found
}

fn log(history: &mut History) -> &mut Vec<Line> {
    history.logs.get_mut(&room()).unwrap()
}

fn of(history: &mut History, number: u8) -> &mut Append {
    history.appends.get_mut(&op(number)).unwrap()
}

#[test]
fn a_good_history_passes() {
    assert_eq!(broken(|_| {}), []);
    good().assert_good();
}

#[test]
fn an_ack_without_its_entry_breaks_g1() {
    let shorter = broken(|history| {
        log(history).pop();
        history.readings.clear();
        history.holdings.clear();
    });
    assert_eq!(shorter, [Guarantee::G1]);
    let elsewhere = broken(|history| of(history, 2).acks = vec![(20, Seq(1))]);
    assert_eq!(elsewhere, [Guarantee::G1]);
    assert_eq!(broken(|history| of(history, 2).text = "other".to_owned()), [Guarantee::G1]);
}

#[test]
fn an_entry_that_was_read_and_is_gone_breaks_g1() {
    let read = broken(|history| history.readings[0].lines.push(line(5, 5)));
    assert_eq!(read, [Guarantee::G1]);
}

#[test]
fn a_log_that_nobody_read_proves_nothing() {
    let unread = broken(|history| {
        history.logs.clear();
        history.readings.clear();
        history.holdings.clear();
    });
    assert_eq!(unread, [Guarantee::G1]);
}

#[test]
fn an_entry_that_is_there_twice_breaks_g2() {
    let twice = broken(|history| {
        log(history).push(line(5, 3));
        history.holdings.clear();
    });
    assert_eq!(twice, [Guarantee::G2]);
    let two_acks = broken(|history| of(history, 4).acks = vec![(50, Seq(4)), (60, Seq(1))]);
    assert!(two_acks.contains(&Guarantee::G2), "{two_acks:?}");
}

#[test]
fn an_entry_that_was_repeated_to_the_end_and_is_not_there_breaks_g2() {
    let lost = |fate| {
        broken(|history| {
            let (op, mut append) = append("ben", 2, 9, 70, &[]);
            append.fate = fate;
            append.unknown = 3;
            history.appends.insert(op, append);
        })
    };
    assert_eq!(lost(Fate::Owed), [Guarantee::G2]);
    assert_eq!(lost(Fate::Forgotten), []);
    assert_eq!(lost(Fate::Refused), []);
}

#[test]
fn an_entry_that_was_refused_and_is_there_breaks_g2() {
    assert_eq!(broken(|history| of(history, 3).fate = Fate::Refused), [Guarantee::G2]);
    assert_eq!(broken(|history| of(history, 3).fate = Fate::Forgotten), []);
}

#[test]
fn a_gap_in_the_log_breaks_g3() {
    let gap = broken(|history| {
        log(history)[3].seq = Seq(5);
        of(history, 4).acks.clear();
        history.readings.clear();
        history.holdings.clear();
    });
    assert_eq!(gap, [Guarantee::G3]);
}

#[test]
fn a_reader_that_sees_another_log_breaks_g3() {
    let another = broken(|history| history.readings[1].lines[0].op = op(8));
    assert_eq!(another, [Guarantee::G3]);
    assert_eq!(broken(|history| history.readings[0].lines.swap(1, 2)), [Guarantee::G3]);
    assert_eq!(
        broken(|history| {
            history.readings[0].lines.remove(1);
        }),
        [Guarantee::G3]
    );
    let again = broken(|history| history.readings[0].lines.push(line(4, 4)));
    assert_eq!(again, [Guarantee::G3]);
}

#[test]
fn an_entry_asked_after_an_ack_and_placed_before_it_breaks_g4() {
    assert_eq!(broken(|history| of(history, 3).invoked = 51), [Guarantee::G4]);
    assert_eq!(broken(|history| of(history, 3).invoked = 50), [], "at once is not after");
}

#[test]
fn a_lane_out_of_order_breaks_g4() {
    let swapped = broken(|history| {
        of(history, 2).place = 2;
        of(history, 4).place = 1;
    });
    assert_eq!(swapped, [Guarantee::G4]);
    let of_two = broken(|history| {
        of(history, 2).place = 2;
        of(history, 4).place = 1;
        of(history, 4).lane = "cem".to_owned();
    });
    assert_eq!(of_two, []);
}

#[test]
fn a_member_that_misses_an_entry_breaks_g5() {
    assert_eq!(
        broken(|history| {
            history.holdings[0].held.remove(&Seq(3));
        }),
        [Guarantee::G5]
    );
}

#[test]
fn one_that_has_an_entry_from_outside_breaks_g7() {
    assert_eq!(
        broken(|history| {
            history.holdings[0].held.insert(Seq(2));
        }),
        [Guarantee::G7]
    );
}

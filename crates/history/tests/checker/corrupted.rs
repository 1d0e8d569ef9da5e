//! Histories of a server that keeps its promises, at random: they pass; and with one thing spoilt, at random too, they do not.

use parlor_history::{Event, Guarantee, History, Line, Seen};
use parlor_types::{Id as _, Op};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::world::{World, room, user};

const SEEDS: u64 = 150;
const STEPS: u32 = 400;
/// Of so many attempts to spoil a history at least half must find something to spoil.
const ATTEMPTS: u64 = 60;

fn check(lines: Vec<Line>) -> Vec<(Guarantee, String)> {
    let found = History::new(lines).check();
    found.into_iter().map(|violation| (violation.guarantee, violation.what)).collect()
}

/// Spoils a history in one place; answers whether there was one to spoil.
type Spoil = fn(&mut Vec<Line>, &mut StdRng) -> bool;

#[track_caller]
fn each_is_found(guarantee: Guarantee, spoil: Spoil) {
    let mut spoilt = 0;
    for seed in 0..ATTEMPTS {
        let mut lines = World::history(seed, STEPS);
        let mut rng = StdRng::seed_from_u64(seed);
        if !spoil(&mut lines, &mut rng) {
            continue;
        }
        spoilt += 1;
        let found = check(lines);
        assert!(found.iter().any(|(of, _)| *of == guarantee), "{guarantee:?}, seed {seed}: {found:#?}");
    }
    assert!(spoilt >= ATTEMPTS / 2, "only {spoilt} of {ATTEMPTS} histories could be spoilt");
}

/// One of the lines that are like this.
fn pick(lines: &[Line], rng: &mut StdRng, which: impl Fn(&Line) -> bool) -> Option<usize> {
    let fitting: Vec<_> = (0..lines.len()).filter(|at| which(&lines[*at])).collect();
    (!fitting.is_empty()).then(|| fitting[rng.random_range(0..fitting.len())])
}

fn entries(line: &mut Line) -> Option<&mut Vec<Seen>> {
    match &mut line.event {
        Event::Applied { entries, .. } | Event::Page { entries, .. } => Some(entries),
        _ => None,
    }
}

/// One life of the store alone: what comes before a restore is not held against anybody.
fn restored(lines: &[Line]) -> bool {
    lines.iter().any(|line| matches!(&line.event, Event::Generation { generation } if generation != "0"))
}

#[test]
fn what_is_right_passes() {
    let (mut invoked, mut restores) = (0, 0);
    for seed in 0..SEEDS {
        let lines = World::history(seed, STEPS);
        restores += u64::from(restored(&lines));
        let history = History::new(lines);
        invoked += history.summary().invoked;
        let found = history.check();
        assert!(found.is_empty(), "seed {seed}: {found:#?}");
    }
    assert!(
        invoked > 50 * usize::try_from(SEEDS).unwrap(),
        "{invoked} appends are too few to prove anything"
    );
    assert!(restores > SEEDS / 20, "{restores} restores are too few to prove anything");
}

#[test]
fn g1_an_ack_that_names_another_place() {
    each_is_found(Guarantee::G1, |lines, rng| {
        let Some(at) = pick(lines, rng, |line| matches!(line.event, Event::Ok { seq, .. } if seq > 2)) else {
            return false;
        };
        if let Event::Ok { seq, .. } = &mut lines[at].event {
            *seq -= 1;
        }
        !restored(lines)
    });
}

#[test]
fn g1_an_acked_entry_that_nobody_sees_any_more() {
    each_is_found(Guarantee::G1, |lines, rng| {
        let Some(at) = pick(lines, rng, |line| matches!(line.event, Event::Ok { .. })) else { return false };
        let Event::Ok { op: lost, .. } = lines[at].event else { return false };
        for seen in lines.iter_mut().filter_map(entries).flatten().filter(|seen| seen.op == lost) {
            seen.op = Op::from_bytes([9; 16]);
        }
        true
    });
}

#[test]
fn g2_an_entry_that_is_there_twice() {
    each_is_found(Guarantee::G2, |lines, rng| {
        let is_long =
            |line: &Line| matches!(&line.event, Event::Applied { entries, .. } if entries.len() > 1);
        let Some(at) = pick(lines, rng, is_long) else { return false };
        let Some([first, second]) = entries(&mut lines[at]).and_then(|seen| seen.first_chunk::<2>().cloned())
        else {
            return false;
        };
        for seen in lines.iter_mut().filter_map(entries).flatten().filter(|seen| seen.op == second.op) {
            seen.op = first.op;
        }
        true
    });
}

#[test]
fn g2_a_refused_one_that_is_there() {
    each_is_found(Guarantee::G2, |lines, rng| {
        let Some(at) = pick(lines, rng, |line| matches!(line.event, Event::Ok { .. })) else { return false };
        if let Event::Ok { op, .. } = lines[at].event {
            lines[at].event = Event::Fail { op, reason: "NOT_ALLOWED".to_owned() };
        }
        true
    });
}

#[test]
fn g2_a_base_that_was_never_heard_of() {
    each_is_found(Guarantee::G2, |lines, rng| {
        let Some(at) = pick(lines, rng, |line| matches!(line.event, Event::Invoke { .. })) else {
            return false;
        };
        if let Event::Invoke { base_seq, .. } = &mut lines[at].event {
            *base_seq = base_seq.map(|base| base + 1);
        }
        true
    });
}

#[test]
fn g3_readers_that_see_different_entries() {
    each_is_found(Guarantee::G3, |lines, rng| {
        let Some(at) = pick(lines, rng, |line| matches!(line.event, Event::Applied { .. })) else {
            return false;
        };
        let client = lines[at].client.clone();
        let Some(seen) = entries(&mut lines[at]).and_then(|seen| seen.first_mut()) else { return false };
        seen.content = Some("something else".to_owned());
        let (seq, rev) = (seen.seq, seen.rev);
        // Somebody must have seen the right one.
        let mut others = lines.iter_mut().filter(|line| line.client != client).filter_map(entries).flatten();
        others.any(|seen| (seen.seq, seen.rev) == (seq, rev)) && !restored(lines)
    });
}

#[test]
fn g3_a_hole_in_what_a_follower_takes_in() {
    each_is_found(Guarantee::G3, |lines, rng| {
        let is_long =
            |line: &Line| matches!(&line.event, Event::Applied { entries, .. } if entries.len() > 2);
        let Some(at) = pick(lines, rng, is_long) else { return false };
        entries(&mut lines[at]).is_some_and(|seen| seen.remove(1).seq > 0)
    });
}

#[test]
fn g4_one_asked_after_the_ack_of_a_later_one() {
    each_is_found(Guarantee::G4, |lines, rng| {
        if restored(lines) {
            return false;
        }
        let acks: Vec<_> = lines
            .iter()
            .filter_map(|line| match line.event {
                Event::Ok { op, seq } => Some((op, seq, line.at)),
                _ => None,
            })
            .collect();
        let (earlier, seq, _) = acks[rng.random_range(0..acks.len())];
        let Some((.., acked)) = acks.iter().find(|(_, other, _)| *other > seq) else { return false };
        let asked =
            lines.iter_mut().find(|line| matches!(line.event, Event::Invoke { op, .. } if op == earlier));
        asked.is_some_and(|line| {
            line.at = acked + 1;
            true
        })
    });
}

#[test]
fn g5_a_client_that_lacks_the_end_in_the_end() {
    each_is_found(Guarantee::G5, |lines, rng| {
        let Some(at) = pick(lines, rng, |line| matches!(line.event, Event::Held { .. })) else {
            return false;
        };
        let Event::Held { ranges, .. } = &mut lines[at].event else { return false };
        ranges.last_mut().is_some_and(|(_, to)| {
            *to -= 1;
            true
        })
    });
}

#[test]
fn g5_a_client_that_took_nothing_in_after_a_restore() {
    let mut spoilt = 0;
    for seed in 0..SEEDS {
        let mut lines = World::history(seed, STEPS);
        let is_new =
            |line: &Line| matches!(&line.event, Event::Generation { generation } if generation != "0");
        let Some(at) = lines.iter().rposition(is_new) else { continue };
        let (client, since) = (lines[at].client.clone(), lines[at].at);
        lines.retain(|line| {
            line.client != client
                || line.at < since
                || !matches!(line.event, Event::Applied { .. } | Event::Page { .. })
        });
        if !lines.iter().any(|line| line.client == client && matches!(line.event, Event::Held { .. })) {
            continue;
        }
        spoilt += 1;
        let found = check(lines);
        assert!(found.iter().any(|(of, _)| *of == Guarantee::G5), "seed {seed}: {found:#?}");
    }
    assert!(spoilt > SEEDS / 20, "only {spoilt}");
}

#[test]
fn g6_a_mark_that_goes_back_or_too_far() {
    let of_it = |line: &Line| matches!(line.event, Event::Marks { received, .. } if received > 1);
    each_is_found(Guarantee::G6, move |lines, rng| {
        let of_it = |line: &Line| matches!(line.event, Event::Marks { received, .. } if received > 1);
        let Some(at) = pick(lines, rng, of_it) else { return false };
        let mut back = lines[at].clone();
        if let Event::Marks { received, read, .. } = &mut back.event {
            (*received, *read) = (*received - 1, (*read).min(*received - 1));
        }
        back.at += 1;
        lines.insert(at + 1, back);
        true
    });
    let mut lines = World::history(1, STEPS);
    let at = pick(&lines, &mut StdRng::seed_from_u64(1), of_it).expect("marks are told");
    if let Event::Marks { received, .. } = &mut lines[at].event {
        *received += 1_000;
    }
    assert!(check(lines).iter().any(|(of, _)| *of == Guarantee::G6));
}

#[test]
fn g6_a_number_of_unread_that_is_another() {
    each_is_found(Guarantee::G6, |lines, rng| {
        let Some(at) = pick(lines, rng, |line| matches!(line.event, Event::Unread { .. })) else {
            return false;
        };
        if let Event::Unread { messages, .. } = &mut lines[at].event {
            *messages += 1;
        }
        // What nobody has seen cannot be counted, and what a restore took away nobody has.
        !restored(lines)
    });
}

#[test]
fn g7_an_entry_that_may_not_be_read() {
    each_is_found(Guarantee::G7, |lines, rng| {
        let removal = |seen: &Seen| seen.removed.first().copied();
        let all: Vec<_> = lines.iter_mut().filter_map(entries).flatten().map(|seen| seen.clone()).collect();
        let Some((gone, whom)) = all.iter().find_map(|seen| Some((seen.seq, removal(seen)?))) else {
            return false;
        };
        let between =
            |seen: &&Seen| seen.seq == gone + 1 && !seen.added.contains(&whom) && seen.sender != whom;
        let Some(secret) = all.iter().find(between).cloned() else { return false };
        let of_whom = |line: &Line| matches!(line.event, Event::Begin { user, .. } if user == whom);
        let Some(begin) = pick(lines, rng, of_whom) else { return false };
        let (client, at) = (lines[begin].client.clone(), lines.last().expect("lines").at + 1);
        let event = Event::Page { conversation: room(), entries: vec![secret] };
        lines.push(Line { at, client, event });
        !restored(lines) && whom != user(1)
    });
}

#[test]
fn g7_what_comes_after_the_end_of_a_session() {
    each_is_found(Guarantee::G7, |lines, rng| {
        let Some(at) = pick(lines, rng, |line| matches!(line.event, Event::Head { .. })) else {
            return false;
        };
        let mut late = lines[at].clone();
        let of_it = |line: &&Line| line.client == late.client;
        let session = lines.iter().filter(of_it).find_map(|line| match line.event {
            Event::Begin { session, .. } => session,
            _ => None,
        });
        let Some(session) = session else { return false };
        let end = lines.last().expect("lines").at;
        lines.push(Line { at: end, client: "client 0".into(), event: Event::Revoked { session } });
        late.at = end + 1_000_000_001;
        lines.push(late);
        true
    });
}

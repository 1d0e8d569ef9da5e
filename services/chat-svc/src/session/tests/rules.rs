//! What a session does, one rule at a time.

use super::*;

/// Connected and synced, with two conversations of one entry each.
fn greeted() -> World {
    let mut world = World::new();
    world.append(0);
    world.append(1);
    world.settle();
    world
}

fn goodbye(world: &mut World) -> wire::Goodbye {
    let (pull, _) = world.session.pull();
    let Pull::Batch(batch) = pull else { panic!("no batch") };
    match frames(&batch).as_slice() {
        [Out::Goodbye(goodbye)] => goodbye.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_that_never_reads_costs_a_bounded_outbox() {
    let mut world = greeted();
    for _ in 0..5_000 {
        world.append(0);
        world.append(1);
    }
    let (pull, _) = world.session.pull();
    let Pull::Batch(first) = pull else { panic!("entries wait") };
    let bytes: usize = first.frames.iter().map(|frame| frame.len()).sum();
    assert!(bytes <= limits().outbox_bytes, "G8: {bytes} bytes waited");
    world.to_ack = first.batch;
    world.ack();
    let (pull, _) = world.session.pull();
    let Pull::Batch(second) = pull else { panic!("heads come when there is room") };
    let heads: Vec<u64> = frames(&second)
        .into_iter()
        .filter_map(|frame| if let Out::Head(head) = frame { Some(head.head) } else { None })
        .collect();
    assert_eq!(heads, [5_001, 5_001], "one mark for each conversation, the latest");
}

#[test]
fn g8_answers_do_not_repeat_what_is_too_long_for_an_id() {
    let mut world = greeted();
    let long = "\u{e9}".repeat(30_000);
    for _ in 0..100 {
        let append = wire::Append { op: long.clone(), conversation_id: long.clone(), ..Default::default() };
        world.say(&encode(In::Append(append)));
        world.say(&encode(In::Read(wire::Read { conversation_id: long.clone(), seq: 1 })));
    }
    let (Pull::Batch(batch), _) = world.session.pull() else { panic!("answers wait") };
    let bytes: usize = batch.frames.iter().map(|frame| frame.len()).sum();
    assert!(batch.frames.len() > 100 && bytes < 64 * 1024, "G8: {bytes} bytes waited");
    assert!(frames(&batch).iter().any(|frame| matches!(frame, Out::AppendResult(_))));
}

#[test]
fn without_acks_entries_give_way_to_marks() {
    let mut world = greeted();
    let mut entries = 0;
    for _ in 0..100 {
        world.append(0);
        if let (Pull::Batch(batch), _) = world.session.pull() {
            world.to_ack = batch.batch;
            entries += frames(&batch).iter().filter(|frame| matches!(frame, Out::Event(_))).count();
        }
    }
    assert_eq!(entries, limits().window_entries, "G8");
    world.ack();
    let (Pull::Batch(batch), _) = world.session.pull() else { panic!("the mark is due") };
    assert!(matches!(frames(&batch).as_slice(), [Out::Head(head)] if head.head == 101), "G6");
}

#[test]
fn g6_an_ack_is_no_receipt() {
    let mut world = greeted();
    world.append(0);
    world.settle();
    world.ack();
    let marks = |world: &mut World| {
        world.now += Duration::from_secs(5);
        let mut effects = world.session.tick(world.now, Commit(world.commit)).into_iter();
        effects.find_map(|effect| if let Effect::Mark(marks) = effect { Some(marks) } else { None })
    };
    assert_eq!(marks(&mut world), None, "G6: what was taken in may not be kept");
    let received = wire::Received { conversation_id: conversation(0).to_string(), seq: 2 };
    world.say(&encode(In::Received(received)));
    assert_eq!(marks(&mut world).map(|marks| marks.len()), Some(1));
}

#[test]
fn the_protocol_is_held_to() {
    let fault = |before: fn(&mut World), frame: Vec<u8>, reason: ErrorReason| {
        let mut world = greeted();
        before(&mut world);
        world.say(&frame);
        let goodbye = goodbye(&mut world);
        assert_eq!((goodbye.reason(), goodbye.reconnect), (reason, false));
        assert!(matches!(world.session.pull().0, Pull::End(farewell) if farewell.reason == reason));
    };
    let fresh = |world: &mut World| world.session = session(world.now);
    fault(fresh, encode(In::Ping(wire::Ping { nonce: 1 })), ErrorReason::HelloExpected);
    fault(|_| {}, hello(b""), ErrorReason::HelloRepeated);
    fault(fresh, hello(b"garbage"), ErrorReason::CursorInvalid);
    fault(|_| {}, vec![0xff, 0xff], ErrorReason::MessageMalformed);
    fault(|_| {}, encode(In::Ack(wire::Ack { batch: 1 << 40 })), ErrorReason::AckAhead);
    let other = wire::Hello { protocol: 2, ..wire::Hello::default() };
    fault(fresh, encode(In::Hello(other)), ErrorReason::ProtocolUnsupported);
    let long = wire::Hello { protocol: 1, client: "x".repeat(65), ..wire::Hello::default() };
    fault(fresh, encode(In::Hello(long)), ErrorReason::FieldInvalid);
}

#[test]
fn a_silent_client_is_let_go() {
    let mut world = greeted();
    world.tick(limits().ping_interval * 2 - Duration::from_secs(1));
    assert!(!world.session.has_ended());
    world.tick(Duration::from_secs(1));
    let goodbye = goodbye(&mut world);
    assert_eq!((goodbye.reason(), goodbye.reconnect), (ErrorReason::IdleTimeout, true));

    let mut world = greeted();
    world.session = session(world.now);
    world.tick(limits().hello_within);
    assert_eq!(self::goodbye(&mut world).reason(), ErrorReason::HelloTimeout);
}

#[test]
fn receipts_are_told_at_once_and_then_not_for_a_while() {
    let mut world = greeted();
    let told = |world: &mut World| {
        world.settle();
        world.seen.get(&conversation(0)).copied().unwrap_or_default()
    };
    world.receipt(0);
    assert_eq!(told(&mut world), 1);
    world.receipt(0);
    world.receipt(0);
    world.tick(Duration::from_millis(500));
    assert_eq!(told(&mut world), 1);
    world.tick(Duration::from_secs(1));
    assert_eq!(told(&mut world), 3, "all that rose meanwhile, at once");
}

#[test]
fn receipts_that_nobody_takes_become_rows() {
    let mut world = greeted();
    for number in 0..5_000_u32 {
        let mut user = [0; 16];
        user[..4].copy_from_slice(&number.to_be_bytes());
        world.session.receipts_changed(conversation(0), UserId::from_bytes(user));
    }
    assert!(
        world.session.out.owes_row(conversation(0)) && world.session.receipts_told(Commit(9)) == Commit(9),
        "G8"
    );
}

#[test]
fn marks_are_written_at_once_and_then_not_for_a_while() {
    let mut world = greeted();
    let written = |world: &mut World| {
        let effects = world.session.marks_due(world.now);
        effects.into_iter().find_map(|effect| match effect {
            Effect::Mark(marks) => Some(marks[0].1.read.0),
            _ => None,
        })
    };
    world.say(&read(1));
    assert_eq!(written(&mut world), Some(1));
    world.session.marked(Vec::new());
    world.say(&read(3));
    world.say(&read(2));
    world.now += limits().receipts_coalesce - Duration::from_millis(1);
    assert_eq!(written(&mut world), None);
    world.now += Duration::from_millis(1);
    assert_eq!(written(&mut world), Some(3), "the highest that was said meanwhile");
}

fn read(seq: u64) -> Vec<u8> {
    let conversation_id = conversation(0).to_string();
    encode(In::Read(wire::Read { conversation_id, seq }))
}

fn mark_unread(number: usize) -> Vec<u8> {
    let conversation_id = conversation(number).to_string();
    let changes = wire::PreferenceChanges { marked_unread: Some(true), ..Default::default() };
    encode(In::SetPreferences(wire::SetPreferences {
        request_id: 1,
        conversation_id,
        changes: Some(changes),
    }))
}

/// What is to be written, in order: the read marks, and whether preferences are changed after them.
fn writes(effects: Vec<Effect>) -> Vec<(Vec<u64>, bool)> {
    let seqs = |marks: Vec<(ConversationId, crate::receipts::Marks)>| {
        marks.into_iter().map(|(_, marks)| marks.read.0).collect()
    };
    let write = |effect| match effect {
        Effect::Mark(marks) => Some((seqs(marks), false)),
        Effect::Prefer(_, marks) => Some((seqs(marks.into_iter().collect()), true)),
        _ => None,
    };
    effects.into_iter().filter_map(write).collect()
}

#[test]
fn marks_are_written_before_the_preferences_that_were_changed_after_them() {
    let mut world = greeted();
    let now = world.now;
    let say = |world: &mut World, frame: &[u8]| {
        let mut effects = world.session.frame(now, UNIX_EPOCH, frame);
        effects.extend(world.session.marks_due(now));
        writes(effects)
    };
    assert_eq!(say(&mut world, &read(1)), [(vec![1], false)]);
    assert_eq!(say(&mut world, &read(2)), [], "one is being written");
    assert_eq!(say(&mut world, &mark_unread(0)), [], "it is to clear nothing that comes now");
    assert_eq!(say(&mut world, &read(3)), []);
    assert_eq!(writes(world.session.pull().1), [], "it is still being written");
    world.session.marked(Vec::new());
    assert_eq!(writes(world.session.pull().1), [(vec![2], true)], "the mark goes with the changes");

    world.now += limits().receipts_coalesce;
    let due = |world: &mut World| writes(world.session.marks_due(world.now));
    assert_eq!(due(&mut world), [], "what was read after the changes is not written before them");
    world.session.preferred(1, Ok(wire::Preferences::default()));
    assert_eq!(due(&mut world), [(vec![3], false)]);
}

#[test]
fn marks_that_wait_with_preferences_are_written_when_the_stream_ends() {
    let mut world = greeted();
    for frame in [mark_unread(1), read(2), mark_unread(0), read(1)] {
        world.say(&frame);
    }
    let effects = world.session.end(Farewell::displaced());
    assert_eq!(writes(effects), [(vec![2], false)], "the highest of those before the changes and after them");
}

#[test]
fn g8_marks_of_very_many_conversations_wait_for_their_turn_or_are_refused() {
    let mut world = greeted();
    let now = world.now;
    let say = |world: &mut World, number: u32| {
        let conversation_id = ConversationId::from_bytes(u128::from(number).to_be_bytes()).to_string();
        let frame = encode(In::Read(wire::Read { conversation_id, seq: 1 }));
        writes(world.session.frame(now, UNIX_EPOCH, &frame)).len()
    };
    let written: Vec<u32> = (0..1_000)
        .filter(|number| {
            let written = say(&mut world, *number) == 1;
            if written {
                world.session.marked(Vec::new());
            }
            written
        })
        .collect();
    assert_eq!(written, [255], "G8: once a pause, however many there are");
    let (Pull::Batch(batch), _) = world.session.pull() else { panic!("some are refused") };
    let refused = |kind| match kind {
        Out::MarkRefused(refused) => Some(refused.problem.unwrap_or_default().reason()),
        _ => None,
    };
    let refused: Vec<_> = frames(&batch).into_iter().filter_map(refused).collect();
    assert!(!refused.is_empty() && refused.iter().all(|reason| *reason == ErrorReason::Overloaded));
    let held = writes(world.session.marks_due(now + limits().receipts_coalesce));
    assert_eq!(held[0].0.len(), 256, "what was held is written when it is time");
}

#[test]
fn g8_the_order_of_appends_is_remembered_for_so_many_conversations() {
    use super::machine::MAX_LANES;

    let mut world = greeted();
    for number in 0..MAX_LANES as u128 + 1_000 {
        let conversation_id = ConversationId::from_bytes(number.to_be_bytes()).to_string();
        // Without content, so it is refused and what follows it would be out of order.
        world.say(&encode(In::Append(wire::Append { conversation_id, ..wire::Append::default() })));
        world.session.pull();
    }
    assert_eq!(world.session.lanes.len(), MAX_LANES, "G8");
}

#[test]
fn g8_preferences_are_changed_no_faster_than_a_person_does() {
    let mut world = greeted();
    let mut changed = |seconds: u64, frames: usize| {
        let now = world.now + Duration::from_secs(seconds);
        let mut effects = world.session.tick(now, Commit(0));
        let mut changed = 0;
        for _ in 0..frames {
            effects.extend(world.session.frame(now, UNIX_EPOCH, &mark_unread(0)));
            effects.extend(world.session.pull().1);
            let writes = writes(std::mem::take(&mut effects)).len();
            changed += writes;
            (0..writes).for_each(|_| world.session.preferred(1, Ok(wire::Preferences::default())));
        }
        changed
    };
    assert_eq!((changed(0, 110), changed(0, 5)), (100, 0));
    assert_eq!((changed(1, 110), changed(2, 110)), (10, 10), "ten a second");
}

#[test]
fn what_waits_of_a_deleted_message_does_not_leave() {
    let mut world = greeted();
    let changes = |seq, about, deletes| Live { target: Some(Seq(about)), deletes, ..live(0, seq) };
    let elsewhere = |seq| Live { target: Some(Seq(2)), ..live(1, seq) };
    for entry in [live(0, 2), live(0, 3), changes(4, 2, false), elsewhere(2), changes(5, 3, false)] {
        world.session.live(&entry);
    }
    world.session.live(&changes(6, 2, true));
    let (Pull::Batch(batch), _) = world.session.pull() else { panic!("entries wait") };
    let sent: Vec<(String, u64)> = frames(&batch)
        .into_iter()
        .filter_map(|frame| if let Out::Event(event) = frame { event.entry } else { None })
        .map(|entry| (entry.conversation_id, entry.seq))
        .collect();
    let (first, other) = (conversation(0).to_string(), conversation(1).to_string());
    let expected = [(first.clone(), 3), (other, 2), (first.clone(), 5), (first, 6)];
    assert_eq!(sent, expected, "neither the message nor its edit, and all else");
}

/// A row that was read before a change, and arrives after the answer to it, must not be the last word.
#[test]
fn g6_a_row_that_is_older_than_what_was_answered_is_followed_by_another() {
    let mut world = greeted();
    world.session.changed_row(conversation(0));
    assert!(rows_asked_for(&mut world).is_empty(), "the answer says it all");
    world.session.row_changed(conversation(0));
    assert_eq!(rows_asked_for(&mut world), [conversation(0)]);
    world.session.changed_row(conversation(0));
    world.session.changed_row(conversation(1));
    world.session.rendered(&[conversation(0)], Vec::new());
    assert_eq!(rows_asked_for(&mut world), [conversation(0)], "it may have been read before the change");
    world.session.rendered(&[conversation(0)], Vec::new());
    assert!(rows_asked_for(&mut world).is_empty());
}

fn rows_asked_for(world: &mut World) -> Vec<ConversationId> {
    let (_, effects) = world.session.pull();
    let asked = effects.into_iter().filter_map(|effect| match effect {
        Effect::Render(ids) => Some(ids),
        _ => None,
    });
    asked.flatten().collect()
}

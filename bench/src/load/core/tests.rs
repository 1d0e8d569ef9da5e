use parlor_wire::chat::v1 as wire;

use super::*;

/// A core, the batches it has had, and what it saw and said.
struct Scene {
    core: Core,
    batch: u64,
    seen: Seen,
    now: u64,
}

impl Scene {
    /// Begins at a row with this head.
    fn new(head: u64, at_once: usize) -> Self {
        let core = Core::new("c".to_owned(), None, Bytes::new(), at_once, 0);
        let mut scene = Self { core, batch: 0, seen: Seen::default(), now: 0 };
        let row = wire::Conversation { id: "c".to_owned(), head, ..wire::Conversation::default() };
        let welcome = wire::Welcome { user_id: "me".to_owned(), ..wire::Welcome::default() };
        let row = wire::SyncConversation { conversation: Some(row) };
        let done = wire::SyncDone { cursor: Bytes::from_static(b"cursor") };
        scene.take([In::Welcome(welcome), In::SyncConversation(row), In::SyncDone(done)]);
        scene
    }

    fn take(&mut self, frames: impl IntoIterator<Item = In>) -> Vec<Out> {
        self.try_take(frames).unwrap()
    }

    fn try_take(&mut self, frames: impl IntoIterator<Item = In>) -> Result<Vec<Out>> {
        self.batch += 1;
        let frames = frames.into_iter().map(|kind| ServerFrame { kind: Some(kind) }.encode_to_vec().into());
        let mut out = Vec::new();
        self.core.take(self.now, self.batch, frames.collect(), &mut self.seen, &mut out)?;
        Ok(decoded(out))
    }

    fn sent(&mut self) -> Vec<Append> {
        let mut out = Vec::new();
        self.core.send(&mut out);
        let append = |kind| match kind {
            Out::Append(append) => append,
            other => panic!("{other:?}"),
        };
        decoded(out).into_iter().map(append).collect()
    }
}

fn decoded(frames: Vec<Bytes>) -> Vec<Out> {
    frames.into_iter().map(|frame| ClientFrame::decode(frame).unwrap().kind.unwrap()).collect()
}

fn entry(seq: u64, sender: &str, due: u64) -> Entry {
    let text = Text { body: format!("{due:020} and more") };
    Entry {
        conversation_id: "c".to_owned(),
        seq,
        sender_id: sender.to_owned(),
        content: Some(Content { kind: Some(content::Kind::Text(text)) }),
        ..Entry::default()
    }
}

fn event(seq: u64, sender: &str, due: u64) -> In {
    In::Event(wire::Event { entry: Some(entry(seq, sender, due)) })
}

fn ack(op: &str, seq: u64) -> In {
    let appended = wire::Appended { seq, ..wire::Appended::default() };
    let outcome = Some(Appended::Appended(appended));
    In::AppendResult(wire::AppendResult { op: op.to_owned(), outcome, ..wire::AppendResult::default() })
}

#[test]
fn what_is_sent_says_when_it_was_to_be_and_what_was_known() {
    let mut scene = Scene::new(7, 1);
    assert_eq!((scene.core.have, &scene.core.cursor[..], scene.core.synced), (Some(7), &b"cursor"[..], true));
    scene.core.offer(42);
    let sent = scene.sent();
    assert_eq!((sent.len(), sent[0].base_seq), (1, 7));
    let Some(content::Kind::Text(text)) = sent[0].content.clone().unwrap().kind else { panic!() };
    assert_eq!(text.body.len(), BODY);
    assert!(text.body.starts_with("00000000000000000042."), "{}", text.body);
}

#[test]
fn what_waits_for_its_turn_keeps_its_time() {
    let mut scene = Scene::new(0, 2);
    for due in [10, 20, 30] {
        scene.core.offer(due);
    }
    let first = scene.sent();
    assert_eq!(first.len(), 2, "two may be unanswered");
    scene.take([ack(&first[0].op, 1)]);
    assert_eq!(scene.seen.acks, [10]);
    let second = scene.sent();
    assert_eq!(second.len(), 1);
    scene.take([ack(&first[1].op, 2), ack(&second[0].op, 3)]);
    assert_eq!(scene.seen.acks, [10, 20, 30]);
    assert!(scene.core.is_idle());
}

#[test]
fn an_answer_out_of_order_or_a_refusal_is_a_failure() {
    let mut scene = Scene::new(0, 2);
    scene.core.offer(1);
    scene.core.offer(2);
    let sent = scene.sent();
    scene.try_take([ack(&sent[1].op, 1)]).unwrap_err();
    let outcome = Some(Appended::Problem(Default::default()));
    let refused = wire::AppendResult { op: sent[1].op.clone(), outcome, ..Default::default() };
    scene.try_take([In::AppendResult(refused)]).unwrap_err();
}

#[test]
fn entries_of_others_count_once_and_own_ones_never() {
    let mut scene = Scene::new(3, 1);
    scene.core.offer(5);
    let sent = scene.sent();
    scene.take([event(4, "you", 70), event(5, "me", 5), ack(&sent[0].op, 5), event(4, "you", 70)]);
    assert_eq!(scene.seen.deliveries, [70]);
    assert_eq!((scene.core.have, scene.seen.fetched), (Some(5), 0));
}

#[test]
fn what_was_left_out_is_fetched() {
    let mut scene = Scene::new(3, 1);
    let out = scene.take([event(6, "you", 60)]);
    let [Out::Fetch(fetch)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((fetch.from_seq, fetch.to_seq), (4, 0));
    assert!(scene.take([event(7, "you", 70)]).is_empty(), "one fetch at a time");
    let page = wire::LogPage {
        entries: [4, 5].map(|seq| entry(seq, "you", seq * 10)).to_vec(),
        next_seq: 6,
        head: 7,
        ..wire::LogPage::default()
    };
    let outcome = Some(Fetched::Page(page));
    let out = scene.take([In::FetchResult(wire::FetchResult { request_id: 1, outcome })]);
    let [Out::Fetch(fetch)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((fetch.request_id, fetch.from_seq), (2, 6), "the rest");
    assert_eq!((scene.seen.deliveries.as_slice(), scene.seen.fetched), (&[40, 50][..], 2));
}

#[test]
fn a_head_mark_and_the_row_of_a_resumed_stream_are_fetched_too() {
    let head = |head| In::Head(wire::Head { conversation_id: "c".to_owned(), head });
    let mut scene = Scene::new(3, 1);
    assert!(scene.take([head(3)]).is_empty(), "nothing is missing");
    assert!(matches!(scene.take([head(5)])[..], [Out::Fetch(_)]));
    let mut resumed =
        Scene { core: Core::new("c".to_owned(), Some(3), Bytes::new(), 1, 0), ..Scene::new(0, 1) };
    assert!(matches!(resumed.take([head(9)])[..], [Out::Fetch(_)]));
}

#[test]
fn batches_are_acked_and_marks_said_once_a_second() {
    let mut scene = Scene::new(1, 1);
    let mut said = Vec::new();
    for seq in 2..40 {
        said.extend(scene.take([event(seq, "you", 1)]));
    }
    let acks = said.iter().filter(|out| matches!(out, Out::Ack(_))).count();
    assert_eq!((acks, said.len()), (2, 2));
    scene.now = MARK_EVERY;
    let out = scene.take([event(40, "you", 1)]);
    let [Out::Received(mark), Out::Ack(ack)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((mark.seq, ack.batch), (40, scene.batch));
}

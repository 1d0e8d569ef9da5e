//! Two appenders of one conversation, as on two nodes, over one store that loses answers: whatever the order of edits and
//! deletes, the log ends as if each had been done alone, in the order of their seqs, and nothing deleted is left.

use std::collections::{BTreeMap, HashMap, VecDeque};

use parlor_runtime::clock::{Clock as _, SystemClock};
use parlor_runtime::limiter::Rate;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;
use crate::conversation::Forbidden;
use crate::log::{Appended, Appender, Draft, Effect, Input, Rates, Refusal, Rules, Ticket};
use crate::store::{Order, Slice};

const RULES: Rules = Rules { max_members: 10, edit_window: Duration::from_secs(1_000_000) };

struct Node {
    appender: Appender,
    pending: VecDeque<Effect>,
}

struct World {
    store: Arc<dyn Store>,
    conversation: ConversationId,
    users: Vec<UserId>,
    nodes: Vec<Node>,
    rates: Rates,
    /// Answers to writes get lost.
    hostile: bool,
    /// Each with the node that takes it: the one that owns the conversation for that client, as long as it lives.
    sent: Vec<(usize, Draft)>,
    tickets: HashMap<Ticket, usize>,
    answers: Vec<Vec<Result<Appended, Refusal>>>,
    /// Texts that were told after a deletion of their message had been told, by the same node.
    late: Vec<Entry>,
    /// The messages whose deletion each node has told.
    told: Vec<Vec<Seq>>,
}

impl World {
    fn new(store: Arc<dyn Store>, nodes: usize) -> Self {
        let rate = Rate { burst: 1_000_000, per_second: 1e6 };
        let conversation = ConversationId::new();
        let node = |_| Node { appender: Appender::new(conversation, RULES), pending: VecDeque::new() };
        Self {
            store,
            conversation,
            users: (0..3).map(|_| UserId::new()).collect(),
            nodes: (0..nodes).map(node).collect(),
            rates: Rates::new(rate, rate),
            hostile: false,
            sent: Vec::new(),
            tickets: HashMap::new(),
            answers: Vec::new(),
            late: Vec::new(),
            told: vec![Vec::new(); nodes],
        }
    }

    fn draft(&self, sender: usize, content: Content, target: Option<Seq>, base: Seq) -> Draft {
        let mut digest = [1; 16];
        digest[..8].copy_from_slice(&(self.sent.len() as u64).to_be_bytes());
        Draft {
            conversation: self.conversation,
            sender: self.users[sender],
            op: Op::new(),
            base,
            lane: None,
            target,
            reply_to: None,
            mentions: Vec::new(),
            labels: BTreeMap::new(),
            content,
            digest: Digest(digest),
            bytes: 10,
        }
    }

    fn send(&mut self, node: usize, draft: Draft) {
        self.sent.push((node, draft));
        self.answers.push(Vec::new());
        self.resend(self.sent.len() - 1);
    }

    fn resend(&mut self, number: usize) {
        let (node, draft) = self.sent[number].clone();
        let ticket = Ticket(self.tickets.len() as u64 + 1);
        self.tickets.insert(ticket, number);
        self.input(node, Input::Append(ticket, draft));
    }

    fn input(&mut self, node: usize, input: Input) {
        let now = SystemClock.now();
        for effect in self.nodes[node].appender.input(now, at(Seq(1)), &mut self.rates, input) {
            match effect {
                Effect::Answer(ticket, result, _) => self.answers[self.tickets[&ticket]].push(result),
                Effect::Publish(published) => self.publish(node, published.entry),
                other => self.nodes[node].pending.push_back(other),
            }
        }
    }

    fn publish(&mut self, node: usize, entry: Entry) {
        let speaks = matches!(entry.content, Content::Text(_) | Content::Edit(_));
        let about = entry.target.unwrap_or(entry.seq);
        match entry.content {
            Content::Delete => self.told[node].push(about),
            _ if speaks && self.told[node].contains(&about) => self.late.push(entry),
            _ => {}
        }
    }

    /// Carries out what a node wants next; its store may lose the answer to a write, before or after it took place.
    async fn step(&mut self, node: usize, random: &mut SmallRng) {
        let Some(effect) = self.nodes[node].pending.pop_front() else { return };
        let input = match effect {
            Effect::Load(after) => Input::Loaded(
                self.store.load(self.conversation, after).await.map_err(|_| Refusal::Unavailable),
            ),
            Effect::Look(wanted) => {
                let found = self.store.targets(self.conversation, wanted.clone()).await.unwrap();
                Input::Looked(Ok(wanted.into_iter().zip(found).collect()))
            }
            Effect::Submit(batch, _) => Input::Stored(match random.random_range(0..8) {
                _ if !self.hostile => append(&self.store, batch).await,
                0 => Err(AppendError::Uncertain),
                1 => {
                    drop(append(&self.store, batch).await);
                    Err(AppendError::Uncertain)
                }
                2 => Err(AppendError::Busy),
                _ => append(&self.store, batch).await,
            }),
            Effect::Answer(..) | Effect::Publish(_) | Effect::Retell(_) => return,
        };
        self.input(node, input);
    }

    async fn log(&self) -> Vec<Entry> {
        let (from, to) = (Seq(1), Seq(1 << 40));
        let slice = Slice {
            from,
            to,
            order: Order::Ascending,
            across_gaps: true,
            max_entries: 10_000,
            max_bytes: 1 << 30,
        };
        let page = self.store.read(self.users[0], self.conversation, slice).await.unwrap();
        page.map_or_else(Vec::new, |page| page.entries)
    }

    async fn act(&mut self, random: &mut SmallRng) {
        let node = random.random_range(0..self.nodes.len());
        let head = self.log().await.len() as u64;
        match random.random_range(0..12) {
            0..=4 => {
                let base = Seq(head.saturating_sub(random.random_range(0..3)));
                let sender = random.random_range(0..3);
                let about = Some(Seq(random.random_range(2..8)));
                let content = match random.random_range(0..5) {
                    0 => (Content::Text(format!("said {}", self.sent.len())), None),
                    1 | 2 => (Content::Edit(format!("edited {}", self.sent.len())), about),
                    _ => (Content::Delete, about),
                };
                let draft = self.draft(sender, content.0, content.1, base);
                self.send(node, draft);
            }
            5 => self.resend(random.random_range(0..self.sent.len())),
            _ => self.step(node, random).await,
        }
    }

    async fn settle(&mut self, random: &mut SmallRng) {
        while self.nodes.iter().any(|node| !node.pending.is_empty()) {
            for node in 0..self.nodes.len() {
                self.step(node, random).await;
            }
        }
    }

    /// Replays what was asked for in the order in which it is stored.
    async fn check(&self) {
        let log = self.log().await;
        let mut expected: Vec<(Content, Seq)> = Vec::new();
        for entry in &log {
            let (_, draft) = self.sent.iter().find(|(_, draft)| draft.op == entry.op).unwrap();
            let seq = entry.seq;
            let about = draft.target.map(|target| usize::try_from(target.0).unwrap() - 1);
            expected.push((draft.content.clone(), Seq(0)));
            let Some(about) = about else { continue };
            assert!(!matches!(expected[about].0, Content::Deleted(_)), "{seq}: a change of what was deleted");
            match &draft.content {
                Content::Edit(text) => {
                    assert_eq!(draft.sender, log[about].sender, "{seq}");
                    expected[about] = (Content::Text(text.clone()), seq);
                }
                _ => {
                    let of = |other: &Entry| other.seq < seq && other.target == draft.target;
                    for other in log.iter().filter(|other| of(other)).map(|other| other.seq.0 as usize - 1) {
                        expected[other] = (Content::Deleted(draft.sender), seq);
                    }
                    expected[about] = (Content::Deleted(draft.sender), seq);
                }
            }
        }
        let found: Vec<(Content, Seq)> = log.iter().map(|entry| (entry.content.clone(), entry.rev)).collect();
        assert_eq!(found[1..], expected[1..], "a delete leaves no copy");
        assert_eq!(self.late, [], "what is deleted is told to nobody any more");
        for ((_, draft), answers) in self.sent.iter().zip(&self.answers) {
            let places: Vec<Seq> =
                log.iter().filter(|entry| entry.op == draft.op).map(|entry| entry.seq).collect();
            assert!(places.len() <= 1, "G2");
            let told: Vec<Seq> = answers.iter().flatten().map(|appended| appended.seq).collect();
            assert!(
                told.iter().all(|seq| places == [*seq]),
                "G2: {draft:?} is at {places:?}, not at {told:?}"
            );
        }
    }
}

async fn run(store: Arc<dyn Store>, nodes: usize, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut world = World::new(store, nodes);
    let (kind, settings) = (Kind::Group, Settings::default());
    let members = world.users[1..].to_vec();
    let created = Content::Created { kind, name: "Tea".into(), members, settings };
    let draft = world.draft(0, created, None, Seq(0));
    world.send(0, draft);
    world.settle(&mut random).await;
    for number in 0..5 {
        let draft = world.draft(number % 3, Content::Text(format!("said {number}")), None, Seq(1));
        world.send(0, draft);
    }
    world.settle(&mut random).await;
    world.hostile = true;
    for _ in 0..120 {
        world.act(&mut random).await;
    }
    world.settle(&mut random).await;
    world.hostile = false;
    // What is stored is answered as stored, whatever became of it since.
    for number in 0..world.sent.len() {
        world.resend(number);
    }
    world.settle(&mut random).await;
    let log = world.log().await;
    for ((_, draft), answers) in world.sent.iter().zip(&world.answers) {
        let stored = log.iter().any(|entry| entry.op == draft.op);
        match answers.last() {
            Some(Ok(appended)) => assert!(stored && appended.seq > Seq(0)),
            Some(Err(Refusal::BaseAhead)) => assert!(!stored, "seed {seed}"),
            Some(Err(Refusal::Forbidden(Forbidden::TargetNotFound | Forbidden::Role))) => {
                assert!(!stored, "G2: seed {seed}: {draft:?}");
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    world.check().await;
}

#[tokio::test]
async fn edits_and_deletes_in_any_order_in_memory() {
    for seed in 0..300 {
        run(memory().store, 1 + seed as usize % 2, seed).await;
    }
}

#[tokio::test]
async fn edits_and_deletes_in_any_order_in_sqlite() {
    for seed in 0..24 {
        let backend = sqlite();
        run(backend.store.clone(), 1 + seed as usize % 2, seed).await;
    }
}

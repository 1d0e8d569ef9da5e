//! A client that breaks the rules: it belongs to the group, has a session, and says what no client should.

use bytes::Bytes;
use parlor_types::{ConversationId, Id as _, Op, SessionId, UserId, limits};

use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::content::Kind as Content;
use parlor_wire::chat::v1::{
    Ack, Append, AppendResult, ClientFrame, Content as Body, Created, Fetch, Hello, Read, Received,
    ServerFrame, Text, append_result, server_frame,
};
use parlor_wire::errors::v1::ErrorReason;
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

use crate::net::{Down, End, Net};
use crate::points::Point;
use crate::record::Record;

/// Unanswered appends at once: more than are allowed.
const FLOOD: usize = 20;

/// See the module.
pub struct Liar {
    user: UserId,
    session: SessionId,
    wire: Option<u64>,
    last: Option<Op>,
}

impl Liar {
    /// Without a connection.
    pub fn new(user: UserId) -> Self {
        Self { user, session: SessionId::from_bytes([0xee; 16]), wire: None, last: None }
    }

    /// Says something, by this number.
    pub fn lie(&mut self, net: &mut Net, conversations: &[ConversationId], number: u64) {
        let mut rng = StdRng::seed_from_u64(number);
        let frames = self.frames(&mut rng, conversations);
        let Some(wire) = self.wire else {
            let mut hello = vec![frame(Kind::Hello(Hello {
                protocol: limits::PROTOCOL,
                client: "liar".to_owned(),
                ..Hello::default()
            }))];
            if rng.random_bool(0.1) {
                hello = Vec::new();
            }
            hello.extend(frames);
            self.wire = Some(net.open(End::Liar, self.user, self.session, hello));
            return;
        };
        net.say(wire, frames);
    }

    fn frames(&mut self, rng: &mut StdRng, conversations: &[ConversationId]) -> Vec<Bytes> {
        let conversation = conversations[rng.random_range(0..conversations.len())].to_string();
        match rng.random_range(0..13) {
            0 => vec![(0..rng.random_range(1..40)).map(|_| rng.random::<u8>()).collect::<Vec<u8>>().into()],
            1 => vec![frame(Kind::Ack(Ack { batch: rng.random_range(1..1_000_000) }))],
            2 => {
                let base = 1_000_000 + u64::from(rng.random::<u16>());
                vec![self.append(rng, &conversation, base, 0)]
            }
            3 => vec![self.append_again(rng, &conversation)],
            4 => vec![self.append(rng, &ConversationId::from_bytes([0x77; 16]).to_string(), 0, 0)],
            5 => vec![frame(Kind::Hello(Hello::default()))],
            6 => vec![frame(Kind::Fetch(Fetch {
                request_id: rng.random(),
                conversation_id: conversation,
                from_seq: rng.random_range(0..3),
                to_seq: rng.random(),
            }))],
            7 => vec![frame(Kind::Received(Received { conversation_id: conversation, seq: u64::MAX >> 2 }))],
            8 => vec![frame(Kind::Read(Read { conversation_id: "no id".to_owned(), seq: 1 }))],
            9 => (0..FLOOD).map(|_| self.append(rng, &conversation, 1, 0)).collect(),
            10 => (0..3).map(|_| self.append(rng, &conversation, 1, 99)).collect(),
            11 => {
                let created = Created { member_ids: vec![self.user.to_string()], ..Created::default() };
                vec![self.append_kind(rng, &conversation, 1, 0, Content::Created(created))]
            }
            _ => vec![self.append(rng, &conversation, 0, 0), Bytes::new()],
        }
    }

    fn append(&mut self, rng: &mut StdRng, conversation: &str, base: u64, lane: u32) -> Bytes {
        let body = format!("lie {}", rng.random::<u32>());
        self.append_kind(rng, conversation, base, lane, Content::Text(Text { body }))
    }

    fn append_kind(
        &mut self,
        rng: &mut StdRng,
        conversation: &str,
        base: u64,
        lane: u32,
        kind: Content,
    ) -> Bytes {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        let op = Op::from_bytes(uuid::Builder::from_random_bytes(bytes).into_uuid().into_bytes());
        self.last = Some(op);
        as_append(op, conversation, base, lane, kind)
    }

    /// The op of something else.
    fn append_again(&mut self, rng: &mut StdRng, conversation: &str) -> Bytes {
        let body = format!("another {}", rng.random::<u32>());
        let op = self.last.unwrap_or(Op::from_bytes([0x44; 16]));
        as_append(op, conversation, 0, 0, Content::Text(Text { body }))
    }

    /// It acks nothing, and looks only at why it was shown out.
    pub fn hear(&mut self, down: &Down, record: &mut Record) {
        let Down::Batch(_, frames) = down else {
            self.wire = None;
            return;
        };
        for bytes in frames {
            let frame = ServerFrame::decode(&bytes[..]).expect("the server's frames are frames");
            match frame.kind {
                Some(server_frame::Kind::Goodbye(_)) => record.meet(Point::LiarShownOut),
                Some(server_frame::Kind::Welcome(_)) => continue,
                Some(server_frame::Kind::AppendResult(AppendResult {
                    outcome: Some(append_result::Outcome::Problem(problem)),
                    ..
                })) if problem.reason() == ErrorReason::BaseSeqAhead => record.meet(Point::BaseAhead),
                _ => {}
            }
            record.trace(&bytes[..]);
        }
    }
}

fn as_append(op: Op, conversation: &str, base_seq: u64, lane: u32, kind: Content) -> Bytes {
    frame(Kind::Append(Append {
        conversation_id: conversation.to_owned(),
        op: op.to_string(),
        base_seq,
        lane,
        content: Some(Body { kind: Some(kind) }),
        ..Append::default()
    }))
}

fn frame(kind: Kind) -> Bytes {
    ClientFrame { kind: Some(kind) }.encode_to_vec().into()
}

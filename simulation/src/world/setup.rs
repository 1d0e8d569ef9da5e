//! Who is there, and the conversations that they have.

use std::sync::Arc;
use std::time::Duration;

use chat_svc::edge;
use chat_svc::log::{Log, LogLimits, Rules, StartLog};
use chat_svc::routing::LocalRouter;
use chat_svc::store::{Generation, MemoryStore};
use parlor_runtime::clock::ManualClock;
use parlor_runtime::limiter::Rate;
use parlor_types::{ConversationId, Id as _, Op, SessionId, UserId};
use parlor_wire::chat::v1::{ConversationKind, CreateConversationRequest};
use tokio::runtime::Builder;

use crate::around::Around;
use crate::phone::Owner;

/// How much longer everything takes in a slow store.
pub const SLOW: Duration = Duration::from_millis(200);

const ADA: u8 = 0xa;
const BEN: u8 = 0xb;
const CYD: u8 = 0xc;
const LIAR: u8 = 0xe;

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

/// Whose the phones are: Ada has two.
pub fn owners() -> Vec<Owner> {
    let all = [("ada's phone", ADA), ("ada's desk", ADA), ("ben", BEN), ("cyd", CYD)];
    let owner = |(number, (name, whose)): (u8, (&str, u8))| Owner {
        name: name.to_owned(),
        user: user(whose),
        session: SessionId::from_bytes([number; 16]),
    };
    (1..).zip(all).map(owner).collect()
}

/// The user of the liar.
pub fn liar() -> UserId {
    user(LIAR)
}

/// The name of a life of the store.
pub fn generation(number: u128) -> Generation {
    Generation(uuid::Uuid::from_u128(number + 1))
}

/// The name of the next one.
pub fn next(generation: Generation) -> Generation {
    Generation(uuid::Uuid::from_u128(generation.0.as_u128() + 1))
}

/// A group of all, and a direct conversation of the first two.
pub fn store(clock: &Arc<ManualClock>) -> (Arc<MemoryStore>, Vec<ConversationId>) {
    let model = Arc::new(MemoryStore::default());
    let runtime = Builder::new_current_thread().build().expect("a runtime without I/O needs memory alone");
    let rate = Rate { burst: 100, per_second: 100.0 };
    let log = Log::new(StartLog {
        store: model.clone(),
        router: Arc::new(LocalRouter::default()),
        directory: Arc::new(Around),
        media: Arc::new(Around),
        watcher: Arc::new(Around),
        clock: clock.clone(),
        limits: LogLimits {
            rules: Rules { max_members: 10, edit_window: Duration::ZERO },
            user_rate: rate,
            member_rate: rate,
        },
    });
    let ids = runtime.block_on(async {
        let deliveries = log.clone();
        tokio::spawn(async move { deliveries.run().await });
        let mut ids = Vec::new();
        for (number, kind, members) in
            [(1, ConversationKind::Group, vec![BEN, CYD, LIAR]), (2, ConversationKind::Direct, vec![BEN])]
        {
            let name = if kind == ConversationKind::Group { "Tea".to_owned() } else { String::new() };
            let request = CreateConversationRequest {
                op: Op::from_bytes(uuid::Builder::from_random_bytes([number; 16]).into_uuid().into_bytes())
                    .to_string(),
                kind: kind.into(),
                name,
                member_ids: members.into_iter().map(|member| user(member).to_string()).collect(),
                ..CreateConversationRequest::default()
            };
            let draft = edge::draft(user(ADA), &edge::creation(request), None).expect("it is well-formed");
            ids.push(log.append(draft).await.expect("an empty store takes it").conversation);
        }
        ids
    });
    (model, ids)
}

//! G2: the base of an append is a head that its client had heard of in the life of the store in which it made the op. A base
//! above it would hide an earlier copy from the server.

use std::collections::HashMap;

use parlor_types::ConversationId;

use super::index::Index;
use super::log::LogId;
use super::{Guarantee, Report};
use crate::Event;

pub fn check(index: &Index<'_>, report: &mut Report) {
    let mut heard: HashMap<(u32, LogId), u64> = HashMap::new();
    for (at, line) in index.lines.iter().enumerate() {
        let client = index.who[at].client;
        let mut hear = |conversation: ConversationId, seq: u64| {
            let known = heard.entry((client, index.log_id(at, conversation))).or_default();
            *known = seq.max(*known);
        };
        match &line.event {
            Event::Applied { conversation, entries } | Event::Page { conversation, entries } => {
                entries.iter().for_each(|entry| hear(*conversation, entry.seq));
            }
            Event::Head { conversation, head }
            | Event::Resumed { conversation, to: head, .. }
            | Event::Unread { conversation, head, .. } => {
                hear(*conversation, *head);
            }
            Event::Ok { op, seq } => {
                if let Some(invoked) = index.appends.get(op).and_then(|append| append.invoked) {
                    hear(invoked.conversation, *seq);
                }
            }
            Event::Invoke { op, conversation, base_seq: Some(base), .. } => {
                let known = heard.get(&(client, index.log_id(at, *conversation))).copied().unwrap_or(0);
                if *base > known {
                    let name = &line.client;
                    let what = format!("{name} made {op} with base {base}, and had heard of {known} at most");
                    report.broken(Guarantee::G2, what, [at.into()]);
                }
            }
            _ => {}
        }
    }
}

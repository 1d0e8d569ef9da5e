//! Entries: for clients, and for stores.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use parlor_types::{ConversationId, Op, Seq, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::{id, to_time};
use prost::Message as _;

use super::content;
use crate::log::{Appended, Entry};

/// An entry for a client.
#[must_use]
pub fn entry(entry: &Entry) -> wire::Entry {
    wire::Entry {
        conversation_id: entry.conversation.to_string(),
        seq: entry.seq.0,
        message_number: entry.number,
        op: entry.op.to_string(),
        sender_id: entry.sender.to_string(),
        time: Some(to_time(entry.time)),
        target: entry.target.unwrap_or_default().0,
        rev: entry.rev.0,
        ..body(entry)
    }
}

/// The Event frame of an entry, encoded: once for all who get it.
#[must_use]
pub fn event_frame(stored: &Entry) -> Bytes {
    let event = wire::Event { entry: Some(entry(stored)) };
    let frame = wire::ServerFrame { kind: Some(wire::server_frame::Kind::Event(event)) };
    frame.encode_to_vec().into()
}

/// What stores keep of an entry in columns of their own.
#[derive(Debug, Clone)]
pub struct BareEntry {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its place.
    pub seq: Seq,
    /// Its message number.
    pub number: u64,
    /// Who appended it.
    pub sender: UserId,
    /// The sender's name for it.
    pub op: Op,
    /// When.
    pub time: SystemTime,
    /// The entry it changes.
    pub target: Option<Seq>,
    /// The latest entry that changed it.
    pub rev: Seq,
}

/// The rest of an entry, as stores keep it: the fields of `parlor.chat.v1.Entry` that have no column.
#[must_use]
pub fn stored_body(entry: &Entry) -> Vec<u8> {
    body(entry).encode_to_vec()
}

fn body(entry: &Entry) -> wire::Entry {
    wire::Entry {
        reply_to: entry.reply_to.unwrap_or_default().0,
        thread_root: entry.thread_root.unwrap_or_default().0,
        mention_ids: entry.mentions.iter().map(UserId::to_string).collect(),
        labels: entry.labels.clone(),
        content: Some(content::to_wire(&entry.content)),
        ..wire::Entry::default()
    }
}

/// An entry from its columns and its body.
///
/// # Errors
/// The body is not one that this release understands.
pub fn from_stored(bare: BareEntry, body: &[u8]) -> Result<Entry, &'static str> {
    let body = wire::Entry::decode(body).map_err(|_| "the body is not a parlor.chat.v1.Entry")?;
    let content = body.content.as_ref().and_then(content::from_stored);
    let place = |seq: u64| (seq > 0).then_some(Seq(seq));
    let mentions: Result<Vec<UserId>, _> = body.mention_ids.iter().map(|text| id("", text)).collect();
    Ok(Entry {
        conversation: bare.conversation,
        seq: bare.seq,
        number: bare.number,
        op: bare.op,
        sender: bare.sender,
        time: bare.time,
        target: bare.target,
        rev: bare.rev,
        reply_to: place(body.reply_to),
        thread_root: place(body.thread_root),
        mentions: mentions.map_err(|_| "a mention is not a user id")?,
        labels: BTreeMap::from_iter(body.labels),
        content: content.ok_or("the content is of no known kind")?,
    })
}

/// The answer to an append that is stored.
#[must_use]
pub fn appended(appended: &Appended) -> wire::Appended {
    wire::Appended {
        conversation_id: appended.conversation.to_string(),
        seq: appended.seq.0,
        message_number: appended.number,
        time: Some(to_time(appended.time)),
        duplicate: appended.duplicate,
    }
}

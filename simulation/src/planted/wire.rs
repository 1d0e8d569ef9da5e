//! A wire that changes what goes over it.

use std::collections::BTreeMap;

use bytes::Bytes;
use parlor_wire::chat::v1::client_frame::Kind as Asked;
use parlor_wire::chat::v1::server_frame::Kind as Said;
use parlor_wire::chat::v1::{ClientFrame, Entry, Event, Received, ServerFrame};
use prost::Message as _;

use super::Planted;

/// Of one connection.
#[derive(Debug)]
pub struct Bent {
    planted: Option<Planted>,
    /// The lane that the server has told last, by conversation.
    lanes: BTreeMap<String, u32>,
}

impl Bent {
    /// With this fault, if any.
    pub fn new(planted: Option<Planted>) -> Self {
        Self { planted, lanes: BTreeMap::new() }
    }

    /// What becomes of a client's frames.
    pub fn up(&self, frames: Vec<Bytes>) -> Vec<Bytes> {
        if self.planted == Some(Planted::IgnoresLanes) {
            frames.into_iter().map(|frame| self.in_lane(frame)).collect()
        } else {
            frames
        }
    }

    fn in_lane(&self, bytes: Bytes) -> Bytes {
        let Ok(ClientFrame { kind: Some(Asked::Append(mut append)) }) = ClientFrame::decode(&bytes[..])
        else {
            return bytes;
        };
        append.lane = self.lanes.get(&append.conversation_id).copied().unwrap_or(append.lane);
        ClientFrame { kind: Some(Asked::Append(append)) }.encode_to_vec().into()
    }

    /// What becomes of the server's frames, and what is said for the client to that.
    pub fn down(&mut self, frames: Vec<Bytes>) -> (Vec<Bytes>, Vec<Bytes>) {
        let (mut kept, mut said) = (Vec::new(), Vec::new());
        for bytes in frames {
            let kind = self.planted.and_then(|_| ServerFrame::decode(&bytes[..]).ok()?.kind);
            match (self.planted, kind) {
                (Some(Planted::DropsHeads), Some(Said::Head(_))) => continue,
                // Without one it is stored, or came too early.
                (Some(Planted::IgnoresLanes), Some(Said::AppendResult(result))) if result.lane > 0 => {
                    self.lanes.insert(result.conversation_id, result.lane);
                }
                (Some(Planted::SentIsReceived), Some(Said::Event(Event { entry: Some(entry) }))) => {
                    said.push(received(entry));
                }
                _ => {}
            }
            kept.push(bytes);
        }
        (kept, said)
    }
}

fn received(entry: Entry) -> Bytes {
    let received = Received { conversation_id: entry.conversation_id, seq: entry.seq };
    ClientFrame { kind: Some(Asked::Received(received)) }.encode_to_vec().into()
}

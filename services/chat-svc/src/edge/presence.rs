//! The line to presence-svc.

use parlor_types::{Id as _, NodeId, StreamId, UserId};
use parlor_wire::internal::presence::v1 as wire;
use parlor_wire::internal::presence::v1::attach_frame::Kind;
use parlor_wire::presence::v1::Presence;

use crate::presence::Say;

/// What a node says, as one message.
#[must_use]
pub fn attach_request(node: NodeId, said: Vec<Say>) -> wire::AttachRequest {
    let frame = |say| wire::AttachFrame { kind: Some(kind(node, say)) };
    wire::AttachRequest { frames: said.into_iter().map(frame).collect() }
}

fn kind(node: NodeId, say: Say) -> Kind {
    let texts = |users: &[UserId]| users.iter().map(UserId::to_string).collect();
    match say {
        Say::Hello => Kind::Hello(wire::Hello { node_id: node.to_string() }),
        Say::Opened(owned, facts) => Kind::Opened(wire::Opened {
            stream_id: owned.stream.to_string(),
            user_id: owned.user.to_string(),
            session_id: owned.session.to_string(),
            foreground: facts.foreground,
            mobile: facts.mobile,
        }),
        Say::Watching(stream, users) => {
            Kind::Watching(wire::Watching { stream_id: stream.to_string(), user_ids: texts(&users) })
        }
        Say::Closed(stream, session_ended) => {
            Kind::Closed(wire::Closed { stream_id: stream.to_string(), session_ended })
        }
        Say::SnapshotDone => Kind::SnapshotDone(wire::SnapshotDone {}),
        Say::VisibilityChanged(users) => {
            Kind::VisibilityChanged(wire::VisibilityChanged { user_ids: texts(&users) })
        }
    }
}

/// What is told to which stream. What names nobody is left out.
#[must_use]
pub fn told(response: wire::AttachResponse) -> Vec<(StreamId, Vec<(UserId, Presence)>)> {
    let named = |presence: Presence| Some((UserId::parse(&presence.user_id)?, presence));
    let told = response.told.into_iter().filter_map(|told| {
        Some((StreamId::parse(&told.stream_id)?, told.presences.into_iter().filter_map(named).collect()))
    });
    told.collect()
}

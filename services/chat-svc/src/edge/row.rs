//! Rows of the chat list, pages of a log, marks.

use bytes::Bytes;
use parlor_types::UserId;
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::Problem;
use parlor_wire::to_time;
use prost::Message as _;

use super::content::{to_kind, to_role, to_settings};
use super::media::media;
use super::{entry, not_found, preferences, seq_ahead};
use crate::receipts::TimedMarks;
use crate::store::{Marked, Page, Receipts, Row};

/// A row for its reader.
#[must_use]
pub fn row(row: &Row) -> wire::Conversation {
    let mut members: Vec<_> = row.members.iter().collect();
    members.sort_by_key(|listed| (listed.member.joined, listed.user));
    wire::Conversation {
        id: row.id.to_string(),
        kind: to_kind(row.kind).into(),
        name: row.name.clone(),
        settings: Some(to_settings(row.settings)),
        members: members
            .into_iter()
            .map(|listed| wire::Member {
                user_id: listed.user.to_string(),
                role: to_role(listed.member.role).into(),
                joined_seq: listed.member.joined.0,
                marks: Some(marks(&listed.marks)),
            })
            .collect(),
        member_count: u32::try_from(row.member_count).unwrap_or(u32::MAX),
        head: row.head.0,
        head_number: row.number,
        avatar: row.avatar.as_ref().map(media),
        last_message: row.last_message.as_ref().map(entry),
        marks: Some(marks(&row.marks)),
        unread: row.unread,
        readable: row
            .ranges
            .all()
            .iter()
            .map(|range| wire::ReadableRange {
                from_seq: range.from.0,
                to_seq: range.to.unwrap_or_default().0,
            })
            .collect(),
        created_at: Some(to_time(row.created)),
        active_at: Some(to_time(row.active)),
        unread_mentions: row.unread_mentions,
        preferences: Some(preferences(&row.preferences)),
    }
}

/// What became of marks.
///
/// # Errors
/// Why they were not raised.
pub fn marked(marked: Marked) -> Result<wire::Marks, Problem> {
    match marked {
        Marked::Now(now, _) => Ok(marks(&now)),
        Marked::Ahead => Err(seq_ahead()),
        Marked::NotFound => Err(not_found()),
    }
}

fn marks(timed: &TimedMarks) -> wire::Marks {
    wire::Marks {
        received: timed.marks.received.0,
        read: timed.marks.read.0,
        received_at: timed.received_at.map(to_time),
        read_at: timed.read_at.map(to_time),
    }
}

/// Marks of members.
#[must_use]
pub fn member_marks(members: &[(UserId, TimedMarks)]) -> Vec<wire::MemberMarks> {
    let member = |(user, timed): &(UserId, TimedMarks)| wire::MemberMarks {
        user_id: user.to_string(),
        marks: Some(marks(timed)),
    };
    members.iter().map(member).collect()
}

/// The Receipts frame, encoded.
#[must_use]
pub fn receipts_frame(receipts: &Receipts) -> Bytes {
    let conversation_id = receipts.conversation.to_string();
    let receipts = wire::Receipts { conversation_id, members: member_marks(&receipts.members) };
    let kind = wire::server_frame::Kind::Receipts(receipts);
    wire::ServerFrame { kind: Some(kind) }.encode_to_vec().into()
}

/// A page of a log.
#[must_use]
pub fn log_page(conversation_id: String, page: &Page) -> wire::LogPage {
    wire::LogPage {
        conversation_id,
        entries: page.entries.iter().map(entry).collect(),
        next_seq: page.next.unwrap_or_default().0,
        head: page.head.0,
    }
}

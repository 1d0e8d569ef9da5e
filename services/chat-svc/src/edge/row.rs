//! Rows of the chat list, pages of a log, marks.

use parlor_types::limits;
use parlor_wire::chat::v1 as wire;
use parlor_wire::to_time;

use super::content::{to_kind, to_role, to_settings};
use super::entry;
use crate::store::{Marks, Page, Row};

/// A row for its reader.
#[must_use]
pub fn row(row: &Row) -> wire::Conversation {
    let listed = if row.members.len() <= limits::MAX_LISTED_MEMBERS { row.members.as_slice() } else { &[] };
    let mut members: Vec<_> = listed.iter().collect();
    members.sort_by_key(|(user, member)| (member.joined, *user));
    wire::Conversation {
        id: row.id.to_string(),
        kind: to_kind(row.kind).into(),
        name: row.name.clone(),
        settings: Some(to_settings(row.settings)),
        members: members
            .into_iter()
            .map(|(user, member)| wire::Member {
                user_id: user.to_string(),
                role: to_role(member.role).into(),
                joined_seq: member.joined.0,
                marks: None,
            })
            .collect(),
        member_count: u32::try_from(row.members.len()).unwrap_or(u32::MAX),
        head: row.head.0,
        head_number: row.number,
        last_message: row.last_message.as_ref().map(entry),
        marks: Some(marks(row.marks)),
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
        unread_mentions: 0,
        preferences: None,
    }
}

/// Marks.
#[must_use]
pub fn marks(marks: Marks) -> wire::Marks {
    wire::Marks { received: marks.received.0, read: marks.read.0, ..wire::Marks::default() }
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

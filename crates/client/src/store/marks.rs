//! How far others are, and what that makes of a message.

use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::{Conversation, Marks, Member, MemberMarks};
use prost::Message as _;
use rusqlite::{Transaction, params};

use super::sql::{decode, first, run};
use super::{Result, Store, account, log, people};
use crate::core::{Delivery, raise};

/// What has become of one message, as far as it is known here.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipts {
    /// The sum of it.
    pub delivery: Delivery,
    /// Everybody it was for, in the order of the member list. Empty in a conversation whose row names no members: the
    /// server can be asked then.
    pub members: Vec<MemberReceipt>,
}

/// How far one member is.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberReceipt {
    /// Who.
    pub user: UserId,
    /// Their marks, as far as they let this user know; `read` is 0 while this user shares no read receipts.
    pub marks: Marks,
}

impl Store {
    /// What has become of this user's message at `seq`: by the marks of the other members who were there when it was sent.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn receipts(&self, id: ConversationId, seq: Seq) -> Result<Receipts> {
        self.read(|tx| {
            let row = log::conversation(tx, id)?.and_then(|known| known.row).unwrap_or_default();
            let members = of_others(tx, id, &row, seq)?;
            let marks: Vec<_> = members.iter().map(|member| member.marks).collect();
            Ok(Receipts { delivery: Delivery::of(seq, &marks), members })
        })
    }
}

fn of_others(
    tx: &Transaction<'_>,
    id: ConversationId,
    row: &Conversation,
    seq: Seq,
) -> Result<Vec<MemberReceipt>> {
    let me = account::account(tx)?.user;
    let shares = people::privacy(tx)?.is_none_or(|privacy| privacy.read_receipts);
    let there = row.members.iter().filter(|member| member.joined_seq <= seq.0);
    let users = there.filter_map(|member| UserId::parse(&member.user_id)).filter(|user| Some(*user) != me);
    users
        .map(|user| {
            let mut marks = of(tx, id, user)?;
            if !shares {
                (marks.read, marks.read_at) = (0, None);
            }
            Ok(MemberReceipt { user, marks })
        })
        .collect()
}

fn of(tx: &Transaction<'_>, id: ConversationId, user: UserId) -> Result<Marks> {
    let sql = "SELECT marks FROM mark WHERE conversation_id = ? AND user_id = ?";
    let known = first(tx, sql, params![id.bytes(), user.bytes()], |row| decode(row.get(0)?))?;
    Ok(known.unwrap_or_default())
}

/// Raises what is saved; what is lower changes nothing.
pub fn raise_all(tx: &Transaction<'_>, id: ConversationId, heard: &[(UserId, Marks)]) -> Result<()> {
    for (user, heard) in heard {
        let known = of(tx, id, *user)?;
        let mut marks = known;
        raise(&mut marks, heard);
        if marks != known {
            let sql = "INSERT OR REPLACE INTO mark (conversation_id, user_id, marks) VALUES (?, ?, ?)";
            run(tx, sql, params![id.bytes(), user.bytes(), marks.encode_to_vec()])?;
        }
    }
    Ok(())
}

pub fn of_member(member: &Member) -> MemberMarks {
    MemberMarks { user_id: member.user_id.clone(), marks: member.marks }
}

//! Reads of the store, in the form in which the state takes them in. All of them block.

use std::collections::HashMap;

use parlor_client::store::{Chats, Store, StoreError};
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;

use crate::effect::Part;
use crate::update::fault;
use crate::views::messages::{Page, Reader, Waiting};

/// Entries read at once.
const PAGE: u32 = 200;

/// The chat list, and how many messages wait.
pub fn chats(store: &Store) -> Result<(Chats, usize), StoreError> {
    let parcels = store.parcels()?.into_iter().filter(|parcel| parcel.failed.is_none()).count();
    Ok((store.chats()?, store.outbox(None)?.len() + parcels))
}

/// A part of a log.
pub fn page(store: &Store, id: ConversationId, part: Part) -> Result<Page, StoreError> {
    let known = store.conversation(id)?;
    let range = known.as_ref().and_then(|known| known.range);
    let row = known.and_then(|known| known.row);
    let floor = Seq(row.as_ref().and_then(|row| row.readable.last()).map_or(1, |part| part.from_seq.max(1)));
    let entries = match range {
        Some(held) if !held.is_empty() => {
            let half = u64::from(PAGE) / 2;
            let (from, to) = match part {
                Part::Newest => (held.have.0.saturating_sub(u64::from(PAGE) - 1), held.have.0),
                Part::Before(seq) => (seq.0.saturating_sub(u64::from(PAGE)), seq.0.saturating_sub(1)),
                Part::After(Seq(0)) => (held.have.0.saturating_sub(u64::from(PAGE) - 1), held.have.0),
                Part::After(seq) => (seq.0 + 1, held.have.0),
                Part::Around(seq) => (seq.0.saturating_sub(half), seq.0 + half),
                Part::Again(from, to) => (from.0, to.0),
            };
            store.entries(id, Seq(from).max(held.low), Seq(to).min(held.have), PAGE)?
        }
        _ => Vec::new(),
    };
    let joined: HashMap<_, _> = row
        .iter()
        .flat_map(|row| &row.members)
        .filter_map(|member| Some((UserId::parse(&member.user_id)?, Seq(member.joined_seq))))
        .collect();
    let readers = store.receipts(id, Seq(u64::MAX))?.members.into_iter().map(|member| Reader {
        user: member.user,
        joined: joined.get(&member.user).copied().unwrap_or_default(),
        marks: member.marks,
    });
    Ok(Page {
        conversation: id,
        part,
        entries,
        range,
        floor,
        waiting: waiting(store, id)?,
        readers: readers.collect(),
    })
}

/// What is on its way: first what waits to be sent, then what waits for its files.
fn waiting(store: &Store, id: ConversationId) -> Result<Vec<Waiting>, StoreError> {
    let outbox = store.outbox(Some(id))?.into_iter();
    let parcels = store.parcels()?.into_iter().filter(|parcel| parcel.outgoing.conversation == id);
    let sent = outbox.map(|row| Waiting { op: row.op, append: row.append, failed: None, stored: false });
    let packed = parcels.map(|parcel| Waiting {
        op: parcel.outgoing.op,
        failed: parcel.failed.map(|failure| fault(&failure.why)),
        append: with_names(parcel.outgoing.append, &parcel.files),
        stored: false,
    });
    Ok(sent.chain(packed).collect())
}

/// Files have no ids before they are uploaded, but names they have.
fn with_names(
    mut append: parlor_wire::chat::v1::Append,
    files: &[parlor_client::core::FileUpload],
) -> parlor_wire::chat::v1::Append {
    let kind = append.content.as_mut().and_then(|content| content.kind.as_mut());
    for (media, file) in kind.into_iter().flat_map(Kind::media_mut).zip(files) {
        media.name.clone_from(&file.name);
        media.size = file.size;
    }
    append
}

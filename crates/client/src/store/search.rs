//! Looking for something among the entries that are held.

use std::borrow::Cow;
use std::time::SystemTime;

use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, Location};
use parlor_wire::to_time;
use rusqlite::{Transaction, params};

use super::log::conversation;
use super::sql::{decode, first, to_sql};
use super::{Result, Store};

impl Store {
    /// The newest message below `below` (0: of all) that says `needle`, in whatever case, in its text, under its files or in
    /// their names; as far as it is held.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn search(&self, id: ConversationId, needle: &str, below: Seq) -> Result<Option<Seq>> {
        let needle = needle.to_lowercase();
        let below = if below == Seq::default() { Seq(u64::MAX) } else { below };
        self.read(|tx| {
            let sql = "SELECT entry FROM entry
                       WHERE conversation_id = ? AND seq < ? AND target = 0 ORDER BY seq DESC";
            let mut statement = tx.prepare_cached(sql)?;
            let mut found = statement.query(params![id.bytes(), to_sql(below)])?;
            while let Some(row) = found.next()? {
                let entry: Entry = decode(row.get(0)?)?;
                let seq = Seq(entry.seq);
                if words(&entry).iter().any(|words| words.to_lowercase().contains(&needle)) {
                    return Ok(Some(seq));
                }
            }
            Ok(None)
        })
    }

    /// The first entry at `time` or after it: `Some(None)` if nothing that is held is as new, and none if what is held does
    /// not reach back so far.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn first_since(&self, id: ConversationId, time: SystemTime) -> Result<Option<Option<Seq>>> {
        let wanted = to_time(time);
        let is_before = |entry: &Entry| {
            entry.time.is_some_and(|at| (at.seconds, at.nanos) < (wanted.seconds, wanted.nanos))
        };
        self.read(|tx| {
            let Some(known) = conversation(tx, id)? else { return Ok(None) };
            let Some(range) = known.range.filter(|range| !range.is_empty()) else { return Ok(None) };
            let floor = known.row.and_then(|row| row.readable.last().map(|part| part.from_seq)).unwrap_or(1);
            let reaches_back =
                range.low.0 <= floor || at(tx, id, range.low)?.is_some_and(|low| is_before(&low));
            if !reaches_back {
                return Ok(None);
            }
            // Times follow the order of the log, so each look halves what is left.
            let (mut low, mut high) = (range.low.0, range.have.0 + 1);
            while low < high {
                let middle = low + (high - low) / 2;
                match at(tx, id, Seq(middle))? {
                    Some(entry) if is_before(&entry) => low = entry.seq + 1,
                    Some(_) => high = middle,
                    None => high = middle,
                }
            }
            Ok(Some(Some(Seq(low)).filter(|seq| *seq <= range.have)))
        })
    }
}

/// The entry at `seq`, or the next that is held.
fn at(tx: &Transaction<'_>, id: ConversationId, seq: Seq) -> Result<Option<Entry>> {
    let sql = "SELECT entry FROM entry WHERE conversation_id = ? AND seq >= ? ORDER BY seq LIMIT 1";
    first(tx, sql, params![id.bytes(), to_sql(seq)], |row| decode(row.get(0)?))
}

/// All that a person reads of a message.
fn words(entry: &Entry) -> Vec<Cow<'_, str>> {
    let Some(kind) = entry.kind() else { return Vec::new() };
    let mut words: Vec<_> = kind.media().into_iter().map(|media| Cow::from(&media.name)).collect();
    words.extend(kind.words().map(Cow::from));
    if let Kind::Location(Location { name, address, .. }) = kind {
        words.push(format!("{name} {address}").into());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use parlor_wire::chat::v1::{Content, Conversation, ReadableRange, Text};

    use super::*;
    use crate::core::{Mutation, Range, Weight};

    const ID: [u8; 16] = [7; 16];

    /// Entries `low..=10`, each said at its seq in minutes.
    fn store(low: u64, floor: u64) -> (Store, ConversationId) {
        let (store, id) = (Store::in_memory(), ConversationId::from_bytes(ID));
        let readable = vec![ReadableRange { from_seq: floor, to_seq: 0 }];
        let row = Conversation { id: id.to_string(), head: 10, readable, ..Conversation::default() };
        let mut all = vec![Mutation::Row(id, Box::new(row))];
        for seq in low..=10 {
            let kind = Kind::Text(Text { body: format!("Tea at {seq}") });
            let content = Some(Content { kind: Some(kind) });
            let time = Some(to_time(UNIX_EPOCH + Duration::from_secs(seq * 60)));
            let entry = Entry { seq, content, time, ..Entry::default() };
            all.push(Mutation::Entry(id, Box::new(entry), Weight::Message));
        }
        all.push(Mutation::Extent(id, Range { low: Seq(low), have: Seq(10) }, Seq(10)));
        store.apply(&all).unwrap();
        (store, id)
    }

    #[test]
    fn the_newest_that_says_it_is_found_in_any_case() {
        let (store, id) = store(1, 1);
        assert_eq!(store.search(id, "tEA", Seq(0)).unwrap(), Some(Seq(10)));
        assert_eq!(store.search(id, "tea", Seq(10)).unwrap(), Some(Seq(9)));
        assert_eq!(store.search(id, "at 1", Seq(10)).unwrap(), Some(Seq(1)));
        assert_eq!(store.search(id, "coffee", Seq(0)).unwrap(), None);
    }

    #[test]
    fn a_time_is_found_where_what_is_held_reaches_back_to_it() {
        let minute = |minutes: u64| UNIX_EPOCH + Duration::from_secs(minutes * 60);
        let (whole, id) = store(1, 1);
        assert_eq!(whole.first_since(id, minute(4)).unwrap(), Some(Some(Seq(4))));
        assert_eq!(whole.first_since(id, minute(4) + Duration::from_secs(1)).unwrap(), Some(Some(Seq(5))));
        assert_eq!(whole.first_since(id, minute(0)).unwrap(), Some(Some(Seq(1))));
        assert_eq!(whole.first_since(id, minute(11)).unwrap(), Some(None), "nothing is as new");
        let (part, id) = store(5, 1);
        assert_eq!(part.first_since(id, minute(6)).unwrap(), Some(Some(Seq(6))));
        assert_eq!(part.first_since(id, minute(5)).unwrap(), None, "there may be an earlier one");
        let (all_there_is, id) = store(5, 5);
        assert_eq!(all_there_is.first_since(id, minute(2)).unwrap(), Some(Some(Seq(5))));
    }
}

//! `history`: the log as the server has it now; nothing of it is kept.

use std::time::SystemTime;

use parlor_client::Client;
use parlor_tui::content::people_of;
use parlor_types::Seq;
use parlor_wire::chat::v1::{Conversation, Entry};

use super::show::Gallery;
use crate::entry;
use crate::names::{self, Names};
use crate::outcome::Outcome;
use crate::output::Output;

pub async fn run(
    client: &Client,
    out: &mut Output,
    to: &str,
    limit: Option<u64>,
    before: Option<u64>,
    mut gallery: Gallery,
) -> Outcome {
    let id = names::conversation(client, to).await?;
    let row = client.conversation(id).await?;
    let last = before.map_or(row.head, |before| before.saturating_sub(1).min(row.head));
    if last == 0 {
        return Ok(());
    }
    let mut from = limit.map_or(1, |limit| newest(&row, last, limit));
    let mut names = Names::default();
    while from != 0 && from <= last {
        let page = client.fetch(id, Seq(from), Seq(last)).await?;
        print(client, out, &mut names, &mut gallery, &page.entries).await?;
        from = page.next_seq;
    }
    Ok(())
}

/// Prints entries in their order.
pub async fn print(
    client: &Client,
    out: &mut Output,
    names: &mut Names,
    gallery: &mut Gallery,
    entries: &[Entry],
) -> Outcome {
    names.learn(client, entries.iter().flat_map(people_of)).await?;
    let now = SystemTime::now();
    for entry in entries {
        out.result(&entry::object(entry, names), || entry::line(entry, names, now))?;
        gallery.hang(client, out, entry).await?;
    }
    out.flush()
}

/// Where the newest `limit` readable entries up to `last` begin; seqs outside the readable ranges do not count.
fn newest(row: &Conversation, last: u64, limit: u64) -> u64 {
    let mut left = limit;
    let mut from = last + 1;
    for range in row.readable.iter().rev() {
        let end = if range.to_seq == 0 { row.head } else { range.to_seq }.min(last);
        let count = (end + 1).saturating_sub(range.from_seq.max(1));
        if count == 0 || left == 0 {
            continue;
        }
        let taken = count.min(left);
        from = end + 1 - taken;
        left -= taken;
    }
    from
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::ReadableRange;

    use super::*;

    #[test]
    fn only_readable_entries_count() {
        let readable =
            vec![ReadableRange { from_seq: 1, to_seq: 10 }, ReadableRange { from_seq: 21, to_seq: 0 }];
        let row = Conversation { head: 30, readable, ..Conversation::default() };
        assert_eq!(newest(&row, 30, 3), 28);
        assert_eq!(newest(&row, 30, 10), 21);
        assert_eq!(newest(&row, 30, 12), 9);
        assert_eq!(newest(&row, 30, 100), 1);
        assert_eq!(newest(&row, 25, 2), 24);
        assert_eq!(newest(&row, 15, 2), 9, "within the gap: the newest below it");
        assert_eq!(newest(&row, 30, 0), 31, "none");
    }
}

//! Edits and deletes, folded into what they change.
//!
//! A change may come before its message or after it, from the stream or in a page that the server made earlier. Folding
//! takes the higher `rev` each time, so the order does not matter, and ends with what the server has.

use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Content, Deleted, Entry};

/// Whether the entry changes another.
#[must_use]
pub fn is_change(entry: &Entry) -> bool {
    entry.target > 0
}

/// Does to `entry`, a message or an edit of one, what `change` does to it; whether that is anything.
pub fn fold(entry: &mut Entry, change: &Entry) -> bool {
    let (Some(now), Some(kind)) = (change.kind(), entry.kind()) else { return false };
    if change.target == 0 || change.seq <= entry.rev || change.seq <= entry.seq || is_final(entry, kind) {
        return false;
    }
    if entry.target == change.target {
        // Of the edits of a message, only its deletion takes something away.
        return matches!((kind, now), (Kind::Edit(_), Kind::Delete(_))) && clear(entry, change);
    }
    if entry.seq != change.target || is_change(entry) {
        return false;
    }
    match now {
        Kind::Edit(edit) => edited(entry, change, &edit.body),
        Kind::Delete(_) => clear(entry, change),
        // An edit by somebody blocked: what the message says now was said in the block.
        Kind::Withheld(_) => withhold(entry, change),
        _ => false,
    }
}

/// Nothing comes after a deletion; and what was withheld from the first is told of no change.
fn is_final(entry: &Entry, kind: &Kind) -> bool {
    matches!(kind, Kind::Deleted(_)) || (matches!(kind, Kind::Withheld(_)) && entry.rev == 0)
}

fn edited(entry: &mut Entry, change: &Entry, body: &str) -> bool {
    let kind = entry.content.as_mut().and_then(|content| content.kind.as_mut());
    let Some(words) = kind.and_then(Kind::words_mut) else { return false };
    body.clone_into(words);
    entry.mention_ids.clone_from(&change.mention_ids);
    entry.rev = change.seq;
    true
}

fn clear(entry: &mut Entry, change: &Entry) -> bool {
    empty(entry, change, Kind::Deleted(Deleted { user_id: change.sender_id.clone() }))
}

fn withhold(entry: &mut Entry, change: &Entry) -> bool {
    let why = change.kind().cloned().expect("it was looked at");
    empty(entry, change, why)
}

fn empty(entry: &mut Entry, change: &Entry, kind: Kind) -> bool {
    entry.content = Some(Content { kind: Some(kind) });
    entry.mention_ids.clear();
    entry.labels.clear();
    (entry.reply_to, entry.thread_root) = (0, 0);
    entry.rev = change.seq;
    true
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{Delete, Edit, Image, Text, Withheld};

    use super::*;

    fn entry(seq: u64, target: u64, kind: Kind) -> Entry {
        let content = Some(Content { kind: Some(kind) });
        let sender_id = format!("sender of {seq}");
        Entry {
            seq,
            target,
            sender_id,
            content,
            reply_to: 1,
            mention_ids: vec!["ada".into()],
            ..Entry::default()
        }
    }

    fn text(body: &str) -> Kind {
        Kind::Text(Text { body: body.into() })
    }

    fn edit(seq: u64, body: &str) -> Entry {
        entry(seq, 5, Kind::Edit(Edit { body: body.into() }))
    }

    fn delete(seq: u64) -> Entry {
        Entry { mention_ids: Vec::new(), ..entry(seq, 5, Kind::Delete(Delete {})) }
    }

    fn folded(first: &Entry, changes: &[Entry]) -> Entry {
        let mut entry = first.clone();
        for change in changes {
            fold(&mut entry, change);
        }
        entry
    }

    #[test]
    fn the_last_of_several_edits_counts_in_any_order() {
        let (first, changes) = (entry(5, 0, text("one")), [edit(7, "two"), edit(9, "three")]);
        let expected = Entry { rev: 9, ..entry(5, 0, text("three")) };
        assert_eq!(folded(&first, &changes), expected);
        assert_eq!(folded(&first, &[changes[1].clone(), changes[0].clone()]), expected);
        assert_eq!(folded(&expected, &changes), expected, "what the server has folded already");
        let picture =
            |caption: &str| entry(5, 0, Kind::Image(Image { caption: caption.into(), ..Image::default() }));
        assert_eq!(folded(&picture(""), &[edit(7, "us")]), Entry { rev: 7, ..picture("us") });
    }

    #[test]
    fn a_delete_takes_the_message_and_its_edits_away_for_good() {
        let first = entry(5, 0, text("one"));
        let gone = folded(&first, &[delete(9), edit(7, "two"), edit(11, "three")]);
        let deleted = Kind::Deleted(Deleted { user_id: "sender of 9".into() });
        assert_eq!((gone.kind(), gone.rev), (Some(&deleted), 9));
        assert!(gone.mention_ids.is_empty() && gone.reply_to == 0);
        let gone = folded(&edit(7, "two"), &[delete(9)]);
        assert_eq!((gone.kind(), gone.rev, gone.target), (Some(&deleted), 9, 5));
        assert_eq!(folded(&edit(7, "two"), &[edit(9, "three")]), edit(7, "two"), "an edit stays as it was");
        let other = entry(6, 0, text("six"));
        assert_eq!(folded(&other, &[delete(9), edit(7, "two")]), other);
    }

    #[test]
    fn what_is_withheld_stays_withheld() {
        let why = || Kind::Withheld(Withheld { reason: 1 });
        let kept = entry(5, 0, why());
        assert_eq!(folded(&kept, &[edit(7, "two"), delete(9)]), kept);
        let by_edit = folded(&entry(5, 0, text("one")), &[entry(7, 5, why())]);
        assert_eq!((by_edit.kind(), by_edit.rev), (Some(&why()), 7), "said within a block");
        assert!(matches!(folded(&by_edit, &[delete(9)]).kind(), Some(Kind::Deleted(_))));
    }
}

//! G6: what is said to be unread is what one counts in the log.

use std::ops::Bound;

use super::index::Index;
use super::{Evidence, Guarantee, Report};
use crate::Event;

pub fn check(index: &Index<'_>, report: &mut Report) {
    for (at, line) in index.lines.iter().enumerate() {
        let Event::Unread { conversation, head, read, messages } = &line.event else { continue };
        let Some(log) = index.log(at, *conversation) else { continue };
        if read > head {
            continue;
        }
        let above = log.entries.range((Bound::Excluded(*read), Bound::Included(*head)));
        let above: Vec<_> = above.map(|(_, known)| known).collect();
        // What nobody saw, or somebody saw without its content, cannot be counted.
        let is_known = above.len() as u64 == head - read && above.iter().all(|known| !known.withheld);
        let unread: Vec<_> = above.iter().filter(|known| known.first.message).collect();
        if is_known && unread.len() as u64 != *messages {
            let name = &line.client;
            let what = format!(
                "{name} was told of {messages} unread of {conversation} between {read} and {head}: there are {}",
                unread.len()
            );
            let entries = unread.iter().map(|known| known.at);
            report.broken(Guarantee::G6, what, entries.chain([Evidence::from(at)]));
        }
    }
}

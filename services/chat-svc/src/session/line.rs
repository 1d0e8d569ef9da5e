//! Appends that wait to enter the log. Those to one conversation keep the order they were sent in; no conversation waits for
//! what another one's appends need first.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use parlor_wire::chat::v1 as wire;

use crate::log::Lane;

/// An append that waits its turn.
pub(super) struct Job {
    pub(super) append: Box<wire::Append>,
    pub(super) lane: Option<Lane>,
}

/// See the module. A line is there as long as somebody moves it. There are no more jobs than appends in flight on a stream.
#[derive(Default)]
pub(super) struct Lines(HashMap<String, VecDeque<Job>>);

impl Lines {
    /// Puts an append at the end of its conversation's line. Gives the conversation when its line is new, and the caller is
    /// the one to move it.
    pub(super) fn join(&mut self, job: Job) -> Option<String> {
        match self.0.entry(job.append.conversation_id.clone()) {
            Entry::Occupied(mut line) => {
                line.get_mut().push_back(job);
                None
            }
            Entry::Vacant(place) => {
                let conversation = place.key().clone();
                place.insert(VecDeque::from([job]));
                Some(conversation)
            }
        }
    }

    /// The next append of a line. Without one the line is gone, and its mover's work done.
    pub(super) fn next(&mut self, conversation: &str) -> Option<Job> {
        let next = self.0.get_mut(conversation)?.pop_front();
        if next.is_none() {
            self.0.remove(conversation);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(conversation: &str, op: &str) -> Job {
        let append = wire::Append {
            conversation_id: conversation.to_owned(),
            op: op.to_owned(),
            ..Default::default()
        };
        Job { append: Box::new(append), lane: None }
    }

    fn next(lines: &mut Lines, conversation: &str) -> Option<String> {
        lines.next(conversation).map(|job| job.append.op)
    }

    #[test]
    fn each_conversation_has_a_line_of_its_own_with_one_mover() {
        let mut lines = Lines::default();
        assert_eq!(lines.join(job("a", "1")), Some("a".to_owned()));
        assert_eq!(lines.join(job("a", "2")), None);
        assert_eq!(lines.join(job("b", "3")), Some("b".to_owned()));
        assert_eq!(next(&mut lines, "a"), Some("1".to_owned()));
        assert_eq!(lines.join(job("a", "4")), None, "its mover is still at it");
        assert_eq!(next(&mut lines, "b"), Some("3".to_owned()));
        assert_eq!(next(&mut lines, "a"), Some("2".to_owned()));
        assert_eq!(next(&mut lines, "a"), Some("4".to_owned()));
        assert_eq!(next(&mut lines, "a"), None);
        assert_eq!(lines.join(job("a", "5")), Some("a".to_owned()), "the line begins anew");
    }
}

//! What members do without an entry: their outcomes take the same queue as those of appends, so that the commits told to
//! the router keep their order.

use parlor_types::{ConversationId, StreamId, UserId};
use tokio::sync::oneshot;

use super::Log;
use super::facade::Outcome;
use crate::receipts::Marks;
use crate::store::{AppendError, Marked, NewMarks};

/// Marks that were written, or were not.
pub(super) struct Marking {
    sent: Vec<NewMarks>,
    by: Option<StreamId>,
    result: Result<Vec<Marked>, AppendError>,
    answer: oneshot::Sender<Result<Vec<Marked>, AppendError>>,
}

impl Log {
    /// Raises marks of a user, one answer each. Streams of the user other than `by` get the row again, and the other
    /// members learn of what they are shown.
    ///
    /// # Errors
    /// The store could not; nothing is raised.
    pub async fn mark(
        &self,
        user: UserId,
        marks: &[(ConversationId, Marks)],
        by: Option<StreamId>,
    ) -> Result<Vec<Marked>, AppendError> {
        let at = self.wall();
        let new = marks.iter().map(|(conversation, marks)| NewMarks {
            user,
            conversation: *conversation,
            marks: *marks,
            at,
        });
        let sent: Vec<NewMarks> = new.collect();
        let (answer, answered) = oneshot::channel();
        let (log, new) = (self.clone(), sent.clone());
        let done = move |result| log.leave(Outcome::Marked(Marking { sent, by, result, answer }));
        self.store().mark(new, Box::new(done));
        answered.await.unwrap_or(Err(AppendError::Unavailable))
    }

    pub(super) fn marked(&self, marking: Marking) {
        for (new, marked) in marking.sent.iter().zip(marking.result.iter().flatten()) {
            if let Marked::Now(_, Some(raised)) = marked {
                self.router().row_changed(new.user, new.conversation, marking.by);
                self.router().receipts(new.user, new.conversation, &raised.others);
                self.reached(raised.commit);
            }
        }
        // Whoever asked may be gone; the marks are kept.
        drop(marking.answer.send(marking.result));
    }
}

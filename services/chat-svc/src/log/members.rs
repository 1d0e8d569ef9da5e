//! What members do without an entry.

use parlor_types::{ConversationId, StreamId, UserId};
use tokio::sync::oneshot;

use super::Log;
use crate::preferences::PreferenceChanges;
use crate::receipts::Marks;
use crate::store::{AppendError, Commit, Done, Marked, NewMarks, NewPreferences, Preferred, whole_millis};

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
        let new: Vec<NewMarks> = new.collect();
        let (answer, answered) = oneshot::channel();
        let (log, sent) = (self.clone(), new.clone());
        let done = move |result: Result<Vec<Marked>, AppendError>| {
            let telling = log.clone();
            log.in_turn(Box::new(move || {
                let commit = result.as_ref().ok().and_then(|marked| telling.tell_marks(&sent, marked, by));
                // Whoever asked may be gone; the marks are kept.
                drop(answer.send(result));
                commit
            }));
        };
        self.store().mark(new, Box::new(done));
        answered.await.unwrap_or(Err(AppendError::Unavailable))
    }

    /// Changes preferences of a user; streams of the user other than `by` get the row again.
    ///
    /// # Errors
    /// The store could not; nothing is changed.
    pub async fn prefer(
        &self,
        user: UserId,
        conversation: ConversationId,
        changes: PreferenceChanges,
        by: Option<StreamId>,
    ) -> Result<Preferred, AppendError> {
        let (answer, answered) = oneshot::channel();
        let reply = move |result| drop(answer.send(result));
        self.prefer_then(user, conversation, changes, by, Box::new(reply));
        answered.await.unwrap_or(Err(AppendError::Unavailable))
    }

    /// As [`Log::prefer`]. `reply` is called in the order of commits: before any cursor moves beyond the change, and before
    /// anything that was stored after it is told.
    pub fn prefer_then(
        &self,
        user: UserId,
        conversation: ConversationId,
        changes: PreferenceChanges,
        by: Option<StreamId>,
        reply: Done<Preferred>,
    ) {
        let muted_until = changes.muted_until.map(whole_millis);
        let changes = PreferenceChanges { muted_until, ..changes };
        let new = NewPreferences { user, conversation, changes, at: self.wall() };
        let log = self.clone();
        let done = move |result: Result<Preferred, AppendError>| {
            let telling = log.clone();
            log.in_turn(Box::new(move || {
                let commit = match &result {
                    Ok(Preferred::Now(_, commit)) => *commit,
                    _ => None,
                };
                if commit.is_some() {
                    telling.router().row_changed(user, conversation, by);
                }
                reply(result);
                commit
            }));
        };
        self.store().prefer(new, Box::new(done));
    }

    fn tell_marks(&self, sent: &[NewMarks], marked: &[Marked], by: Option<StreamId>) -> Option<Commit> {
        let mut commit = None;
        for (new, marked) in sent.iter().zip(marked) {
            if let Marked::Now(_, Some(raised)) = marked {
                self.router().row_changed(new.user, new.conversation, by);
                self.router().receipts(new.user, new.conversation, &raised.others);
                commit = commit.max(Some(raised.commit));
            }
        }
        commit
    }
}

#[cfg(test)]
mod tests;

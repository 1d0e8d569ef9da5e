//! The store's part about members.

use std::time::SystemTime;

use async_trait::async_trait;
use parlor_embedded::JobError;
use parlor_types::{ConversationId, Seq, UserId};

use super::{SqliteStore, marks, preferences, unread};
use crate::preferences::Badge;
use crate::store::{
    Done, Marked, Members, NewMarks, NewPreferences, Preferred, Reached, ReadError, Receipts,
};

#[async_trait]
impl Members for SqliteStore {
    fn mark(&self, marks: Vec<NewMarks>, done: Done<Vec<Marked>>) {
        self.writing(done, move |tx| {
            marks.iter().map(|new| marks::mark(tx, new).map_err(JobError::from)).collect()
        });
    }

    async fn receipts(
        &self,
        reader: UserId,
        wanted: Vec<(ConversationId, Vec<UserId>)>,
    ) -> Result<Vec<Receipts>, ReadError> {
        self.reading(move |tx| {
            let found =
                wanted.iter().filter_map(|(id, users)| marks::receipts(tx, reader, *id, users).transpose());
            found.collect()
        })
        .await
    }

    async fn reached(
        &self,
        reader: UserId,
        conversation: ConversationId,
        seq: Seq,
    ) -> Result<Reached, ReadError> {
        self.reading(move |tx| marks::reached(tx, reader, conversation, seq)).await
    }

    fn prefer(&self, new: NewPreferences, done: Done<Preferred>) {
        self.writing(done, move |tx| preferences::prefer(tx, &new).map_err(JobError::from));
    }

    async fn badge(&self, user: UserId, now: SystemTime) -> Result<Badge, ReadError> {
        self.reading(move |tx| unread::badge(tx, user, now)).await
    }
}

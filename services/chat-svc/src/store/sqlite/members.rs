//! The store's part about members.

use async_trait::async_trait;
use parlor_embedded::JobError;
use parlor_types::{ConversationId, UserId};

use super::{SqliteStore, marks};
use crate::store::{Done, Marked, Members, NewMarks, ReadError, Receipts};

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
}

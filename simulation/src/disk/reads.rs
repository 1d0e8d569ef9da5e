//! The traits of the store, each call through the line or with a wait around it.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use chat_svc::conversation::Target;
use chat_svc::log::OpRow;
use chat_svc::people::{Acceptance, Filter, Person, Privacy, PrivacyChanges, Purpose, Refused, Visibility};
use chat_svc::preferences::Badge;
use chat_svc::store::{
    AccountChanges, AccountPlace, Batch, Changed, Commit, Done, Generation, Marked, MediaRefs, Members,
    NewMarks, NewPreferences, Page, PeopleStore, Preferred, PrivacyKept, Reached, ReadError, Receipts,
    Relate, Related, Row, Slice, Snapshot, Store, Stored,
};
use parlor_types::{ConversationId, MediaId, Seq, UserId};

use super::Disk;

/// What a read finds lies between two waits.
macro_rules! read {
    ($disk:ident, $call:expr) => {{
        $disk.wait().await?;
        let found = $call.await?;
        $disk.wait().await?;
        Ok(found)
    }};
}

#[async_trait]
impl Store for Disk {
    fn generation(&self) -> Generation {
        self.generation
    }

    fn append(&self, batch: Arc<Batch>, done: Done<Stored>) {
        self.write(true, done, move |model, done| model.append(batch, done));
    }

    async fn load(&self, conversation: ConversationId, after: Seq) -> Result<Option<Snapshot>, ReadError> {
        let found: Result<_, ReadError> = read!(self, self.model.load(conversation, after));
        Ok(found?.map(|snapshot| self.telling.loaded(snapshot)))
    }

    async fn targets(
        &self,
        conversation: ConversationId,
        wanted: Vec<(UserId, Seq)>,
    ) -> Result<Vec<Option<Target>>, ReadError> {
        read!(self, self.model.targets(conversation, wanted))
    }

    async fn first(&self, conversation: ConversationId) -> Result<Option<OpRow>, ReadError> {
        read!(self, self.model.first(conversation))
    }

    async fn changed(&self, user: UserId, since: Commit) -> Result<(Commit, Vec<Changed>), ReadError> {
        let found: Result<_, ReadError> = read!(self, self.model.changed(user, since));
        found.map(|(commit, changed)| (self.telling.synced(commit), changed))
    }

    async fn rows(&self, user: UserId, conversations: Vec<ConversationId>) -> Result<Vec<Row>, ReadError> {
        let found: Result<_, ReadError> = read!(self, self.model.rows(user, conversations));
        found.map(|rows| self.telling.rows(rows))
    }

    async fn read(
        &self,
        user: UserId,
        conversation: ConversationId,
        slice: Slice,
    ) -> Result<Option<Page>, ReadError> {
        read!(self, self.model.read(user, conversation, slice))
    }

    async fn audience(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Vec<UserId>>, ReadError> {
        read!(self, self.model.audience(user, conversation))
    }

    async fn seq_at(&self, conversation: ConversationId, time: SystemTime) -> Result<Seq, ReadError> {
        read!(self, self.model.seq_at(conversation, time))
    }

    async fn memberships(&self, users: Vec<UserId>) -> Result<Vec<usize>, ReadError> {
        read!(self, self.model.memberships(users))
    }
}

#[async_trait]
impl Members for Disk {
    fn mark(&self, marks: Vec<NewMarks>, done: Done<Vec<Marked>>) {
        self.write(false, done, move |model, done| model.mark(marks, done));
    }

    async fn receipts(
        &self,
        reader: UserId,
        wanted: Vec<(ConversationId, Vec<UserId>)>,
    ) -> Result<Vec<Receipts>, ReadError> {
        let found: Result<_, ReadError> = read!(self, self.model.receipts(reader, wanted));
        found.map(|receipts| self.telling.receipts(receipts))
    }

    async fn reached(
        &self,
        reader: UserId,
        conversation: ConversationId,
        seq: Seq,
    ) -> Result<Reached, ReadError> {
        read!(self, self.model.reached(reader, conversation, seq))
    }

    fn prefer(&self, new: NewPreferences, done: Done<Preferred>) {
        self.write(false, done, move |model, done| model.prefer(new, done));
    }

    async fn badge(&self, user: UserId, now: SystemTime) -> Result<Badge, ReadError> {
        read!(self, self.model.badge(user, now))
    }
}

#[async_trait]
impl PeopleStore for Disk {
    fn relate(&self, relate: Relate, done: Done<Result<Related, Refused>>) {
        self.write(false, done, move |model, done| model.relate(relate, done));
    }

    fn set_privacy(&self, user: UserId, changes: PrivacyChanges, done: Done<PrivacyKept>) {
        self.write(false, done, move |model, done| model.set_privacy(user, changes, done));
    }

    async fn people(
        &self,
        user: UserId,
        filter: Filter,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<Person>, ReadError> {
        read!(self, self.model.people(user, filter, after, most))
    }

    async fn privacy(&self, user: UserId) -> Result<Privacy, ReadError> {
        read!(self, self.model.privacy(user))
    }

    async fn account(
        &self,
        user: UserId,
        since: AccountPlace,
        most: usize,
    ) -> Result<AccountChanges, ReadError> {
        read!(self, self.model.account(user, since, most))
    }

    async fn acceptance(
        &self,
        asking: UserId,
        conversation: ConversationId,
        purpose: Purpose,
        users: Vec<UserId>,
    ) -> Result<Vec<Acceptance>, ReadError> {
        read!(self, self.model.acceptance(asking, conversation, purpose, users))
    }

    async fn visibility(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Visibility>, ReadError> {
        read!(self, self.model.visibility(viewer, users))
    }
}

#[async_trait]
impl MediaRefs for Disk {
    async fn is_member(&self, user: UserId, conversation: ConversationId) -> Result<bool, ReadError> {
        read!(self, self.model.is_member(user, conversation))
    }

    async fn readable_media(&self, user: UserId, media: Vec<MediaId>) -> Result<Vec<MediaId>, ReadError> {
        read!(self, self.model.readable_media(user, media))
    }

    async fn referenced_media(&self, media: Vec<MediaId>) -> Result<Vec<MediaId>, ReadError> {
        read!(self, self.model.referenced_media(media))
    }
}

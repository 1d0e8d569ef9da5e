//! Which files entries name, in memory.

use async_trait::async_trait;
use parlor_types::{ConversationId, MediaId, Seq, UserId};

use super::{Conversation, MemoryStore};
use crate::conversation::{Content, Media, Ranges};
use crate::store::{MediaRefs, ReadError};

impl Conversation {
    /// The picture that the user's row shows.
    pub(super) fn avatar(&self, user: UserId) -> Option<Media> {
        match &self.entry(self.avatar_at(user))?.content {
            Content::SetAvatar(media) => media.clone(),
            _ => None,
        }
    }

    fn avatar_at(&self, user: UserId) -> Seq {
        let last = self.readers.get(&user).and_then(|reader| reader.last.as_ref());
        last.map_or(self.avatar, |(_, _, avatar)| *avatar)
    }

    fn shows(&self, user: UserId, media: MediaId) -> bool {
        let Some(reader) = self.readers.get(&user) else { return false };
        let Some(ranges) = Ranges::new(reader.ranges.clone()) else { return false };
        let (mut naming, avatar) = (self.naming(media), self.avatar_at(user));
        naming.any(|seq| seq == avatar || (ranges.contains(seq) && !reader.withheld.contains_key(&seq)))
    }

    fn naming(&self, media: MediaId) -> impl Iterator<Item = Seq> {
        let entries = self.entries.iter().map(|new| &new.entry);
        entries.filter(move |entry| entry.content.media_ids().contains(&media)).map(|entry| entry.seq)
    }
}

#[async_trait]
impl MediaRefs for MemoryStore {
    async fn is_member(&self, user: UserId, conversation: ConversationId) -> Result<bool, ReadError> {
        let all = self.all();
        let found = all.conversations.get(&conversation);
        Ok(found.is_some_and(|found| found.state.members.contains_key(&user)))
    }

    async fn readable_media(&self, user: UserId, mut media: Vec<MediaId>) -> Result<Vec<MediaId>, ReadError> {
        let all = self.all();
        media.retain(|media| all.conversations.values().any(|found| found.shows(user, *media)));
        Ok(media)
    }

    async fn referenced_media(&self, mut media: Vec<MediaId>) -> Result<Vec<MediaId>, ReadError> {
        let all = self.all();
        let named =
            |media: MediaId| all.conversations.values().any(|found| found.naming(media).next().is_some());
        media.retain(|media| named(*media));
        Ok(media)
    }
}

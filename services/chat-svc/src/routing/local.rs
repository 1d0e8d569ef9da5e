//! The router of one node: streams by user, in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use parlor_types::{ConversationId, SessionId, StreamId, UserId};

use super::Router;
use crate::conversation::{Content, Withheld};
use crate::edge;
use crate::log::{Entry, Published};
use crate::session::{Farewell, Live, Stream};
use crate::store::{Commit, lists};
use crate::typing::Typists;

/// The streams that are open here.
#[derive(Debug, Default)]
pub struct LocalRouter {
    users: RwLock<HashMap<UserId, Vec<Arc<Stream>>>>,
    reached: AtomicU64,
    pub(super) typists: Mutex<Typists>,
}

impl LocalRouter {
    /// Adds a stream and displaces the older one of its session. From here on it gets what is published.
    pub fn register(&self, stream: &Arc<Stream>) {
        let older: Vec<Arc<Stream>> = {
            let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
            let streams = users.entry(stream.user()).or_default();
            let older = streams.extract_if(.., |other| other.session() == stream.session()).collect();
            streams.push(Arc::clone(stream));
            older
        };
        for stream in older {
            stream.end(Farewell::displaced());
        }
        self.tell_typing(stream);
    }

    /// Removes a stream; it is no matter if it was removed before.
    pub fn unregister(&self, user: UserId, id: StreamId) {
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = users.get_mut(&user) {
            streams.retain(|stream| stream.id() != id);
            if streams.is_empty() {
                users.remove(&user);
            }
        }
    }

    /// The stream with this id, if it belongs to this session.
    #[must_use]
    pub fn find(&self, user: UserId, session: SessionId, id: StreamId) -> Option<Arc<Stream>> {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        let streams = users.get(&user)?;
        streams.iter().find(|stream| stream.id() == id && stream.session() == session).cloned()
    }

    /// Everything up to here has been handed to the streams.
    #[must_use]
    pub fn reached_commit(&self) -> Commit {
        Commit(self.reached.load(Ordering::Acquire))
    }

    /// Every open stream.
    #[must_use]
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        users.values().flatten().cloned().collect()
    }

    /// Ends the streams of a session.
    pub fn end_session(&self, session: SessionId, farewell: &Farewell) {
        for stream in self.streams() {
            if stream.session() == session {
                stream.end(farewell.clone());
            }
        }
    }

    pub(super) fn each(&self, user: UserId, mut act: impl FnMut(&Arc<Stream>)) {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        users.get(&user).into_iter().flatten().for_each(&mut act);
    }
}

impl Router for LocalRouter {
    fn publish(&self, published: Published) {
        self.end_typing(&published);
        let entry = &published.entry;
        let live = |shown: &Entry| Live {
            conversation: entry.conversation,
            seq: entry.seq,
            target: entry.target,
            deletes: entry.content == Content::Delete,
            frame: edge::event_frame(shown),
        };
        let whole = live(entry);
        let kept = |from: &[UserId], why| (!from.is_empty()).then(|| live(&entry.withheld(why)));
        let blocked = kept(&published.withheld, Withheld::SenderBlocked);
        let not_member = kept(&published.not_members, Withheld::NotMember);
        for user in published.receivers.iter() {
            let blocked = blocked.as_ref().filter(|_| published.withheld.contains(user));
            let bare = blocked.or(not_member.as_ref().filter(|_| published.not_members.contains(user)));
            // To whom it appears, the conversation comes as a row; that row covers this entry.
            if !published.newcomers.contains(user) {
                self.each(*user, |stream| stream.live(bare.unwrap_or(&whole)));
            }
        }
        for user in published.newcomers.iter().chain(&published.leavers) {
            self.row_changed(*user, published.entry.conversation, None);
        }
        // Those who come back begin anew; the marks the others knew of them are of before.
        if lists(published.receivers.len()) {
            for user in &published.newcomers {
                self.receipts(*user, published.entry.conversation, &published.receivers);
            }
        }
    }

    fn row_changed(&self, user: UserId, conversation: ConversationId, by: Option<StreamId>) {
        self.each(user, |stream| {
            if Some(stream.id()) == by {
                stream.changed_row(conversation);
            } else {
                stream.row_changed(conversation);
            }
        });
    }

    fn receipts(&self, of: UserId, conversation: ConversationId, others: &[UserId]) {
        for other in others {
            self.each(*other, |stream| stream.receipts_changed(conversation, of));
        }
    }

    fn account_changed(&self, user: UserId) {
        self.each(user, Stream::account_changed);
    }

    fn parted(&self, one: UserId, other: UserId) {
        self.part_typing(one, other);
    }

    fn reached(&self, commit: Commit) {
        self.reached.fetch_max(commit.0, Ordering::AcqRel);
    }
}

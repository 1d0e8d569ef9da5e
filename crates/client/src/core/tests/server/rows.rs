//! Rows of the chat list, receipts, heads: the sync, and what is owed to each stream afterwards.

use parlor_types::{ConversationId, UserId};
use parlor_wire::chat::v1::{
    Conversation, Head, Marks, Member, MemberMarks, ReadableRange, Receipts, SyncConversation, SyncDone,
    SyncPerson, SyncPrivacy, server_frame,
};
use rand::RngExt as _;

use super::log::at;
use super::{Chat, Conn, Server, cursor};
use crate::core::Unread;

impl Chat {
    pub(super) fn unread(&self, me: UserId) -> Unread {
        let unread = self.messages().filter(|entry| entry.seq > self.marks.read);
        unread.fold(Unread::default(), |counted, entry| Unread {
            messages: counted.messages + 1,
            mentions: counted.mentions + u64::from(entry.mention_ids.contains(&me.to_string())),
        })
    }
}

impl Server {
    /// Something about a row changed in another way than by an entry. Whoever did it need not be told, and may be.
    pub(super) fn touch(&mut self, id: ConversationId, by: Option<Conn>) {
        self.state.commit += 1;
        let commit = self.state.commit;
        self.chat(id).changed = commit;
        let also_by = self.chance(0.3);
        for (conn, session) in &mut self.sessions {
            if session.greeted && (also_by || Some(*conn) != by) {
                session.owed.rows.insert(id);
            }
        }
    }

    /// Somebody else has received or read.
    pub fn other_marks(&mut self, id: ConversationId, user: UserId) {
        let head = self.state.chats[&id].log.len() as u64;
        let (seq, is_read) = (self.rng.random_range(0..=head), self.rng.random_bool(0.5));
        let stops_sharing = self.rng.random_bool(0.05);
        self.state.commit += 1;
        let commit = self.state.commit;
        let chat = self.chat(id);
        chat.changed = commit;
        let (marks, shares) = chat.others.get_mut(&user).expect("a member");
        *shares ^= stops_sharing;
        if seq > marks.received {
            (marks.received, marks.received_at) = (seq, Some(at(commit)));
        }
        if is_read && *shares && seq > marks.read {
            (marks.read, marks.read_at) = (seq, Some(at(commit)));
        }
        for session in self.sessions.values_mut().filter(|session| session.greeted) {
            session.owed.receipts.insert((id, user));
        }
    }

    /// The marks of another, as the user may see them.
    pub fn seen_marks(&self, id: ConversationId, user: UserId) -> Marks {
        let mut marks = self.state.chats[&id].others[&user].0;
        if !self.state.privacy.read_receipts {
            (marks.read, marks.read_at) = (0, None);
        }
        marks
    }

    /// Counts anew what is unread.
    pub fn unread(&self, id: ConversationId) -> Unread {
        self.state.chats[&id].unread(self.me)
    }

    fn row(&self, id: ConversationId) -> Conversation {
        let chat = &self.state.chats[&id];
        let member = |user: UserId, marks| Member {
            user_id: user.to_string(),
            joined_seq: 1,
            marks: Some(marks),
            ..Member::default()
        };
        let others = chat.others.keys().map(|user| member(*user, self.seen_marks(id, *user)));
        let last_message = chat.messages().next_back();
        let unread = self.unread(id);
        Conversation {
            id: id.to_string(),
            members: [member(self.me, chat.marks)].into_iter().chain(others).collect(),
            head: chat.log.len() as u64,
            head_number: chat.log.last().map_or(0, |last| last.message_number),
            last_message: last_message.cloned(),
            readable: vec![ReadableRange { from_seq: 1, to_seq: 0 }],
            marks: Some(chat.marks),
            unread: unread.messages,
            unread_mentions: unread.mentions,
            preferences: Some(chat.preferences.clone()),
            active_at: chat.log.last().and_then(|last| last.time),
            ..Conversation::default()
        }
    }

    fn push_row(&mut self, conn: Conn, id: ConversationId) {
        let row = self.row(id);
        let Some(session) = self.sessions.get_mut(&conn) else { return };
        session.owed.receipts.retain(|(of, _)| *of != id);
        session.rendered.insert(id, row.clone());
        self.push(conn, server_frame::Kind::SyncConversation(SyncConversation { conversation: Some(row) }));
    }

    /// Rows one by one, each as it is when its turn comes; live entries may come between.
    pub(super) fn go_on_with_sync(&mut self, conn: Conn) {
        let Some(session) = self.sessions.get_mut(&conn) else { return };
        if !session.greeted || session.live {
            return;
        }
        if let Some(id) = session.first_rows.pop_front() {
            self.push_row(conn, id);
        } else if let Some(user) = session.first_people.pop_front() {
            self.push_person(conn, user);
        } else if std::mem::take(&mut session.owed.privacy) {
            self.push_privacy(conn);
        } else {
            session.live = true;
            let cursor = cursor(session, session.synced_to);
            self.push(conn, server_frame::Kind::SyncDone(SyncDone { cursor }));
        }
    }

    /// Says some of what is owed; when it is hostile, seldom, and first an old copy of a row.
    pub(super) fn pay(&mut self, conn: Conn) {
        for _ in 0..6 {
            let pays = !self.hostile || self.rng.random_bool(0.05);
            let Some(session) = self.sessions.get_mut(&conn).filter(|session| session.greeted && pays) else {
                continue;
            };
            let owed = &mut session.owed;
            if let Some(id) = owed.heads.pop_first() {
                self.push_head(conn, id);
            } else if let Some(id) = owed.rows.pop_first() {
                let old = session.rendered.get(&id).cloned();
                match old.filter(|_| self.hostile && self.rng.random_bool(0.3)) {
                    Some(old) => {
                        session.owed.rows.insert(id);
                        let sync = SyncConversation { conversation: Some(old) };
                        self.push(conn, server_frame::Kind::SyncConversation(sync));
                    }
                    None => self.push_row(conn, id),
                }
            } else if let Some((id, user)) = owed.receipts.pop_first() {
                let marks = Some(self.seen_marks(id, user));
                let members = vec![MemberMarks { user_id: user.to_string(), marks }];
                let receipts = Receipts { conversation_id: id.to_string(), members };
                self.push(conn, server_frame::Kind::Receipts(receipts));
            } else if let Some(user) = owed.people.pop_first() {
                self.push_person(conn, user);
            } else if session.live && std::mem::take(&mut owed.privacy) {
                self.push_privacy(conn);
            } else if let Some(user) = owed.presence.pop_first() {
                self.push_presence(conn, user);
            }
        }
    }

    /// Where the log is; first perhaps where it is not.
    fn push_head(&mut self, conn: Conn, id: ConversationId) {
        let head = self.state.chats[&id].log.len() as u64;
        let conversation_id = id.to_string();
        if self.chance(0.2) {
            let lie = (head + self.rng.random_range(0..9)).saturating_sub(4);
            let lie = if self.boasts { lie } else { lie.min(head) };
            let head = Head { conversation_id: conversation_id.clone(), head: lie };
            self.push(conn, server_frame::Kind::Head(head));
        }
        self.push(conn, server_frame::Kind::Head(Head { conversation_id, head }));
    }

    fn push_person(&mut self, conn: Conn, user: UserId) {
        let person = self.state.people.get(&user).map(|(person, _)| person.clone());
        self.push(conn, server_frame::Kind::SyncPerson(SyncPerson { person }));
    }

    fn push_privacy(&mut self, conn: Conn) {
        let privacy = Some(self.state.privacy);
        self.push(conn, server_frame::Kind::SyncPrivacy(SyncPrivacy { privacy }));
    }
}

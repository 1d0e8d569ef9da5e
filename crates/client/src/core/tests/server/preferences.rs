//! How the user wants to have each conversation, and their own marks.

use std::time::Duration;

use parlor_types::{ConversationId, Id as _};
use parlor_wire::chat::v1::{
    MarkRefused, PreferenceChanges, Preferences, PreferencesResult, SetPreferences, preferences_result,
    server_frame,
};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::to_duration;
use rand::RngExt as _;

use super::log::at;
use super::{Chat, Conn, Server, problem};

/// Small, so that it is met often.
const MAX_PINNED: usize = 1;
/// A name that is never taken.
pub const NO_NAME: &str = "no name";
/// No mute that ends before this is one.
const NOW: i64 = 1_000_000;

impl Server {
    pub(super) fn set_preferences(&mut self, conn: Conn, set: SetPreferences) {
        let id = ConversationId::parse(&set.conversation_id).unwrap();
        self.write_marks_of(conn, id);
        let changes = set.changes.unwrap_or_default();
        let outcome = match self.change(id, &changes, Some(conn)) {
            Ok(preferences) => preferences_result::Outcome::Preferences(preferences),
            Err(problem) => preferences_result::Outcome::Problem(problem),
        };
        let result = PreferencesResult { request_id: set.request_id, outcome: Some(outcome) };
        self.push(conn, server_frame::Kind::PreferencesResult(result));
    }

    /// Changes, by the stream `by` or by a device that has none.
    pub fn change(
        &mut self,
        id: ConversationId,
        changes: &PreferenceChanges,
        by: Option<Conn>,
    ) -> Result<Preferences, Problem> {
        if by.is_some() && self.chance(0.15) {
            let advice = self.rng.random_bool(0.5).then(|| to_duration(Duration::from_millis(400)));
            return Err(Problem { retry_after: advice, ..problem(ErrorReason::Overloaded) });
        }
        let pinned =
            self.state.chats.iter().filter(|(at, chat)| **at != id && chat.preferences.pinned_at.is_some());
        if changes.pinned == Some(true) && pinned.count() >= MAX_PINNED {
            return Err(problem(ErrorReason::TooManyPinned));
        }
        if changes.custom_name.as_deref() == Some(NO_NAME) {
            return Err(problem(ErrorReason::FieldInvalid));
        }
        let head = self.state.chats[&id].log.len() as u64;
        if changes.draft.as_ref().is_some_and(|draft| draft.reply_to > head) {
            return Err(problem(ErrorReason::SeqAhead));
        }
        let commit = self.state.commit + 1;
        let preferences = &mut self.chat(id).preferences;
        let before = preferences.clone();
        apply(preferences, changes, commit);
        let now = preferences.clone();
        if now != before {
            self.touch(id, by);
        }
        Ok(now)
    }

    /// Marks are written later, the highest of each kind; those of a conversation before its preferences change.
    pub(super) fn keep_mark(&mut self, conn: Conn, id: &str, seq: u64, is_read: bool) {
        let id = ConversationId::parse(id).unwrap();
        let head = self.state.chats[&id].log.len() as u64;
        assert!(is_read || seq <= head, "received what is not there");
        let session = self.sessions.get_mut(&conn).expect("it speaks");
        let (received, read) = session.marks.entry(id).or_default();
        *received = (*received).max(seq.min(head));
        if is_read {
            *read = (*read).max(seq);
        }
    }

    /// Writes some of the marks that wait, or all when it is not hostile.
    pub(super) fn write_marks(&mut self, conn: Conn) {
        let Some(session) = self.sessions.get(&conn) else { return };
        for id in session.marks.keys().copied().collect::<Vec<_>>() {
            if !self.chance(0.9) {
                self.write_marks_of(conn, id);
            }
        }
    }

    /// A store that is busy takes neither of the two, and one frame says so.
    fn write_marks_of(&mut self, conn: Conn, id: ConversationId) {
        let session = self.sessions.get_mut(&conn).expect("it speaks");
        let Some((received, read)) = session.marks.remove(&id) else { return };
        if self.chance(0.15) {
            return self.refuse_marks(conn, id, received.max(read), ErrorReason::Overloaded);
        }
        let chat = self.chat(id);
        let before = chat.marks;
        chat.marks.received = chat.marks.received.max(received);
        if read > chat.log.len() as u64 {
            self.refuse_marks(conn, id, read, ErrorReason::SeqAhead);
        } else {
            raise_read(chat, read);
        }
        let chat = self.chat(id);
        if chat.marks.read > before.read || (chat.marks != before && self.rng.random_bool(0.3)) {
            self.touch(id, Some(conn));
        }
    }

    fn refuse_marks(&mut self, conn: Conn, id: ConversationId, seq: u64, reason: ErrorReason) {
        let advice = self.rng.random_bool(0.5).then(|| to_duration(Duration::from_millis(400)));
        let problem = Some(Problem { retry_after: advice, ..problem(reason) });
        let refused = MarkRefused { conversation_id: id.to_string(), seq, problem };
        self.push(conn, server_frame::Kind::MarkRefused(refused));
    }
}

/// A mark that rises takes the other one away. Answers whether it did.
pub(super) fn raise_read(chat: &mut Chat, seq: u64) -> bool {
    let rises = seq > chat.marks.read;
    chat.marks.read = chat.marks.read.max(seq);
    rises && std::mem::take(&mut chat.preferences.marked_unread)
}

/// A message ends what keeps the conversation out of sight. Answers whether anything did.
pub(super) fn bring_back(chat: &mut Chat) -> bool {
    let preferences = &mut chat.preferences;
    let was_hidden = std::mem::take(&mut preferences.hidden);
    let comes_back = preferences.archived && preferences.muted_until.is_none();
    preferences.archived &= !comes_back;
    was_hidden || comes_back
}

fn apply(preferences: &mut Preferences, changes: &PreferenceChanges, commit: u64) {
    if let Some(until) = changes.muted_until {
        preferences.muted_until = Some(until).filter(|until| until.seconds > NOW);
    }
    match changes.pinned {
        Some(true) => drop(preferences.pinned_at.get_or_insert(at(commit))),
        Some(false) => preferences.pinned_at = None,
        None => {}
    }
    preferences.archived = changes.archived.unwrap_or(preferences.archived);
    preferences.hidden = changes.hidden.unwrap_or(preferences.hidden);
    preferences.marked_unread = changes.marked_unread.unwrap_or(preferences.marked_unread);
    if let Some(draft) = &changes.draft {
        preferences.draft.clone_from(&draft.text);
        preferences.draft_reply_to = draft.reply_to;
    }
    if let Some(name) = &changes.custom_name {
        preferences.custom_name.clone_from(name);
    }
}

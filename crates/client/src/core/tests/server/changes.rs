//! Edits and deletes, as the server carries them out: in the log itself.

use parlor_types::{ConversationId, UserId};
use parlor_wire::chat::v1::content::Kind as Content;
use parlor_wire::chat::v1::{self as chat, Append, Delete, Deleted, Edit, Entry, Text, Withheld};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use rand::RngExt as _;

use super::log::kind;
use super::{Chat, Server, problem};

impl Chat {
    /// The messages that the user may read: not those withheld from the first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        let mut numbered = 0;
        let mut found = Vec::new();
        for entry in &self.log {
            let is_message = entry.message_number > numbered;
            numbered = entry.message_number;
            let withheld = matches!(kind(entry.content.as_ref()), Some(Content::Withheld(_)));
            if is_message && !(withheld && entry.rev == 0) {
                found.push(entry);
            }
        }
        found.into_iter()
    }

    fn message(&mut self, seq: u64) -> Option<&mut Entry> {
        self.messages().find(|entry| entry.seq == seq)?;
        self.log.get_mut(usize::try_from(seq).ok()? - 1)
    }

    /// Carries out a change that is in the log.
    pub(super) fn change(&mut self, by: &Entry) {
        let Some(message) = self.message(by.target) else { return };
        match by.content.as_ref().and_then(|content| content.kind.clone()) {
            Some(Content::Edit(edit)) => {
                message.content = content(Content::Text(Text { body: edit.body }));
                message.mention_ids.clone_from(&by.mention_ids);
                message.rev = by.seq;
            }
            Some(Content::Withheld(why)) => empty(message, by, Content::Withheld(why)),
            Some(Content::Delete(_)) => {
                let deleted = || Content::Deleted(Deleted { user_id: by.sender_id.clone() });
                empty(message, by, deleted());
                for entry in self.log.iter_mut().filter(|entry| entry.target == by.target) {
                    if matches!(kind(entry.content.as_ref()), Some(Content::Edit(_))) {
                        empty(entry, by, deleted());
                    }
                }
            }
            _ => {}
        }
    }
}

fn empty(entry: &mut Entry, by: &Entry, now: Content) {
    entry.content = content(now);
    entry.mention_ids.clear();
    entry.rev = by.seq;
}

fn content(kind: Content) -> Option<chat::Content> {
    Some(chat::Content { kind: Some(kind) })
}

/// What an edit says to whoever has blocked its sender.
pub(super) fn withheld() -> Option<chat::Content> {
    let reason = chat::WithheldReason::SenderBlocked.into();
    content(Content::Withheld(Withheld { reason }))
}

impl Server {
    /// Why a change is not taken.
    pub(super) fn refuses(&self, id: ConversationId, sender: UserId, append: &Append) -> Option<Problem> {
        let target = self.state.chats[&id].messages().find(|entry| entry.seq == append.target);
        let says = target.and_then(|target| kind(target.content.as_ref()));
        let own = target.is_some_and(|target| target.sender_id == sender.to_string());
        let allowed = match (kind(append.content.as_ref()), says) {
            (Some(Content::Edit(_)), Some(Content::Text(_))) => own,
            (Some(Content::Edit(_)), _) | (Some(Content::Delete(_)), None | Some(Content::Deleted(_))) => {
                false
            }
            _ => true,
        };
        (!allowed).then(|| problem(ErrorReason::TargetNotFound))
    }

    /// Somebody else edits or deletes a message, if there is one for it.
    pub fn other_changes(&mut self, id: ConversationId, sender: UserId, op: String) {
        let count = self.state.chats[&id].log.len() as u64;
        let change = self.any_change(count);
        let mention_ids = if self.rng.random_bool(0.3) { vec![self.me.to_string()] } else { Vec::new() };
        let append =
            Append { op, mention_ids, target: change.0, content: content(change.1), ..Append::default() };
        if self.refuses(id, sender, &append).is_none() {
            self.store(id, sender, &append);
        }
    }

    /// A change of one of so many entries; the later ones most often.
    pub fn any_change(&mut self, count: u64) -> (u64, Content) {
        let back = self.rng.random_range(0..8);
        let change = if self.rng.random_bool(0.7) {
            Content::Edit(Edit { body: self.rng.random::<u32>().to_string() })
        } else {
            Content::Delete(Delete {})
        };
        (count.saturating_sub(back).max(1), change)
    }
}

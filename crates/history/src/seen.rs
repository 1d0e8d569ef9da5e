//! An entry as somebody saw it.

use parlor_types::{Id as _, Op, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Content, Entry};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::id;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Its place in the log, from 1.
    pub seq: u64,
    /// The seq of the latest entry that changed it, 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rev: u64,
    /// What its sender called it.
    #[serde(with = "id")]
    pub op: Op,
    /// Who appended it.
    #[serde(with = "id")]
    pub sender: UserId,
    /// What it says, in any form by which two readers can be compared; none if it was withheld from this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// It is a message: it counts as unread until it is read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub message: bool,
    /// Whom it made members.
    #[serde(default, with = "id::list", skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<UserId>,
    /// Whose membership it ended.
    #[serde(default, with = "id::list", skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<UserId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Seen {
    /// Its place.
    #[must_use]
    pub fn seq(&self) -> Seq {
        Seq(self.seq)
    }

    /// An entry whose content is told by its digest: enough to compare readers, and nothing that was said.
    ///
    /// # Errors
    /// The entry holds something that is no id: what it was called.
    pub fn digested(entry: &Entry) -> Result<Self, NoId> {
        Self::of(entry, entry.content.as_ref().and_then(digest))
    }

    /// An entry with its text in clear, for tests that read the lines themselves; other kinds as a digest.
    ///
    /// # Errors
    /// The entry holds something that is no id: what it was called.
    pub fn clear(entry: &Entry) -> Result<Self, NoId> {
        match entry.kind() {
            Some(Kind::Text(text)) => Self::of(entry, Some(text.body.clone())),
            _ => Self::digested(entry),
        }
    }

    fn of(entry: &Entry, content: Option<String>) -> Result<Self, NoId> {
        let user = |text: &String| UserId::parse(text).ok_or_else(|| NoId(text.clone()));
        let sender = user(&entry.sender_id)?;
        let all = |ids: &[String]| ids.iter().map(user).collect::<Result<Vec<_>, _>>();
        let (added, removed) = match entry.kind() {
            Some(Kind::Created(created)) => (all(&created.member_ids)?, Vec::new()),
            Some(Kind::Add(add)) => (all(&add.user_ids)?, Vec::new()),
            Some(Kind::Remove(remove)) => (Vec::new(), all(&remove.user_ids)?),
            Some(Kind::Leave(_)) => (Vec::new(), vec![sender]),
            _ => (Vec::new(), Vec::new()),
        };
        Ok(Self {
            seq: entry.seq,
            rev: entry.rev,
            op: Op::parse(&entry.op).ok_or_else(|| NoId(entry.op.clone()))?,
            sender,
            content,
            message: is_message(entry),
            added,
            removed,
        })
    }
}

/// A server sent something that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no lower-case UUID")]
pub struct NoId(String);

/// A deleted message stays one, and so does one that a change withholds: of what is withheld from the first there is no rev.
fn is_message(entry: &Entry) -> bool {
    match entry.kind() {
        Some(Kind::Deleted(_)) => entry.target == 0,
        Some(Kind::Withheld(_)) => entry.target == 0 && entry.rev > 0,
        kind => kind.is_some_and(Kind::is_message),
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of the encoded content; none for what is withheld.
#[must_use]
pub fn digest(content: &Content) -> Option<String> {
    if matches!(content.kind, Some(Kind::Withheld(_)) | None) {
        return None;
    }
    let hash = Sha256::digest(content.encode_to_vec());
    Some(hash[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{Deleted, Edit, Leave, Text, Withheld};

    use super::*;

    fn entry(kind: Kind) -> Entry {
        Entry {
            seq: 3,
            op: Op::from_bytes([1; 16]).to_string(),
            sender_id: UserId::from_bytes([2; 16]).to_string(),
            content: Some(Content { kind: Some(kind) }),
            ..Entry::default()
        }
    }

    fn text(body: &str) -> Entry {
        entry(Kind::Text(Text { body: body.to_owned() }))
    }

    #[test]
    fn a_digest_tells_contents_apart_and_nothing_else() {
        let [one, same, other] = ["tea", "tea", "coffee"].map(|body| Seen::digested(&text(body)).unwrap());
        assert_eq!(one, same);
        assert_ne!(one.content, other.content);
        assert!(!one.content.unwrap().contains("tea"));
        assert_eq!(Seen::clear(&text("tea")).unwrap().content.as_deref(), Some("tea"));
    }

    #[test]
    fn what_is_withheld_has_no_content_to_compare() {
        assert_eq!(Seen::digested(&entry(Kind::Withheld(Withheld::default()))).unwrap().content, None);
    }

    #[test]
    fn messages_count_and_what_changes_them_does_not() {
        let counts = |kind| Seen::digested(&entry(kind)).unwrap().message;
        assert!(counts(Kind::Text(Text::default())));
        assert!(counts(Kind::Deleted(Deleted::default())), "a message that was deleted is one");
        assert!(!counts(Kind::Edit(Edit::default())));
        assert!(!counts(Kind::Leave(Leave::default())));
    }

    #[test]
    fn who_leaves_is_no_member_any_more() {
        let seen = Seen::digested(&entry(Kind::Leave(Leave::default()))).unwrap();
        assert_eq!(seen.removed, [seen.sender]);
    }

    #[test]
    fn what_is_no_id_is_told() {
        let spoilt = Entry { op: "7".to_owned(), ..text("tea") };
        assert_eq!(Seen::digested(&spoilt), Err(NoId("7".to_owned())));
    }
}

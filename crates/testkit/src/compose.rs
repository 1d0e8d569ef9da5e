//! Requests in few words.

use parlor_types::Op;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Add, Append, AppendRequest, Content, ConversationKind, CreateConversationRequest, Delete, Edit,
    HistoryVisibility, Leave, Remove, Rename, Role, SetRole, Settings, Text,
};

/// A new op.
#[must_use]
pub fn op() -> String {
    Op::new().to_string()
}

/// An append with a new op.
#[must_use]
pub fn append(conversation_id: &str, base_seq: u64, kind: Kind) -> Append {
    Append {
        conversation_id: conversation_id.to_owned(),
        op: op(),
        base_seq,
        content: Some(Content { kind: Some(kind) }),
        ..Append::default()
    }
}

/// A message.
#[must_use]
pub fn text(conversation_id: &str, base_seq: u64, body: &str) -> Append {
    append(conversation_id, base_seq, Kind::Text(Text { body: body.to_owned() }))
}

/// The edit of a message.
#[must_use]
pub fn edit(conversation_id: &str, base_seq: u64, about: u64, body: &str) -> Append {
    let edit = Kind::Edit(Edit { body: body.to_owned() });
    Append { target: about, ..append(conversation_id, base_seq, edit) }
}

/// The deletion of a message.
#[must_use]
pub fn delete(conversation_id: &str, base_seq: u64, about: u64) -> Append {
    Append { target: about, ..append(conversation_id, base_seq, Kind::Delete(Delete {})) }
}

/// As a unary call.
#[must_use]
pub fn unary(append: &Append) -> AppendRequest {
    AppendRequest { append: Some(append.clone()) }
}

/// Content that adds users.
#[must_use]
pub fn add(users: &[String]) -> Kind {
    Kind::Add(Add { user_ids: users.to_vec() })
}

/// Content that removes members.
#[must_use]
pub fn remove(users: &[String]) -> Kind {
    Kind::Remove(Remove { user_ids: users.to_vec() })
}

/// Content by which the sender leaves.
#[must_use]
pub fn leave() -> Kind {
    Kind::Leave(Leave::default())
}

/// Content that renames.
#[must_use]
pub fn rename(name: &str) -> Kind {
    Kind::Rename(Rename { name: name.to_owned() })
}

/// Content that sets a role.
#[must_use]
pub fn set_role(user_id: &str, role: Role) -> Kind {
    Kind::SetRole(SetRole { user_id: user_id.to_owned(), role: role.into() })
}

/// Content that sets what those who join later may read.
#[must_use]
pub fn history(visible: HistoryVisibility) -> Kind {
    Kind::Settings(Settings { history_visibility: visible.into() })
}

/// The creation of a group of the caller and these.
#[must_use]
pub fn group(name: &str, others: &[String]) -> CreateConversationRequest {
    CreateConversationRequest {
        op: op(),
        kind: ConversationKind::Group.into(),
        name: name.to_owned(),
        member_ids: others.to_vec(),
        settings: None,
    }
}

/// The creation of a direct conversation of the caller and somebody.
#[must_use]
pub fn direct(other: &str) -> CreateConversationRequest {
    CreateConversationRequest {
        op: op(),
        kind: ConversationKind::Direct.into(),
        member_ids: vec![other.to_owned()],
        ..CreateConversationRequest::default()
    }
}

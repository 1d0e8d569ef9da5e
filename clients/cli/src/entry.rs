//! An entry of a log, as an object and as a line.

pub mod media;

use std::time::SystemTime;

use parlor_tui::content::{self, Ids, Said};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, Role};
use serde_json::{Value, json};

use crate::names::Names;
use crate::text::{harmless, local, rfc3339};

/// For programs. Fields that every entry has, and those of its kind.
pub fn object(entry: &Entry, names: &Names) -> Value {
    let mut object = json!({
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "message_number": entry.message_number,
        "op": entry.op,
        "sender_id": entry.sender_id,
        "sender": names.username(&entry.sender_id),
        "time": rfc3339(entry.time),
    });
    let of_kind = match entry.kind() {
        Some(Kind::Text(text)) => json!({ "kind": "text", "text": text.body }),
        Some(Kind::Created(created)) => json!({
            "kind": "created",
            "conversation_kind": kind_name(created.kind().as_str_name(), "CONVERSATION_KIND_"),
            "name": created.name,
            "member_ids": created.member_ids,
        }),
        Some(Kind::Add(add)) => json!({ "kind": "add", "user_ids": add.user_ids }),
        Some(Kind::Remove(remove)) => json!({ "kind": "remove", "user_ids": remove.user_ids }),
        Some(Kind::Leave(leave)) => {
            json!({ "kind": "leave", "new_owner_id": Some(&leave.new_owner_id).filter(|id| !id.is_empty()) })
        }
        Some(Kind::Rename(rename)) => json!({ "kind": "rename", "name": rename.name }),
        Some(Kind::Settings(settings)) => json!({
            "kind": "settings",
            "history": kind_name(settings.history_visibility().as_str_name(), "HISTORY_VISIBILITY_"),
        }),
        Some(Kind::SetRole(set)) => {
            json!({ "kind": "set_role", "user_id": set.user_id, "role": role_name(set.role()) })
        }
        Some(Kind::Edit(edit)) => json!({ "kind": "edit", "text": edit.body }),
        Some(Kind::Delete(_)) => json!({ "kind": "delete" }),
        Some(Kind::Deleted(deleted)) => json!({
            "kind": "deleted",
            "by_id": deleted.user_id,
            "by": names.username(&deleted.user_id),
        }),
        Some(Kind::Withheld(withheld)) => json!({
            "kind": "withheld",
            "reason": kind_name(withheld.reason().as_str_name(), "WITHHELD_REASON_"),
        }),
        Some(other) => media::object(other).unwrap_or_else(|| json!({ "kind": "unknown" })),
        None => json!({ "kind": "unknown" }),
    };
    for (field, seq) in [("target", entry.target), ("rev", entry.rev)] {
        if seq != 0 {
            object[field] = json!(seq);
        }
    }
    if entry.reply_to != 0 {
        object["reply_to"] = json!(entry.reply_to);
    }
    if let (Some(object), Value::Object(of_kind)) = (object.as_object_mut(), of_kind) {
        object.extend(of_kind);
    }
    object
}

/// For people: time, seq, and who said or did what. Lines of a message after the first are indented.
pub fn line(entry: &Entry, names: &Names, now: SystemTime) -> String {
    let sender = names.show(&entry.sender_id);
    let head = format!("{} {:>5}", local(entry.time, now), entry.seq);
    match entry.kind() {
        Some(Kind::Edit(edit)) => {
            format!("{head}  * {sender} edited {}: {}", entry.target, indented(&harmless(&edit.body)))
        }
        Some(Kind::Delete(_)) => format!("{head}  * {sender} deleted {}", entry.target),
        other => match content::told(&entry.sender_id, other, &|id| names.show(id), Ids::Told) {
            Said::Message(text) => message(&head, &sender, entry, &text),
            Said::Gone(text) => format!("{head}  * {sender}: {text}"),
            Said::Deed(text) => format!("{head}  * {text}"),
            Said::Change => format!("{head}  * {sender} changed {}", entry.target),
        },
    }
}

fn message(head: &str, sender: &str, entry: &Entry, text: &str) -> String {
    let answer = if entry.reply_to == 0 { String::new() } else { format!("(to {}) ", entry.reply_to) };
    let edited = if entry.rev == 0 { "" } else { " (edited)" };
    format!("{head}  {sender}: {answer}{}{edited}", indented(text))
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n        ")
}

pub fn role_name(role: Role) -> String {
    kind_name(role.as_str_name(), "ROLE_")
}

/// Names of enums as scripts see them: without the prefix, in lower case.
pub fn kind_name(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{Add, Content, Created, Delete, Deleted, Edit, SetRole, Text};

    use super::*;

    fn entry(kind: Option<Kind>) -> Entry {
        let content = Some(Content { kind });
        Entry { conversation_id: "c".into(), seq: 7, sender_id: "ada".into(), content, ..Entry::default() }
    }

    fn shown(kind: Kind) -> String {
        line(&entry(Some(kind)), &Names::default(), SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn lines_say_who_did_what() {
        let text = |body: &str| Kind::Text(Text { body: body.into() });
        assert_eq!(shown(text("hi\nthere")), "--:--     7  ada: hi\n        there");
        assert_eq!(shown(text("\u{1b}[31mred")), "--:--     7  ada: \u{241b}[31mred");
        let add = Kind::Add(Add { user_ids: vec!["ben".into(), "cleo".into()] });
        assert_eq!(shown(add), "--:--     7  * ada added ben, cleo");
        let created = Created {
            name: "Tea\n".into(),
            member_ids: vec!["ada".into(), "ben".into()],
            ..Created::default()
        };
        assert_eq!(shown(Kind::Created(created)), "--:--     7  * ada made the group Tea\u{240a} with ben");
        let role = Kind::SetRole(SetRole { user_id: "ben".into(), role: Role::Admin.into() });
        assert_eq!(shown(role), "--:--     7  * ada made ben admin");
        let of = |target, rev, kind| Entry { target, rev, ..entry(Some(kind)) };
        let shown = |entry: Entry| line(&entry, &Names::default(), SystemTime::UNIX_EPOCH);
        let edit = Kind::Edit(Edit { body: "two\nlines".into() });
        assert_eq!(shown(of(3, 0, edit)), "--:--     7  * ada edited 3: two\n        lines");
        assert_eq!(shown(of(0, 9, text("two"))), "--:--     7  ada: two (edited)");
        assert_eq!(shown(of(3, 0, Kind::Delete(Delete {}))), "--:--     7  * ada deleted 3");
        let deleted = Kind::Deleted(Deleted { user_id: "ben".into() });
        assert_eq!(shown(of(0, 9, deleted)), "--:--     7  * ada: deleted by ben");
        let unknown = line(&entry(None), &Names::default(), SystemTime::UNIX_EPOCH);
        assert_eq!(unknown, "--:--     7  * ada sent something this version cannot show");
    }

    #[test]
    fn objects_have_the_documented_fields() {
        let text = entry(Some(Kind::Text(Text { body: "hi".into() })));
        let expected = json!({
            "conversation_id": "c", "seq": 7, "message_number": 0, "op": "", "sender_id": "ada",
            "sender": null, "time": "", "kind": "text", "text": "hi",
        });
        assert_eq!(object(&text, &Names::default()), expected);
        let answer = object(&Entry { reply_to: 3, ..text }, &Names::default());
        assert_eq!(answer["reply_to"], 3);
        let edit = Entry { target: 3, ..entry(Some(Kind::Edit(Edit { body: "ho".into() }))) };
        let edit = object(&edit, &Names::default());
        assert_eq!(
            (&edit["kind"], &edit["target"], &edit["text"]),
            (&json!("edit"), &json!(3), &json!("ho"))
        );
        let deleted = Entry { rev: 9, ..entry(Some(Kind::Deleted(Deleted { user_id: "ben".into() }))) };
        let deleted = object(&deleted, &Names::default());
        assert_eq!(
            (&deleted["kind"], &deleted["by_id"], &deleted["rev"]),
            (&json!("deleted"), &json!("ben"), &json!(9))
        );
        assert_eq!(object(&entry(None), &Names::default())["kind"], "unknown");
    }
}

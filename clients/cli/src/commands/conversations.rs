//! `conversations`, and the row it prints.

use std::time::SystemTime;

use parlor_client::Client;
use parlor_tui::content::people_of;
use parlor_types::{Id as _, UserId};
use parlor_wire::chat::v1::{Conversation, ConversationKind};
use serde_json::{Value, json};

use crate::entry::{self, kind_name, role_name};
use crate::names::Names;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::text::{local, one_line, rfc3339};

pub async fn run(client: &Client, out: &mut Output) -> Outcome {
    let rows = client.conversations().await?;
    let me = client.me().await?.to_string();
    let names = names_of(client, &rows).await?;
    let now = SystemTime::now();
    for row in &rows {
        out.result(&object(row, &names), || line(row, &me, &names, now))?;
    }
    Ok(())
}

pub async fn names_of(client: &Client, rows: &[Conversation]) -> Outcome<Names> {
    let members =
        rows.iter().flat_map(|row| &row.members).filter_map(|member| UserId::parse(&member.user_id));
    let in_last = rows.iter().filter_map(|row| row.last_message.as_ref()).flat_map(people_of);
    let mut users: Vec<_> = members.chain(in_last).collect();
    users.sort_unstable();
    users.dedup();
    let mut names = Names::default();
    names.learn(client, users).await?;
    Ok(names)
}

pub fn object(row: &Conversation, names: &Names) -> Value {
    let members: Vec<_> = row
        .members
        .iter()
        .map(|member| {
            json!({
                "user_id": member.user_id,
                "username": names.username(&member.user_id),
                "role": role_name(member.role()),
                "joined_seq": member.joined_seq,
            })
        })
        .collect();
    let readable: Vec<_> = row
        .readable
        .iter()
        .map(|range| json!({ "from_seq": range.from_seq, "to_seq": range.to_seq }))
        .collect();
    let marks = row.marks.unwrap_or_default();
    json!({
        "conversation_id": row.id,
        "kind": kind_name(row.kind().as_str_name(), "CONVERSATION_KIND_"),
        "name": row.name,
        "members": members,
        "member_count": row.member_count,
        "head": row.head,
        "unread": row.unread,
        "received": marks.received,
        "read": marks.read,
        "readable": readable,
        "last_message": row.last_message.as_ref().map(|entry| entry::object(entry, names)),
        "created_at": rfc3339(row.created_at),
        "active_at": rfc3339(row.active_at),
    })
}

fn line(row: &Conversation, me: &str, names: &Names, now: SystemTime) -> String {
    let unread = if row.unread == 0 { String::new() } else { format!("  ({} unread)", row.unread) };
    let last =
        row.last_message.as_ref().map_or_else(String::new, |entry| one_line(&entry::line(entry, names, now)));
    let active = local(row.active_at, now);
    format!(
        "{}  {}{unread}  {active}\n    {}{}",
        row.id,
        title(row, me, names),
        last,
        if last.is_empty() { "no message yet" } else { "" }
    )
}

/// A group's name; the other's name of a direct conversation.
pub fn title(row: &Conversation, me: &str, names: &Names) -> String {
    if row.kind() == ConversationKind::Group {
        return one_line(&row.name);
    }
    match row.members.iter().find(|member| member.user_id != me) {
        Some(other) => {
            let username = names.username(&other.user_id).map(|name| format!(" @{name}")).unwrap_or_default();
            format!("{}{username}", names.show(&other.user_id))
        }
        None => "notes to yourself".to_owned(),
    }
}

//! What `tail --activity` tells between the entries: who types, and how far others are.

use parlor_client::{Client, Error};
use parlor_types::{ConversationId, Seq, UserId};
use parlor_wire::chat::v1::Activity;
use serde_json::json;

use super::chats::ticks;
use crate::entry::kind_name;
use crate::names::Names;
use crate::outcome::Outcome;
use crate::output::Output;

pub async fn typing(
    client: &Client,
    out: &mut Output,
    names: &mut Names,
    conversation: ConversationId,
    user: UserId,
    activity: Activity,
) -> Outcome {
    names.learn(client, [user]).await?;
    let user = user.to_string();
    let word = match activity {
        Activity::Unspecified => "stopped".to_owned(),
        known => kind_name(known.as_str_name(), "ACTIVITY_"),
    };
    let object = json!({
        "event": "typing",
        "conversation_id": conversation.to_string(),
        "user_id": user,
        "username": names.username(&user),
        "activity": word,
    });
    let deed = match activity {
        Activity::Unspecified => "has stopped",
        Activity::Typing => "is typing",
        Activity::Recording => "is recording",
    };
    out.result(&object, || format!("~ {} {deed}", names.show(&user)))?;
    out.flush()
}

pub async fn receipts(
    client: &Client,
    out: &mut Output,
    names: &mut Names,
    conversation: ConversationId,
    users: &[UserId],
) -> Outcome {
    names.learn(client, users.iter().copied()).await?;
    let receipts = client.store().receipts(conversation, Seq(u64::MAX)).map_err(Error::from)?;
    for member in receipts.members.iter().filter(|member| users.contains(&member.user)) {
        let (user, marks) = (member.user.to_string(), member.marks);
        let object = json!({
            "event": "receipts",
            "conversation_id": conversation.to_string(),
            "user_id": user,
            "username": names.username(&user),
            "received": marks.received,
            "read": marks.read,
        });
        out.result(&object, || {
            let (received, read) = (ticks(true, false), ticks(true, true));
            format!("~ {} {received} {} {read} {}", names.show(&user), marks.received, marks.read)
        })?;
    }
    out.flush()
}

//! What somebody sees of a server, as far as it has to stay.

use parlor_tests::account::Login;
use parlor_tests::{reading, uploads};
use parlor_types::Seq;
use parlor_wire::auth::v1::get_profile_request::User;
use parlor_wire::auth::v1::{GetProfileRequest, SearchUsersRequest};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Conversation, Entry, GetBadgeRequest, GetReceiptsRequest, ListConversationsRequest, ListPeopleRequest,
    Marks,
};
use parlor_wire::media::v1::Variant;
use parlor_wire::presence::v1::GetStatusRequest;
use prost_types::Timestamp;
use serde_json::{Value, json};

/// All of it.
pub async fn by(login: &Login) -> Value {
    let (mut chat, mut people) = (login.chat(), login.people());
    let user = Some(User::UserId(login.id()));
    let profile = login.profiles().get_profile(GetProfileRequest { user }).await.expect("gets").into_inner();
    let profile = profile.profile.expect("a profile");
    let rows =
        chat.list_conversations(ListConversationsRequest::default()).await.expect("lists").into_inner();
    let mut conversations = Vec::new();
    for row in &rows.conversations {
        conversations.push(conversation(login, row).await);
    }
    let badge = chat.get_badge(GetBadgeRequest {}).await.expect("counts").into_inner();
    let listed = people.list_people(ListPeopleRequest::default()).await.expect("lists").into_inner();
    let known = listed.people.iter().map(|person| {
        let relation = person.relation().as_str_name();
        json!({ "user": person.user_id, "relation": relation, "note": person.note, "blocked": person.blocked })
    });
    let status = login.presence().get_status(GetStatusRequest {}).await.expect("gets").into_inner();
    json!({
        "username": profile.username,
        "display_name": profile.display_name,
        "bio": profile.bio,
        "status": status.status.unwrap_or_default().text,
        "people": known.collect::<Vec<_>>(),
        "found": found(login).await,
        "badge": [badge.unread, badge.unread_mentions, badge.conversations],
        "conversations": conversations,
    })
}

/// Whom a search for a few letters brings.
async fn found(login: &Login) -> Value {
    let mut found = Vec::new();
    for prefix in ["ada", "ben", "cem"] {
        let request = SearchUsersRequest { prefix: prefix.to_owned(), ..SearchUsersRequest::default() };
        let answer = login.profiles().search_users(request).await.expect("searches").into_inner();
        found.extend(answer.profiles.into_iter().map(|profile| json!([profile.user_id, profile.username])));
    }
    found.into()
}

async fn conversation(login: &Login, row: &Conversation) -> Value {
    let log = reading::log(&login.chat(), &row.id).await.expect("reads");
    let mut entries = Vec::new();
    for entry in &log {
        entries.push(self::entry(login, entry).await);
    }
    let seq = log.last().map_or(0, |entry| entry.seq);
    let request = GetReceiptsRequest { conversation_id: row.id.clone(), seq };
    // Who has left is told nothing of the others.
    let receipts = login.chat().get_receipts(request).await.map(|told| told.into_inner().members);
    let receipts = receipts.ok().map(|members| {
        members.iter().map(|of| json!([of.user_id, marks(of.marks.as_ref())])).collect::<Vec<_>>()
    });
    let members = row.members.iter().map(|member| {
        json!([member.user_id, member.role().as_str_name(), member.joined_seq, marks(member.marks.as_ref())])
    });
    let preferences = row.preferences.clone().unwrap_or_default();
    let ranges = reading::ranges(row).into_iter().map(|(Seq(from), to)| json!([from, to.map(|to| to.0)]));
    json!({
        "id": row.id,
        "kind": row.kind().as_str_name(),
        "name": row.name,
        "head": row.head,
        "created": time(row.created_at.as_ref()),
        "active": time(row.active_at.as_ref()),
        "unread": [row.unread, row.unread_mentions],
        "marks": marks(row.marks.as_ref()),
        "members": members.collect::<Vec<_>>(),
        "receipts": receipts,
        "readable": ranges.collect::<Vec<_>>(),
        "pinned": time(preferences.pinned_at.as_ref()),
        "archived": preferences.archived,
        "draft": preferences.draft,
        "custom_name": preferences.custom_name,
        "log": entries,
    })
}

async fn entry(login: &Login, entry: &Entry) -> Value {
    let mut files = Vec::new();
    for media in entry.kind().map(Kind::media).unwrap_or_default() {
        for variant in [Variant::Original, Variant::Small] {
            // Not every file has every form.
            let bytes = uploads::download(&login.media(), &media.id, variant).await;
            let bytes = bytes.ok().map(|bytes| (bytes.len(), crc32fast::hash(&bytes)));
            files.push(json!([media.id, media.name, variant.as_str_name(), bytes]));
        }
    }
    json!({
        "seq": entry.seq,
        "number": entry.message_number,
        "op": entry.op,
        "sender": entry.sender_id,
        "time": time(entry.time.as_ref()),
        "target": entry.target,
        "rev": entry.rev,
        "reply_to": entry.reply_to,
        "mentions": entry.mention_ids,
        "kind": entry.kind().map(name),
        "words": entry.kind().and_then(Kind::words),
        "files": files,
    })
}

/// Of the first words that its debugging form has: `Text(Text { .. })` is `Text`.
fn name(kind: &Kind) -> String {
    let text = format!("{kind:?}");
    text.split('(').next().unwrap_or_default().to_owned()
}

fn marks(marks: Option<&Marks>) -> Value {
    let marks = marks.copied().unwrap_or_default();
    json!([marks.received, marks.read])
}

fn time(time: Option<&Timestamp>) -> Value {
    json!(time.map(|time| (time.seconds, time.nanos)))
}

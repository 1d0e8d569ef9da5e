//! `chats`, `read`, `set`, `receipts`: conversations as their reader wants to have them.

use std::time::SystemTime;

use parlor_client::store::Chat;
use parlor_client::{Client, Error};
use parlor_types::Seq;
use parlor_wire::chat::v1::{Draft, PreferenceChanges, Preferences};
use parlor_wire::to_time;
use prost_types::Timestamp;
use serde_json::{Value, json};

use super::conversations::{names_of, title};
use crate::args::{Set, Term};
use crate::entry;
use crate::names::{self, Names};
use crate::outcome::Outcome;
use crate::output::Output;
use crate::text::{local, one_line, rfc3339};

/// A mute that ends after the year 9000 never ends.
const FOREVER: Timestamp = Timestamp { seconds: 253_402_300_799, nanos: 0 };
const NEVER_ENDS_AFTER: i64 = 221_845_392_000;

pub async fn list(client: &Client, out: &mut Output, all: bool) -> Outcome {
    match client.sync().await {
        Ok(()) => {}
        Err(Error::Unreachable(_)) => out.notice("offline", "the server is away: this is what was saved"),
        Err(other) => return Err(other.into()),
    }
    let me = client.me().await?.to_string();
    let chats = client.store().chats().map_err(Error::from)?;
    let more = if all { [chats.archived, chats.hidden] } else { Default::default() };
    let listed: Vec<_> = chats.shown.into_iter().chain(more.into_iter().flatten()).collect();
    let rows: Vec<_> = listed.iter().map(|chat| chat.row.clone()).collect();
    let names = names_of(client, &rows).await?;
    let now = SystemTime::now();
    for chat in &listed {
        out.result(&object(chat, &names, now), || line(chat, &me, &names, now))?;
    }
    Ok(())
}

pub fn object(chat: &Chat, names: &Names, now: SystemTime) -> Value {
    json!({
        "conversation_id": chat.id.to_string(),
        "kind": entry::kind_name(chat.row.kind().as_str_name(), "CONVERSATION_KIND_"),
        "name": chat.row.name,
        "unread": chat.unread.messages,
        "unread_mentions": chat.unread.mentions,
        "read": chat.read.0,
        "muted": chat.is_muted(now),
        "preferences": preferences(&chat.preferences),
        "last_message": chat.last_message.as_ref().map(|message| entry::object(message, names)),
        "active_at": rfc3339(chat.active_at),
    })
}

fn preferences(set: &Preferences) -> Value {
    let draft = (!set.draft.is_empty()).then(|| json!({ "text": set.draft, "reply_to": set.draft_reply_to }));
    json!({
        "muted_until": set.muted_until.map(|until| rfc3339(Some(until))),
        "pinned_at": set.pinned_at.map(|at| rfc3339(Some(at))),
        "archived": set.archived,
        "hidden": set.hidden,
        "marked_unread": set.marked_unread,
        "draft": draft,
        "custom_name": set.custom_name,
    })
}

fn line(chat: &Chat, me: &str, names: &Names, now: SystemTime) -> String {
    let own_name = &chat.preferences.custom_name;
    let name = if own_name.is_empty() { title(&chat.row, me, names) } else { one_line(own_name) };
    let last = if chat.preferences.draft.is_empty() {
        let last = chat.last_message.as_ref().map(|last| one_line(&entry::line(last, names, now)));
        last.unwrap_or_else(|| "no message yet".to_owned())
    } else {
        format!("draft: {}", one_line(&chat.preferences.draft))
    };
    format!("{}  {}  {}\n    {last}", signs(chat, now), name, local(chat.active_at, now))
}

/// What the help text of the command explains.
fn signs(chat: &Chat, now: SystemTime) -> String {
    let mut signs = String::new();
    for (sign, is_so) in
        [('^', chat.is_pinned()), ('-', chat.is_muted(now)), ('*', chat.preferences.marked_unread)]
    {
        signs.push(if is_so { sign } else { ' ' });
    }
    let unread = match (chat.unread.messages, chat.unread.mentions) {
        (0, _) => String::new(),
        (messages, 0) => messages.to_string(),
        (messages, mentions) => format!("{messages} @{mentions}"),
    };
    let place = if chat.preferences.hidden {
        " (hidden)"
    } else if chat.preferences.archived {
        " (archive)"
    } else {
        ""
    };
    format!("{signs} {unread:>6}{place}")
}

pub async fn read(client: &Client, out: &mut Output, conversation: &str, up_to: Option<u64>) -> Outcome {
    let id = names::conversation(client, conversation).await?;
    let row = client.conversation(id).await?;
    let seq = up_to.unwrap_or(row.head);
    let marks = client.mark_read(id, Seq(seq)).await?;
    if row.preferences.is_some_and(|set| set.marked_unread) {
        let changes = PreferenceChanges { marked_unread: Some(false), ..PreferenceChanges::default() };
        client.set_preferences(id, changes).await?;
    }
    let object = json!({ "conversation_id": id.to_string(), "read": marks.read });
    out.result(&object, || format!("read up to {}", marks.read))
}

pub async fn set(client: &Client, out: &mut Output, conversation: &str, set: Set) -> Outcome {
    let id = names::conversation(client, conversation).await?;
    let changed = client.set_preferences(id, changes(set, SystemTime::now())).await?;
    let mut object = preferences(&changed);
    object["conversation_id"] = json!(id.to_string());
    out.result(&object, || described(&changed))
}

fn changes(set: Set, now: SystemTime) -> PreferenceChanges {
    let either = |on: bool, off: bool| (on || off).then_some(on);
    let muted_until = match set.mute {
        Some(Term::Forever) => Some(FOREVER),
        Some(Term::For(term)) => Some(to_time(now + term)),
        None => set.unmute.then(Timestamp::default),
    };
    PreferenceChanges {
        muted_until,
        pinned: either(set.pin, set.unpin),
        archived: either(set.archive, set.unarchive),
        hidden: either(set.hide, set.unhide),
        marked_unread: set.unread.then_some(true),
        draft: set.draft.map(|text| Draft { text, reply_to: set.reply_to }),
        custom_name: set.nick,
    }
}

/// All that is not as by default, on one line.
fn described(set: &Preferences) -> String {
    let mut words = Vec::new();
    match set.muted_until {
        Some(until) if until.seconds > NEVER_ENDS_AFTER => words.push("muted for ever".to_owned()),
        Some(until) => words.push(format!("muted until {}", local(Some(until), SystemTime::UNIX_EPOCH))),
        None => {}
    }
    for (word, is_so) in [
        ("pinned", set.pinned_at.is_some()),
        ("archived", set.archived),
        ("hidden", set.hidden),
        ("marked unread", set.marked_unread),
    ] {
        words.extend(is_so.then(|| word.to_owned()));
    }
    if !set.custom_name.is_empty() {
        words.push(format!("called {}", one_line(&set.custom_name)));
    }
    if !set.draft.is_empty() {
        words.push(format!("draft: {}", one_line(&set.draft)));
    }
    if words.is_empty() { "nothing special".to_owned() } else { words.join(", ") }
}

pub async fn receipts(client: &Client, out: &mut Output, conversation: &str, seq: u64) -> Outcome {
    let id = names::conversation(client, conversation).await?;
    let receipts = client.receipts(id, Seq(seq)).await?;
    let mut names = Names::default();
    let users = receipts.members.iter().filter_map(|member| parlor_types::Id::parse(&member.user_id));
    names.learn(client, users).await?;
    let members: Vec<_> = receipts
        .members
        .iter()
        .map(|member| {
            let marks = member.marks.unwrap_or_default();
            json!({
                "user_id": member.user_id,
                "username": names.username(&member.user_id),
                "received": marks.received >= seq,
                "read": marks.read >= seq,
                "received_at": rfc3339(marks.received_at),
                "read_at": rfc3339(marks.read_at),
            })
        })
        .collect();
    let (received, read) = (receipts.received_count, receipts.read_count);
    let object = json!({
        "conversation_id": id.to_string(),
        "seq": seq,
        "received_count": received,
        "read_count": read,
        "members": members,
    });
    out.result(&object, || {
        let who = receipts.members.iter().map(|member| {
            let marks = member.marks.unwrap_or_default();
            format!(
                "\n    {} {}",
                ticks(marks.received >= seq, marks.read >= seq),
                names.show(&member.user_id)
            )
        });
        format!("received by {received}, read by {read}{}", who.collect::<String>())
    })
}

/// One for sent, two for received, two filled for read.
pub fn ticks(received: bool, read: bool) -> &'static str {
    match (received, read) {
        (_, true) => "✔✔",
        (true, false) => "✓✓",
        (false, false) => "✓ ",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn chat(preferences: Preferences, messages: u64, mentions: u64) -> Chat {
        Chat {
            id: parlor_types::Id::from_bytes([1; 16]),
            row: parlor_wire::chat::v1::Conversation::default(),
            preferences,
            unread: parlor_client::core::Unread { messages, mentions },
            read: Seq(4),
            last_message: None,
            active_at: None,
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn signs_say_what_is_special() {
        let muted_until = Some(Timestamp { seconds: 100, nanos: 0 });
        let set = Preferences { muted_until, pinned_at: muted_until, ..Preferences::default() };
        assert_eq!(signs(&chat(set.clone(), 3, 1), at(50)), "^-    3 @1");
        assert_eq!(signs(&chat(set, 0, 0), at(200)), "^         ", "the mute has ended");
        let marked = Preferences { marked_unread: true, archived: true, ..Preferences::default() };
        assert_eq!(signs(&chat(marked, 0, 0), at(0)), "  *        (archive)");
    }

    #[test]
    fn what_is_not_said_does_not_change() {
        let nothing = Set {
            mute: None,
            unmute: false,
            pin: false,
            unpin: false,
            archive: false,
            unarchive: false,
            hide: false,
            unhide: false,
            unread: false,
            draft: None,
            reply_to: 0,
            nick: None,
        };
        let some = Set {
            mute: Some(Term::For(Duration::from_secs(60))),
            unpin: true,
            draft: Some("so".into()),
            reply_to: 3,
            ..nothing
        };
        let expected = PreferenceChanges {
            muted_until: Some(Timestamp { seconds: 160, nanos: 0 }),
            pinned: Some(false),
            draft: Some(Draft { text: "so".into(), reply_to: 3 }),
            ..PreferenceChanges::default()
        };
        assert_eq!(changes(some, at(100)), expected);
    }

    #[test]
    fn preferences_are_one_line() {
        assert_eq!(described(&Preferences::default()), "nothing special");
        let set = Preferences {
            muted_until: Some(FOREVER),
            archived: true,
            custom_name: "Mum\n".into(),
            ..Preferences::default()
        };
        assert_eq!(described(&set), "muted for ever, archived, called Mum\u{240a}");
    }
}

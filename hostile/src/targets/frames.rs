//! Frames of both sides, made of choices: of the right form, with anything in their fields.

use parlor_types::limits::PROTOCOL;
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::client_frame::Kind as Said;
use parlor_wire::chat::v1::content::Kind as Content;
use parlor_wire::chat::v1::server_frame::Kind as Told;
use parlor_wire::errors::v1::Problem;
use parlor_wire::presence::v1::Presence;
use prost_types::{Duration, Timestamp};

use crate::input::Input;

/// Elements of a list.
const MAX_LISTED: u8 = 8;

/// A frame of a client.
pub fn of_client(input: &mut Input<'_>) -> wire::ClientFrame {
    let kind = match input.byte() % 12 {
        0 => Said::Hello(wire::Hello {
            protocol: if input.flag() { PROTOCOL } else { number32(input) },
            cursor: input.bytes().to_vec().into(),
            client: input.text(),
            background: input.flag(),
            mobile: input.flag(),
        }),
        1 | 2 => Said::Append(append(input)),
        3 => Said::Fetch(wire::Fetch {
            request_id: input.number(),
            conversation_id: input.id_text(),
            from_seq: input.number(),
            to_seq: input.number(),
        }),
        4 => Said::Received(wire::Received { conversation_id: input.id_text(), seq: input.number() }),
        5 => Said::Read(wire::Read { conversation_id: input.id_text(), seq: input.number() }),
        6 => Said::Ack(wire::Ack { batch: input.number() }),
        7 => Said::SetPreferences(wire::SetPreferences {
            request_id: input.number(),
            conversation_id: input.id_text(),
            changes: maybe(input, preference_changes),
        }),
        8 => Said::SetTyping(wire::SetTyping {
            conversation_id: input.id_text(),
            activity: input.byte().into(),
        }),
        9 => Said::SetActive(wire::SetActive { foreground: input.flag() }),
        10 => Said::Watch(wire::Watch { user_ids: list(input, Input::id_text) }),
        _ => Said::Ping(wire::Ping { nonce: input.number() }),
    };
    wire::ClientFrame { kind: Some(kind) }
}

/// A frame of a server.
pub fn of_server(input: &mut Input<'_>) -> wire::ServerFrame {
    let kind = match input.byte() % 20 {
        0 => Told::Welcome(welcome(input)),
        1 | 2 => Told::SyncConversation(wire::SyncConversation { conversation: maybe(input, row) }),
        3 => Told::SyncDone(wire::SyncDone { cursor: input.bytes().to_vec().into() }),
        4 | 5 => Told::Event(wire::Event { entry: maybe(input, entry) }),
        6 => Told::Head(wire::Head { conversation_id: input.id_text(), head: input.number() }),
        7 => Told::Checkpoint(wire::Checkpoint { cursor: input.bytes().to_vec().into() }),
        8 => Told::AppendResult(append_result(input)),
        9 => Told::FetchResult(fetch_result(input)),
        10 => Told::MarkRefused(wire::MarkRefused {
            conversation_id: input.id_text(),
            seq: input.number(),
            problem: maybe(input, problem),
        }),
        11 => Told::Pong(wire::Pong { nonce: input.number() }),
        12 => Told::Drain(wire::Drain { reconnect_after: maybe(input, duration) }),
        13 => Told::Goodbye(wire::Goodbye {
            reason: input.byte().into(),
            reconnect: input.flag(),
            after: maybe(input, duration),
            message: input.text(),
        }),
        14 => Told::PreferencesResult(preferences_result(input)),
        15 => Told::Refused(wire::Refused { frame: input.text(), problem: maybe(input, problem) }),
        16 => Told::Receipts(wire::Receipts {
            conversation_id: input.id_text(),
            members: list(input, |input| wire::MemberMarks {
                user_id: input.id_text(),
                marks: maybe(input, marks),
            }),
        }),
        17 => Told::Typing(wire::Typing {
            conversation_id: input.id_text(),
            user_id: input.id_text(),
            activity: input.byte().into(),
            expires_after: maybe(input, duration),
        }),
        18 => {
            let presence = Presence { user_id: input.id_text(), ..Presence::default() };
            Told::PresenceChanged(wire::PresenceChanged { presence: Some(presence) })
        }
        _ => Told::SyncPerson(wire::SyncPerson { person: maybe(input, person) }),
    };
    wire::ServerFrame { kind: Some(kind) }
}

/// An append with any content.
pub fn append(input: &mut Input<'_>) -> wire::Append {
    wire::Append {
        conversation_id: input.id_text(),
        op: input.id_text(),
        base_seq: input.number(),
        lane: number32(input),
        reply_to: input.number(),
        mention_ids: list(input, Input::id_text),
        labels: list(input, |input| (input.text(), input.text())).into_iter().collect(),
        content: maybe(input, content),
        target: input.number(),
    }
}

fn content(input: &mut Input<'_>) -> wire::Content {
    let media = |input: &mut Input<'_>| {
        Some(parlor_wire::media::v1::Media {
            id: input.id_text(),
            ..parlor_wire::media::v1::Media::default()
        })
    };
    let kind = match input.byte() % 16 {
        0 => Content::Created(wire::Created {
            kind: input.byte().into(),
            name: input.text(),
            member_ids: list(input, Input::id_text),
            settings: None,
        }),
        1 | 2 => Content::Text(wire::Text { body: input.text() }),
        3 => Content::Add(wire::Add { user_ids: list(input, Input::id_text) }),
        4 => Content::Remove(wire::Remove { user_ids: list(input, Input::id_text) }),
        5 => Content::Leave(wire::Leave { new_owner_id: input.id_text() }),
        6 => Content::Rename(wire::Rename { name: input.text() }),
        7 => Content::SetRole(wire::SetRole { user_id: input.id_text(), role: input.byte().into() }),
        8 => Content::Edit(wire::Edit { body: input.text() }),
        9 => Content::Delete(wire::Delete {}),
        10 => Content::Image(wire::Image { media: media(input), caption: input.text() }),
        11 => {
            Content::Video(wire::Video { media: media(input), caption: input.text(), poster: media(input) })
        }
        12 => {
            let item = |input: &mut Input<'_>| wire::AlbumItem {
                kind: Some(wire::album_item::Kind::Image(wire::Image {
                    media: media(input),
                    caption: String::new(),
                })),
            };
            Content::Album(wire::Album { items: list(input, item), caption: input.text() })
        }
        13 => Content::Location(wire::Location {
            latitude: f64::from_bits(input.number()),
            longitude: f64::from_bits(input.number()),
            accuracy_metres: f64::from_bits(input.number()),
            name: input.text(),
            address: input.text(),
        }),
        14 => Content::Deleted(wire::Deleted { user_id: input.id_text() }),
        _ => Content::Withheld(wire::Withheld { reason: input.byte().into() }),
    };
    wire::Content { kind: Some(kind) }
}

fn entry(input: &mut Input<'_>) -> wire::Entry {
    wire::Entry {
        conversation_id: input.id_text(),
        seq: input.number(),
        message_number: input.number(),
        op: input.id_text(),
        sender_id: input.id_text(),
        time: maybe(input, timestamp),
        target: input.number(),
        rev: input.number(),
        reply_to: input.number(),
        mention_ids: list(input, Input::id_text),
        content: maybe(input, content),
        ..wire::Entry::default()
    }
}

fn row(input: &mut Input<'_>) -> wire::Conversation {
    wire::Conversation {
        id: input.id_text(),
        kind: input.byte().into(),
        name: input.text(),
        members: list(input, |input| wire::Member {
            user_id: input.id_text(),
            role: input.byte().into(),
            joined_seq: input.number(),
            marks: maybe(input, marks),
        }),
        member_count: number32(input),
        head: input.number(),
        head_number: input.number(),
        last_message: maybe(input, entry),
        marks: maybe(input, marks),
        unread: input.number(),
        readable: list(input, |input| wire::ReadableRange {
            from_seq: input.number(),
            to_seq: input.number(),
        }),
        created_at: maybe(input, timestamp),
        active_at: maybe(input, timestamp),
        unread_mentions: input.number(),
        preferences: maybe(input, preferences),
        ..wire::Conversation::default()
    }
}

fn welcome(input: &mut Input<'_>) -> wire::Welcome {
    wire::Welcome {
        generation: input.text(),
        ping_interval: maybe(input, duration),
        background_ping_interval: maybe(input, duration),
        limits: maybe(input, |input| wire::Limits {
            max_appends_in_flight: number32(input),
            max_fetches_in_flight: number32(input),
            page_entries: number32(input),
            ..wire::Limits::default()
        }),
        ..wire::Welcome::default()
    }
}

fn append_result(input: &mut Input<'_>) -> wire::AppendResult {
    let outcome = if input.flag() {
        wire::append_result::Outcome::Problem(problem(input))
    } else {
        wire::append_result::Outcome::Appended(wire::Appended {
            conversation_id: input.id_text(),
            seq: input.number(),
            message_number: input.number(),
            time: maybe(input, timestamp),
            duplicate: input.flag(),
        })
    };
    let (op, lane, conversation_id) = (input.id_text(), number32(input), input.id_text());
    wire::AppendResult { op, outcome: Some(outcome), lane, conversation_id }
}

fn fetch_result(input: &mut Input<'_>) -> wire::FetchResult {
    let outcome = if input.flag() {
        wire::fetch_result::Outcome::Problem(problem(input))
    } else {
        wire::fetch_result::Outcome::Page(wire::LogPage {
            conversation_id: input.id_text(),
            entries: list(input, entry),
            next_seq: input.number(),
            head: input.number(),
        })
    };
    wire::FetchResult { request_id: input.number(), outcome: Some(outcome) }
}

fn preferences_result(input: &mut Input<'_>) -> wire::PreferencesResult {
    let outcome = if input.flag() {
        wire::preferences_result::Outcome::Problem(problem(input))
    } else {
        wire::preferences_result::Outcome::Preferences(preferences(input))
    };
    wire::PreferencesResult { request_id: input.number(), outcome: Some(outcome) }
}

fn preferences(input: &mut Input<'_>) -> wire::Preferences {
    wire::Preferences {
        muted_until: maybe(input, timestamp),
        pinned_at: maybe(input, timestamp),
        archived: input.flag(),
        hidden: input.flag(),
        marked_unread: input.flag(),
        draft: input.text(),
        draft_reply_to: input.number(),
        custom_name: input.text(),
    }
}

/// Changes of preferences.
pub fn preference_changes(input: &mut Input<'_>) -> wire::PreferenceChanges {
    wire::PreferenceChanges {
        muted_until: maybe(input, timestamp),
        pinned: maybe(input, Input::flag),
        archived: maybe(input, Input::flag),
        hidden: maybe(input, Input::flag),
        marked_unread: maybe(input, Input::flag),
        draft: maybe(input, |input| wire::Draft { text: input.text(), reply_to: input.number() }),
        custom_name: maybe(input, Input::text),
    }
}

fn person(input: &mut Input<'_>) -> wire::Person {
    wire::Person {
        user_id: input.id_text(),
        relation: input.byte().into(),
        note: input.text(),
        blocked: input.flag(),
        changed_at: maybe(input, timestamp),
    }
}

/// A problem of any reason.
pub fn problem(input: &mut Input<'_>) -> Problem {
    Problem {
        reason: input.byte().into(),
        message: input.text(),
        retry_after: maybe(input, duration),
        ..Problem::default()
    }
}

fn marks(input: &mut Input<'_>) -> wire::Marks {
    wire::Marks {
        received: input.number(),
        read: input.number(),
        received_at: maybe(input, timestamp),
        read_at: maybe(input, timestamp),
    }
}

fn duration(input: &mut Input<'_>) -> Duration {
    Duration { seconds: input.number().cast_signed(), nanos: number32(input).cast_signed() }
}

fn timestamp(input: &mut Input<'_>) -> Timestamp {
    Timestamp { seconds: input.number().cast_signed(), nanos: number32(input).cast_signed() }
}

fn number32(input: &mut Input<'_>) -> u32 {
    let [low, high] = [0, 32].map(|shift| (input.number() >> shift) as u32);
    low ^ high
}

fn maybe<'a, T>(input: &mut Input<'a>, make: impl FnOnce(&mut Input<'a>) -> T) -> Option<T> {
    input.flag().then(|| make(input))
}

fn list<'a, T>(input: &mut Input<'a>, mut make: impl FnMut(&mut Input<'a>) -> T) -> Vec<T> {
    (0..input.byte() % MAX_LISTED).map(|_| make(input)).collect()
}

/// A frame of each kind that a client sends, as good clients do.
pub fn client_samples() -> Vec<wire::ClientFrame> {
    let id = uuid::Uuid::from_bytes([7; 16]).as_hyphenated().to_string();
    let text = wire::Content { kind: Some(Content::Text(wire::Text { body: "tea?".to_owned() })) };
    let append = wire::Append {
        conversation_id: id.clone(),
        op: id.clone(),
        content: Some(text),
        ..wire::Append::default()
    };
    let changes = wire::PreferenceChanges { pinned: Some(true), ..wire::PreferenceChanges::default() };
    let conversation_id = id.clone();
    [
        Said::Append(append),
        Said::Fetch(wire::Fetch { request_id: 1, conversation_id, from_seq: 1, to_seq: 9 }),
        Said::Received(wire::Received { conversation_id: id.clone(), seq: 3 }),
        Said::Read(wire::Read { conversation_id: id.clone(), seq: 3 }),
        Said::Ack(wire::Ack { batch: 1 }),
        Said::SetPreferences(wire::SetPreferences {
            request_id: 2,
            conversation_id: id.clone(),
            changes: Some(changes),
        }),
        Said::SetTyping(wire::SetTyping { conversation_id: id.clone(), activity: 1 }),
        Said::SetActive(wire::SetActive { foreground: true }),
        Said::Watch(wire::Watch { user_ids: vec![id] }),
        Said::Ping(wire::Ping { nonce: 4 }),
    ]
    .map(|kind| wire::ClientFrame { kind: Some(kind) })
    .into()
}

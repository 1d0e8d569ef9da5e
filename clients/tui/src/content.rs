//! What entries say, in words. All of it is harmless to show.

use parlor_types::{Id as _, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, HistoryVisibility, Location, Role, WithheldReason, album_item};
use parlor_wire::media::v1::Media;
use parlor_wire::media::v1::media::Preview;

use crate::people::People;
use crate::text::{harmless, one_line, size};

/// Bars of the picture of a voice note.
const BARS: usize = 16;

/// What an entry is, to whoever shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A message: its text.
    Message(String),
    /// A message that says nothing any more, and why.
    Gone(String),
    /// Something somebody did.
    Deed(String),
    /// A change of another entry: shown there.
    Change,
}

/// What a kind of content is.
#[must_use]
pub fn kind(entry: &Entry) -> Option<&Kind> {
    entry.content.as_ref().and_then(|content| content.kind.as_ref())
}

/// What an entry says.
#[must_use]
pub fn said(entry: &Entry, people: &People) -> Said {
    if entry.target > 0 {
        return Said::Change;
    }
    let sender = people.said(&entry.sender_id);
    match kind(entry) {
        Some(Kind::Deleted(deleted)) => Said::Gone(format!("deleted by {}", people.said(&deleted.user_id))),
        Some(Kind::Withheld(withheld)) => Said::Gone(withheld_because(withheld.reason()).to_owned()),
        Some(kind) => match message(kind) {
            Some(text) => Said::Message(text),
            None => Said::Deed(deed(&sender, kind, people)),
        },
        None => Said::Deed(format!("{sender} sent something this version cannot show")),
    }
}

fn withheld_because(reason: WithheldReason) -> &'static str {
    match reason {
        WithheldReason::SenderBlocked => "withheld: you have blocked the sender",
        WithheldReason::Erased => "withheld: erased by its author",
        WithheldReason::Moderated => "withheld: removed by moderation",
        WithheldReason::NotMember => "withheld: from a time when you were no member",
        WithheldReason::Unspecified => "withheld",
    }
}

/// What a message says; none if it is no message.
#[must_use]
pub fn message(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::Text(text) => plain(&text.body),
        Kind::Image(image) => with_caption(described("picture", image.media.as_ref()), &image.caption),
        Kind::File(file) => with_caption(described("file", file.media.as_ref()), &file.caption),
        Kind::Voice(voice) => described("voice note", voice.media.as_ref()),
        Kind::Video(video) => with_caption(described("video", video.media.as_ref()), &video.caption),
        Kind::Album(album) => {
            let items = album.items.iter().filter_map(|item| item.kind.as_ref()).map(|item| match item {
                album_item::Kind::Image(image) => described("picture", image.media.as_ref()),
                album_item::Kind::Video(video) => described("video", video.media.as_ref()),
            });
            with_caption(items.collect::<Vec<_>>().join("\n"), &album.caption)
        }
        Kind::Location(place) => location(place),
        _ => return None,
    })
}

/// The text of a message as its author wrote it, to be changed; none if there is none that could be changed.
#[must_use]
pub fn editable(entry: &Entry) -> Option<&str> {
    match kind(entry)? {
        Kind::Text(text) => Some(&text.body),
        Kind::Image(image) => Some(&image.caption),
        Kind::File(file) => Some(&file.caption),
        Kind::Video(video) => Some(&video.caption),
        Kind::Album(album) => Some(&album.caption),
        _ => None,
    }
}

/// One line of a message, for where there is no room for more.
#[must_use]
pub fn summary(entry: &Entry, people: &People) -> String {
    match said(entry, people) {
        Said::Message(text) | Said::Gone(text) | Said::Deed(text) => first_line(&text),
        Said::Change => String::new(),
    }
}

/// The first line that says anything.
#[must_use]
pub fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

/// Text of others, as it is shown. A tab is as wide as the terminal likes: it becomes spaces.
#[must_use]
pub fn plain(text: &str) -> String {
    harmless(text).replace('\t', "    ")
}

fn with_caption(what: String, caption: &str) -> String {
    if caption.is_empty() { what } else { format!("{what}\n{}", plain(caption)) }
}

fn location(place: &Location) -> String {
    let parts = [one_line(&place.name), one_line(&place.address)];
    let named: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let name = if named.is_empty() { String::new() } else { format!("{} ", named.join(", ")) };
    format!("[place {name}geo:{:.5},{:.5}]", place.latitude, place.longitude)
}

/// What it is, what it is called, and how large.
#[must_use]
pub fn described(what: &str, media: Option<&Media>) -> String {
    let Some(media) = media else { return format!("[{what}]") };
    let mut said = vec![what.to_owned()];
    if !media.name.is_empty() {
        said[0] = format!("{what} {}", one_line(&media.name).replace('\t', " "));
    }
    match &media.preview {
        Some(Preview::Image(image)) => said.push(format!("{}×{}", image.width, image.height)),
        Some(Preview::Audio(audio)) => {
            said.push(lasting(audio.duration));
            said.push(bars(&audio.waveform));
        }
        Some(Preview::Video(video)) => said.push(lasting(video.duration)),
        None => {}
    }
    if media.size > 0 {
        said.push(size(media.size));
    }
    format!("[{}]", said.join(", "))
}

/// Eight heights, from silence to the loudest part.
fn bars(waveform: &[u8]) -> String {
    let each = waveform.len().div_ceil(BARS).max(1);
    let loudest = waveform.chunks(each).map(|part| part.iter().copied().max().unwrap_or_default());
    loudest.filter_map(|level| char::from_u32(0x2581 + u32::from(level) / 32)).collect()
}

fn lasting(duration: Option<prost_types::Duration>) -> String {
    let seconds = duration.map_or(0, |duration| duration.seconds + i64::from(duration.nanos >= 500_000_000));
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn deed(sender: &str, kind: &Kind, people: &People) -> String {
    let all = |ids: &[String]| ids.iter().map(|id| people.said(id)).collect::<Vec<_>>().join(", ");
    match kind {
        Kind::Created(created) if created.name.is_empty() => format!("{sender} began the conversation"),
        Kind::Created(created) => {
            let members = created.member_ids.get(1..).unwrap_or_default();
            let with = if members.is_empty() { String::new() } else { format!(" with {}", all(members)) };
            format!("{sender} made the group {}{with}", one_line(&created.name))
        }
        Kind::Add(add) => format!("{sender} added {}", all(&add.user_ids)),
        Kind::Remove(remove) => format!("{sender} removed {}", all(&remove.user_ids)),
        Kind::Leave(leave) if leave.new_owner_id.is_empty() => format!("{sender} left"),
        Kind::Leave(leave) => format!("{sender} left; the owner now: {}", people.said(&leave.new_owner_id)),
        Kind::Rename(rename) => format!("{sender} named the group {}", one_line(&rename.name)),
        Kind::Settings(settings) => match settings.history_visibility() {
            HistoryVisibility::All => format!("{sender} lets those who join later read everything"),
            _ => format!("{sender} lets those who join later read from then on"),
        },
        Kind::SetRole(set) => format!("{sender} made {} {}", people.said(&set.user_id), role(set.role())),
        Kind::SetAvatar(set) if set.media.is_some() => format!("{sender} gave the group another picture"),
        Kind::SetAvatar(_) => format!("{sender} took the group's picture away"),
        _ => format!("{sender} sent something this version cannot show"),
    }
}

/// What a member is.
#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member | Role::Unspecified => "member",
    }
}

/// Everybody an entry speaks of.
#[must_use]
pub fn people_of(entry: &Entry) -> Vec<UserId> {
    let named: &[String] = match kind(entry) {
        Some(Kind::Created(created)) => &created.member_ids,
        Some(Kind::Add(add)) => &add.user_ids,
        Some(Kind::Remove(remove)) => &remove.user_ids,
        Some(Kind::SetRole(set)) => std::slice::from_ref(&set.user_id),
        Some(Kind::Leave(leave)) => std::slice::from_ref(&leave.new_owner_id),
        Some(Kind::Deleted(deleted)) => std::slice::from_ref(&deleted.user_id),
        _ => &[],
    };
    named.iter().chain([&entry.sender_id]).filter_map(|id| UserId::parse(id)).collect()
}

/// The files of a message, each with whether it is a picture that can be shown.
#[must_use]
pub fn files(entry: &Entry) -> Vec<(&Media, bool)> {
    match kind(entry) {
        Some(Kind::Image(image)) => image.media.iter().map(|media| (media, true)).collect(),
        Some(Kind::File(file)) => file.media.iter().map(|media| (media, false)).collect(),
        Some(Kind::Voice(voice)) => voice.media.iter().map(|media| (media, false)).collect(),
        Some(Kind::Video(video)) => {
            let poster = video.poster.iter().map(|media| (media, true));
            video.media.iter().map(|media| (media, false)).chain(poster).collect()
        }
        Some(Kind::Album(album)) => {
            let items = album.items.iter().filter_map(|item| item.kind.as_ref());
            items
                .filter_map(|item| match item {
                    album_item::Kind::Image(image) => image.media.as_ref().map(|media| (media, true)),
                    album_item::Kind::Video(video) => video.media.as_ref().map(|media| (media, false)),
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

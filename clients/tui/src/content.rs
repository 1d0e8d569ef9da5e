//! What entries say, in words. All of it is harmless to show.

use parlor_types::{Id as _, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, HistoryVisibility, Location, Role, WithheldReason, album_item};
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{Media, Purpose};

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

/// Whether words about files say by which id they can be had. Where one looks at them and presses a key, they need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// They do.
    Told,
    /// They do not.
    Hidden,
}

/// What an entry says.
#[must_use]
pub fn said(entry: &Entry, people: &People) -> Said {
    if entry.target > 0 {
        return Said::Change;
    }
    told(&entry.sender_id, entry.kind(), &|id| people.said(id), Ids::Hidden)
}

/// What content says of itself, where `name` gives people names that are harmless to show.
#[must_use]
pub fn told(sender: &str, kind: Option<&Kind>, name: &dyn Fn(&str) -> String, ids: Ids) -> Said {
    match kind {
        Some(Kind::Deleted(deleted)) => Said::Gone(format!("deleted by {}", name(&deleted.user_id))),
        Some(Kind::Withheld(withheld)) => Said::Gone(withheld_because(withheld.reason()).to_owned()),
        Some(kind) => match message(kind, ids) {
            Some(text) => Said::Message(text),
            None => Said::Deed(deed(&name(sender), kind, name, ids)),
        },
        None => Said::Deed(unknown(&name(sender))),
    }
}

fn unknown(sender: &str) -> String {
    format!("{sender} sent something this version cannot show")
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
pub fn message(kind: &Kind, ids: Ids) -> Option<String> {
    let described = |what, media: &Option<Media>| described(what, media.as_ref(), ids);
    Some(match kind {
        Kind::Text(text) => plain(&text.body),
        Kind::Image(image) => with_caption(described("picture", &image.media), &image.caption),
        Kind::File(file) => with_caption(described("file", &file.media), &file.caption),
        Kind::Voice(voice) => described("voice note", &voice.media),
        Kind::Video(video) => with_caption(described("video", &video.media), &video.caption),
        Kind::Album(album) => {
            let items = album.items.iter().filter_map(|item| item.kind.as_ref()).map(|item| match item {
                album_item::Kind::Image(image) => described("picture", &image.media),
                album_item::Kind::Video(video) => described("video", &video.media),
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
    entry.kind()?.words().map(String::as_str)
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

/// What a file is, what it is called, and how large.
#[must_use]
pub fn described(what: &str, media: Option<&Media>, ids: Ids) -> String {
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
    if ids == Ids::Told {
        said.push(one_line(&media.id));
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

fn deed(sender: &str, kind: &Kind, name: &dyn Fn(&str) -> String, ids: Ids) -> String {
    let all = |users: &[String]| users.iter().map(|user| name(user)).collect::<Vec<_>>().join(", ");
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
        Kind::Leave(leave) => format!("{sender} left; the owner now: {}", name(&leave.new_owner_id)),
        Kind::Rename(rename) => format!("{sender} named the group {}", one_line(&rename.name)),
        Kind::Settings(settings) => match settings.history_visibility() {
            HistoryVisibility::All => format!("{sender} lets those who join later read everything"),
            _ => format!("{sender} lets those who join later read from then on"),
        },
        Kind::SetRole(set) => format!("{sender} made {} {}", name(&set.user_id), role(set.role())),
        Kind::SetAvatar(set) => match &set.media {
            Some(media) if ids == Ids::Told => {
                format!("{sender} gave the group another picture ({})", one_line(&media.id))
            }
            Some(_) => format!("{sender} gave the group another picture"),
            None => format!("{sender} took the group's picture away"),
        },
        _ => unknown(sender),
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
    let named: &[String] = match entry.kind() {
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

/// The files of a message.
#[must_use]
pub fn files(entry: &Entry) -> Vec<&Media> {
    entry.kind().map(Kind::media).unwrap_or_default()
}

/// Those of them that are there to be looked at: a picture that was sent as a file is not.
#[must_use]
pub fn pictures(entry: &Entry) -> Vec<&Media> {
    let shown = files(entry).into_iter().filter(|media| media.purpose() == Purpose::Image);
    if matches!(entry.kind(), Some(Kind::File(_))) { Vec::new() } else { shown.collect() }
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{
        Add, Album, AlbumItem, Created, Deleted, File, Image, SetAvatar, SetRole, Voice,
    };
    use parlor_wire::media::v1::{AudioInfo, ImageInfo};

    use super::*;

    fn picture() -> Media {
        let info = ImageInfo { width: 4032, height: 3024, ..ImageInfo::default() };
        Media {
            id: "an-id".into(),
            name: "sea\u{1b}.jpg".into(),
            size: 3_250_000,
            preview: Some(Preview::Image(info)),
            ..Media::default()
        }
    }

    #[test]
    fn a_message_says_what_it_is_and_if_wanted_how_to_get_it() {
        let image = Image { media: Some(picture()), caption: "look\u{7}".into() };
        let shown = "[picture sea\u{241b}.jpg, 4032×3024, 3.2 MB, an-id]";
        let told = |kind| message(&kind, Ids::Told).unwrap();
        assert_eq!(told(Kind::Image(image.clone())), format!("{shown}\nlook\u{2407}"));
        let hidden = message(&Kind::Image(image.clone()), Ids::Hidden).unwrap();
        assert_eq!(hidden, format!("{}\nlook\u{2407}", shown.replace(", an-id", "")));
        let item = AlbumItem { kind: Some(album_item::Kind::Image(image)) };
        let album = Album { items: vec![item.clone(), item], caption: "two".into() };
        assert_eq!(told(Kind::Album(album)), format!("{shown}\n{shown}\ntwo"));
        let duration = Some(prost_types::Duration { seconds: 61, nanos: 600_000_000 });
        let audio = AudioInfo { duration, waveform: vec![0, 40, 255, 128].into() };
        let voice =
            Media { id: "v".into(), size: 999, preview: Some(Preview::Audio(audio)), ..Media::default() };
        assert_eq!(told(Kind::Voice(Voice { media: Some(voice) })), "[voice note, 1:02, ▁▂█▅, 999 B, v]");
        let place =
            Location { latitude: 52.5, longitude: 13.25, name: "Café".into(), ..Location::default() };
        assert_eq!(told(Kind::Location(place)), "[place Café geo:52.50000,13.25000]");
        assert_eq!(told(Kind::File(File::default())), "[file]");
    }

    #[test]
    fn deeds_say_who_did_what() {
        let did = |kind| match told("ada", Some(&kind), &|id| id.to_uppercase(), Ids::Told) {
            Said::Deed(words) | Said::Gone(words) => words,
            other => panic!("{other:?} is no deed"),
        };
        let member_ids = vec!["ada".into(), "ben".into()];
        let created = Created { name: "Tea\n".into(), member_ids, ..Created::default() };
        assert_eq!(did(Kind::Created(created)), "ADA made the group Tea\u{240a} with BEN");
        let add = Add { user_ids: vec!["ben".into(), "cleo".into()] };
        assert_eq!(did(Kind::Add(add)), "ADA added BEN, CLEO");
        let set = SetRole { user_id: "ben".into(), role: Role::Admin.into() };
        assert_eq!(did(Kind::SetRole(set)), "ADA made BEN admin");
        let set = |media| Kind::SetAvatar(SetAvatar { media });
        assert_eq!(did(set(Some(picture()))), "ADA gave the group another picture (an-id)");
        assert_eq!(did(set(None)), "ADA took the group's picture away");
        assert_eq!(did(Kind::Deleted(Deleted { user_id: "ben".into() })), "deleted by BEN");
        let nothing = told("ada", None, &|id| id.to_uppercase(), Ids::Told);
        assert_eq!(nothing, Said::Deed("ADA sent something this version cannot show".to_owned()));
    }
}

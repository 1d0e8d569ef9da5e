//! Messages with files: what is in them before the files have ids, and what is left of them when they are sent on.

use std::path::PathBuf;
use std::time::SystemTime;

use parlor_types::{MediaId, Op, limits};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Album, AlbumItem, File, Image, Video, Voice, album_item};
use parlor_wire::errors::v1::Problem;
use parlor_wire::media::v1::{Media, Purpose};

use super::message::Outgoing;

/// How often the files of a message are uploaded again because the server has forgotten them.
pub const MAX_AGAIN: u32 = 3;
/// Pictures and videos in one album at most.
pub const MAX_ALBUM: usize = *limits::ALBUM_ITEMS.end();

/// A file to be uploaded, as it was when that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUpload {
    /// Of CreateUpload; made once.
    pub op: Op,
    /// Where it is; absolute.
    pub path: PathBuf,
    /// What others see it called.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written to.
    pub modified: SystemTime,
    /// SHA-256 of all of it.
    pub sha256: [u8; 32],
    /// What it is taken for; empty if that is not known.
    pub media_type: String,
    /// What it is for.
    pub purpose: Purpose,
    /// What the server calls it; none before it has answered.
    pub media: Option<MediaId>,
}

impl FileUpload {
    /// The same file for the same use, wherever it lies.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        let told = |file: &Self| (file.name.clone(), file.size, file.sha256, file.purpose);
        told(self) == told(other)
    }
}

/// A message that waits for its files.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// The message. Where files are named it has no ids yet.
    pub outgoing: Outgoing,
    /// The files, in the order in which the message names them.
    pub files: Vec<FileUpload>,
    /// It will never be sent.
    pub failed: Option<FileFailure>,
    /// How often the server has forgotten its files before it came.
    pub again: u32,
}

impl Parcel {
    /// The message with the ids of its files, in their order.
    #[must_use]
    pub fn complete(&self, ids: &[MediaId]) -> Outgoing {
        let mut outgoing = Outgoing { recallable: self.again < MAX_AGAIN, ..self.outgoing.clone() };
        let kind = outgoing.append.content.as_mut().and_then(|content| content.kind.as_mut());
        for (media, id) in kind.into_iter().flat_map(Kind::media_mut).zip(ids) {
            media.id = id.to_string();
        }
        outgoing
    }

    /// It says the same, with the same files.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        let said = |parcel: &Self| {
            let append = &parcel.outgoing.append;
            (
                append.conversation_id.clone(),
                append.reply_to,
                append.mention_ids.clone(),
                append.content.clone(),
            )
        };
        let pairs = || self.files.iter().zip(&other.files);
        said(self) == said(other)
            && self.files.len() == other.files.len()
            && pairs().all(|(mine, theirs)| mine.is_alike(theirs))
    }
}

/// Why a file cannot be sent, now or ever.
#[derive(Debug, Clone, PartialEq)]
pub struct FileFailure {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub why: FileFault,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileFault {
    /// It is not what it was when it was to be sent. Nothing of it is with others.
    Changed,
    /// It cannot be read.
    Unreadable(String),
    /// The server will not have it.
    Refused(Problem),
}

/// One file of a message, before it has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub purpose: Purpose,
    /// A still picture of it follows.
    pub poster: bool,
}

/// What a message with these files says: one by itself, several as an album. None if there is no such message: several that
/// are not all pictures and videos, more than [`MAX_ALBUM`], a voice note with a caption.
#[must_use]
pub fn content_of(parts: &[Part], caption: String) -> Option<Kind> {
    let blank = || Some(Media::default());
    match parts {
        [Part { purpose: Purpose::Image, .. }] => Some(Kind::Image(Image { media: blank(), caption })),
        [Part { purpose: Purpose::File, .. }] => Some(Kind::File(File { media: blank(), caption })),
        [Part { purpose: Purpose::Voice, .. }] if caption.is_empty() => {
            Some(Kind::Voice(Voice { media: blank() }))
        }
        [Part { purpose: Purpose::Video, poster }] => {
            Some(Kind::Video(Video { media: blank(), caption, poster: poster.then(Media::default) }))
        }
        [_, _, ..] if parts.len() <= MAX_ALBUM => {
            let items = parts.iter().map(album_item).collect::<Option<_>>()?;
            Some(Kind::Album(Album { items, caption }))
        }
        _ => None,
    }
}

fn album_item(part: &Part) -> Option<AlbumItem> {
    let kind = match content_of(std::slice::from_ref(part), String::new())? {
        Kind::Image(image) => album_item::Kind::Image(image),
        Kind::Video(video) => album_item::Kind::Video(video),
        _ => return None,
    };
    Some(AlbumItem { kind: Some(kind) })
}

/// The same content for another conversation: its files by their ids, as one may send what one can read. None for what
/// is no message.
#[must_use]
pub fn forwarded(kind: &Kind) -> Option<Kind> {
    let mut kind = kind.is_message().then(|| kind.clone())?;
    for media in kind.media_mut() {
        *media = Media { id: std::mem::take(&mut media.id), ..Media::default() };
    }
    Some(kind)
}

#[cfg(test)]
mod tests {
    use parlor_types::{ConversationId, Id as _};
    use parlor_wire::chat::v1::{Created, Text};

    use super::*;
    use crate::core::Draft;

    fn part(purpose: Purpose) -> Part {
        Part { purpose, poster: false }
    }

    #[test]
    fn one_file_is_a_message_and_several_pictures_an_album() {
        let caption = || "look".to_owned();
        assert!(
            matches!(content_of(&[part(Purpose::Image)], caption()), Some(Kind::Image(i)) if i.caption == "look")
        );
        assert!(matches!(content_of(&[part(Purpose::File)], caption()), Some(Kind::File(_))));
        assert!(matches!(content_of(&[part(Purpose::Voice)], String::new()), Some(Kind::Voice(_))));
        assert_eq!(content_of(&[part(Purpose::Voice)], caption()), None, "nowhere to put it");
        let (picture, video) = (part(Purpose::Image), Part { purpose: Purpose::Video, poster: true });
        let Some(album) = content_of(&[picture, video, picture], caption()) else { panic!("an album") };
        assert_eq!(album.media().len(), 4, "with the still picture");
        assert_eq!(content_of(&[picture, part(Purpose::File)], caption()), None);
        assert_eq!(content_of(&[part(Purpose::Avatar)], String::new()), None);
        assert_eq!(content_of(&[], caption()), None);
        assert!(content_of(&[picture; MAX_ALBUM], caption()).is_some());
        assert_eq!(content_of(&[picture; MAX_ALBUM + 1], caption()), None);
    }

    #[test]
    fn ids_go_where_their_files_are_named() {
        let video = Part { purpose: Purpose::Video, poster: true };
        let content = content_of(&[part(Purpose::Image), video], String::new()).unwrap();
        let draft = Draft::new(ConversationId::from_bytes([1; 16]), content);
        let outgoing = Outgoing::new(Op::new(), parlor_types::Seq(3), draft);
        let parcel = Parcel { outgoing, files: Vec::new(), failed: None, again: 0 };
        let ids = [1, 2, 3].map(|n| MediaId::from_bytes([n; 16]));
        let kind = parcel.complete(&ids).append.content.unwrap().kind.unwrap();
        let named: Vec<_> = kind.media().into_iter().map(|media| media.id.clone()).collect();
        assert_eq!(named, ids.map(|id| id.to_string()));
    }

    #[test]
    fn what_is_sent_on_names_files_and_says_nothing_else_of_them() {
        let media = Media { id: "an id".into(), name: "a name".into(), size: 5, ..Media::default() };
        let image = Image { media: Some(media), caption: "look".into() };
        let Some(Kind::Image(sent)) = forwarded(&Kind::Image(image)) else { panic!("an image") };
        assert_eq!(sent.caption, "look");
        assert_eq!(sent.media, Some(Media { id: "an id".into(), ..Media::default() }));
        let text = Kind::Text(Text { body: "hi".into() });
        assert_eq!(forwarded(&text), Some(text));
        assert_eq!(forwarded(&Kind::Created(Created::default())), None);
    }
}

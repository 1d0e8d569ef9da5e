//! Files in what an entry says. What they are, media-svc knows; here they have an id, and what media-svc said of them when
//! they were claimed.

use bytes::Bytes;
use parlor_types::MediaId;

use super::Content;

/// A file, named by an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Which.
    pub id: MediaId,
    /// What it is. `None` in what a client sends; an entry that is stored has it.
    pub description: Option<Description>,
}

/// What media-svc says of a file: nothing of it ever changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What it was uploaded for.
    pub purpose: Purpose,
    /// All of it, to be passed on: the encoded `parlor.media.v1.Media`.
    pub encoded: Bytes,
}

/// What a file was uploaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A picture to be shown.
    Image,
    /// A file as it is.
    File,
    /// A voice note.
    Voice,
    /// A video.
    Video,
    /// A picture of a person or a group.
    Avatar,
}

/// A video and, if there is one, a still picture of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    /// The video.
    pub media: Media,
    /// The still picture.
    pub poster: Option<Media>,
}

/// One of an album.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlbumItem {
    /// A picture.
    Image(Media),
    /// A video.
    Video(Video),
}

/// A place. All numbers are in range, and so none is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Location {
    /// Degrees north of the equator, -90 to 90.
    pub latitude: f64,
    /// Degrees east of Greenwich, -180 to 180.
    pub longitude: f64,
    /// How far off it may be, in metres; 0 if that is not known.
    pub accuracy_metres: f64,
    /// What it is called; may be empty.
    pub name: String,
    /// Where it is, in words; may be empty.
    pub address: String,
}

impl Eq for Location {}

/// A file was uploaded for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongPurpose;

impl Media {
    /// A file of which nothing but its id is known yet.
    #[must_use]
    pub fn named(id: MediaId) -> Self {
        Self { id, description: None }
    }
}

impl Content {
    /// The files in it, each once.
    #[must_use]
    pub fn media_ids(&self) -> Vec<MediaId> {
        let mut ids = Vec::new();
        for media in self.media() {
            if !ids.contains(&media.id) {
                ids.push(media.id);
            }
        }
        ids
    }

    /// Bytes of what is said of its files.
    #[must_use]
    pub fn description_bytes(&self) -> usize {
        self.media().iter().filter_map(|media| media.description.as_ref()).map(|it| it.encoded.len()).sum()
    }

    fn media(&self) -> Vec<&Media> {
        match self {
            Self::Image { media, .. } | Self::File { media, .. } | Self::Voice(media) => vec![media],
            Self::Video { video, .. } => video.media(),
            Self::Album { items, .. } => items.iter().flat_map(AlbumItem::media).collect(),
            Self::SetAvatar(media) => media.iter().collect(),
            Self::Created { .. }
            | Self::Text(_)
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(..)
            | Self::Location(_)
            | Self::Edit(_)
            | Self::Delete
            | Self::Deleted(_)
            | Self::Withheld(_) => Vec::new(),
        }
    }

    /// The same with its files described.
    ///
    /// # Errors
    /// One of them was uploaded for something else. So counts what is not among those `described`.
    pub fn described(mut self, described: &[Media]) -> Result<Self, WrongPurpose> {
        for (media, wanted) in self.media_mut() {
            let found = described.iter().find(|described| described.id == media.id);
            let description = found.and_then(|found| found.description.clone()).ok_or(WrongPurpose)?;
            if wanted.is_some_and(|wanted| wanted != description.purpose) {
                return Err(WrongPurpose);
            }
            media.description = Some(description);
        }
        Ok(self)
    }

    /// The files in it, each with the purpose it must have been uploaded for; `None` is any.
    fn media_mut(&mut self) -> Vec<(&mut Media, Option<Purpose>)> {
        match self {
            Self::Image { media, .. } => vec![(media, Some(Purpose::Image))],
            Self::File { media, .. } => vec![(media, None)],
            Self::Voice(media) => vec![(media, Some(Purpose::Voice))],
            Self::Video { video, .. } => video.media_mut(),
            Self::Album { items, .. } => items.iter_mut().flat_map(AlbumItem::media_mut).collect(),
            Self::SetAvatar(media) => media.iter_mut().map(|media| (media, Some(Purpose::Avatar))).collect(),
            Self::Created { .. }
            | Self::Text(_)
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(..)
            | Self::Location(_)
            | Self::Edit(_)
            | Self::Delete
            | Self::Deleted(_)
            | Self::Withheld(_) => Vec::new(),
        }
    }
}

impl Video {
    fn media(&self) -> Vec<&Media> {
        std::iter::once(&self.media).chain(&self.poster).collect()
    }

    fn media_mut(&mut self) -> Vec<(&mut Media, Option<Purpose>)> {
        let poster = self.poster.iter_mut().map(|poster| (poster, Some(Purpose::Image)));
        std::iter::once((&mut self.media, Some(Purpose::Video))).chain(poster).collect()
    }
}

impl AlbumItem {
    fn media(&self) -> Vec<&Media> {
        match self {
            Self::Image(media) => vec![media],
            Self::Video(video) => video.media(),
        }
    }

    fn media_mut(&mut self) -> Vec<(&mut Media, Option<Purpose>)> {
        match self {
            Self::Image(media) => vec![(media, Some(Purpose::Image))],
            Self::Video(video) => video.media_mut(),
        }
    }
}

#[cfg(test)]
mod tests {
    use parlor_types::Id as _;

    use super::*;

    fn media(number: u8) -> Media {
        Media::named(MediaId::from_bytes([number; 16]))
    }

    fn described(number: u8, purpose: Purpose) -> Media {
        let encoded = Bytes::copy_from_slice(&[number]);
        Media { description: Some(Description { purpose, encoded }), ..media(number) }
    }

    fn image(number: u8) -> Content {
        Content::Image { media: media(number), caption: String::new() }
    }

    #[test]
    fn each_kind_wants_files_of_its_own_kind() {
        use Purpose::{Avatar, File, Image, Video as Clip, Voice};
        let clip = |poster| Video { media: media(1), poster };
        let caption = String::new;
        for (content, wanted) in [
            (image(1), &[Image][..]),
            (Content::File { media: media(1), caption: caption() }, &[Image, File, Voice, Clip, Avatar][..]),
            (Content::Voice(media(1)), &[Voice]),
            (Content::Video { video: clip(None), caption: caption() }, &[Clip]),
            (Content::SetAvatar(Some(media(1))), &[Avatar]),
            (Content::Album { items: vec![AlbumItem::Image(media(1))], caption: caption() }, &[Image]),
            (Content::Album { items: vec![AlbumItem::Video(clip(None))], caption: caption() }, &[Clip]),
        ] {
            for purpose in [Image, File, Voice, Clip, Avatar] {
                let result = content.clone().described(&[described(1, purpose)]);
                assert_eq!(result.is_ok(), wanted.contains(&purpose), "{content:?} {purpose:?}");
            }
            assert_eq!(content.clone().described(&[described(2, wanted[0])]), Err(WrongPurpose));
        }
        let posted = Content::Video { video: clip(Some(media(2))), caption: caption() };
        assert!(posted.clone().described(&[described(1, Clip), described(2, Image)]).is_ok());
        assert_eq!(posted.described(&[described(1, Clip), described(2, Clip)]), Err(WrongPurpose));
        assert_eq!(Content::SetAvatar(None).described(&[]), Ok(Content::SetAvatar(None)));
    }

    #[test]
    fn a_file_named_twice_is_one() {
        let items = [3, 1, 3].map(|number| AlbumItem::Image(media(number)));
        let album = Content::Album { items: items.into(), caption: String::new() };
        assert_eq!(album.media_ids(), [media(3).id, media(1).id]);
        assert!(Content::Text("x".to_owned()).media_ids().is_empty());
    }
}

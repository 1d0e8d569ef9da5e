//! What holds of each kind of content, whoever looks at it: whether it is a message, which words and which files it has.

use crate::chat::v1::content::Kind;
use crate::chat::v1::{AlbumItem, Entry, Video, album_item};
use crate::media::v1::Media;

impl Entry {
    /// What it says; `None` if that is of a kind this version does not know.
    #[must_use]
    pub fn kind(&self) -> Option<&Kind> {
        self.content.as_ref()?.kind.as_ref()
    }
}

impl Kind {
    /// Whether it is what a person calls a message: it has a message number, and is unread until it is read.
    #[must_use]
    pub fn is_message(&self) -> bool {
        match self {
            Self::Text(_)
            | Self::Image(_)
            | Self::File(_)
            | Self::Voice(_)
            | Self::Video(_)
            | Self::Album(_)
            | Self::Location(_) => true,
            Self::Created(_)
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(_)
            | Self::SetAvatar(_)
            | Self::Edit(_)
            | Self::Delete(_)
            | Self::Withheld(_)
            | Self::Deleted(_) => false,
        }
    }

    /// The words of a message, which an Edit of it replaces; `None` for what has no place for any.
    #[must_use]
    pub fn words(&self) -> Option<&String> {
        match self {
            Self::Text(text) => Some(&text.body),
            Self::Image(image) => Some(&image.caption),
            Self::File(file) => Some(&file.caption),
            Self::Video(video) => Some(&video.caption),
            Self::Album(album) => Some(&album.caption),
            Self::Created(_)
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(_)
            | Self::Voice(_)
            | Self::Location(_)
            | Self::SetAvatar(_)
            | Self::Edit(_)
            | Self::Delete(_)
            | Self::Withheld(_)
            | Self::Deleted(_) => None,
        }
    }

    /// As [`Kind::words`], to be changed.
    pub fn words_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Text(text) => Some(&mut text.body),
            Self::Image(image) => Some(&mut image.caption),
            Self::File(file) => Some(&mut file.caption),
            Self::Video(video) => Some(&mut video.caption),
            Self::Album(album) => Some(&mut album.caption),
            Self::Created(_)
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(_)
            | Self::Voice(_)
            | Self::Location(_)
            | Self::SetAvatar(_)
            | Self::Edit(_)
            | Self::Delete(_)
            | Self::Withheld(_)
            | Self::Deleted(_) => None,
        }
    }

    /// Every file it names, in order; a video before the still picture of it.
    #[must_use]
    pub fn media(&self) -> Vec<&Media> {
        match self {
            Self::Image(image) => image.media.iter().collect(),
            Self::File(file) => file.media.iter().collect(),
            Self::Voice(voice) => voice.media.iter().collect(),
            Self::Video(video) => video.media(),
            Self::Album(album) => album.items.iter().flat_map(AlbumItem::media).collect(),
            Self::SetAvatar(set) => set.media.iter().collect(),
            Self::Created(_)
            | Self::Text(_)
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(_)
            | Self::Location(_)
            | Self::Edit(_)
            | Self::Delete(_)
            | Self::Withheld(_)
            | Self::Deleted(_) => Vec::new(),
        }
    }

    /// As [`Kind::media`], to be changed.
    pub fn media_mut(&mut self) -> Vec<&mut Media> {
        match self {
            Self::Image(image) => image.media.iter_mut().collect(),
            Self::File(file) => file.media.iter_mut().collect(),
            Self::Voice(voice) => voice.media.iter_mut().collect(),
            Self::Video(video) => video.media_mut(),
            Self::Album(album) => album.items.iter_mut().flat_map(AlbumItem::media_mut).collect(),
            Self::SetAvatar(set) => set.media.iter_mut().collect(),
            Self::Created(_)
            | Self::Text(_)
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(_)
            | Self::Location(_)
            | Self::Edit(_)
            | Self::Delete(_)
            | Self::Withheld(_)
            | Self::Deleted(_) => Vec::new(),
        }
    }
}

impl Video {
    fn media(&self) -> Vec<&Media> {
        self.media.iter().chain(&self.poster).collect()
    }

    fn media_mut(&mut self) -> Vec<&mut Media> {
        self.media.iter_mut().chain(&mut self.poster).collect()
    }
}

impl AlbumItem {
    fn media(&self) -> Vec<&Media> {
        match &self.kind {
            Some(album_item::Kind::Image(image)) => image.media.iter().collect(),
            Some(album_item::Kind::Video(video)) => video.media(),
            None => Vec::new(),
        }
    }

    fn media_mut(&mut self) -> Vec<&mut Media> {
        match &mut self.kind {
            Some(album_item::Kind::Image(image)) => image.media.iter_mut().collect(),
            Some(album_item::Kind::Video(video)) => video.media_mut(),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::v1::{Album, Image, SetAvatar, Text, Voice};

    fn file(id: &str) -> Option<Media> {
        Some(Media { id: id.into(), ..Media::default() })
    }

    fn kinds() -> Vec<(Kind, &'static [&'static str], Option<&'static str>)> {
        let image = |id| Image { media: file(id), caption: "seen".into() };
        let video = |poster| Video { media: file("v"), poster, caption: "moving".into() };
        let item = |kind| AlbumItem { kind: Some(kind) };
        let items = vec![
            item(album_item::Kind::Image(image("i"))),
            item(album_item::Kind::Video(video(file("p")))),
            AlbumItem { kind: None },
        ];
        vec![
            (Kind::Text(Text { body: "said".into() }), &[], Some("said")),
            (Kind::Image(image("i")), &["i"], Some("seen")),
            (Kind::Voice(Voice { media: file("s") }), &["s"], None),
            (Kind::Video(video(None)), &["v"], Some("moving")),
            (Kind::Album(Album { items, caption: "all".into() }), &["i", "v", "p"], Some("all")),
            (Kind::SetAvatar(SetAvatar { media: file("a") }), &["a"], None),
        ]
    }

    #[test]
    fn each_kind_names_its_files_in_order_and_its_words() {
        for (mut kind, files, words) in kinds() {
            assert_eq!(kind.media().into_iter().map(|media| &media.id).collect::<Vec<_>>(), files);
            assert_eq!(kind.words().map(String::as_str), words);
            kind.media_mut().into_iter().for_each(|media| media.id.insert(0, '+'));
            kind.words_mut().into_iter().for_each(String::clear);
            assert!(kind.media().into_iter().all(|media| media.id.starts_with('+')));
            assert!(kind.words().is_none_or(String::is_empty));
        }
    }
}

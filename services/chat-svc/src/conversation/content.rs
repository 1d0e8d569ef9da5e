//! What an entry says, in the words of the domain. Values are validated where they come in.

use std::fmt;

use parlor_types::UserId;

use super::media::{AlbumItem, Location, Media, Video};
use super::{HistoryVisibility, Kind, Role};

/// What holds for a whole group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// What those who join later may read.
    pub history_visibility: HistoryVisibility,
}

/// What an entry says.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// The conversation begins. `members` are the others when proposed, all of them (creator first) once stored.
    Created {
        /// Direct or group.
        kind: Kind,
        /// Name of a group; empty for direct.
        name: String,
        /// See above.
        members: Vec<UserId>,
        /// Settings.
        settings: Settings,
    },
    /// A message.
    Text(String),
    /// Users join.
    Add(Vec<UserId>),
    /// Members are removed.
    Remove(Vec<UserId>),
    /// The sender leaves; who is owner from here on, if the last one left.
    Leave(Option<UserId>),
    /// The group is renamed.
    Rename(String),
    /// The settings are replaced.
    Settings(Settings),
    /// A member's role.
    SetRole(UserId, Role),
    /// A picture.
    Image {
        /// The picture.
        media: Media,
        /// Text under it; may be empty.
        caption: String,
    },
    /// A file.
    File {
        /// The file.
        media: Media,
        /// Text under it; may be empty.
        caption: String,
    },
    /// A voice note.
    Voice(Media),
    /// A video.
    Video {
        /// The video.
        video: Video,
        /// Text under it; may be empty.
        caption: String,
    },
    /// Several pictures and videos.
    Album {
        /// In order.
        items: Vec<AlbumItem>,
        /// Text under all of it; may be empty.
        caption: String,
    },
    /// A place.
    Location(Location),
    /// The group has another picture, or none any more.
    SetAvatar(Option<Media>),
    /// The text of an earlier message is another.
    Edit(String),
    /// An earlier message is taken away.
    Delete,
    /// What it said was deleted, and by whom.
    Deleted(UserId),
    /// Kept from this reader. Never stored: it stands for content that is.
    Withheld(Withheld),
}

/// Why content is kept from a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// The reader had blocked the sender.
    SenderBlocked,
    /// It says something from a time when the reader was no member, or of a message from such a time.
    NotMember,
}

impl Content {
    /// Whether it counts as unread for those who have not seen it.
    #[must_use]
    pub fn is_message(&self) -> bool {
        match self {
            Self::Text(_)
            | Self::Image { .. }
            | Self::File { .. }
            | Self::Voice(_)
            | Self::Video { .. }
            | Self::Album { .. }
            | Self::Location(_) => true,
            Self::Created { .. }
            | Self::Add(_)
            | Self::Remove(_)
            | Self::Leave(_)
            | Self::Rename(_)
            | Self::Settings(_)
            | Self::SetRole(..)
            | Self::SetAvatar(_)
            | Self::Edit(_)
            | Self::Delete
            | Self::Deleted(_)
            | Self::Withheld(_) => false,
        }
    }

    /// Whom it brings in, if anybody: they have to exist, and to have room for a conversation more.
    #[must_use]
    pub fn newcomers(&self) -> &[UserId] {
        match self {
            Self::Created { members, .. } | Self::Add(members) => members,
            _ => &[],
        }
    }
}

/// Text and names stay out of logs: only the kind is printed.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created { .. } => "Created",
            Self::Text(_) => "Text",
            Self::Add(_) => "Add",
            Self::Remove(_) => "Remove",
            Self::Leave(_) => "Leave",
            Self::Rename(_) => "Rename",
            Self::Settings(_) => "Settings",
            Self::SetRole(..) => "SetRole",
            Self::Image { .. } => "Image",
            Self::File { .. } => "File",
            Self::Voice(_) => "Voice",
            Self::Video { .. } => "Video",
            Self::Album { .. } => "Album",
            Self::Location(_) => "Location",
            Self::SetAvatar(_) => "SetAvatar",
            Self::Edit(_) => "Edit",
            Self::Delete => "Delete",
            Self::Deleted(_) => "Deleted",
            Self::Withheld(_) => "Withheld",
        })
    }
}

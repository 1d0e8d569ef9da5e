//! What a file is: as it is announced when its upload begins, and as everybody gets it once it is there.

mod name;

use std::fmt;
use std::time::{Duration, SystemTime};

use parlor_types::{Id as _, MediaId, Op, UserId};
use uuid::Uuid;

use crate::parts::Parts;

pub use name::{FileName, MediaType};

/// An id that cannot be guessed.
#[must_use]
pub fn random_id() -> MediaId {
    MediaId::from_bytes(Uuid::new_v4().into_bytes())
}

/// SHA-256 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What an upload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// One of the forms in which a picture can be had; all else has the original alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// What was uploaded, without what its purpose takes out.
    Original,
    /// At most 320 pixels a side.
    Small,
    /// At most 1280 pixels a side.
    Large,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Original, Self::Small, Self::Large];

    /// The last part of the name that its bytes are kept under.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Small => "small",
            Self::Large => "large",
        }
    }
}

/// What is said of a file when its upload begins. None of it ever changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: FileName,
    /// What it is taken for.
    pub media_type: MediaType,
    /// Bytes, from 1.
    pub size: u64,
    /// Of all of it.
    pub sha256: Sha256,
    /// What it is for.
    pub purpose: Purpose,
}

/// A file from the beginning of its upload on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: MediaId,
    /// Who uploads it.
    pub owner: UserId,
    /// What the owner called the upload.
    pub op: Op,
    /// What was said of it.
    pub declared: Declared,
    /// When its upload began.
    pub created: SystemTime,
    /// How far it has come.
    pub stage: Stage,
    /// A profile has used it once. Whether one does now, auth-svc says.
    pub was_avatar: bool,
}

impl Record {
    /// The file, if it is whole and not refused.
    #[must_use]
    pub fn finished(&self) -> Option<&Finished> {
        match &self.stage {
            Stage::Finished(finished) => Some(finished),
            Stage::Uploading { .. } | Stage::Refused => None,
        }
    }
}

/// How far a file has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Parts may be missing.
    Uploading {
        /// Those that are on disk for sure.
        parts: Parts,
        /// When it is forgotten if nothing comes.
        expires: SystemTime,
    },
    /// It is there, whole.
    Finished(Finished),
    /// It was there, and a scanner found harm in it: its bytes are gone.
    Refused,
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What the bytes are.
    pub media_type: String,
    /// Bytes of the original.
    pub size: u64,
    /// Of the original.
    pub sha256: Sha256,
    /// What there is to show of it.
    pub preview: Option<Preview>,
    /// A scanner has not said yet whether it is harmless.
    pub checking: bool,
}

impl Finished {
    /// Bytes of all its forms.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        let of_variant = |variant| self.variant(variant).map_or(0, |(size, ..)| size);
        Variant::ALL.into_iter().map(of_variant).sum()
    }

    /// What one form of it is: size, SHA-256 and type of its bytes; none if there is no such form.
    #[must_use]
    pub fn variant(&self, variant: Variant) -> Option<(u64, Sha256, &str)> {
        if variant == Variant::Original {
            return Some((self.size, self.sha256, &self.media_type));
        }
        let Some(Preview::Image(image)) = &self.preview else { return None };
        let thumbnail = image.thumbnails.iter().find(|thumbnail| thumbnail.variant == variant)?;
        Some((thumbnail.size, thumbnail.sha256, &thumbnail.media_type))
    }
}

/// What there is to show before the bytes are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preview {
    /// Of a picture.
    Image(Image),
    /// Of a voice note.
    Audio {
        /// How long it takes, in whole milliseconds.
        duration: Duration,
        /// How loud it is along the way.
        waveform: Vec<u8>,
    },
    /// Of a video.
    Video {
        /// How long it takes, in whole milliseconds.
        duration: Duration,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// A blurred likeness; may be empty.
    pub thumbhash: Vec<u8>,
    /// It moves.
    pub animated: bool,
    /// The smaller forms there are, by variant.
    pub thumbnails: Vec<Thumbnail>,
}

/// A smaller form of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Which.
    pub variant: Variant,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes.
    pub size: u64,
    /// Of its bytes.
    pub sha256: Sha256,
    /// What the bytes are.
    pub media_type: String,
}

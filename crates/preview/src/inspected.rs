//! What is asked of an inspection and what it answers.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What an upload is for; decides what is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// A picture: JPEG, PNG, WebP or GIF.
    Image,
    /// Anything, byte for byte: named by its first bytes, never taken apart.
    File,
    /// Opus in Ogg, or AAC in MP4 without a picture.
    Voice,
    /// MP4 with a picture.
    Video,
    /// As [`Wanted::Image`].
    Avatar,
}

/// What an inspection found and made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// What the bytes are, such as `image/jpeg`: of what others get, not of what was claimed.
    pub media_type: String,
    /// What others get instead of the input; `None` if that is the input as it is.
    pub cleaned: Option<PathBuf>,
    /// `None` for files, and where nothing could be found out.
    pub preview: Option<Preview>,
}

/// What there is to show before the bytes are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// Of a picture.
    Image {
        /// Pixels, as it is to be shown.
        width: u32,
        /// Pixels, as it is to be shown.
        height: u32,
        /// A blurred likeness, at most 25 bytes; empty if the picture could not be decoded within the limits.
        thumbhash: Vec<u8>,
        /// It has more than one frame.
        animated: bool,
        /// The smaller forms, smallest first; none where the picture is no larger or could not be decoded.
        thumbnails: Vec<Thumbnail>,
    },
    /// Of a voice note.
    Audio {
        /// How long it takes.
        duration: Duration,
        /// [`WAVEFORM_VALUES`](crate::WAVEFORM_VALUES) numbers from 0 (silence) to 255 (its loudest part); empty if it
        /// could not be decoded within the limits.
        waveform: Vec<u8>,
    },
    /// Of a video.
    Video {
        /// How long it takes.
        duration: Duration,
        /// Pixels, as it is to be shown.
        width: u32,
        /// Pixels, as it is to be shown.
        height: u32,
    },
}

/// A smaller form of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// Which.
    pub size: ThumbnailSize,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `image/jpeg`, or `image/png` if some of it is transparent.
    pub media_type: String,
    /// The file.
    pub path: PathBuf,
}

/// How large a thumbnail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThumbnailSize {
    /// At most 320 pixels a side.
    Small,
    /// At most 1280 pixels a side.
    Large,
}

impl ThumbnailSize {
    /// The most pixels a side.
    pub const fn pixels(self) -> u32 {
        match self {
            Self::Small => 320,
            Self::Large => 1280,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The bytes are not what was wanted.
    #[error("the bytes are not what was asked for")]
    Mismatch,
    /// The bytes are plainly not of the type that was claimed, and such are refused.
    #[error("the bytes are not of the type that was claimed")]
    Mislabeled,
    /// It is what was wanted but damaged, so that it could not be cleaned.
    #[error("the bytes are damaged: what they tell of places and people cannot be taken out")]
    Unreadable,
    /// Too much is being looked at: nothing is known of the input, try again later.
    #[error("too many inspections at once")]
    Busy,
    /// A file could not be read or written, or the child could not be started.
    #[error("cannot inspect: {0}")]
    Failed(#[from] io::Error),
}

//! Looks at what people upload: takes out what it tells of places, times and devices, measures it, makes thumbnails.
//!
//! All bytes of strangers are taken apart in a child process that can open, connect and start nothing, has little memory
//! and little time, and gives back bytes. What it cannot clean is refused; what it cannot decode has no preview.

mod clean;
mod format;
mod inspected;
mod inspector;
mod mp4;
mod picture;
mod profile;
mod report;
mod sniff;
mod sound;
mod worker;

#[cfg(any(test, feature = "corpus"))]
#[path = "../corpus/mod.rs"]
pub mod corpus;

pub use inspected::{InspectError, Inspected, Preview, Thumbnail, ThumbnailSize, Wanted};
#[cfg(any(test, feature = "corpus"))]
pub use inspector::told;
pub use inspector::{Inspector, Limits};
pub use sniff::{is_lie, media_type};
pub use worker::{examine, worker};

/// Numbers of a waveform.
pub const WAVEFORM_VALUES: usize = 64;

//! The domain's types as messages.

use parlor_wire::media::v1 as wire;
use parlor_wire::{to_duration, to_time};

use crate::media::{Finished, Image, Preview, Purpose, Record, Variant};
use crate::parts::{PART_BYTES, Parts};
use crate::uploads::Status;

/// An upload, with how far beyond the first missing byte a part may begin.
pub(super) fn upload(status: &Status, window: u64) -> wire::Upload {
    let missing = status
        .parts
        .iter()
        .flat_map(Parts::missing)
        .map(|range| wire::ByteRange { offset: range.start, length: range.end - range.start });
    wire::Upload {
        media_id: status.id.to_string(),
        part_bytes: u32::try_from(PART_BYTES).expect("a part fits a message"),
        window_bytes: window,
        size: status.size,
        missing: missing.collect(),
        finished: status.parts.is_none(),
        expires_at: status.expires.map(to_time),
    }
}

/// A file that is whole.
pub(super) fn media(record: &Record, finished: &Finished) -> wire::Media {
    wire::Media {
        id: record.id.to_string(),
        name: record.declared.name.as_str().to_owned(),
        media_type: finished.media_type.clone(),
        size: finished.size,
        sha256: finished.sha256.0.to_vec().into(),
        purpose: purpose(record.declared.purpose).into(),
        preview: finished.preview.as_ref().map(preview),
    }
}

fn purpose(purpose: Purpose) -> wire::Purpose {
    match purpose {
        Purpose::Image => wire::Purpose::Image,
        Purpose::File => wire::Purpose::File,
        Purpose::Voice => wire::Purpose::Voice,
        Purpose::Video => wire::Purpose::Video,
        Purpose::Avatar => wire::Purpose::Avatar,
    }
}

fn preview(preview: &Preview) -> wire::media::Preview {
    match preview {
        Preview::Image(found) => wire::media::Preview::Image(image(found)),
        Preview::Audio { duration, waveform } => wire::media::Preview::Audio(wire::AudioInfo {
            duration: Some(to_duration(*duration)),
            waveform: waveform.clone().into(),
        }),
        Preview::Video { duration, width, height } => wire::media::Preview::Video(wire::VideoInfo {
            duration: Some(to_duration(*duration)),
            width: *width,
            height: *height,
        }),
    }
}

fn image(image: &Image) -> wire::ImageInfo {
    let thumbnails = image.thumbnails.iter().map(|thumbnail| wire::Thumbnail {
        variant: variant(thumbnail.variant).into(),
        width: thumbnail.width,
        height: thumbnail.height,
        size: thumbnail.size,
        media_type: thumbnail.media_type.clone(),
    });
    wire::ImageInfo {
        width: image.width,
        height: image.height,
        thumbhash: image.thumbhash.clone().into(),
        thumbnails: thumbnails.collect(),
        animated: image.animated,
    }
}

pub(super) fn variant(variant: Variant) -> wire::Variant {
    match variant {
        Variant::Original => wire::Variant::Original,
        Variant::Small => wire::Variant::Small,
        Variant::Large => wire::Variant::Large,
    }
}

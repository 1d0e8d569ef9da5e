//! MP4: a tree of boxes, and samples that it points to by their place in the file.
//!
//! So that no place changes, what is dropped becomes a `free` box of zeros in place. Kept are the boxes that playing needs,
//! without names and times, and of the media data only the samples of tracks with pictures or sound: tracks of places
//! (`gpmd`, `camm`, `mebx`) go, and what lies between samples. Of samples of H.264 and H.265, messages of the coder and the device
//! become filler. Those of AV1 stay whole.

mod boxes;
mod descriptions;
mod esds;
mod fragment;
mod media;
mod nal;
mod scrub;
mod tracks;

use std::io::{self, SeekFrom, Write};
use std::time::Duration;

pub use tracks::Track;

use crate::clean::{Input, copy, damaged, read_vec};
use boxes::BoxHeader;
use tracks::Kind;

/// The longest index that is taken into memory; 100 MiB of video have about 1 MiB.
const MAX_INDEX_BYTES: u64 = 32 * 1024 * 1024;
const MAX_BRANDS_BYTES: u64 = 256;
/// Boxes at the top that are kept as they are: index and start of segments, random access.
const KEPT: &[&[u8; 4]] = &[b"sidx", b"styp", b"mfra"];

/// What an MP4 file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movie {
    pub duration: Duration,
    /// With picture or sound, in the order of the file.
    pub tracks: Vec<Track>,
}

impl Movie {
    /// The first track with a picture.
    pub fn picture(&self) -> Option<&Track> {
        self.tracks.iter().find(|track| track.kind == Kind::Picture)
    }

    /// The first track with sound.
    pub fn sound(&self) -> Option<&Track> {
        self.tracks.iter().find(|track| track.kind == Kind::Sound)
    }
}

pub fn clean(input: &mut impl Input, output: &mut impl Write) -> io::Result<Movie> {
    let top = top_boxes(input)?;
    let Some(index) = top.iter().find(|part| &part.kind == b"moov") else {
        return Err(damaged("no index"));
    };
    let mut bytes = load(input, index)?;
    let mut tracks = tracks::read(index.body(&bytes))?;
    for fragment in top.iter().filter(|part| &part.kind == b"moof") {
        let bytes = load(input, fragment)?;
        fragment::read(fragment.start, fragment.body(&bytes), &mut tracks)?;
    }
    let kept = media::stretches(&tracks);
    let movie = Movie { duration: tracks::duration(index.body(&bytes), &tracks)?, tracks };
    let is_kept_track = |id| movie.tracks.iter().any(|track| track.id == id);
    scrub::index(index.body_mut(&mut bytes), &is_kept_track)?;

    let mut has_index = false;
    for part in &top {
        input.seek(SeekFrom::Start(part.start))?;
        match &part.kind {
            b"ftyp" => copy(input, output, part.length())?,
            b"moov" if !has_index => {
                has_index = true;
                output.write_all(&bytes)?;
            }
            b"moof" => {
                let mut bytes = load(input, part)?;
                scrub::fragment(part.body_mut(&mut bytes), &is_kept_track)?;
                output.write_all(&bytes)?;
            }
            b"mdat" => {
                copy(input, output, part.header)?;
                media::copy_kept(part.start + part.header..part.end, &kept, input, output)?;
            }
            kind if KEPT.contains(&kind) => {
                let mut bytes = load(input, part)?;
                scrub::side_index(kind, part.body_mut(&mut bytes))?;
                output.write_all(&bytes)?;
            }
            _ => {
                let header = read_vec(input, part.header)?;
                output.write_all(&header[..4])?;
                output.write_all(b"free")?;
                output.write_all(&header[8..])?;
                media::zeros(part.length() - part.header, output)?;
            }
        }
    }
    Ok(movie)
}

/// The boxes of the file. What follows the last whole one is dropped, unless it is of those that are needed.
fn top_boxes(input: &mut impl Input) -> io::Result<Vec<BoxHeader>> {
    /// More are of no use: a fragment lasts a second or so.
    const MAX_BOXES: usize = 100_000;
    let end = input.seek(SeekFrom::End(0))?;
    let mut found: Vec<BoxHeader> = Vec::new();
    let mut at = 0;
    while end - at >= 8 && found.len() < MAX_BOXES {
        input.seek(SeekFrom::Start(at))?;
        let Some(part) = boxes::read(input, at, end)? else { break };
        at = part.end;
        found.push(part);
    }
    let starts_well =
        found.first().is_some_and(|first| &first.kind == b"ftyp" && first.length() <= MAX_BRANDS_BYTES);
    if starts_well { Ok(found) } else { Err(damaged("no file type")) }
}

/// A whole box, with its header.
fn load(input: &mut impl Input, part: &BoxHeader) -> io::Result<Vec<u8>> {
    if part.length() > MAX_INDEX_BYTES {
        return Err(damaged("too long an index"));
    }
    input.seek(SeekFrom::Start(part.start))?;
    read_vec(input, part.length())
}

//! What the index says of the tracks.

use std::io;
use std::time::Duration;

use super::boxes::{children, find, u32_at, u64_at};
use super::esds;
use super::nal::{self, Units};
use crate::clean::damaged;

/// Samples of a file; 100 MiB of sound or video have some 100,000.
const MAX_SAMPLES: usize = 2_000_000;

/// What a track is made of. Others, such as text and places, are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Picture,
    Sound,
}

/// A track that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    pub id: u32,
    pub kind: Kind,
    /// Pixels as it is to be shown; 0 for sound.
    pub width: u32,
    /// Pixels as it is to be shown; 0 for sound.
    pub height: u32,
    /// AudioSpecificConfig, if it is AAC.
    pub aac: Option<Vec<u8>>,
    /// What its samples are made of, if it is H.264 or H.265.
    pub units: Option<Units>,
    pub samples: Vec<Sample>,
    pub defaults: Defaults,
    /// Units of its clock a second.
    pub timescale: u32,
    /// How long its fragments take, in units of its clock.
    pub fragments_duration: u64,
}

/// Where a sample lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    pub start: u64,
    pub bytes: u32,
}

/// What holds for samples of fragments that do not say otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Defaults {
    pub duration: u32,
    pub bytes: u32,
}

/// The tracks with picture or sound of an index.
pub fn read(index: &[u8]) -> io::Result<Vec<Track>> {
    let mut tracks: Vec<Track> = Vec::new();
    for child in children(index)?.into_iter().filter(|child| &child.kind == b"trak") {
        if let Some(track) = track(&index[child.body])? {
            if tracks.iter().any(|other| other.id == track.id) {
                return Err(damaged("two tracks of one id"));
            }
            tracks.push(track);
        }
    }
    let Some(extends) = find(index, &[b"mvex"])? else { return Ok(tracks) };
    for child in children(extends)?.into_iter().filter(|child| &child.kind == b"trex") {
        let body = &extends[child.body];
        let id = u32_at(body, 4)?;
        if let Some(track) = tracks.iter_mut().find(|track| track.id == id) {
            track.defaults = Defaults { duration: u32_at(body, 12)?, bytes: u32_at(body, 16)? };
        }
    }
    Ok(tracks)
}

/// The kind of a track, if it is kept.
pub fn kind(track: &[u8]) -> io::Result<Option<Kind>> {
    let Some(handler) = find(track, &[b"mdia", b"hdlr"])? else { return Ok(None) };
    Ok(match handler.get(8..12) {
        Some(b"vide") => Some(Kind::Picture),
        Some(b"soun") => Some(Kind::Sound),
        _ => None,
    })
}

/// The id of a track.
pub fn id(track: &[u8]) -> io::Result<u32> {
    let header = find(track, &[b"tkhd"])?.ok_or(damaged("a track without header"))?;
    u32_at(header, if header.first() == Some(&1) { 20 } else { 12 })
}

fn track(body: &[u8]) -> io::Result<Option<Track>> {
    let Some(kind) = kind(body)? else { return Ok(None) };
    let header = find(body, &[b"tkhd"])?.ok_or(damaged("a track without header"))?;
    let (width, height) = if kind == Kind::Picture { shown_size(header)? } else { (0, 0) };
    let media = find(body, &[b"mdia", b"mdhd"])?.ok_or(damaged("a track without clock"))?;
    let timescale = u32_at(media, if media.first() == Some(&1) { 20 } else { 12 })?;
    let table = find(body, &[b"mdia", b"minf", b"stbl"])?.ok_or(damaged("a track without samples"))?;
    Ok(Some(Track {
        id: id(body)?,
        kind,
        width,
        height,
        aac: esds::of_table(table),
        units: if kind == Kind::Picture { nal::of_table(table)? } else { None },
        samples: samples(table)?,
        defaults: Defaults::default(),
        timescale,
        fragments_duration: 0,
    }))
}

/// Width and height, turned as the matrix of the header says.
fn shown_size(header: &[u8]) -> io::Result<(u32, u32)> {
    let matrix = if header.first() == Some(&1) { 52 } else { 40 };
    let at = |index: usize| u32_at(header, matrix + 4 * index);
    let (width, height) = (at(9)? >> 16, at(10)? >> 16);
    let lies_on_its_side = at(0)? == 0 && at(4)? == 0 && at(1)? != 0 && at(3)? != 0;
    Ok(if lies_on_its_side { (height, width) } else { (width, height) })
}

/// Where the samples of a table lie.
fn samples(table: &[u8]) -> io::Result<Vec<Sample>> {
    let sizes = sizes(table)?;
    let chunks = chunks(table)?;
    let per_chunk = find(table, &[b"stsc"])?.unwrap_or_default();
    let runs = if per_chunk.is_empty() { 0 } else { u32_at(per_chunk, 4)? as usize };
    let mut samples = Vec::with_capacity(sizes.len());
    let mut run = 0;
    let mut sizes = sizes.into_iter();
    for (number, &chunk) in (1_u32..).zip(&chunks) {
        while run + 1 < runs && u32_at(per_chunk, 8 + 12 * (run + 1))? <= number {
            run += 1;
        }
        if runs == 0 {
            return Err(damaged("chunks without samples"));
        }
        let count = u32_at(per_chunk, 12 + 12 * run)?;
        let mut start = chunk;
        for bytes in sizes.by_ref().take(count as usize) {
            samples.push(Sample { start, bytes });
            start = start.checked_add(bytes.into()).ok_or(damaged("a sample beyond any file"))?;
        }
    }
    Ok(samples)
}

fn sizes(table: &[u8]) -> io::Result<Vec<u32>> {
    if let Some(body) = find(table, &[b"stsz"])? {
        let (all, count) = (u32_at(body, 4)?, u32_at(body, 8)? as usize);
        if count > MAX_SAMPLES {
            return Err(damaged("too many samples"));
        }
        return if all > 0 {
            Ok(vec![all; count])
        } else {
            (0..count).map(|n| u32_at(body, 12 + 4 * n)).collect()
        };
    }
    let Some(body) = find(table, &[b"stz2"])? else { return Ok(Vec::new()) };
    let (bits, count) = (u32_at(body, 4)? & 0xff, u32_at(body, 8)? as usize);
    let size = |n: usize| {
        let at = |place: usize| body.get(12 + place).copied().map(u32::from);
        match bits {
            4 => at(n / 2).map(|byte| if n.is_multiple_of(2) { byte >> 4 } else { byte & 0xf }),
            8 => at(n),
            16 => Some((at(2 * n)? << 8) | at(2 * n + 1)?),
            _ => None,
        }
    };
    if count > MAX_SAMPLES {
        return Err(damaged("too many samples"));
    }
    (0..count).map(|n| size(n).ok_or(damaged("a short table of sizes"))).collect()
}

fn chunks(table: &[u8]) -> io::Result<Vec<u64>> {
    if let Some(body) = find(table, &[b"stco"])? {
        let count = u32_at(body, 4)? as usize;
        return (0..count).map(|n| u32_at(body, 8 + 4 * n).map(u64::from)).collect();
    }
    let Some(body) = find(table, &[b"co64"])? else { return Ok(Vec::new()) };
    let count = u32_at(body, 4)? as usize;
    (0..count).map(|n| u64_at(body, 8 + 8 * n)).collect()
}

/// How long all of it takes: as the index says, or as long as its longest fragments.
pub fn duration(index: &[u8], tracks: &[Track]) -> io::Result<Duration> {
    let header = find(index, &[b"mvhd"])?.ok_or(damaged("no header of the movie"))?;
    let (timescale, said) = if header.first() == Some(&1) {
        (u32_at(header, 20)?, u64_at(header, 24)?)
    } else {
        (
            u32_at(header, 12)?,
            match u32_at(header, 16)? {
                u32::MAX => u64::MAX,
                units => units.into(),
            },
        )
    };
    if said > 0 && said < u64::MAX {
        return Ok(in_time(said, timescale));
    }
    let of_track = |track: &Track| in_time(track.fragments_duration, track.timescale);
    Ok(tracks.iter().map(of_track).max().unwrap_or_default())
}

fn in_time(units: u64, timescale: u32) -> Duration {
    let timescale = u64::from(timescale.max(1));
    Duration::new(
        units / timescale,
        u32::try_from(units % timescale * 1_000_000_000 / timescale).unwrap_or(0),
    )
}

//! Fragments: pieces of the index that come with their media data, as browsers record.

use std::io;

use super::boxes::{children, find, u32_at, u64_at};
use super::tracks::{Sample, Track};
use crate::clean::damaged;

const MAX_SAMPLES: usize = 2_000_000;

/// Adds the samples of the fragment whose `moof` begins at `start` and has this body.
pub fn read(start: u64, body: &[u8], tracks: &mut [Track]) -> io::Result<()> {
    let parts: Vec<_> = children(body)?.into_iter().filter(|child| &child.kind == b"traf").collect();
    for (index, part) in parts.iter().enumerate() {
        let part = &body[part.body.clone()];
        let Some(header) = find(part, &[b"tfhd"])? else { return Err(damaged("a fragment without header")) };
        let id = u32_at(header, 4)?;
        // Of dropped tracks nothing is kept.
        let Some(track) = tracks.iter_mut().find(|track| track.id == id) else { continue };
        let header = Header::read(header, track)?;
        // By the oldest rule, later parts begin where the ones before end; nobody writes that any more.
        if index > 0 && header.base.is_none() && !header.base_is_start {
            return Err(damaged("a fragment without place"));
        }
        runs(part, header.base.unwrap_or(start), &header, track)?;
    }
    Ok(())
}

struct Header {
    base: Option<u64>,
    base_is_start: bool,
    duration: u32,
    bytes: u32,
}

impl Header {
    fn read(body: &[u8], track: &Track) -> io::Result<Self> {
        let flags = u32_at(body, 0)?;
        let mut at = 8;
        let mut next = |flag: u32, length: usize| {
            let here = at;
            at += if flags & flag == 0 { 0 } else { length };
            (flags & flag != 0).then_some(here)
        };
        let base = next(0x01, 8).map(|at| u64_at(body, at)).transpose()?;
        next(0x02, 4);
        let duration = next(0x08, 4).map(|at| u32_at(body, at)).transpose()?;
        let bytes = next(0x10, 4).map(|at| u32_at(body, at)).transpose()?;
        Ok(Self {
            base,
            base_is_start: flags & 0x02_0000 != 0,
            duration: duration.unwrap_or(track.defaults.duration),
            bytes: bytes.unwrap_or(track.defaults.bytes),
        })
    }
}

fn runs(part: &[u8], base: u64, header: &Header, track: &mut Track) -> io::Result<()> {
    let mut place = base;
    for run in children(part)?.into_iter().filter(|child| &child.kind == b"trun") {
        let run = &part[run.body];
        let flags = u32_at(run, 0)?;
        let count = u32_at(run, 4)? as usize;
        let mut at = 8;
        if flags & 0x01 != 0 {
            let offset = u32_at(run, at)?.cast_signed();
            place = base.checked_add_signed(offset.into()).ok_or(damaged("a sample beyond any file"))?;
            at += 4;
        }
        if flags & 0x04 != 0 {
            at += 4;
        }
        if track.samples.len().saturating_add(count) > MAX_SAMPLES {
            return Err(damaged("too many samples"));
        }
        for _ in 0..count {
            let mut next = |flag: u32, default: u32| {
                if flags & flag == 0 {
                    return Ok(default);
                }
                at += 4;
                u32_at(run, at - 4)
            };
            let duration = next(0x100, header.duration)?;
            let bytes = next(0x200, header.bytes)?;
            next(0x400, 0)?;
            next(0x800, 0)?;
            track.samples.push(Sample { start: place, bytes });
            track.fragments_duration = track.fragments_duration.saturating_add(duration.into());
            place = place.checked_add(bytes.into()).ok_or(damaged("a sample beyond any file"))?;
        }
    }
    Ok(())
}

//! Media data: the bytes that samples are made of.

use std::io::{self, Write};
use std::ops::Range;

use super::nal::{self, Units};
use super::tracks::Track;
use crate::clean::{Input, copy, skip};

/// Bytes that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    place: Range<u64>,
    /// If it is one sample, what that is made of.
    units: Option<Units>,
}

/// What is kept for these tracks: sorted, apart from each other.
pub fn stretches(tracks: &[Track]) -> Vec<Stretch> {
    let mut samples: Vec<_> = tracks
        .iter()
        .flat_map(|track| track.samples.iter().map(|sample| (sample, track.units)))
        .filter(|(sample, _)| sample.bytes > 0)
        .collect();
    samples.sort_by_key(|(sample, _)| sample.start);
    let mut all: Vec<Stretch> = Vec::new();
    for (sample, units) in samples {
        let end = sample.start.saturating_add(sample.bytes.into());
        let start = all.last().map_or(0, |last| last.place.end).max(sample.start);
        if start >= end {
            continue;
        }
        // What begins within another sample is not made of anything.
        let units = units.filter(|_| start == sample.start);
        match all.last_mut() {
            Some(last) if last.units.is_none() && units.is_none() && last.place.end == start => {
                last.place.end = end;
            }
            _ => all.push(Stretch { place: start..end, units }),
        }
    }
    all
}

/// Writes the bytes `place` of the input, from where it stands: those of `kept`, which is sorted, and zeros for the others.
pub fn copy_kept(
    place: Range<u64>,
    kept: &[Stretch],
    input: &mut impl Input,
    output: &mut impl Write,
) -> io::Result<()> {
    let first = kept.partition_point(|stretch| stretch.place.end <= place.start);
    let mut at = place.start;
    for stretch in kept[first..].iter().take_while(|stretch| stretch.place.start < place.end) {
        let (start, end) = (stretch.place.start.max(place.start), stretch.place.end.min(place.end));
        blank(start - at, input, output)?;
        match stretch.units {
            Some(units) if start == stretch.place.start => {
                nal::copy_sample(units, end - start, input, output)?
            }
            _ => copy(input, output, end - start)?,
        }
        at = end;
    }
    blank(place.end - at, input, output)
}

fn blank(count: u64, input: &mut impl Input, output: &mut impl Write) -> io::Result<()> {
    skip(input, count)?;
    zeros(count, output)
}

/// Writes this many zeros.
pub fn zeros(count: u64, output: &mut impl Write) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), count), output).map(drop)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Seek, SeekFrom};

    use super::*;

    #[test]
    fn what_no_sample_uses_becomes_zeros() {
        let mut input = Cursor::new(b"0123456789".to_vec());
        input.seek(SeekFrom::Start(2)).expect("it is in memory");
        let mut output = Vec::new();
        let kept = [0..1, 1..3, 5..6, 8..20].map(|place| Stretch { place, units: None });
        copy_kept(2..9, &kept, &mut input, &mut output).expect("all is there");
        assert_eq!(output, b"2\0\x005\0\x008");
    }
}

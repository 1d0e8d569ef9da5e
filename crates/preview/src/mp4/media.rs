//! Media data: the bytes that samples are made of.

use std::io::{self, Write};
use std::ops::Range;

use crate::clean::{Input, copy, skip};

/// Writes the bytes `place` of the input, from where it stands: those of `kept`, which is sorted, and zeros for the others.
pub fn copy_kept(
    place: Range<u64>,
    kept: &[Range<u64>],
    input: &mut impl Input,
    output: &mut impl Write,
) -> io::Result<()> {
    let first = kept.partition_point(|range| range.end <= place.start);
    let mut at = place.start;
    for range in kept[first..].iter().take_while(|range| range.start < place.end) {
        let (start, end) = (range.start.max(place.start), range.end.min(place.end));
        blank(start - at, input, output)?;
        copy(input, output, end - start)?;
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
        copy_kept(2..9, &[0..1, 1..3, 5..6, 8..20], &mut input, &mut output).expect("all is there");
        assert_eq!(output, b"2\0\x005\0\x008");
    }
}

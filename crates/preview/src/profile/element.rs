//! What the tags of a profile hold: numbers, curves and tables. Each is cut to what it uses, and what is reserved is zero.

/// Channels of a device or of what lies between profiles.
const MAX_CHANNELS: usize = 15;

/// The element of this tag that `data` begins with; `None` if it is of no type that the tag can have.
pub fn rebuild(tag: &[u8; 4], data: &[u8]) -> Option<Vec<u8>> {
    match tag {
        b"rTRC" | b"gTRC" | b"bTRC" | b"kTRC" => curve(data),
        b"chad" => plain(data, b"sf32", 8 + 9 * 4),
        b"cicp" => plain(data, b"cicp", 12),
        b"A2B0" | b"A2B1" | b"A2B2" | b"B2A0" | b"B2A1" | b"B2A2" | b"gamt" => match &word(data, 0)? {
            b"mft1" => table(data, 48, 1, 256, 256),
            b"mft2" => table(data, 52, 2, usize::from(u16_at(data, 48)?), usize::from(u16_at(data, 50)?)),
            b"mAB " | b"mBA " => stages(data),
            _ => None,
        },
        _ => plain(data, b"XYZ ", 20),
    }
}

/// The four bytes at `at`.
pub fn word(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    word(bytes, at).map(u32::from_be_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// An element of this type and length.
fn plain(data: &[u8], kind: &[u8; 4], length: usize) -> Option<Vec<u8>> {
    let mut element = data.get(..length).filter(|data| data.starts_with(kind))?.to_vec();
    element[4..8].fill(0);
    Some(element)
}

/// A curve of so many points, or of one of five formulas.
fn curve(data: &[u8]) -> Option<Vec<u8>> {
    if data.starts_with(b"curv") {
        let points = usize::try_from(u32_at(data, 8)?).ok()?;
        return plain(data, b"curv", points.checked_mul(2)?.checked_add(12)?);
    }
    let numbers: usize = *[1, 3, 4, 5, 7].get(usize::from(u16_at(data, 8)?))?;
    let mut element = plain(data, b"para", 12 + 4 * numbers)?;
    element[10..12].fill(0);
    Some(element)
}

/// A table of older profiles: a matrix, curves of `before` points, a grid, curves of `after` points, `width` bytes each.
fn table(data: &[u8], header: usize, width: usize, before: usize, after: usize) -> Option<Vec<u8>> {
    let (from, to) = channels(data)?;
    let grid = usize::from(*data.get(10)?).checked_pow(u32::try_from(from).ok()?)?.checked_mul(to)?;
    let points = grid.checked_add(before * from)?.checked_add(after * to)?;
    let kind = word(data, 0)?;
    let mut element = plain(data, &kind, points.checked_mul(width)?.checked_add(header)?)?;
    element[11] = 0;
    Some(element)
}

/// How many channels go into a table and come out of it.
fn channels(data: &[u8]) -> Option<(usize, usize)> {
    let is_some = |count: &usize| (1..=MAX_CHANNELS).contains(count);
    let from = data.get(8).copied().map(usize::from).filter(is_some)?;
    let to = data.get(9).copied().map(usize::from).filter(is_some)?;
    Some((from, to))
}

/// A table of newer profiles: up to five stages, each at a place of its own.
fn stages(data: &[u8]) -> Option<Vec<u8>> {
    let (from, to) = channels(data)?;
    let (device, between) = if data.starts_with(b"mAB ") { (from, to) } else { (to, from) };
    let mut element = data.get(..32)?.to_vec();
    element[4..8].fill(0);
    element[10..].fill(0);
    for place in [12, 16, 20, 24, 28] {
        let start = usize::try_from(u32_at(data, place)?).ok()?;
        if start == 0 {
            continue;
        }
        let stage = data.get(start..)?;
        let stage = match place {
            // A matrix of three by three, and three numbers to add.
            16 => stage.get(..48)?.to_vec(),
            24 => grid(stage, from, to)?,
            28 => curves(stage, device)?,
            _ => curves(stage, between)?,
        };
        let start = u32::try_from(element.len()).ok()?;
        element[place..place + 4].copy_from_slice(&start.to_be_bytes());
        element.extend(stage);
    }
    Some(element)
}

/// So many curves, each from a multiple of four on.
fn curves(data: &[u8], count: usize) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.extend(curve(data.get(all.len()..)?)?);
        all.resize(all.len().next_multiple_of(4), 0);
    }
    Some(all)
}

/// A grid of its own number of points along each channel.
fn grid(data: &[u8], from: usize, to: usize) -> Option<Vec<u8>> {
    const HEADER_BYTES: usize = 20;
    let width = usize::from(*data.get(16)?);
    if !(1..=2).contains(&width) {
        return None;
    }
    let points =
        data.get(..from)?.iter().try_fold(to, |all, &points| all.checked_mul(usize::from(points)))?;
    let length = points.checked_mul(width)?.checked_add(HEADER_BYTES)?;
    let mut grid = data.get(..length)?.to_vec();
    grid[from..16].fill(0);
    grid[17..HEADER_BYTES].fill(0);
    grid.resize(length.next_multiple_of(4), 0);
    Some(grid)
}

//! JPEG: a list of segments, with coded pixels after each start of scan.
//!
//! Kept are tables, frames, scans, JFIF without its thumbnail, what colour needs of the profile and Adobe's colour transform. A
//! file that ends within a scan gets its end.

mod profile;

use std::io::{self, Write};

use image::metadata::Orientation;

use super::{Input, Picture, damaged, orientation, read_vec, skip, take};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;
/// Of JFIF, without the thumbnail that may follow.
const JFIF_BYTES: usize = 14;
const ADOBE_BYTES: usize = 12;

pub fn clean(input: &mut impl Input, output: &mut impl Write) -> io::Result<Picture> {
    if take(input)? != [0xff, START] {
        return Err(damaged("no start of image"));
    }
    output.write_all(&[0xff, START])?;
    let mut walk = Walk { size: None, orientation: None, profile: profile::Parts::default() };
    let mut next = None;
    loop {
        let marker = match next.take() {
            Some(marker) => marker,
            None => next_marker(input)?,
        };
        match marker {
            END => break,
            0x01 | 0xd0..=START => {}
            SCAN => {
                walk.segment(SCAN, input, output)?;
                next = scan(input, output)?;
                if next.is_none() {
                    break;
                }
            }
            _ => walk.segment(marker, input, output)?,
        }
    }
    output.write_all(&[0xff, END])?;
    let Some((width, height)) = walk.size else { return Err(damaged("no frame")) };
    let orientation = walk.orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Picture { width, height, animated: false, orientation })
}

struct Walk {
    size: Option<(u32, u32)>,
    orientation: Option<Orientation>,
    profile: profile::Parts,
}

impl Walk {
    /// Writes or drops one segment.
    fn segment(&mut self, marker: u8, input: &mut impl Input, output: &mut impl Write) -> io::Result<()> {
        let length =
            u16::from_be_bytes(take(input)?).checked_sub(2).ok_or(damaged("a segment without length"))?;
        match marker {
            // Tables, restart interval, number of lines.
            0xc4 | 0xcc | 0xdb..=0xdd => write_segment(marker, &read_vec(input, length.into())?, output),
            0xc0..=0xc7 | 0xc9..=0xcf => {
                let frame = read_vec(input, length.into())?;
                self.frame(&frame)?;
                self.write_profile(output)?;
                write_segment(marker, &frame, output)
            }
            SCAN if self.size.is_none() => Err(damaged("a scan before its frame")),
            SCAN => write_segment(marker, &read_vec(input, length.into())?, output),
            0xde | 0xdf => Err(damaged("a hierarchy of frames")),
            APP0 | APP1 | APP2 | APP14 => {
                let data = read_vec(input, length.into())?;
                self.application(marker, &data, output)
            }
            _ => skip(input, length.into()),
        }
    }

    fn frame(&mut self, frame: &[u8]) -> io::Result<()> {
        let [_, y1, y0, x1, x0, ..] = *frame else { return Err(damaged("a frame without size")) };
        let (width, height) = (u16::from_be_bytes([x1, x0]), u16::from_be_bytes([y1, y0]));
        if width == 0 || height == 0 || self.size.is_some() {
            return Err(damaged("a frame of no size, or a second one"));
        }
        self.size = Some((width.into(), height.into()));
        Ok(())
    }

    fn application(&mut self, marker: u8, data: &[u8], output: &mut impl Write) -> io::Result<()> {
        match marker {
            APP0 if data.starts_with(b"JFIF\0") && data.len() >= JFIF_BYTES => {
                let mut jfif = data[..JFIF_BYTES].to_vec();
                // Width and height of its thumbnail.
                jfif[12..].fill(0);
                write_segment(marker, &jfif, output)
            }
            APP1 if data.starts_with(orientation::EXIF_PREFIX) && self.orientation.is_none() => {
                let found = orientation::read(data);
                self.orientation = Some(found);
                let Some(exif) = orientation::write(found) else { return Ok(()) };
                write_segment(marker, &[orientation::EXIF_PREFIX, &exif].concat(), output)
            }
            APP2 => {
                if let (Some(part), None) = (data.strip_prefix(profile::PREFIX), self.size) {
                    self.profile.add(part);
                }
                Ok(())
            }
            APP14 if data.starts_with(b"Adobe") && data.len() >= ADOBE_BYTES => {
                write_segment(marker, &data[..ADOBE_BYTES], output)
            }
            _ => Ok(()),
        }
    }
}

impl Walk {
    fn write_profile(&mut self, output: &mut impl Write) -> io::Result<()> {
        let parts = self.profile.take();
        parts.iter().try_for_each(|part| write_segment(APP2, &[profile::PREFIX, part].concat(), output))
    }
}

fn write_segment(marker: u8, data: &[u8], output: &mut impl Write) -> io::Result<()> {
    let length = u16::try_from(data.len() + 2).map_err(|_| damaged("a segment that is too long"))?;
    output.write_all(&[0xff, marker])?;
    output.write_all(&length.to_be_bytes())?;
    output.write_all(data)
}

/// The next marker; bytes before it belong to nothing and are dropped.
fn next_marker(input: &mut impl Input) -> io::Result<u8> {
    let mut after_ff = false;
    loop {
        let [byte] = take(input)?;
        match byte {
            0xff => after_ff = true,
            0 => after_ff = false,
            marker if after_ff => return Ok(marker),
            _ => {}
        }
    }
}

/// Writes coded pixels up to the next marker that ends them, which is returned; `None` at the end of the file.
fn scan(input: &mut impl Input, output: &mut impl Write) -> io::Result<Option<u8>> {
    loop {
        let buffer = input.fill_buf()?;
        let plain = buffer.iter().position(|&byte| byte == 0xff).unwrap_or(buffer.len());
        output.write_all(&buffer[..plain])?;
        let ended = buffer.is_empty();
        input.consume(plain);
        if ended {
            return Ok(None);
        }
        match after_ff(input)? {
            // Not begun with 0xff, or at the end of what was buffered: on to the next bytes.
            After::Nothing => {}
            After::Stuffed(byte) => output.write_all(&[0xff, byte])?,
            After::Marker(marker) => return Ok(Some(marker)),
            After::End => return Ok(None),
        }
    }
}

/// What stands at the start of the input, if that is 0xff.
enum After {
    Nothing,
    /// A byte 0xff of the coded pixels, or a restart.
    Stuffed(u8),
    Marker(u8),
    End,
}

fn after_ff(input: &mut impl Input) -> io::Result<After> {
    let mut seen = false;
    loop {
        let next = input.fill_buf()?.first().copied();
        match next {
            Some(0xff) => seen = true,
            _ if !seen => return Ok(After::Nothing),
            None => return Ok(After::End),
            Some(byte) => {
                input.consume(1);
                let stuffed = matches!(byte, 0 | 0xd0..=0xd7);
                return Ok(if stuffed { After::Stuffed(byte) } else { After::Marker(byte) });
            }
        }
        input.consume(1);
    }
}

//! Opus in Ogg: a header packet, a packet of tags, then sound.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use ogg::{OggReadError, Packet, PacketReader, PacketWriteEndInfo, PacketWriter};
use opus_pure::OpusDecoder;

use super::waveform::Waveform;
use crate::clean::{Input, damaged};

/// Samples a second that lengths are counted in, whatever was recorded.
const RATE: u64 = 48_000;
/// Samples a second that loudness is taken from; the least that the decoder can give.
const HEARD_RATE: i32 = 8_000;
/// The longest packet: 120 ms.
const MAX_PACKET_SAMPLES: usize = HEARD_RATE as usize * 120 / 1000;
/// Of the header, where channels are mapped in the usual way.
const HEADER_BYTES: usize = 19;
/// Tags that name no maker and say nothing.
const NO_TAGS: &[u8] = b"OpusTags\0\0\0\0\0\0\0\0";

/// What cleaning has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusFacts {
    pub duration: Duration,
    /// Of sound.
    pub packets: usize,
    /// Mono or stereo: it can be decoded.
    pub is_plain: bool,
}

/// Writes header, no tags, and the sound of the first stream.
pub fn clean(input: &mut impl Input, output: &mut impl Write) -> io::Result<OpusFacts> {
    let mut reader = PacketReader::new(input);
    let mut writer = PacketWriter::new(output);
    let head = next(&mut reader)?.ok_or(damaged("no header"))?;
    let serial = head.stream_serial();
    let header = Header::read(&head)?;
    writer.write_packet(header.bytes, serial, PacketWriteEndInfo::EndPage, 0)?;
    let tags = next_of(&mut reader, serial)?.ok_or(damaged("no tags"))?;
    if !tags.data.starts_with(b"OpusTags") || !tags.last_in_page() {
        return Err(damaged("no tags"));
    }
    writer.write_packet(NO_TAGS, serial, PacketWriteEndInfo::EndPage, 0)?;

    let mut samples = 0_u64;
    let mut packets = 0;
    while let Some(packet) = next_of(&mut reader, serial)? {
        samples += packet_samples(&packet.data);
        packets += 1;
        let last = packet.last_in_stream();
        let end = match (last, packet.last_in_page()) {
            (true, _) => PacketWriteEndInfo::EndStream,
            (_, true) => PacketWriteEndInfo::EndPage,
            _ => PacketWriteEndInfo::NormalPacket,
        };
        let position = packet.absgp_page();
        writer.write_packet(Cow::Owned(packet.data), serial, end, position)?;
        if last {
            break;
        }
    }
    if packets == 0 {
        return Err(damaged("no sound"));
    }
    let heard = samples.saturating_sub(header.skipped);
    let nanos = u128::from(heard) * 1_000_000_000 / u128::from(RATE);
    let duration = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
    Ok(OpusFacts { duration, packets, is_plain: header.channels.is_some() })
}

struct Header {
    bytes: Vec<u8>,
    /// Samples to leave out at the beginning.
    skipped: u64,
    /// 1 or 2; other numbers are mapped in ways that are not decoded here.
    channels: Option<usize>,
}

impl Header {
    fn read(packet: &Packet) -> io::Result<Self> {
        let data = &packet.data;
        let ends_page = packet.first_in_stream() && packet.last_in_page();
        if !data.starts_with(b"OpusHead") || data.len() < HEADER_BYTES || !ends_page {
            return Err(damaged("no header"));
        }
        let (channels, mapping) = (usize::from(data[9]), data[18]);
        let bytes = if mapping == 0 { HEADER_BYTES } else { HEADER_BYTES + 2 + channels };
        let bytes = data.get(..bytes).ok_or(damaged("a short header"))?.to_vec();
        let plain = mapping == 0 && (1..=2).contains(&channels);
        let skipped = u16::from_le_bytes([data[10], data[11]]).into();
        Ok(Self { bytes, skipped, channels: plain.then_some(channels) })
    }
}

fn next(reader: &mut PacketReader<&mut impl Input>) -> io::Result<Option<Packet>> {
    match reader.read_packet() {
        Ok(packet) => Ok(packet),
        // Cut off within a page: what was whole stays.
        Err(OggReadError::ReadError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(OggReadError::ReadError(error)) => Err(error),
        Err(_) => Err(damaged("a damaged page")),
    }
}

/// The next packet of this stream. Others in the same file are dropped.
fn next_of(reader: &mut PacketReader<&mut impl Input>, serial: u32) -> io::Result<Option<Packet>> {
    loop {
        match next(reader)? {
            Some(packet) if packet.stream_serial() != serial => {}
            found => return Ok(found),
        }
    }
}

/// Samples of a packet at [`RATE`], as its first bytes say.
fn packet_samples(packet: &[u8]) -> u64 {
    let Some(&toc) = packet.first() else { return 0 };
    let (mode, size) = (toc >> 3, u64::from((toc >> 3) & 3));
    let frame = match mode {
        // Speech: 10, 20, 40, 60 ms.
        0..12 => [480, 960, 1920, 2880][size as usize],
        // Speech and more: 10, 20 ms.
        12..16 => 480 << (size & 1),
        // 2.5, 5, 10, 20 ms.
        _ => 120 << size,
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1).copied().unwrap_or(0) & 0x3f),
    };
    (frame * frames).min(RATE * 120 / 1000)
}

/// How loud it is along the way; `None` if it cannot be decoded.
pub fn waveform(input: &mut impl Input, facts: OpusFacts) -> io::Result<Option<Vec<u8>>> {
    if !facts.is_plain {
        return Ok(None);
    }
    input.rewind()?;
    let mut reader = PacketReader::new(input);
    let head = next(&mut reader)?.ok_or(damaged("no header"))?;
    let serial = head.stream_serial();
    // The decoder turns stereo into mono by itself.
    let Ok(mut decoder) = OpusDecoder::new(HEARD_RATE, 1) else { return Ok(None) };
    next_of(&mut reader, serial)?;
    let mut waveform = Waveform::new(facts.packets);
    let mut samples = vec![0.0; MAX_PACKET_SAMPLES];
    for _ in 0..facts.packets {
        let Some(packet) = next_of(&mut reader, serial)? else { break };
        let wanted = waveform.wants_next() && !packet.data.is_empty();
        let decoded =
            if wanted { decoder.decode(&packet.data, MAX_PACKET_SAMPLES, &mut samples).ok() } else { None };
        waveform.push(&samples[..decoded.unwrap_or(0)]);
    }
    Ok(Some(waveform.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_says_how_long_it_is() {
        for (packet, milliseconds_by_10) in [
            (&[0b0000_0000][..], 100),
            (&[0b0000_1001], 400),
            (&[0b0001_1011, 2], 1200),
            (&[0b0110_1000], 200),
            (&[0b1000_0000], 25),
            (&[0b1111_1000], 200),
            (&[0b1111_1011, 63], 1200),
            (&[], 0),
        ] {
            assert_eq!(packet_samples(packet) * 10 / 48, milliseconds_by_10, "{packet:?}");
        }
    }
}

//! Voice notes: Opus in Ogg.

use ogg::{PacketWriteEndInfo, PacketWriter};

use super::{CANARY, PLACE};

/// 20 milliseconds of silence, as Opus encodes them.
const SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];
/// Samples of that, at the 48 kHz in which Opus in Ogg counts.
const SAMPLES: u64 = 960;
/// What the stream is called.
const SERIAL: u32 = 7;

/// So many times 20 milliseconds of silence, with tags.
///
/// # Panics
/// There are none.
#[must_use]
pub fn voice(frames: u64) -> Vec<u8> {
    let mut ogg = Vec::new();
    let mut writer = PacketWriter::new(&mut ogg);
    let mut packet =
        |bytes: Vec<u8>, end, at| writer.write_packet(bytes, SERIAL, end, at).expect("memory can be written");
    // One channel, nothing skipped, recorded at 48 kHz.
    let head = [b"OpusHead\x01\x01\0\0".as_slice(), &48_000_u32.to_le_bytes(), b"\0\0\0"].concat();
    packet(head, PacketWriteEndInfo::EndPage, 0);
    packet(tags(), PacketWriteEndInfo::EndPage, 0);
    for frame in 1..=frames {
        let end =
            if frame == frames { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::NormalPacket };
        packet(SILENCE.to_vec(), end, frame * SAMPLES);
    }
    ogg
}

fn tags() -> Vec<u8> {
    let text = |text: &str| {
        let length = u32::try_from(text.len()).expect("a short text").to_le_bytes();
        [length.as_slice(), text.as_bytes()].concat()
    };
    let comments = [format!("ARTIST={CANARY}"), format!("LOCATION={} {}", PLACE.0, PLACE.1)];
    let many = 2_u32.to_le_bytes();
    [b"OpusTags".to_vec(), text(CANARY), many.to_vec(), text(&comments[0]), text(&comments[1])].concat()
}

//! Opus in Ogg.

use std::io::Cursor;

use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};

use super::secrets;

/// The same sound with long tags, another stream beside it, and something after it.
pub fn telling(opus: &[u8]) -> Vec<u8> {
    const OTHER: u32 = 4711;
    let secrets = secrets();
    let mut reader = PacketReader::new(Cursor::new(opus));
    let mut bytes = Vec::new();
    let mut writer = PacketWriter::new(&mut bytes);
    for number in 0.. {
        let Some(packet) = reader.read_packet().expect("it is whole") else { break };
        let serial = packet.stream_serial();
        let end = match (packet.last_in_stream(), packet.last_in_page()) {
            (true, _) => PacketWriteEndInfo::EndStream,
            (_, true) => PacketWriteEndInfo::EndPage,
            _ => PacketWriteEndInfo::NormalPacket,
        };
        let position = packet.absgp_page();
        let data = match number {
            0 => [packet.data.as_slice(), &secrets].concat(),
            1 => tags(&secrets.repeat(2000)),
            _ => packet.data,
        };
        writer.write_packet(data, serial, end, position).expect("it is written to memory");
        if number == 1 {
            let beside = PacketWriteEndInfo::EndStream;
            writer.write_packet(secrets.clone(), OTHER, beside, 0).expect("it is written to memory");
        }
    }
    bytes.extend(secrets);
    bytes
}

/// Tags by nobody with one comment.
fn tags(comment: &[u8]) -> Vec<u8> {
    let length = u32::try_from(comment.len()).expect("comments here are short");
    [b"OpusTags\0\0\0\0\x01\0\0\0", &length.to_le_bytes()[..], comment].concat()
}

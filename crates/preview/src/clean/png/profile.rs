//! The colour profile of a PNG, which is deflated and has a name.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::profile;

/// More bytes than these are no profile.
pub const MAX_CHUNK_BYTES: u64 = profile::MAX_BYTES as u64;
/// The longest that a name may be, without its end.
const MAX_NAME_BYTES: usize = 79;
/// The name of all profiles, its end, and the one way to deflate.
const HEAD: &[u8] = b"ICC\0\0";

/// What a chunk is to hold instead of `data`; `None` if there is no profile in it.
pub fn chunk(data: &[u8]) -> Option<Vec<u8>> {
    let end = data.iter().take(MAX_NAME_BYTES + 1).position(|&byte| byte == 0)?;
    let deflated = data[end..].strip_prefix(b"\0\0")?;
    let mut whole = Vec::new();
    // One more than it may have, so that it is seen to be too long.
    ZlibDecoder::new(deflated).take(MAX_CHUNK_BYTES + 1).read_to_end(&mut whole).ok()?;
    let rebuilt = profile::rebuild(&whole)?;
    let mut encoder = ZlibEncoder::new(HEAD.to_vec(), Compression::default());
    encoder.write_all(&rebuilt).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("it is written to memory");
        encoder.finish().expect("it is written to memory")
    }

    #[test]
    fn a_profile_keeps_its_colours_and_not_its_name() {
        let told = corpus::telling_profile();
        let chunk = chunk(&[b"Screen of Ada\0\0", deflated(&told).as_slice()].concat()).expect("it is one");
        assert!(chunk.starts_with(b"ICC\0\0"));
        let mut inflated = Vec::new();
        ZlibDecoder::new(&chunk[5..]).read_to_end(&mut inflated).expect("it is deflated");
        assert_eq!(Some(inflated), profile::rebuild(&told));
    }

    #[test]
    fn what_is_no_profile_or_bursts_is_dropped() {
        let bomb = deflated(&vec![0; 40 * 1024 * 1024]);
        let text = deflated(corpus::CANARY.as_bytes());
        let profile = deflated(&corpus::telling_profile());
        for (what, data) in [
            ("a bomb", [b"x\0\0", bomb.as_slice()].concat()),
            ("text", [b"x\0\0", text.as_slice()].concat()),
            ("half of it", [b"x\0\0", &profile[..profile.len() / 2]].concat()),
            ("packed in another way", [b"x\0\x01", profile.as_slice()].concat()),
            ("no name", Vec::new()),
            ("a name without end", vec![b'x'; 200]),
        ] {
            assert_eq!(chunk(&data), None, "{what}");
        }
    }
}

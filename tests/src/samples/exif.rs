//! EXIF: what a camera writes about a picture, in TIFF's form.

use super::{CANARY, EAST, NORTH, PARTS};

/// Which end of a number comes first. Cameras do either.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    BigEnd,
    LittleEnd,
}

impl Order {
    fn mark(self) -> &'static [u8] {
        match self {
            Self::BigEnd => b"MM",
            Self::LittleEnd => b"II",
        }
    }

    fn short(self, number: u16) -> [u8; 2] {
        match self {
            Self::BigEnd => number.to_be_bytes(),
            Self::LittleEnd => number.to_le_bytes(),
        }
    }

    fn long(self, number: u32) -> [u8; 4] {
        match self {
            Self::BigEnd => number.to_be_bytes(),
            Self::LittleEnd => number.to_le_bytes(),
        }
    }
}

/// One field: tag, type, how many, and the bytes of all.
type Field = (u16, u16, u32, Vec<u8>);

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
/// Bytes before the first directory.
const HEADER: u32 = 8;

/// Who made it, how it was held (1 to 8), what somebody remarked, and where it was.
pub(super) fn exif(order: Order, orientation: u16) -> Vec<u8> {
    let text = |tag: u16, text: &str| {
        let bytes = [text.as_bytes(), &[0]].concat();
        (tag, ASCII, length(&bytes), bytes)
    };
    let remark: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut first: Vec<Field> = vec![
        text(0x010e, CANARY),
        text(0x010f, CANARY),
        (0x0112, SHORT, 1, order.short(orientation).to_vec()),
        // Where the second directory begins; known when the first is written.
        (0x8825, LONG, 1, order.long(0).to_vec()),
        (0x9c9c, 1, length(&remark), remark),
    ];
    let coordinate = |parts: [u32; 3]| {
        let rationals = [(parts[0], 1), (parts[1], 1), (parts[2], PARTS)];
        rationals
            .iter()
            .flat_map(|(over, under)| [order.long(*over), order.long(*under)].concat())
            .collect::<Vec<_>>()
    };
    let place: Vec<Field> = vec![
        text(0x0001, "N"),
        (0x0002, RATIONAL, 3, coordinate(NORTH)),
        text(0x0003, "E"),
        (0x0004, RATIONAL, 3, coordinate(EAST)),
    ];
    let second_at = HEADER + length(&directory(order, HEADER, &first));
    first[3].3 = order.long(second_at).to_vec();
    let header = [order.mark(), &order.short(42), &order.long(HEADER)].concat();
    [header, directory(order, HEADER, &first), directory(order, second_at, &place)].concat()
}

/// A directory that begins at `at`, and behind it the values that do not fit into it.
fn directory(order: Order, at: u32, fields: &[Field]) -> Vec<u8> {
    let count = u16::try_from(fields.len()).expect("few fields");
    let (mut entries, mut values) = (order.short(count).to_vec(), Vec::new());
    let values_at = at + 2 + 12 * u32::from(count) + 4;
    for (tag, kind, many, bytes) in fields {
        entries.extend([order.short(*tag), order.short(*kind)].concat());
        entries.extend(order.long(*many));
        if bytes.len() <= 4 {
            entries.extend(bytes);
            entries.extend(vec![0; 4 - bytes.len()]);
        } else {
            entries.extend(order.long(values_at + length(&values)));
            values.extend(bytes);
            values.resize(values.len().next_multiple_of(2), 0);
        }
    }
    entries.extend(order.long(0));
    [entries, values].concat()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a few bytes")
}

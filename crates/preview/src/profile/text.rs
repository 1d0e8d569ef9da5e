//! The two texts that a profile must have: the same in all of them.

const DESCRIPTION: &str = "Colours";
const COPYRIGHT: &str = "None";

/// Its name; before version 4 in a form of its own.
pub fn description(is_old: bool) -> Vec<u8> {
    if !is_old {
        return localized(DESCRIPTION);
    }
    let mut element = b"desc\0\0\0\0".to_vec();
    element.extend(length(DESCRIPTION.len() + 1).to_be_bytes());
    element.extend(DESCRIPTION.as_bytes());
    // The end of the text; none in Unicode, none in the script of a Macintosh.
    element.resize(element.len() + 1 + 8 + 3 + 67, 0);
    element
}

/// Who has rights in it.
pub fn copyright(is_old: bool) -> Vec<u8> {
    if is_old { [b"text\0\0\0\0", COPYRIGHT.as_bytes(), b"\0"].concat() } else { localized(COPYRIGHT) }
}

/// A text in one language.
fn localized(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut element = b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0cenUS".to_vec();
    element.extend(length(units.len()).to_be_bytes());
    element.extend(28_u32.to_be_bytes());
    element.extend(units);
    element
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("these texts are short")
}

//! The messages in one unit (supplemental enhancement information, H.264 Annex D).

/// What showing may need: timing and recovery, how frames are packed and turned, what colours and light are, how a sphere lies
/// flat, transparency. Others, above all user data (4 and 5), are dropped.
const KEPT: &[usize] =
    &[0, 1, 2, 6, 19, 23, 45, 47, 128, 129, 130, 132, 137, 144, 147, 148, 149, 150, 151, 154, 165];
/// A message that says nothing: its bytes are all 0xff.
const FILLER: u8 = 3;
/// Ends the messages.
const STOP: u8 = 0x80;

/// Makes filler of the messages that are not needed, in a unit without its header.
pub fn scrub(body: &mut [u8]) {
    let kept = match kept(&unescaped(body)) {
        Some((_, false)) => return,
        Some((kept, true)) => kept,
        None => Vec::new(),
    };
    let filled = filled(&kept, body.len()).or_else(|| filled(&[], body.len()));
    if let Some(filled) = filled {
        body.copy_from_slice(&filled);
    }
}

/// The messages that are needed, and whether there are others; `None` if they are no messages.
fn kept(messages: &[u8]) -> Option<(Vec<u8>, bool)> {
    let end = messages.iter().rposition(|&byte| byte != 0).filter(|&end| messages[end] == STOP)?;
    let mut left = &messages[..end];
    let mut kept = Vec::new();
    let mut has_others = false;
    while !left.is_empty() {
        let (kind, after) = number(left)?;
        let (length, after) = number(after)?;
        let payload = after.get(..length)?;
        let is_filler = kind == usize::from(FILLER) && payload.iter().all(|&byte| byte == 0xff);
        let (message, after) = left.split_at(left.len() - after.len() + length);
        if is_filler || KEPT.contains(&kind) {
            kept.extend(message);
        } else {
            has_others = true;
        }
        left = after;
    }
    Some((kept, has_others))
}

/// A number at the start: so many times 255, and the rest.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let full = bytes.iter().take_while(|&&byte| byte == 0xff).count();
    let last = *bytes.get(full)?;
    Some((255 * full + usize::from(last), &bytes[full + 1..]))
}

/// These messages and so much filler that it is `length` bytes; `None` if there is no such filler.
fn filled(kept: &[u8], length: usize) -> Option<Vec<u8>> {
    /// The longest filler whose length is one byte.
    const LONGEST: usize = 256;
    let mut bytes = escaped(&[kept, &[FILLER]].concat());
    bytes.pop();
    let mut left = length.checked_sub(bytes.len() + 1).filter(|&left| left != 1)?;
    while left > 0 {
        // The least filler is two bytes.
        let part = if left == LONGEST + 1 { LONGEST - 1 } else { left.min(LONGEST) };
        bytes.extend([FILLER, u8::try_from(part - 2).ok()?]);
        bytes.resize(bytes.len() + part - 2, 0xff);
        left -= part;
    }
    bytes.push(STOP);
    Some(bytes)
}

/// Without the bytes that keep two zeros from looking like a start.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

fn escaped(plain: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(plain.len());
    let mut zeros = 0;
    for &byte in plain {
        if zeros >= 2 && byte <= 3 {
            bytes.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        bytes.push(byte);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message of this kind.
    fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
        let full = vec![0xff; payload.len() / 255];
        let rest = u8::try_from(payload.len() % 255).expect("it is less than 255");
        [&[kind], full.as_slice(), &[rest], payload].concat()
    }

    fn unit(messages: &[Vec<u8>]) -> Vec<u8> {
        [escaped(&messages.concat()), vec![STOP]].concat()
    }

    #[test]
    fn user_data_becomes_filler_and_the_rest_stays() {
        let timing = message(1, &[0, 0, 0, 1, 0, 0]);
        let user = message(5, &[7; 700]);
        let mut body = unit(&[timing.clone(), user.clone(), timing.clone()]);
        let before = body.clone();
        scrub(&mut body);
        assert_eq!(body.len(), before.len());
        let (left, has_others) = kept(&unescaped(&body)).expect("they are messages");
        assert!(left.starts_with(&[timing.clone(), timing].concat()) && !has_others);
        assert!(!body.contains(&7));
        let once = body.clone();
        scrub(&mut body);
        assert_eq!(body, once);
    }

    #[test]
    fn what_is_needed_stays_bit_for_bit() {
        let mut body = unit(&[message(1, &[0, 0, 0, 1]), message(137, &[9; 24]), message(3, &[0xff; 300])]);
        let before = body.clone();
        scrub(&mut body);
        assert_eq!(body, before);
    }

    #[test]
    fn what_is_no_message_becomes_filler() {
        let mut body = b"no messages at all".to_vec();
        scrub(&mut body);
        assert!(kept(&unescaped(&body)).is_some_and(|(_, has_others)| !has_others));
    }

    proptest! {
        #[test]
        fn any_unit_stays_as_long_and_keeps_what_is_needed(
            messages in prop::collection::vec((0..8_u8, prop::collection::vec(0..3_u8, 0..600)), 0..4)
        ) {
            let messages: Vec<_> = messages.iter().map(|(kind, payload)| message(*kind, payload)).collect();
            let mut body = unit(&messages);
            let before = body.clone();
            scrub(&mut body);
            prop_assert_eq!(body.len(), before.len());
            let (left, has_others) = kept(&unescaped(&body)).expect("they are messages");
            prop_assert!(!has_others);
            let needed: Vec<u8> = messages.into_iter().filter(|message| KEPT.contains(&message[0].into())).flatten().collect();
            // Only where a few bytes are dropped may there be no room to part what stays from what follows.
            prop_assert!(left.starts_with(&needed) || body.len() - needed.len() < 12);
            let once = body.clone();
            scrub(&mut body);
            prop_assert_eq!(body, once);
        }

        #[test]
        fn any_bytes_are_survived(mut body in prop::collection::vec(any::<u8>(), 0..400)) {
            scrub(&mut body);
            let once = body.clone();
            scrub(&mut body);
            prop_assert_eq!(body, once);
        }
    }
}

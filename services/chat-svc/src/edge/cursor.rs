//! Cursors: which life of the store, and up to which commit.

use parlor_wire::errors::v1::{ErrorReason, Problem};

use super::problem;
use crate::store::{Commit, Generation};

const VERSION: u8 = 1;

/// A cursor for clients.
#[must_use]
pub fn encode_cursor(generation: Generation, commit: Commit) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend(generation.0.as_bytes());
    bytes.extend(commit.0.to_be_bytes());
    bytes
}

/// The commit a client has synced up to: 0 without a cursor, or with one of another generation.
///
/// # Errors
/// CURSOR_INVALID.
pub fn decode_cursor(generation: Generation, cursor: &[u8]) -> Result<Commit, Problem> {
    if cursor.is_empty() {
        return Ok(Commit(0));
    }
    let invalid = || problem(ErrorReason::CursorInvalid, "the cursor was not made by this server");
    let rest = cursor.strip_prefix(&[VERSION]).ok_or_else(invalid)?;
    let (of, commit) = rest.split_at_checked(16).ok_or_else(invalid)?;
    let commit: [u8; 8] = commit.try_into().map_err(|_| invalid())?;
    Ok(if of == generation.0.as_bytes() { Commit(u64::from_be_bytes(commit)) } else { Commit(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_generation_only() {
        let (old, new) = (Generation(uuid::Uuid::from_u128(1)), Generation(uuid::Uuid::from_u128(2)));
        let cursor = encode_cursor(old, Commit(77));
        assert_eq!(decode_cursor(old, &cursor), Ok(Commit(77)));
        assert_eq!(decode_cursor(new, &cursor), Ok(Commit(0)));
        assert_eq!(decode_cursor(old, b""), Ok(Commit(0)));
        for bad in [&cursor[..24], &[cursor.as_slice(), b"x"].concat(), b"\x02", b"\x01"] {
            assert_eq!(decode_cursor(old, bad).unwrap_err().reason(), ErrorReason::CursorInvalid);
        }
    }
}

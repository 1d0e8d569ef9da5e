//! Page tokens: a position, bound to what was asked for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_types::{ConversationId, Id, UserId};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use sha2::{Digest as _, Sha256};

use super::problem;
use crate::store::{Changed, Commit};

/// Something a page can go on from.
pub trait Position: Sized {
    /// As bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// From bytes that may come from anywhere.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A place in a log.
impl Position for u64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

/// A place in a list by user id.
impl Position for UserId {
    fn to_bytes(&self) -> Vec<u8> {
        self.bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(<Self as Id>::from_bytes)
    }
}

/// A place among changes of people: the commit the whole is as of, and the commit and user told last.
impl Position for (Commit, (Commit, UserId)) {
    fn to_bytes(&self) -> Vec<u8> {
        let (as_of, (commit, user)) = self;
        [as_of.0.to_be_bytes().as_slice(), &commit.0.to_be_bytes(), &user.bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (as_of, rest) = bytes.split_at_checked(8)?;
        let (commit, user) = rest.split_at_checked(8)?;
        let told = (Commit(u64::from_bytes(commit)?), <UserId as Id>::from_bytes(user.try_into().ok()?));
        Some((Commit(u64::from_bytes(as_of)?), told))
    }
}

/// A place in a chat list: the commit the list is as of, and the last row given.
impl Position for (Commit, Changed) {
    fn to_bytes(&self) -> Vec<u8> {
        let (as_of, last) = self;
        [as_of.0.to_be_bytes().as_slice(), &last.activity.0.to_be_bytes(), &last.id.bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (as_of, rest) = bytes.split_at_checked(8)?;
        let (activity, id) = rest.split_at_checked(8)?;
        let id = <ConversationId as Id>::from_bytes(id.try_into().ok()?);
        let activity = Commit(u64::from_bytes(activity)?);
        Some((Commit(u64::from_bytes(as_of)?), Changed { id, activity }))
    }
}

/// A token for `position` within the list that `of` describes.
#[must_use]
pub fn encode_token(of: &str, position: &impl Position) -> String {
    let mut bytes = binding(of).to_vec();
    bytes.extend(position.to_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position in the list that `of` describes; `None` for an empty token.
///
/// # Errors
/// PAGE_TOKEN_INVALID if it was made for another list, or not here.
pub fn decode_token<P: Position>(of: &str, token: &str) -> Result<Option<P>, Problem> {
    if token.is_empty() {
        return Ok(None);
    }
    let decoded = URL_SAFE_NO_PAD.decode(token).ok();
    let position = decoded.as_deref().and_then(|bytes| P::from_bytes(bytes.strip_prefix(&binding(of))?));
    position
        .map(Some)
        .ok_or_else(|| problem(ErrorReason::PageTokenInvalid, "the page token is not one of this list"))
}

/// Not a secret, only a check that a token goes with its request.
fn binding(of: &str) -> [u8; 8] {
    let hash = Sha256::digest(of);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_with_its_list_only() {
        let token = encode_token("messages of a", &7_u64);
        assert_eq!(decode_token("messages of a", &token), Ok(Some(7_u64)));
        assert_eq!(decode_token::<u64>("messages of a", ""), Ok(None));
        for (of, token) in [("messages of b", token.as_str()), ("messages of a", "x"), ("messages of a", "%")]
        {
            let reason = decode_token::<u64>(of, token).unwrap_err().reason();
            assert_eq!(reason, ErrorReason::PageTokenInvalid);
        }
    }
}

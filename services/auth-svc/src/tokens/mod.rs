//! Tokens: the keys they are made with, and what is in them.
//!
//! An access token is signed and verified by everybody; a refresh token is derived from a key and a row of the store,
//! so that neither a copy of the one nor of the other makes one.

mod access;
mod email_code;
mod key_file;
mod keys;
mod refresh_token;

pub use access::{AccessToken, Issuer};
pub use key_file::KeyFileError;
pub use keys::{Keys, PublicKey};
pub use refresh_token::RefreshToken;

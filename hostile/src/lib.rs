//! Every way by which bytes of others come into Parlor, as functions that may be given any bytes.
//!
//! A [`Target`] takes bytes apart as the product does, through the same doors, and panics if that breaks a promise: what is taken
//! keeps to the limits, what is written is read as the same, what ends stays ended, what waits is bounded. It is to come back at
//! once and to hold nothing when it does, whatever the bytes are.
//!
//! `cargo xtask fuzz` looks for bytes that break one; what it found and is worth keeping lies in `corpus/`, one folder for each
//! target, and every test run goes through all of it.

mod input;
mod targets;

pub use targets::ALL;

/// See the module.
pub struct Target {
    /// What it is called on the command line, and its folder in the corpus.
    pub name: &'static str,
    /// What is taken apart.
    pub about: &'static str,
    /// Takes bytes apart. It panics if that breaks a promise.
    pub run: fn(&[u8]),
    /// Bytes as good clients, servers and people send them: where a search begins.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// More bytes than this show nothing new.
    pub max_len: usize,
}

impl Target {
    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|target| target.name == name)
    }
}

//! Chance that can be had again: `PARLOR_SEED` names it, a failing test tells it.

use std::io::Write as _;
use std::str::FromStr;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Where the chance of a test comes from.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// The one in `PARLOR_SEED`, or a new one.
    #[must_use]
    pub fn new() -> Self {
        Self(number("PARLOR_SEED").unwrap_or_else(rand::random))
    }

    /// A generator of its own for each `stream` of decisions.
    #[must_use]
    pub fn rng(&self, stream: u64) -> StdRng {
        StdRng::seed_from_u64(self.0.wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

impl Default for Seed {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody is left to be told of a failure to tell.
            let _ = writeln!(std::io::stderr(), "to try the same again: PARLOR_SEED={}", self.0);
        }
    }
}

/// A number from the environment; how a test is made shorter or longer than usual.
///
/// # Panics
/// It is set and no number.
#[must_use]
pub fn number<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

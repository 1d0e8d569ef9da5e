//! When to try again: full jitter, and the server's advice before everything.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};
use uuid::Builder;

use parlor_types::{Id as _, Op};

/// The first wait is somewhere below this.
const BASE: Duration = Duration::from_millis(500);
/// No wait is drawn from above this, unless the server asks for it.
const CAP: Duration = Duration::from_secs(60);

/// How long to wait after `failures` failures in a row (from 0). With advice: not less than that, and spread over
/// [`BASE`] beyond it, so that all who got the same advice do not come at once.
pub(crate) fn wait(rng: &mut StdRng, failures: u32, advice: Option<Duration>) -> Duration {
    match advice {
        Some(advice) => advice.saturating_add(below(rng, BASE)),
        None => below(rng, BASE.saturating_mul(1 << failures.min(10)).min(CAP)),
    }
}

fn below(rng: &mut StdRng, limit: Duration) -> Duration {
    let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX).max(1);
    Duration::from_micros(rng.random_range(0..micros))
}

/// A new op: a random UUID.
pub(crate) fn new_op(rng: &mut StdRng) -> Op {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Op::from_bytes(Builder::from_random_bytes(bytes).into_uuid().into_bytes())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_keep_to_the_advice() {
        let mut rng = StdRng::seed_from_u64(1);
        let longest = |rng: &mut StdRng, failures| {
            (0..500).map(|_| wait(rng, failures, None)).max().unwrap_or_default()
        };
        assert!((BASE / 2..BASE).contains(&longest(&mut rng, 0)));
        assert!((BASE * 4..BASE * 8).contains(&longest(&mut rng, 3)));
        assert!((CAP / 2..CAP).contains(&longest(&mut rng, 40)));
        for _ in 0..100 {
            let advised = wait(&mut rng, 9, Some(Duration::from_secs(3)));
            assert!((Duration::from_secs(3)..Duration::from_secs(3) + BASE).contains(&advised));
        }
    }
}

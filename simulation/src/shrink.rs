//! Fewer steps that fail as well.

use crate::schedule::Planned;

/// Runs that shrinking may take.
const RUNS: usize = 120;

/// Leaves out steps, many at once and then one by one, as long as the rest fails.
pub fn shrunk(steps: &[Planned], fails: impl Fn(&[Planned]) -> bool) -> Vec<Planned> {
    let mut steps = steps.to_vec();
    let (mut runs, mut size) = (0, steps.len().div_ceil(2));
    while size > 0 {
        let (mut at, before) = (0, steps.len());
        while at < steps.len() && runs < RUNS {
            let without: Vec<Planned> =
                steps[..at].iter().chain(steps.iter().skip(at + size)).copied().collect();
            runs += 1;
            if fails(&without) {
                steps = without;
            } else {
                at += size;
            }
        }
        // Once more as finely, as long as that helps.
        let again = size == 1 && steps.len() < before && runs < RUNS;
        size = if again { 1 } else { size / 2 };
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schedule::Step;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let steps: Vec<Planned> =
            (0..200).map(|number| Planned { at: Duration::ZERO, step: Step::Lie(number) }).collect();
        let fails = |steps: &[Planned]| {
            [17, 130].iter().all(|wanted| steps.iter().any(|planned| planned.step == Step::Lie(*wanted)))
        };
        let left: Vec<Step> = shrunk(&steps, fails).iter().map(|planned| planned.step).collect();
        assert_eq!(left, [Step::Lie(17), Step::Lie(130)]);
    }
}

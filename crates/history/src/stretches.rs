//! A set of seqs, kept as the stretches it is made of.

use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretches {
    /// First to last; none touches another.
    ranges: BTreeMap<u64, u64>,
}

impl Stretches {
    pub fn of(ranges: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut all = Self::default();
        ranges.into_iter().for_each(|(from, to)| all.insert(from, to));
        all
    }

    /// Adds all of `from..=to`.
    pub fn insert(&mut self, from: u64, to: u64) {
        let (mut from, mut to) = (from, to);
        if from > to {
            return;
        }
        while let Some((&low, &high)) = self.ranges.range(..=to.saturating_add(1)).next_back() {
            if high.saturating_add(1) < from {
                break;
            }
            self.ranges.remove(&low);
            (from, to) = (from.min(low), to.max(high));
        }
        self.ranges.insert(from, to);
    }

    pub fn contains(&self, seq: u64) -> bool {
        self.ranges.range(..=seq).next_back().is_some_and(|(_, to)| *to >= seq)
    }

    pub fn first(&self) -> Option<u64> {
        self.ranges.first_key_value().map(|(from, _)| *from)
    }

    /// What of `from..=to` is in here.
    pub fn within(&self, from: u64, to: u64) -> Self {
        let cut = self.ranges.range(..=to).map(|(low, high)| (from.max(*low), to.min(*high)));
        Self::of(cut.filter(|(low, high)| low <= high))
    }

    /// What is in here and not in `others`.
    pub fn without(&self, others: &Self) -> Self {
        let mut rest = Self::default();
        for (&from, &to) in &self.ranges {
            let mut next = from;
            for (&low, &high) in &others.within(from, to).ranges {
                if next < low {
                    rest.insert(next, low - 1);
                }
                next = high.saturating_add(1);
            }
            if next <= to && !others.contains(to) {
                rest.insert(next, to);
            }
        }
        rest
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

impl std::fmt::Display for Stretches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, (from, to)) in self.ranges.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { ", " })?;
            if from == to { write!(f, "{from}")? } else { write!(f, "{from}-{to}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    #[test]
    fn stretches_that_touch_are_one() {
        let all = Stretches::of([(1, 2), (5, 6), (3, 3), (9, 8)]);
        assert_eq!(all.to_string(), "1-3, 5-6");
        assert_eq!(Stretches::of([(1, 3), (5, 6), (4, 4)]).to_string(), "1-6");
        assert_eq!(all.first(), Some(1));
        assert!(Stretches::of([(u64::MAX, u64::MAX), (1, 1)]).contains(u64::MAX));
    }

    #[test]
    fn it_does_as_a_set_of_numbers_does() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..2_000 {
            let mut make = || {
                let ranges = (0..rng.random_range(0..6)).map(|_| {
                    let from = rng.random_range(1..30);
                    (from, from + rng.random_range(0..5))
                });
                ranges.collect::<Vec<_>>()
            };
            let (one, two) = (make(), make());
            let set = |ranges: &[(u64, u64)]| {
                ranges.iter().flat_map(|(from, to)| *from..=*to).collect::<BTreeSet<_>>()
            };
            let numbers = |all: &Stretches| (0..40).filter(|seq| all.contains(*seq)).collect::<BTreeSet<_>>();
            let (a, b) = (Stretches::of(one.clone()), Stretches::of(two.clone()));
            assert_eq!(numbers(&a), set(&one));
            assert_eq!(numbers(&a.without(&b)), set(&one).difference(&set(&two)).copied().collect());
            assert_eq!(numbers(&a.within(5, 12)), set(&one).range(5..=12).copied().collect());
            assert_eq!(a.without(&a), Stretches::default());
            assert_eq!(a.is_empty(), one.is_empty());
        }
    }
}

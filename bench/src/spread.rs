//! What several windows say together.

use serde::Serialize;

/// The lowest, the middle and the highest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The lowest.
    pub min: f64,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The highest.
    pub max: f64,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = sorted.len() / 2;
        let odd = sorted.len() % 2 == 1;
        let median = if odd { sorted[upper] } else { f64::midpoint(sorted[upper - 1], sorted[upper]) };
        Some(Self { min, median, max })
    }

    /// Of the ratios, window by window: each compares what was measured at about one time. Windows in which there is
    /// nothing to divide by do not count.
    pub fn of_ratios(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
        Self::of(&ratios.filter(|ratio| ratio.is_finite()).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_whatever_the_order() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[3.0]), Some(Spread { min: 3.0, median: 3.0, max: 3.0 }));
        assert_eq!(Spread::of(&[9.0, 1.0, 2.0]), Some(Spread { min: 1.0, median: 2.0, max: 9.0 }));
        assert_eq!(Spread::of(&[9.0, 1.0, 2.0, 4.0]), Some(Spread { min: 1.0, median: 3.0, max: 9.0 }));
    }

    #[test]
    fn ratios_are_of_windows_and_not_of_medians() {
        let ratio = Spread::of_ratios(&[10.0, 2.0, 3.0], &[20.0, 1.0, 3.0]);
        assert_eq!(ratio, Some(Spread { min: 0.5, median: 1.0, max: 2.0 }));
    }

    #[test]
    fn what_is_divided_by_nothing_does_not_count() {
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), None);
        let ratio = Spread::of_ratios(&[1.0, 4.0, 0.0], &[0.0, 2.0, 0.0]);
        assert_eq!(ratio, Some(Spread { min: 2.0, median: 2.0, max: 2.0 }));
    }
}

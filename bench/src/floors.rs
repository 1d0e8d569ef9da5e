//! What a measurement has to reach. Nobody is stopped by one that does not: figures are no test.

use std::fmt;

use serde::Serialize;

/// On which side of the limit it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// There or above.
    AtLeast,
    /// There or below.
    AtMost,
}

/// One of them, and what was found: the median over the windows.
#[derive(Debug, Clone, Serialize)]
pub struct Floor {
    /// What was measured, with its unit.
    pub what: String,
    /// On which side.
    pub bound: Bound,
    /// Of what.
    pub limit: f64,
    /// What was found.
    pub found: f64,
    /// Whether that will do.
    pub reached: bool,
}

impl Floor {
    /// `found` has to be `limit` or more.
    pub fn at_least(what: impl Into<String>, limit: f64, found: f64) -> Self {
        Self { what: what.into(), bound: Bound::AtLeast, limit, found, reached: found >= limit }
    }

    /// `found` has to be `limit` or less.
    pub fn at_most(what: impl Into<String>, limit: f64, found: f64) -> Self {
        Self { what: what.into(), bound: Bound::AtMost, limit, found, reached: found <= limit }
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = match self.bound {
            Bound::AtLeast => "at least",
            Bound::AtMost => "at most",
        };
        let outcome = if self.reached { "reached" } else { "MISSED" };
        write!(f, "{outcome}: {}, {bound} {}: {:.2}", self.what, self.limit, self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_will_do() {
        assert!(Floor::at_least("a ratio", 0.5, 0.5).reached);
        assert!(!Floor::at_least("a ratio", 0.5, 0.499).reached);
        assert!(Floor::at_most("ms", 20.0, 20.0).reached);
        assert!(!Floor::at_most("ms", 20.0, 20.001).reached);
    }

    #[test]
    fn what_is_no_number_reaches_nothing() {
        assert!(!Floor::at_least("a ratio", 0.5, f64::NAN).reached);
        assert!(!Floor::at_most("ms", 20.0, f64::NAN).reached);
    }

    #[test]
    fn it_says_what_came_of_it() {
        let missed = Floor::at_most("KB of an idle stream", 45.0, 51.234).to_string();
        assert_eq!(missed, "MISSED: KB of an idle stream, at most 45: 51.23");
    }
}

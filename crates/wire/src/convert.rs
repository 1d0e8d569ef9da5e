//! Ids, times and durations between their wire form and the domain's.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use parlor_types::Id;

use crate::errors::v1::{ErrorReason, FieldViolation, Problem};

/// What a Timestamp may hold: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, in seconds since 1970.
const TIMES: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Fields that broke their rules. Becomes a [`Problem`] with reason FIELD_INVALID.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid(pub Vec<FieldViolation>);

impl Invalid {
    /// One field that broke one rule.
    #[must_use]
    pub fn field(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self(vec![FieldViolation { field: field.into(), rule: rule.into() }])
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        let message = invalid
            .0
            .iter()
            .map(|violation| format!("{}: {}", violation.field, violation.rule))
            .collect::<Vec<_>>()
            .join("; ");
        Self { reason: ErrorReason::FieldInvalid.into(), message, retry_after: None, violations: invalid.0 }
    }
}

/// A canonical UUID in the field `field`.
///
/// # Errors
/// [`Invalid`] if it is anything else.
pub fn id<T: Id>(field: &str, text: &str) -> Result<T, Invalid> {
    T::parse(text).ok_or_else(|| Invalid::field(field, "must be a UUID in its canonical form"))
}

/// As [`id`], with empty as none.
///
/// # Errors
/// [`Invalid`] if it is neither empty nor a canonical UUID.
pub fn optional_id<T: Id>(field: &str, text: &str) -> Result<Option<T>, Invalid> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// A time for the wire.
#[must_use]
pub fn to_time(time: SystemTime) -> prost_types::Timestamp {
    time.into()
}

/// A time from the wire.
///
/// # Errors
/// [`Invalid`] if it cannot be represented.
pub fn time(field: &str, time: prost_types::Timestamp) -> Result<SystemTime, Invalid> {
    let invalid = || Invalid::field(field, "must be a time between the years 1 and 9999");
    if !TIMES.contains(&time.seconds) {
        return Err(invalid());
    }
    SystemTime::try_from(time).map_err(|_| invalid())
}

/// A duration for the wire; one too long for it (over 10,000 years) becomes zero.
#[must_use]
pub fn to_duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(duration).unwrap_or_default()
}

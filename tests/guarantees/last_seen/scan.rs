//! Looking for times in encoded answers, wherever they are.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parlor_testkit::{PATIENCE, eventually};

/// The time in whole seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// Lets the clock come to another second, so that what is next is told from what was before.
pub async fn next_second() -> u64 {
    let second = now();
    eventually("the next second", PATIENCE, async || now() > second).await;
    now()
}

/// Every number in `bytes` that may be a time of today, in seconds: whatever field it is in, also in milliseconds. Ids
/// and text are no such numbers.
pub fn times(bytes: &[u8]) -> BTreeSet<u64> {
    let day = now() - DAY..now() + DAY;
    let numbers = (0..bytes.len()).filter_map(|at| varint(&bytes[at..]));
    numbers.flat_map(|number| [number, number / 1000]).filter(|time| day.contains(time)).collect()
}

const DAY: u64 = Duration::from_hours(24).as_secs();

/// The number that these bytes begin with.
fn varint(bytes: &[u8]) -> Option<u64> {
    prost::encoding::decode_varint(&mut &*bytes).ok()
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{Marks, Member};
    use prost::Message as _;
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn times_are_found_in_seconds_and_milliseconds_and_nothing_else_is() {
        let time = now();
        let at = Timestamp { seconds: i64::try_from(time).unwrap(), nanos: 999_999_999 };
        let marks = Marks { received: 7, read_at: Some(at), ..Marks::default() };
        let user_id = parlor_types::UserId::new().to_string();
        let member = Member { marks: Some(marks), joined_seq: 1 << 40, user_id, ..Member::default() };
        assert_eq!(times(&member.encode_to_vec()), BTreeSet::from([time]));
        let milliseconds = Member { joined_seq: time * 1000 + 7, ..Member::default() };
        assert_eq!(times(&milliseconds.encode_to_vec()), BTreeSet::from([time]));
    }
}

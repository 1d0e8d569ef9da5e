use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const P: u64 = PART_BYTES;

#[test]
fn a_part_has_its_place_and_its_length() {
    let parts = Parts::none(2 * P + 5);
    for (offset, length, found) in [
        (0, P, Ok(0)),
        (P, P, Ok(1)),
        (2 * P, 5, Ok(2)),
        (2 * P, P, Err(Misplaced::Length)),
        (2 * P, 4, Err(Misplaced::Length)),
        (0, 0, Err(Misplaced::Length)),
        (0, P - 1, Err(Misplaced::Length)),
        (1, P, Err(Misplaced::Offset)),
        (3 * P, 5, Err(Misplaced::Offset)),
        (u64::MAX, 1, Err(Misplaced::Offset)),
    ] {
        assert_eq!(parts.locate(offset, length), found, "{length} at {offset}");
    }
    assert_eq!(Parts::none(2 * P).locate(2 * P, 0), Err(Misplaced::Offset));
}

#[test]
fn more_holes_than_are_named_count_as_one() {
    let mut parts = Parts::none(4000 * P);
    (0..4000).filter(|index| index % 2 == 1 && *index != 3999).for_each(|index| parts.insert(index));
    let missing = parts.missing();
    assert_eq!(missing.len(), MAX_MISSING_RANGES);
    assert_eq!(missing[MAX_MISSING_RANGES - 2], 1996 * P..1997 * P);
    assert_eq!(missing[MAX_MISSING_RANGES - 1], 1998 * P..4000 * P);
}

proptest! {
    #[test]
    fn it_is_the_set_of_what_came(size in 1..20 * P, came in prop::collection::btree_set(0_u64..20, 0..20)) {
        let all = size.div_ceil(P);
        let came: BTreeSet<u64> = came.into_iter().filter(|index| *index < all).collect();
        let mut parts = Parts::none(size);
        came.iter().chain(&came).for_each(|index| parts.insert(*index));
        prop_assert_eq!(&Parts::from_bytes(size, parts.as_bytes()), &parts);
        prop_assert_eq!(parts.is_complete(), came.len() as u64 == all);
        let missing = parts.missing();
        let lacking: u64 = missing.iter().map(|range| range.end - range.start).sum();
        prop_assert_eq!(parts.received_bytes() + lacking, size);
        prop_assert_eq!(parts.first_missing(), missing.first().map(|range| range.start));
        for index in 0..all {
            let named = missing.iter().any(|range| range.contains(&(index * P)));
            prop_assert_eq!(came.contains(&index), !named);
        }
        prop_assert!(missing.windows(2).all(|pair| pair[0].end < pair[1].start));
    }
}

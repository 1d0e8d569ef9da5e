use parlor_runtime::clock::ManualClock;

use super::*;

#[test]
fn a_session_is_new_once_and_forgotten_after_eleven_minutes() {
    let clock = Arc::new(ManualClock::default());
    let set = RevokedSet::new(clock.clone());
    let (early, late, last) = (SessionId::new(), SessionId::new(), SessionId::new());
    assert!(set.insert(early));
    clock.advance(Duration::from_secs(60));
    assert!(!set.insert(early), "it was there");
    assert!(set.insert(late));

    clock.advance(KEPT - Duration::from_secs(61));
    assert!(set.insert(SessionId::new()));
    assert!(set.contains(early), "forgotten while tokens of it may be good");
    clock.advance(Duration::from_secs(1));
    assert!(set.insert(last));
    assert_eq!((set.contains(early), set.contains(late), set.contains(last)), (false, true, true));
}

#[test]
fn g8_what_is_forgotten_takes_no_room() {
    let clock = Arc::new(ManualClock::default());
    let set = RevokedSet::new(clock.clone());
    for _ in 0..100 {
        for _ in 0..10 {
            set.insert(SessionId::new());
        }
        clock.advance(KEPT);
    }
    assert_eq!(set.len(), 10);
    assert!(set.inner.lock().unwrap().order.len() <= 10);
}

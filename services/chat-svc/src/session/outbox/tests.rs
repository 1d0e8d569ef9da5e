//! What is counted of batches that nobody acks.

use parlor_types::Id as _;
use parlor_wire::chat::v1::Pong;

use super::*;

#[test]
fn g8_beyond_so_many_batches_the_latest_are_acked_together() {
    let limits = StreamLimits { window_entries: 1 << 20, window_bytes: 1 << 30, ..StreamLimits::default() };
    let mut out = Outbox::new(limits);
    let conversation = ConversationId::from_bytes([1; 16]);
    for seq in 1..=3 * MAX_SENT as u64 {
        let frame = Bytes::from_static(b"an entry");
        out.entry(&Live { conversation, seq: Seq(seq), target: None, deletes: false, frame });
        assert!(out.owes_nothing(), "it waits as it is");
        out.push(server_frame::Kind::Pong(Pong::default()), Weight::Notice);
        assert_eq!(out.take(Instant::now(), |_| false).expect("an entry waits").batch, seq);
    }
    assert_eq!(out.sent.len(), MAX_SENT, "G8");
    assert!(out.ack(MAX_SENT as u64));
    assert_eq!(out.unacked_entries, 2 * MAX_SENT + 1, "the rest is acked with the last");
    assert!(out.ack(3 * MAX_SENT as u64));
    assert_eq!((out.unacked_entries, out.unacked_bytes, out.sent.len()), (0, 0, 0), "and nothing is lost");
}

#[test]
fn g8_notices_beyond_their_bound_are_dropped() {
    let mut out = Outbox::new(StreamLimits::default());
    for nonce in 0..1000 {
        out.push(server_frame::Kind::Pong(Pong { nonce }), Weight::Notice);
    }
    let batch = out.take(Instant::now(), |_| false).expect("notices wait");
    assert_eq!(batch.frames.len(), MAX_NOTICES, "G8");
}

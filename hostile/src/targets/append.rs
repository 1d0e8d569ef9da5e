//! Appends, as chat-svc checks them: whatever comes, what is taken keeps to the limits.

use chat_svc::edge;
use parlor_types::{Id as _, UserId, limits};
use parlor_wire::chat::v1 as wire;
use prost::Message as _;

use super::frames;
use crate::Target;
use crate::input::{Input, Script};

pub(super) const TARGET: Target = Target {
    name: "append",
    about: "appends: any bytes, and any content of the right form",
    run,
    seeds,
    max_len: 2048,
};

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let append = if input.flag() {
        let Ok(append) = wire::Append::decode(input.rest()) else { return };
        append
    } else {
        frames::append(&mut input)
    };
    let sender = UserId::from_bytes([1; 16]);
    let Ok(draft) = edge::draft(sender, &append, None) else { return };
    assert!(draft.bytes <= limits::MAX_ENTRY_BYTES, "{} bytes are taken", draft.bytes);
    assert!(draft.mentions.len() <= limits::MAX_MENTIONS && draft.labels.len() <= limits::MAX_LABELS);
    assert_eq!(draft.op.to_string(), append.op);
    let again = wire::Append::decode(append.encode_to_vec().as_slice()).expect("what is encoded is decoded");
    let again = edge::draft(sender, &again, None).expect("the same append is taken again");
    assert_eq!((again.digest, again.conversation), (draft.digest, draft.conversation), "G2");
}

fn seeds() -> Vec<Vec<u8>> {
    let appends = frames::client_samples().into_iter().filter_map(|frame| match frame.kind? {
        wire::client_frame::Kind::Append(append) => Some(append.encode_to_vec()),
        _ => None,
    });
    let mut all: Vec<Vec<u8>> = appends.map(|append| [vec![1], append].concat()).collect();
    for kind in 0..16 {
        let ids = Script::default().byte(0).byte(3).byte(4).byte(0).byte(0).byte(0).byte(0).byte(1).byte(2);
        all.push(ids.byte(0).byte(1).byte(kind).bytes(b"tea?").bytes(b"tea").byte(1).end());
    }
    all
}

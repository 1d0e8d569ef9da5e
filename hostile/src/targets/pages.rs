//! Cursors and page tokens: clients keep them and bring them back, or something else.

use chat_svc::edge::{Position, decode_cursor, decode_token, encode_cursor, encode_token};
use chat_svc::store::{Changed, Commit, Generation};
use parlor_types::{ConversationId, Id, UserId};

use crate::Target;

/// What all tokens here are of.
const LIST: &str = "messages of a";

pub(super) const CURSOR: Target =
    Target { name: "cursor", about: "cursors of a sync", run: cursor, seeds: cursor_seeds, max_len: 64 };

pub(super) const TOKEN: Target = Target {
    name: "page-token",
    about: "page tokens of chat-svc",
    run: token,
    seeds: token_seeds,
    max_len: 128,
};

fn generation() -> Generation {
    Generation(uuid::Uuid::from_bytes([4; 16]))
}

/// A cursor means something only as it was made.
fn cursor(data: &[u8]) {
    if let Ok(commit) = decode_cursor(generation(), data)
        && commit > Commit(0)
    {
        assert_eq!(encode_cursor(generation(), commit), data);
    }
}

fn cursor_seeds() -> Vec<Vec<u8>> {
    let other = Generation(uuid::Uuid::from_bytes([5; 16]));
    vec![Vec::new(), encode_cursor(generation(), Commit(7)), encode_cursor(other, Commit(u64::MAX))]
}

/// A token stands for one position in one list, and there is one way to write it.
fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    one::<u64>(&text);
    one::<UserId>(&text);
    one::<(Commit, (Commit, UserId))>(&text);
    one::<(Commit, Changed)>(&text);
}

fn one<P: Position>(text: &str) {
    if let Ok(Some(position)) = decode_token::<P>(LIST, text) {
        assert_eq!(encode_token(LIST, &position), text);
        assert!(decode_token::<P>("messages of b", text).is_err(), "a token of another list");
    }
}

fn token_seeds() -> Vec<Vec<u8>> {
    let user: UserId = Id::from_bytes([6; 16]);
    let changed = Changed { id: ConversationId::from_bytes([7; 16]), activity: Commit(3) };
    [
        encode_token(LIST, &7_u64),
        encode_token(LIST, &user),
        encode_token(LIST, &(Commit(9), (Commit(3), user))),
        encode_token(LIST, &(Commit(9), changed)),
        encode_token("messages of b", &7_u64),
    ]
    .map(String::into_bytes)
    .into()
}

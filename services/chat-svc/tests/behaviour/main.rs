//! chat-svc over real gRPC, alone: one file per behaviour. Failures of a guarantee name it (G1..G8).

mod acts;
mod bad_input;
mod blocks;
mod changes;
mod endings;
mod first_conversation;
mod lanes;
mod live;
mod media;
mod media_access;
mod media_fields;
mod membership;
mod one_path;
mod people;
mod preferences;
mod privacy;
mod reading;
mod receipts;
mod registry;
mod restart;
mod strangers;
mod stream_faults;
mod subscribe;
#[expect(dead_code, reason = "shared with the tests of bounds, which need other parts of it")]
mod support;
mod tokens;
mod typing;
mod unread;
mod watching;

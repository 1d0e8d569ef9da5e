//! chat-svc over real gRPC, alone: one file per behaviour. Failures of a guarantee name it (G1..G8).

mod first_conversation;
mod lanes;
mod one_path;
mod reading;
mod support;

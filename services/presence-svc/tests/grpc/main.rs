//! presence-svc alone over real gRPC: one file per behaviour.
#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod bad_input;
mod grace;
mod people;
mod privacy;
mod restart;
mod support;
mod watching;

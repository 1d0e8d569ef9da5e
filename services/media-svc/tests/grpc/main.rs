//! media-svc alone over real gRPC: one file per behaviour.
#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod bad_input;
mod collecting;
mod crashes;
mod finishing;
mod finishing_together;
mod going_out;
mod quotas;
mod support;
mod uploading;

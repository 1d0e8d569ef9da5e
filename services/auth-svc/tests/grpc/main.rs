//! The service alone, over real gRPC on a port of its own: one file per behaviour.
#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod avatars;
mod emails;
mod import;
mod limits;
mod login;
mod logs;
mod malformed;
mod password;
mod profiles;
mod refresh;
mod register;
mod restart;
mod revocations;
mod services;
mod sessions;
mod storage;
mod support;
mod tokens;

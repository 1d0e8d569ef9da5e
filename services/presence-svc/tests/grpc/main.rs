//! presence-svc alone over real gRPC: one file per behaviour.

mod bad_input;
mod grace;
mod people;
mod privacy;
mod restart;
mod support;
mod watching;

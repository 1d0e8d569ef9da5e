//! What every service needs to run, whatever it serves: configuration, logs, clocks, times, task groups, readiness,
//! signals, rate limits and the lock on its data folder.
//!
//! Nothing here knows of chat, gRPC or a store. Nothing reads the process environment but
//! [`config::Sources::of_process`], and nothing ends the process but a second signal.

pub mod clock;
pub mod config;
pub mod data_dir;
pub mod limiter;
pub mod ready;
pub mod signals;
pub mod tasks;
pub mod telemetry;
pub mod time;

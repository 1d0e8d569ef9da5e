//! `parlor-server` as a program: started, spoken to, stopped, backed up, restored.
#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod backup;
mod configuration;
mod damage;
mod in_process;
mod lifecycle;
mod operator;
mod presence;
mod privacy;
mod support;
mod tls;

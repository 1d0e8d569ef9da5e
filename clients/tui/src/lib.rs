//! The full-screen terminal client.
//!
//! [`state::State`] is what is shown, [`update::update`] is what happens to it (`(state, input) -> effects`, without I/O and
//! without a clock), [`view::view`] is what it looks like. [`run`] is the shell around them: the terminal, the client library
//! and the effects.

pub mod content;
pub mod demo;
pub mod effect;
pub mod input;
pub mod layout;
pub mod people;
pub mod picture;
pub mod settings;
mod shell;
pub mod state;
pub mod text;
pub mod theme;
pub mod time;
pub mod update;
pub mod view;
pub mod views;

pub use shell::{Options, TuiError, run};

//! The client side of Parlor: one [`Client`] per account, any number of them in a process.
//!
//! - [`core`] keeps the seven rules of a client without doing any I/O; it is what a client in another language would
//!   copy.
//! - [`store`] keeps what has to survive, in a SQLite file that two processes may share.
//! - [`Client`] makes calls, [`Client::live`] runs the core over a stream.
//!
//! What is said is saved first: a message given to [`Client::send`] or [`Live::send`] is delivered exactly once, by this
//! process or the next. What comes is saved first too: [`Event`](core::Event)s say what changed, the store says what is.

pub mod core;
mod error;
mod net;
pub mod store;

pub use error::Error;
pub use net::{Client, Events, Live, LogIn, News, Pending, Sent};

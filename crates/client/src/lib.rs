//! The client side of Parlor.
//!
//! [`core`] keeps the seven rules of a client without doing any I/O; it is what a client in another language would copy.
//! [`store`] keeps what has to survive.

pub mod core;
pub mod store;

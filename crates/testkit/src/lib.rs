//! What tests of services share; a dev-dependency only.
//!
//! - [`TestAuth`]: an auth-svc to order, with a key of its own, so that another service can be tested alone.
//! - [`TestMedia`]: a media-svc to order, that keeps no bytes.
//! - [`Serving`]: any routes on a free port.
//! - [`ChatClient`], [`compose`] and [`StreamClient`]: the chat API, called as a client would; [`raw_call`]: as none
//!   should.
//! - [`FaultProxy`]: a network that cuts, resets, hangs, lags and throttles. [`eventually`]: waiting for a condition.
//!
//! Whatever a test did not expect ends it with a panic that says what came instead. Nothing here sleeps for luck.

mod auth;
mod chat;
pub mod compose;
mod media;
mod patience;
mod proxy;
mod raw;
mod serving;
mod stream;

pub use auth::{Person, TestAuth};
pub use chat::{Bearer, ChatClient, PeopleClient, chat_client, people_client, reason};
pub use media::{Mood, TestMedia};
pub use patience::{PATIENCE, eventually, in_time};
pub use proxy::FaultProxy;
pub use raw::{raw_answer, raw_call};
pub use serving::Serving;
pub use stream::{Ended, StreamClient};

//! The client side of Parlor, and the model for one in any other language.
//!
//! - [`core`] keeps the rules of a client without doing any I/O: it is what a client in another language would copy.
//! - [`store`] keeps what has to survive in a SQLite file, which two processes may share.
//! - [`Client`] is one account at one server: it holds tokens and makes calls. Any number of them live in a process.
//! - [`Live`] runs the core over a stream; [`Events`] tell what changed.
//!
//! ```no_run
//! use std::{path::Path, time::Duration};
//!
//! use parlor_client::core::{Draft, Event};
//! use parlor_client::{Client, Error, LogIn, News};
//! use parlor_wire::chat::v1::{Text, content::Kind};
//!
//! # async fn app() -> Result<(), Error> {
//! let client = Client::open(Path::new("ada"), "http://127.0.0.1:7700", Duration::from_secs(5)).await?;
//! for chat in client.store().chats()?.shown {
//!     println!("{} {}", chat.unread.messages, chat.row.name); // what is saved, without a server too
//! }
//! if client.me().await.is_err() {
//!     let (username, password) = ("ada".into(), "correct horse battery staple".into());
//!     client.log_in(&LogIn { username, password, device_name: "desk".into() }).await?;
//! }
//!
//! let (live, mut events) = client.live().await?;
//! while let Some(news) = events.next().await {
//!     match news {
//!         News::Event(Event::Entries { conversation, from, to }) => {
//!             for entry in client.store().entries(conversation, from, to, 100)? {
//!                 println!("{entry:?}");
//!             }
//!             live.mark_read(conversation, to).await?;
//!             let answer = Draft::new(conversation, Kind::Text(Text { body: "seen".into() }));
//!             let pending = live.send(answer).await?; // saved: it will be sent, by this process or the next
//!             println!("stored as {}", pending.settled().await?.seq);
//!         }
//!         News::Event(Event::Stopped(why)) => println!("over: {}", why.message),
//!         News::Event(_) => {} // draw again what it names
//!         News::Missed(_) => {} // draw everything again
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The seven rules
//!
//! `proto/parlor/chat/v1/chat_service.proto` states them; here is who keeps each.
//!
//! 1. **A range per conversation.** [`core::Range`] is what is held: consecutive, inside what may be read. The next entry
//!    is applied, what is held is dropped, what comes too early waits for a fetch of what is missing.
//! 2. **Op and base_seq are saved before sending.** [`core::Outgoing`] rows leave the outbox when they are answered or seen
//!    in the log, and are sent unchanged and in order until then.
//! 3. **A cursor is saved after all that came before it.** Effects are carried out in order, and what they save is one
//!    transaction.
//! 4. **Received after saving, Read when shown.** The core says the first by itself, the app asks for the second:
//!    [`Live::mark_read`].
//! 5. **On a new generation all is forgotten but what waits to be sent**: [`core::Mutation::Reset`].
//! 6. **Reconnect with full jitter, unless told not to.** Waiting belongs to the core. Tell it of the foreground and of
//!    changes of the network: [`Live::foreground`].
//! 7. **What is not known is skipped**, and counts as applied.
//!
//! # The store, and the events
//!
//! What comes is saved first and told afterwards; what the app says is saved first and sent afterwards. So an
//! [`Event`](core::Event) only names what is different, and the store says what it is now. An app that misses events
//! ([`News::Missed`]) draws again from the store; an app that is killed at any point starts from it, without a server too.
//!
//! - [`Store::chats`](store::Store::chats): the chat list, pinned first, archive and hidden apart, each row with what is
//!   unread now. The numbers follow each entry and each mark without waiting for the server, and are the server's own
//!   when nothing is on its way.
//! - [`Store::receipts`](store::Store::receipts): whether a message is sent, delivered or read, and by whom.
//! - [`Store::badge`](store::Store::badge), [`Store::people`](store::Store::people),
//!   [`Store::privacy`](store::Store::privacy), [`Store::entries`](store::Store::entries),
//!   [`Store::outbox`](store::Store::outbox).
//!
//! Typing and presence are not saved: the core holds them in memory ([`Live::typing`], [`Live::presence`]) and forgets
//! them with the stream. One's own preferences are shown at once as if the server had them, and are sent until it answers.
//!
//! # A history
//!
//! [`Client::record_history`] writes down what this client asks, is answered and takes in, and nothing of what was said. Held
//! together with the histories of others it shows whether the server keeps its guarantees.
//!
//! # Calls
//!
//! The access token is renewed a minute before it ends, once for all tasks and processes of an account. What time may mend
//! is tried again for the patience given to [`Client::open`]: never before the server's advice, and spread by full jitter.
//! Nothing that an app needs to draw itself takes a call: the stream has brought it.

pub mod core;
mod error;
mod net;
pub mod store;

pub use error::Error;
pub use net::{
    Client, Dialing, Events, FileDraft, FileToSend, Live, LiveOptions, LogIn, News, Pending, Sent, Server,
    Tell, TransferNews, Wire,
};

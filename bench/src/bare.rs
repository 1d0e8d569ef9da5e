//! What `parlor-server` is compared to: servers with nothing of it, in processes of their own.
//!
//! The [`stream`] server speaks frames of the same stream on the same path. Of an append it stores what it is told to, and
//! acks it to the sender and hands it to the others of the conversation; nobody is authenticated, authorised, or asked
//! whether it was sent before. The [`media`] server writes the parts of a file.

mod conversation;
mod keeper;
pub mod media;
mod reader;
pub mod stream;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use tonic::transport::server::TcpIncoming;

use crate::processes::Process;

/// What a stream server does with an append before it acks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// Writes it to a file; all that waited meanwhile, then one fdatasync.
    File,
    /// Inserts it into a table of SQLite; all that waited meanwhile, then one commit (WAL, synchronous=FULL).
    Sqlite,
}

impl Keep {
    /// As the command line has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::File => "file",
            Self::Sqlite => "sqlite",
        }
    }

    /// What a server that does so goes by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "bare, no store",
            Self::File => "bare, file",
            Self::Sqlite => "bare, SQLite",
        }
    }
}

/// Starts a stream server, which keeps what it keeps below `folder`.
pub async fn start(keep: Keep, folder: &Path) -> Result<Process> {
    let own = std::env::current_exe()?;
    let name = format!("bare-{}", keep.word());
    let arguments: [OsString; 3] = [stream::COMMAND.into(), keep.word().into(), folder.join(&name).into()];
    Process::start(&own, &arguments, &folder.join(format!("{name}.log"))).await
}

/// Takes a free port and says which.
fn listen() -> Result<TcpIncoming> {
    let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?.with_nodelay(Some(true));
    println!("listening on {}", incoming.local_addr()?);
    Ok(incoming)
}

//! What can go wrong between an app and its server.

use std::path::PathBuf;

use parlor_types::Op;
use parlor_wire::errors::v1::{ErrorReason, Problem};

use crate::store::StoreError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused it; [`Error::reason`] says why.
    #[error("{}", describe(.0))]
    Refused(Problem),
    /// The server could not be reached, or could not do it now, for as long as was allowed.
    #[error("the server cannot be reached: {}", describe(.0))]
    Unreachable(Problem),
    /// Nobody is logged in here.
    #[error("not logged in")]
    NotLoggedIn,
    /// The session has ended: log in again.
    #[error("the session has ended: {}", describe(.0))]
    SessionOver(Problem),
    /// It is in the outbox and will be sent with the next send or stream.
    #[error("not delivered yet, kept in the outbox: {}", describe(.1))]
    Undelivered(Op, Problem),
    /// The server's address is not one.
    #[error("not a server's address: {0}")]
    Address(String),
    /// The local store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of this machine cannot be used.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it was when it was to be uploaded. Nothing of it is with others.
    #[error("{0} was changed after it was to be sent")]
    FileChanged(PathBuf),
    /// Another process works at this file.
    #[error("another process works at {0}")]
    FileBusy(PathBuf),
    /// There is no message with these files: several are pictures and videos, at most ten; a voice note is by itself.
    #[error(
        "no message holds these files together: pictures and videos alone, at most 10; a voice note by itself"
    )]
    NoMessage,
    /// There is no message there that could be sent on.
    #[error("there is no message there that could be sent on")]
    NothingToForward,
    /// The server said something it must not say.
    #[error("the server's answer lacks {0}")]
    Answer(&'static str),
    /// The live connection is gone: it was stopped, or this is a program that ends.
    #[error("the connection was stopped")]
    Stopped,
}

impl Error {
    /// The reason the server gave, if it gave one.
    #[must_use]
    pub fn reason(&self) -> Option<ErrorReason> {
        self.problem().map(Problem::reason)
    }

    /// All that the server said about it.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem)
            | Self::Unreachable(problem)
            | Self::SessionOver(problem)
            | Self::Undelivered(_, problem) => Some(problem),
            _ => None,
        }
    }
}

fn describe(problem: &Problem) -> String {
    let name = parlor_wire::reason::name(problem.reason());
    if problem.message.is_empty() { name.to_owned() } else { format!("{} ({name})", problem.message) }
}

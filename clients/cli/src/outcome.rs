//! How a command ends: the failures and their exit codes.

use std::io;
use std::process::ExitCode;

use parlor_client::Error;
use serde_json::json;

use crate::output::notice_line;

pub type Outcome<T = ()> = Result<T, Failure>;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Client(#[from] Error),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Failed(String),
    #[error("messages wait in the outbox: {0}; deliver them with `parlor tail` or give them up with --force")]
    Waiting(usize),
    #[error("some messages were not stored; see above")]
    Partly,
    #[error("{violations} violations in {lines} lines")]
    Broken { violations: usize, lines: usize },
    #[error(transparent)]
    NoHistory(#[from] parlor_history::FileError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Failure {
    /// As the help text says.
    pub fn code(&self) -> u8 {
        match self {
            Self::Client(Error::NotLoggedIn | Error::SessionOver(_)) => 3,
            Self::Client(Error::Unreachable(_)) => 4,
            Self::Client(Error::Undelivered(..)) | Self::Waiting(_) => 5,
            Self::Usage(_) | Self::NoHistory(_) | Self::Client(Error::Address(_) | Error::NoMessage) => 2,
            Self::Client(_) | Self::Failed(_) | Self::Partly | Self::Broken { .. } | Self::Io(_) => 1,
        }
    }

    /// Says what happened on standard error. Whoever closed standard output knows, and is told nothing.
    pub fn report(&self, json: bool) -> ExitCode {
        if let Self::Io(error) = self
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return ExitCode::SUCCESS;
        }
        let code = self.code();
        if json {
            notice_line(
                &json!({ "error": self.name(), "message": self.to_string(), "code": code }).to_string(),
            );
        } else {
            notice_line(&format!("parlor: {self}"));
            if code == 3 {
                notice_line("log in with `parlor login USERNAME`");
            }
        }
        ExitCode::from(code)
    }

    /// The server's reason, or a word of our own.
    fn name(&self) -> &'static str {
        match self {
            Self::Client(error) => match (error, error.reason()) {
                (_, Some(reason)) => parlor_wire::reason::name(reason),
                (Error::NotLoggedIn, None) => "NOT_LOGGED_IN",
                (Error::Address(_) | Error::NoMessage, None) => "USAGE",
                (Error::FileChanged(_), None) => "FILE_CHANGED",
                _ => "FAILED",
            },
            Self::Usage(_) => "USAGE",
            Self::Waiting(_) => "OUTBOX_NOT_EMPTY",
            Self::Partly => "PARTLY",
            Self::Broken { .. } => "GUARANTEE_BROKEN",
            Self::NoHistory(_) => "NO_HISTORY",
            Self::Failed(_) | Self::Io(_) => "FAILED",
        }
    }
}

#[cfg(test)]
mod tests {
    use parlor_types::Op;
    use parlor_wire::errors::v1::{ErrorReason, Problem};

    use super::*;

    #[test]
    fn exit_codes_are_as_documented() {
        let problem = |reason: ErrorReason| Problem { reason: reason.into(), ..Problem::default() };
        let refused = Error::Refused(problem(ErrorReason::RoleInsufficient));
        let unreachable = Error::Unreachable(problem(ErrorReason::Unavailable));
        let over = Error::SessionOver(problem(ErrorReason::SessionEnded));
        let undelivered = Error::Undelivered(Op::new(), problem(ErrorReason::Unavailable));
        for (failure, code, name) in [
            (refused.into(), 1, "ROLE_INSUFFICIENT"),
            (Failure::Failed("x".into()), 1, "FAILED"),
            (Failure::Usage("x".into()), 2, "USAGE"),
            (Error::Address("x".into()).into(), 2, "USAGE"),
            (Error::NoMessage.into(), 2, "USAGE"),
            (Error::FileChanged("x".into()).into(), 1, "FILE_CHANGED"),
            (Error::NotLoggedIn.into(), 3, "NOT_LOGGED_IN"),
            (over.into(), 3, "SESSION_ENDED"),
            (unreachable.into(), 4, "UNAVAILABLE"),
            (undelivered.into(), 5, "UNAVAILABLE"),
            (Failure::Waiting(2), 5, "OUTBOX_NOT_EMPTY"),
            (Failure::Broken { violations: 1, lines: 2 }, 1, "GUARANTEE_BROKEN"),
        ] {
            let failure: Failure = failure;
            assert_eq!((failure.code(), failure.name()), (code, name), "{failure:?}");
        }
    }
}

//! Why the program ends without having done what it should, and the exit code that says so.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use parlor_embedded::{BackupError, CheckError, OpenError};
use parlor_grpc_kit::ServeError;
use parlor_runtime::config::Problems;
use parlor_runtime::data_dir::DataDirError;
use parlor_runtime::telemetry::TelemetryError;

/// Exit codes, those of `sysexits.h` where it has one. 0 is success; a second signal ends the process with 130.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The command line or the configuration cannot be used.
    Usage = 64,
    /// What was read is damaged, or not what it should be.
    Data = 65,
    /// The data folder or the address is in use.
    InUse = 69,
    /// A part of the server failed.
    Internal = 70,
    /// Something could not be read or written.
    Io = 74,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// A sentence for whoever started the program, and a code for a program that did.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// What happened and, where there is something, what to do.
    pub message: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }

    /// The system's refusal to `verb` ("read", "write", …) `path`.
    pub(crate) fn io(verb: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(Code::Io, format!("cannot {verb} {}: {error}", path.display()))
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::new(Code::Usage, problems)
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        Self::new(Code::Usage, error)
    }
}

impl From<DataDirError> for Failure {
    fn from(error: DataDirError) -> Self {
        let code = match &error {
            DataDirError::InUse { .. } => Code::InUse,
            DataDirError::Io { .. } => Code::Io,
        };
        Self::new(code, error)
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let code = match &error {
            ServeError::Origin(_) => Code::Usage,
            ServeError::Server(_) => Code::Internal,
        };
        Self::new(code, error)
    }
}

impl From<auth_svc::StartError> for Failure {
    fn from(error: auth_svc::StartError) -> Self {
        use auth_svc::StartError as E;
        let code = match &error {
            E::Config(_) | E::Mail { .. } => Code::Usage,
            E::Store(open) => code_of(open),
            E::Keys(_) | E::KeysLost { .. } => Code::Data,
            E::Read(_) | E::Policy(_) | E::Hasher(_) => Code::Internal,
        };
        Self::new(code, error)
    }
}

impl From<chat_svc::StartError> for Failure {
    fn from(error: chat_svc::StartError) -> Self {
        use chat_svc::StartError as E;
        let code = match &error {
            E::Store(open) => code_of(open),
            E::Policy(_) => Code::Internal,
        };
        Self::new(code, error)
    }
}

impl From<presence_svc::StartError> for Failure {
    fn from(error: presence_svc::StartError) -> Self {
        use presence_svc::StartError as E;
        let code = match &error {
            E::Store(open) => code_of(open),
            E::Policy(_) => Code::Internal,
        };
        Self::new(code, error)
    }
}

impl From<media_svc::StartError> for Failure {
    fn from(error: media_svc::StartError) -> Self {
        use media_svc::StartError as E;
        let code = match &error {
            E::Store(open) => code_of(open),
            E::Files(_) => Code::Io,
            E::Bucket(_) | E::Scanner => Code::Usage,
            E::Policy(_) => Code::Internal,
        };
        Self::new(code, error)
    }
}

impl From<media_svc::CopyError> for Failure {
    fn from(error: media_svc::CopyError) -> Self {
        Self::new(Code::Io, format!("media: {error}"))
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let code = match &error {
            BackupError::Stopped => Code::Internal,
            BackupError::Exists { .. } => Code::Usage,
            BackupError::Damaged { .. } => Code::Data,
            BackupError::Io { .. } | BackupError::Sqlite(_) | BackupError::Locked => Code::Io,
        };
        Self::new(code, error)
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        Self::new(Code::Data, error)
    }
}

fn code_of(error: &OpenError) -> Code {
    match error {
        OpenError::InUse { .. } => Code::InUse,
        OpenError::Io { .. } => Code::Io,
        OpenError::TooNew { .. } | OpenError::Sqlite(_) | OpenError::Damaged { .. } => Code::Data,
        OpenError::Pragma { .. } | OpenError::MigrationOrder { .. } | OpenError::Migration { .. } => {
            Code::Internal
        }
    }
}

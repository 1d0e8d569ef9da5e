//! Mail to users: what is written, the queue it waits in, and the two ways it leaves.
//!
//! A mail that was taken is tried a few times and then given up: who waits for it asks again. Mails in the queue do
//! not survive a restart. Logs name the user a mail is for, and neither the address nor what is written.

mod folder;
mod message;
mod queue;
mod smtp;

use std::fmt;

use async_trait::async_trait;
use parlor_types::UserId;

use crate::emails::{CODE_LIFE, Code, EmailAddress};

pub use folder::FolderMailer;
pub use queue::{Delivery, Outbox};
pub use smtp::{SmtpLogin, SmtpMailer, SmtpSecurity, SmtpServer};

/// A mail to one user. Its address and text are never printed.
#[derive(Clone)]
pub struct Mail {
    /// For whom.
    pub user_id: UserId,
    /// Where to.
    pub to: EmailAddress,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why a mail was not sent. The text is for the log: it quotes neither the address nor what a mail server said, which
/// may hold it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not now; another try may help.
    #[error("{0}")]
    Failed(String),
    /// Not ever.
    #[error("{0}")]
    Refused(String),
}

/// Sends mail.
#[async_trait]
pub trait Mailer: fmt::Debug + Send + Sync {
    /// Hands a mail over to whoever brings it to its reader. When it returns, it was taken.
    async fn send(&self, mail: &Mail) -> Result<(), SendError>;
}

impl Mail {
    /// The mail with a code that proves an address.
    #[must_use]
    pub fn with_code(user_id: UserId, to: &EmailAddress, code: &Code) -> Self {
        let (code, minutes) = (code.as_str(), CODE_LIFE.as_secs() / 60);
        let text = format!(
            "Your code is {code}\n\n\
             Type it where you were asked for it, within {minutes} minutes, to prove that\n\
             this address is yours.\n\n\
             If nothing asked you for a code, somebody has mistyped their own address:\n\
             ignore this mail. Tell the code to nobody.\n"
        );
        Self { user_id, to: to.clone(), subject: "Prove your e-mail address".to_owned(), text }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

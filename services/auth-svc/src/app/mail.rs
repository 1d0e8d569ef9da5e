//! Mail as configured: the queue, and what takes mail out of it.

use std::sync::Arc;

use parlor_runtime::tasks::TaskGroup;

use super::StartError;
use crate::config::{MailConfig, MailTransport};
use crate::mail::{Delivery, FolderMailer, Mailer, Outbox, SmtpMailer};

/// Takes mail to its readers.
pub(super) struct Post {
    mailer: Arc<dyn Mailer>,
    delivery: Delivery,
}

/// Where mail is put and what brings it; nothing if no mail is sent.
pub(super) fn open(config: &MailConfig) -> Result<Option<(Outbox, Post)>, StartError> {
    let failed = |reason: String| StartError::Mail { reason };
    let from = || config.mailbox().map_err(|rule| failed(format!("mail.from {rule}")));
    let mailer: Arc<dyn Mailer> = match config.transport {
        MailTransport::None => return Ok(None),
        MailTransport::Smtp => Arc::new(SmtpMailer::new(from()?, config.smtp.server()).map_err(failed)?),
        MailTransport::Folder => {
            let mailer = FolderMailer::new(from()?, config.folder.clone());
            Arc::new(mailer.map_err(|error| failed(format!("{}: {error}", config.folder.display())))?)
        }
    };
    let (outbox, delivery) = Outbox::new(config.waiting);
    Ok(Some((outbox, Post { mailer, delivery })))
}

impl Post {
    pub(super) fn start(self, tasks: &TaskGroup) {
        tasks.run("mail", move |stop| async move { self.delivery.run(self.mailer, stop).await });
    }
}

//! The queue of mail: bounded (G8), worked off by one task, a few mails at once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use super::{Mail, Mailer, SendError};
use crate::refusal::Refusal;

/// Mails on their way at once, so that one that waits for its next try holds up few others.
const AT_ONCE: usize = 8;
/// Waits before the tries after the first. A code is good for 15 minutes: later ones would be of no use to anybody who
/// is still looking for their mail.
const RETRY_AFTER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];
/// When whoever found the queue full may try again.
const FULL_RETRY: Duration = Duration::from_secs(30);

/// Where mail is put.
#[derive(Clone, Debug)]
pub struct Outbox(mpsc::Sender<Mail>);

/// A place in the queue that nobody else gets.
#[derive(Debug)]
pub struct Place(mpsc::OwnedPermit<Mail>);

/// What takes mail out of the queue.
#[derive(Debug)]
pub struct Delivery(mpsc::Receiver<Mail>);

impl Outbox {
    /// A queue of `waiting` mails.
    #[must_use]
    pub fn new(waiting: usize) -> (Self, Delivery) {
        let (sender, receiver) = mpsc::channel(waiting);
        (Self(sender), Delivery(receiver))
    }

    /// A place for a mail to come.
    ///
    /// # Errors
    /// `Overloaded` while there is none, `Unavailable` once the service is stopping.
    pub fn reserve(&self) -> Result<Place, Refusal> {
        self.0.clone().try_reserve_owned().map(Place).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::Overloaded(FULL_RETRY),
            TrySendError::Closed(_) => Refusal::Unavailable(FULL_RETRY),
        })
    }
}

impl Place {
    /// Takes the place.
    pub fn fill(self, mail: Mail) {
        self.0.send(mail);
    }
}

impl Delivery {
    /// Sends what is put into the queue with `mailer`, until `stop`. What is left then is not sent.
    pub async fn run(self, mailer: Arc<dyn Mailer>, stop: CancellationToken) {
        let mut queue = self.0;
        let mails = stream::poll_fn(|context| queue.poll_recv(context));
        let sending = mails.for_each_concurrent(AT_ONCE, |mail| deliver(Arc::clone(&mailer), mail));
        stop.run_until_cancelled(sending).await;
        queue.close();
        let left = queue.len();
        if left > 0 {
            tracing::warn!(left, "mails in the queue are not sent: the service stops");
        }
    }
}

async fn deliver(mailer: Arc<dyn Mailer>, mail: Mail) {
    let user_id = mail.user_id;
    let mut waits = RETRY_AFTER.into_iter();
    loop {
        let error = match mailer.send(&mail).await {
            Ok(()) => return tracing::info!(%user_id, "mail sent"),
            Err(SendError::Refused(error)) => {
                return tracing::warn!(%user_id, %error, "mail refused");
            }
            Err(SendError::Failed(error)) => error,
        };
        let Some(wait) = waits.next() else {
            return tracing::warn!(%user_id, %error, "mail given up");
        };
        tracing::warn!(%user_id, %error, retry_after = ?wait, "mail not sent yet");
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use parlor_types::UserId;
    use tokio::time::Instant;

    use super::*;
    use crate::emails::{Code, EmailAddress};

    /// Answers as told for each mail in turn, and remembers when it was asked.
    #[derive(Clone, Debug, Default)]
    struct Scripted {
        answers: Arc<Mutex<Vec<Result<(), SendError>>>>,
        asked: Arc<Mutex<Vec<(UserId, Instant)>>>,
    }

    #[async_trait]
    impl Mailer for Scripted {
        async fn send(&self, mail: &Mail) -> Result<(), SendError> {
            self.asked.lock().unwrap().push((mail.user_id, Instant::now()));
            self.answers.lock().unwrap().pop().unwrap_or(Ok(()))
        }
    }

    fn mail() -> Mail {
        let to = EmailAddress::new("ada@example.org").unwrap();
        Mail::with_code(UserId::new(), &to, &Code::new("12345678").unwrap())
    }

    fn failed() -> Result<(), SendError> {
        Err(SendError::Failed("connection refused".to_owned()))
    }

    /// Seconds after the first at which a mail was tried, with these answers, the last one first.
    async fn tries(answers: Vec<Result<(), SendError>>) -> Vec<u64> {
        let mailer = Scripted::default();
        *mailer.answers.lock().unwrap() = answers;
        let (outbox, delivery) = Outbox::new(1);
        outbox.reserve().unwrap().fill(mail());
        drop(outbox);
        delivery.run(Arc::new(mailer.clone()), CancellationToken::new()).await;
        let asked = mailer.asked.lock().unwrap();
        asked.iter().map(|(_, at)| (*at - asked[0].1).as_secs()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_mail_is_tried_again_a_few_times_and_a_refused_one_is_not() {
        assert_eq!(tries(vec![Ok(())]).await, [0]);
        assert_eq!(tries(vec![Ok(()), failed(), failed()]).await, [0, 1, 11]);
        assert_eq!(tries(vec![failed(), failed(), failed(), failed(), failed()]).await, [0, 1, 11, 71]);
        let refused = Err(SendError::Refused("550".to_owned()));
        assert_eq!(tries(vec![Ok(()), refused, failed()]).await, [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_does_not_hold_up_another() {
        let mailer = Scripted::default();
        *mailer.answers.lock().unwrap() = vec![Ok(()), Ok(()), failed()];
        let (outbox, delivery) = Outbox::new(2);
        let (first, second) = (mail(), mail());
        for mail in [&first, &second] {
            outbox.reserve().unwrap().fill(mail.clone());
        }
        drop(outbox);
        delivery.run(Arc::new(mailer.clone()), CancellationToken::new()).await;
        let asked: Vec<_> = mailer.asked.lock().unwrap().iter().map(|(user, _)| *user).collect();
        assert_eq!(asked, [first.user_id, second.user_id, first.user_id]);
    }

    #[tokio::test]
    async fn g8_a_full_queue_refuses() {
        let (outbox, delivery) = Outbox::new(2);
        let places = [outbox.reserve().unwrap(), outbox.reserve().unwrap()];
        assert!(matches!(outbox.reserve(), Err(Refusal::Overloaded(_))));
        drop(places);
        outbox.reserve().unwrap().fill(mail());
        let stopped = CancellationToken::new();
        stopped.cancel();
        delivery.run(Arc::new(Scripted::default()), stopped).await;
        assert!(matches!(outbox.reserve(), Err(Refusal::Unavailable(_))));
    }
}

//! Messages with files: saved first, then their files are uploaded, then they are sent like any other.
//!
//! Whoever works at one holds the claim to it, so that of several processes one does; a killed process loses its claims. What is left over is
//! taken up by every live connection, and by whoever sends the same again.

use std::path::PathBuf;
use std::time::SystemTime;

use parlor_types::{ConversationId, MediaId, Op, Seq, UserId};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::{DeleteMediaRequest, Purpose};
use parlor_wire::reason::{Retry, meaning};

use super::files::look_at;
use super::session::{Access, Session};
use super::transfer::TransferNews;
use super::uploads::{Uploading, finished};
use super::{Client, Sent, blocking_call};
use crate::core::{Draft, Outgoing, Parcel, Part, content_of};
use crate::error::Error;
use crate::store::{Claim, Store, StoreError};

/// A file of a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileToSend {
    /// Where it is.
    pub path: PathBuf,
    /// What it is for. None: pictures and MP4 videos are shown, all else are files.
    pub purpose: Option<Purpose>,
    /// A still picture of a video.
    pub poster: Option<PathBuf>,
}

/// A message with files: one, or several pictures and videos as an album.
#[derive(Debug, Clone, PartialEq)]
pub struct FileDraft {
    /// Where.
    pub conversation: ConversationId,
    /// The files, in order.
    pub files: Vec<FileToSend>,
    /// Text under them; empty for none.
    pub caption: String,
    /// Seq of the entry it answers; 0 for none.
    pub reply_to: Seq,
    /// Users it calls by name.
    pub mentions: Vec<UserId>,
}

impl Client {
    /// Saves a message with files, uploads them, sends it, and waits until the server has stored it. If the same message
    /// waits here already, left over by a process that was stopped or could not reach the server, that one goes on. `tell` hears of each file, by its place among all,
    /// posters included.
    ///
    /// # Errors
    /// [`Error::NoMessage`], [`Error::File`], [`Error::FileChanged`], [`Error::Refused`]: it will never be sent, and has been dropped.
    /// [`Error::Undelivered`]: patience has run out; it stays. [`Error::SessionOver`], and it stays too.
    pub async fn send_file(
        &self,
        draft: FileDraft,
        tell: &mut (dyn FnMut(usize, TransferNews) + Send),
    ) -> Result<Sent, Error> {
        let id = draft.conversation;
        if self.stored(move |store| store.conversation(id)).await?.is_none() {
            self.conversation(id).await?;
        }
        let fresh = self.session.pack(draft).await?;
        let fresh_op = fresh.outgoing.op;
        let mut taken = self.take_up(fresh).await?;
        loop {
            let mine = match taken {
                Taken::Complete(mine) => mine,
                Taken::Waiting(parcel, claim) => self.upload_all(*parcel, claim, tell).await?,
            };
            let op = mine.op;
            match self.deliver(mine).await {
                Err(Error::Undelivered(_, problem)) if problem.reason() == ErrorReason::MediaNotFound => {
                    // None: another process works at it.
                    let again = self.stored(move |store| claim_waiting(store, op)).await?;
                    let (parcel, claim) = again.ok_or(Error::Undelivered(op, problem))?;
                    taken = Taken::Waiting(Box::new(parcel), claim);
                }
                sent => return Ok(Sent { resumed: op != fresh_op, ..sent? }),
            }
        }
    }

    /// Uploads the files of a message and puts it into the outbox.
    async fn upload_all(
        &self,
        parcel: Parcel,
        claim: Claim,
        tell: &mut (dyn FnMut(usize, TransferNews) + Send),
    ) -> Result<Outgoing, Error> {
        let op = parcel.outgoing.op;
        let mut ids = Vec::new();
        for (place, file) in parcel.files.iter().enumerate() {
            let patience = Some(self.session.patience);
            let run = Uploading { session: &self.session, file, patience, turns: None };
            match run.to_end(&mut |news| tell(place, news)).await.and_then(finished) {
                Ok(id) => ids.push(id),
                Err(error) => return Err(self.not_sent(op, error).await),
            }
        }
        let complete = parcel.complete(&ids);
        let mine = complete.clone();
        self.stored(move |store| store.dispatch(complete)).await?;
        claim.finish();
        Ok(mine)
    }

    /// Forgets a message whose files are not all there, or could not be sent. It is not sent any more.
    ///
    /// # Errors
    /// [`Error::Store`]. That the server could not be told is none: it forgets by itself.
    pub async fn discard(&self, op: Op) -> Result<(), Error> {
        let begun = self.stored(move |store| store.discard_parcel(op)).await?;
        self.session.forget_media(begun).await;
        Ok(())
    }

    /// The same message that waits for the server, or for its files and nobody works at it, or this one, saved.
    async fn take_up(&self, parcel: Parcel) -> Result<Taken, Error> {
        self.stored(move |store| {
            for complete in store.dispatched_parcels()?.iter().filter(|known| known.is_alike(&parcel)) {
                let rows = store.outbox(Some(complete.outgoing.conversation))?;
                if let Some(row) = rows.into_iter().find(|row| row.op == complete.outgoing.op) {
                    return Ok(Taken::Complete(row));
                }
            }
            for waiting in store.parcels()?.iter().filter(|known| known.is_alike(&parcel)) {
                if let Some((waiting, claim)) = claim_waiting(store, waiting.outgoing.op)? {
                    return Ok(Taken::Waiting(Box::new(waiting), claim));
                }
            }
            let claim =
                store.claim(parcel.outgoing.op)?.expect("nobody else knows of an op that was made just now");
            Ok(Taken::Waiting(Box::new(store.queue_parcel(parcel, SystemTime::now())?), claim))
        })
        .await
    }

    /// What becomes of a message whose files could not be uploaded.
    async fn not_sent(&self, op: Op, error: Error) -> Error {
        match error {
            Error::Unreachable(problem) => Error::Undelivered(op, problem),
            Error::Refused(problem) if meaning(problem.reason()).1 == Retry::Same => {
                Error::Undelivered(op, problem)
            }
            error @ (Error::Refused(_) | Error::File { .. } | Error::FileChanged(_)) => {
                self.discard(op).await.err().unwrap_or(error)
            }
            other => other,
        }
    }
}

/// A message to go on with.
enum Taken {
    /// Its files are there: a row of the outbox.
    Complete(Outgoing),
    /// It waits for its files.
    Waiting(Box<Parcel>, Claim),
}

/// A message that waits for its files, if it does and nobody works at it.
fn claim_waiting(store: &Store, op: Op) -> Result<Option<(Parcel, Claim)>, StoreError> {
    let Some(claim) = store.claim(op)? else { return Ok(None) };
    let still = store.parcel(op)?.filter(|still| still.failed.is_none());
    Ok(still.map(|parcel| (parcel, claim)))
}

impl Session {
    /// Looks at the files of a draft and puts them together. Nothing is saved yet.
    pub async fn pack(&self, draft: FileDraft) -> Result<Parcel, Error> {
        let FileDraft { conversation, files, caption, reply_to, mentions } = draft;
        blocking_call(move || {
            let (mut uploads, mut parts) = (Vec::new(), Vec::new());
            for file in files {
                let upload = look_at(&file.path, file.purpose)?;
                parts.push(Part { purpose: upload.purpose, poster: file.poster.is_some() });
                uploads.push(upload);
                if let Some(poster) = file.poster {
                    uploads.push(look_at(&poster, Some(Purpose::Image))?);
                }
            }
            let content = content_of(&parts, caption).ok_or(Error::NoMessage)?;
            if content.media().len() != uploads.len() {
                return Err(Error::NoMessage); // a still picture of what is no video
            }
            let draft = Draft { reply_to, mentions, ..Draft::new(conversation, content) };
            let outgoing = Outgoing::new(Op::new(), Seq::default(), draft);
            Ok(Parcel { outgoing, files: uploads, failed: None, again: 0 })
        })
        .await
    }

    /// Nothing will come of these uploads: the server need not keep them for a day. It forgets them by itself, so
    /// a failure does no harm.
    pub async fn forget_media(&self, begun: Vec<MediaId>) {
        for media in begun {
            let request = DeleteMediaRequest { media_id: media.to_string() };
            let call =
                async |access: Access| access.media().delete_media(access.request(request.clone())).await;
            if let Err(error) = self.call_once(call).await {
                tracing::debug!(%error, "an upload could not be deleted");
            }
        }
    }
}

//! Files on their way up: the machine of [`crate::core::Upload`] with calls, a clock and a file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use parlor_types::{Id as _, MediaId};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::{
    CreateUploadRequest, FinishUploadRequest, FinishUploadResponse, GetUploadRequest, Purpose,
    UploadPartRequest,
};
use parlor_wire::reason::{Retry, meaning};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::files::{self, Source};
use super::session::{Access, Session, refused};
use super::transfer::{Patience, Tell, TransferNews, problem_of, sleep_until};
use super::{Client, blocking_call};
use crate::core::{FileFault, FileUpload, Upload, UploadCall, UploadInput};
use crate::error::Error;

/// A part may take this long: 256 KiB at 35 kbit/s.
const PART_WITHIN: Duration = Duration::from_secs(60);
/// Checking a file, taking out what it says of places and making thumbnails may take this long.
const FINISH_WITHIN: Duration = Duration::from_secs(180);
/// Who waits longer lets others go first.
const KEEPS_TURN_FOR: Duration = Duration::from_secs(10);

impl Client {
    /// Uploads a file, and waits until it is there whole. What is done with it, if it is not asked for, is guessed: pictures
    /// and MP4 videos are to be shown, all else are files. What an earlier call for the same file has begun and not ended, in this
    /// process or another, it goes on with. Patience begins anew with each part that arrives.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::FileChanged`]; as `MediaService.CreateUpload`, `UploadPart` and `FinishUpload`.
    pub async fn upload(
        &self,
        path: &Path,
        purpose: Option<Purpose>,
        tell: Tell<'_>,
    ) -> Result<FinishUploadResponse, Error> {
        let path = path.to_owned();
        let file = blocking_call(move || files::look_at(&path, purpose)).await?;
        let file = self.stored(move |store| store.begin_upload(file, SystemTime::now())).await?;
        let run = Uploading {
            session: &self.session,
            file: &file,
            patience: Some(self.session.patience),
            turns: None,
        };
        let outcome = run.to_end(tell).await;
        let is_over = match &outcome {
            Ok(_) | Err(Error::File { .. } | Error::FileChanged(_)) => true,
            Err(Error::Refused(problem)) => meaning(problem.reason()).1 == Retry::No,
            Err(_) => false,
        };
        if is_over {
            self.stored(move |store| store.end_upload(file.op)).await?;
        }
        outcome
    }
}

/// One file, and how long to wait.
pub(super) struct Uploading<'a> {
    pub session: &'a Arc<Session>,
    pub file: &'a FileUpload,
    /// Give up when nothing has come forward for so long, and at once when waiting alone does not help; none: never.
    pub patience: Option<Duration>,
    /// Who sends needs one of these.
    pub turns: Option<&'a Semaphore>,
}

/// The file, shared by the calls under way.
type Shared = Arc<Mutex<Source>>;

impl Uploading<'_> {
    pub async fn to_end(&self, tell: Tell<'_>) -> Result<FinishUploadResponse, Error> {
        let outcome = self.run(tell).await;
        if matches!(outcome, Err(Error::FileChanged(_) | Error::File { .. })) {
            self.forget().await;
        }
        outcome
    }

    async fn run(&self, tell: Tell<'_>) -> Result<FinishUploadResponse, Error> {
        let file = self.file.clone();
        let source = blocking_call(move || Source::open(&file).map_err(|fault| failed(&file, fault))).await?;
        let source = Arc::new(Mutex::new(source));
        let mut upload = Upload::new(self.file.size, StdRng::from_rng(&mut rand::rng()));
        let mut calls = JoinSet::new();
        let mut turn = self.take_turn().await;
        let (started, mut patience) = (Instant::now(), Patience::new(self.patience));
        let mut input = UploadInput::Timer;
        loop {
            let fx = upload.handle(started.elapsed(), input);
            let wakes = upload.deadline().map(|at| started + at);
            if let Some(media) = fx.named {
                let op = self.file.op;
                self.session.stored(move |store| store.name_upload(op, media)).await?;
            }
            if let Some(progress) = fx.progress {
                patience.moved();
                tell(TransferNews::Progress(progress));
            }
            if let Some(problem) = fx.waits {
                patience.bears(&problem, wakes)?;
                tell(TransferNews::Waits(problem));
            }
            match fx.end {
                Some(Ok(finished)) => return Ok(*finished),
                // Its parts were sent as they were read: it was changed without a trace in its time.
                Some(Err(problem)) if problem.reason() == ErrorReason::HashMismatch => {
                    return Err(Error::FileChanged(self.file.path.clone()));
                }
                Some(Err(problem)) => return Err(refused(problem)),
                None => {}
            }
            for call in fx.calls {
                calls.spawn(perform(Arc::clone(self.session), self.file.clone(), Arc::clone(&source), call));
            }
            if wakes.is_some_and(|at| at > Instant::now() + KEEPS_TURN_FOR) {
                turn = None;
            }
            input = next(&mut calls, wakes).await?;
            if turn.is_none() {
                turn = self.take_turn().await;
            }
        }
    }

    async fn take_turn(&self) -> Option<SemaphorePermit<'_>> {
        match self.turns {
            // They are never closed.
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        }
    }

    /// Nothing will come of what the server has of it: it need not keep that for a day.
    async fn forget(&self) {
        let op = self.file.op;
        if let Ok(Some(media)) = self.session.stored(move |store| store.upload_name(op)).await {
            self.session.forget_media(vec![media]).await;
        }
    }
}

/// An answer, or that it is time.
async fn next(
    calls: &mut JoinSet<Result<UploadInput, Error>>,
    wakes: Option<Instant>,
) -> Result<UploadInput, Error> {
    tokio::select! {
        Some(joined) = calls.join_next() => match joined {
            Ok(input) => input,
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            Err(_) => Err(Error::Stopped),
        },
        () = sleep_until(wakes) => Ok(UploadInput::Timer),
        else => Err(Error::Stopped),
    }
}

async fn perform(
    session: Arc<Session>,
    file: FileUpload,
    source: Shared,
    call: UploadCall,
) -> Result<UploadInput, Error> {
    match call {
        UploadCall::Create => {
            let request = create_request(&file);
            let call =
                async |access: Access| access.media().create_upload(access.request(request.clone())).await;
            let answer = problem_of(session.call_once(call).await)?;
            state(answer.map(|answer| answer.upload))
        }
        UploadCall::Ask(media) => {
            let request = GetUploadRequest { media_id: media.to_string() };
            let call =
                async |access: Access| access.media().get_upload(access.request(request.clone())).await;
            let answer = problem_of(session.call_once(call).await)?;
            state(answer.map(|answer| answer.upload))
        }
        UploadCall::Part { media, offset, length } => {
            let data = on_file(file, source, move |_, source| source.read(offset, length)).await?;
            let request = UploadPartRequest { media_id: media.to_string(), offset, data: data.into() };
            let call = async |access: Access| {
                access.media().upload_part(access.request_within(PART_WITHIN, request.clone())).await
            };
            let answer = problem_of(session.call_once_within(PART_WITHIN, call).await)?;
            Ok(UploadInput::Part(offset, answer.map(drop)))
        }
        UploadCall::Finish(media) => {
            on_file(file, source, |file, source| source.verify(file)).await?;
            let request = FinishUploadRequest { media_id: media.to_string() };
            let call = async |access: Access| {
                access.media().finish_upload(access.request_within(FINISH_WITHIN, request.clone())).await
            };
            let answer = problem_of(session.call_once_within(FINISH_WITHIN, call).await)?;
            Ok(UploadInput::Finished(answer.map(Box::new)))
        }
    }
}

fn state(answer: Result<Option<parlor_wire::media::v1::Upload>, Problem>) -> Result<UploadInput, Error> {
    let answer = match answer {
        Ok(upload) => Ok(upload.ok_or(Error::Answer("an upload"))?),
        Err(problem) => Err(problem),
    };
    Ok(UploadInput::State(answer))
}

async fn on_file<T: Send + 'static>(
    file: FileUpload,
    source: Shared,
    job: impl FnOnce(&FileUpload, &mut Source) -> Result<T, FileFault> + Send + 'static,
) -> Result<T, Error> {
    blocking_call(move || {
        // Each read says where: one that was broken off leaves nothing half done.
        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
        job(&file, &mut source).map_err(|fault| failed(&file, fault))
    })
    .await
}

/// The error of a fault of a file.
pub(super) fn failed(file: &FileUpload, fault: FileFault) -> Error {
    let path = file.path.clone();
    match fault {
        FileFault::Changed => Error::FileChanged(path),
        FileFault::Unreadable(why) => Error::File { path, source: std::io::Error::other(why) },
        FileFault::Refused(problem) => Error::Refused(problem),
    }
}

fn create_request(file: &FileUpload) -> CreateUploadRequest {
    CreateUploadRequest {
        op: file.op.to_string(),
        name: file.name.clone(),
        size: file.size,
        media_type: file.media_type.clone(),
        sha256: file.sha256.to_vec().into(),
        purpose: file.purpose.into(),
    }
}

/// The id of a file that is there.
pub(super) fn finished(answer: FinishUploadResponse) -> Result<MediaId, Error> {
    let id = answer.media.as_ref().and_then(|media| MediaId::parse(&media.id));
    id.ok_or(Error::Answer("a file"))
}

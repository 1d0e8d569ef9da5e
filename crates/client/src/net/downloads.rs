//! Files on their way down: the machine of [`crate::core::Download`] with a stream, a clock and a file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use parlor_types::MediaId;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::{DownloadRequest, DownloadResponse, Variant, download_response};
use parlor_wire::reason::from_status;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::time::Instant;
use tonic::Streaming;

use super::files::sha256_of;
use super::session::{Access, CALL_WITHIN, refused};
use super::transfer::{Patience, Tell, TransferNews, problem_of, sleep_until};
use super::{Client, blocking_call};
use crate::core::{Download, DownloadInput, Expected};
use crate::error::Error;

/// The next bytes may take this long.
const BYTES_WITHIN: Duration = Duration::from_secs(30);

impl Client {
    /// Gets a file into `to`, and waits until it is there whole, with the right SHA-256; what was there before is replaced only
    /// then. Until then it lies beside it, and an earlier call that was cut short is gone on with. Patience begins
    /// anew with all that comes.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::FileBusy`]; as `MediaService.Download`.
    pub async fn download(
        &self,
        media: MediaId,
        variant: Variant,
        to: &Path,
        tell: Tell<'_>,
    ) -> Result<Expected, Error> {
        let to = std::path::absolute(to).map_err(|source| Error::File { path: to.to_owned(), source })?;
        let path = part_beside(&to, media, variant);
        let part = {
            let path = path.clone();
            Arc::new(blocking_call(move || Part::open(path)).await?)
        };
        let run = Downloading { client: self, media, variant, part: Arc::clone(&part) };
        let outcome = run.to_end(tell).await;
        if outcome.is_err() {
            let part = Arc::clone(&part);
            blocking_call(move || part.leave()).await?;
        }
        let expected = outcome?;
        blocking_call(move || part.become_whole(&to)).await?;
        self.stored(move |store| store.keep_download(&path, None, SystemTime::now())).await?;
        Ok(expected)
    }
}

/// Where a file lies until it is whole.
fn part_beside(to: &Path, media: MediaId, variant: Variant) -> PathBuf {
    let variant = variant.as_str_name().trim_start_matches("VARIANT_").to_ascii_lowercase();
    to.with_file_name(format!(".{media}-{variant}.part"))
}

struct Downloading<'a> {
    client: &'a Client,
    media: MediaId,
    variant: Variant,
    part: Arc<Part>,
}

impl Downloading<'_> {
    async fn to_end(&self, tell: Tell<'_>) -> Result<Expected, Error> {
        let (path, part) = (self.part.path.clone(), Arc::clone(&self.part));
        let saved = self.client.stored(move |store| store.download(&path)).await?;
        let written = blocking_call(move || part.length()).await?;
        let mut download = Download::new(written, saved, StdRng::from_rng(&mut rand::rng()));
        let mut patience = Patience::new(Some(self.client.session.patience));
        let (started, mut stream) = (Instant::now(), None);
        let mut input = DownloadInput::Timer;
        loop {
            let fx = download.handle(started.elapsed(), input);
            let wakes = download.deadline().map(|at| started + at);
            if fx.hang_up {
                stream = None;
            }
            if let Some((length, expected)) = fx.keep {
                self.keep(length, expected).await?;
            }
            if let Some(progress) = fx.progress {
                patience.moved();
                tell(TransferNews::Progress(progress));
            }
            if let Some(problem) = fx.waits {
                stream = None;
                patience.bears(&problem, wakes)?;
                tell(TransferNews::Waits(problem));
            }
            if let Some(end) = fx.end {
                return end.map_err(refused);
            }
            input = if let Some((offset, if_sha256)) = fx.ask {
                match self.ask(offset, if_sha256).await? {
                    Ok(answer) => self.read(stream.insert(answer)).await?,
                    Err(problem) => DownloadInput::Ended(Err(problem)),
                }
            } else if let Some(expected) = fx.check {
                let part = Arc::clone(&self.part);
                DownloadInput::Checked(blocking_call(move || part.sha256()).await? == expected.sha256)
            } else if let Some(answer) = &mut stream {
                self.read(answer).await?
            } else {
                sleep_until(wakes).await;
                DownloadInput::Timer
            };
        }
    }

    async fn keep(&self, length: u64, expected: Option<Expected>) -> Result<(), Error> {
        let (path, part) = (self.part.path.clone(), Arc::clone(&self.part));
        blocking_call(move || part.cut(length)).await?;
        self.client.stored(move |store| store.keep_download(&path, expected, SystemTime::now())).await
    }

    async fn ask(
        &self,
        offset: u64,
        if_sha256: Option<[u8; 32]>,
    ) -> Result<Result<Streaming<DownloadResponse>, Problem>, Error> {
        let request = DownloadRequest {
            media_id: self.media.to_string(),
            variant: self.variant.into(),
            offset,
            length: 0,
            if_sha256: if_sha256.map(|sha256| sha256.to_vec()).unwrap_or_default().into(),
        };
        let call = async |access: Access| access.media().download(access.endless(request.clone())).await;
        problem_of(self.client.session.call_once_within(CALL_WITHIN, call).await)
    }

    async fn read(&self, answer: &mut Streaming<DownloadResponse>) -> Result<DownloadInput, Error> {
        let Ok(message) = tokio::time::timeout(BYTES_WITHIN, answer.message()).await else {
            let message = "no bytes in time".to_owned();
            let problem = Problem { reason: ErrorReason::Unavailable.into(), message, ..Problem::default() };
            return Ok(DownloadInput::Ended(Err(problem)));
        };
        match message {
            Ok(Some(DownloadResponse { part: Some(download_response::Part::Start(start)) })) => {
                Ok(DownloadInput::Start(start))
            }
            Ok(Some(DownloadResponse { part: Some(download_response::Part::Data(data)) })) => {
                let (part, length) = (Arc::clone(&self.part), data.len() as u64);
                blocking_call(move || part.write(&data)).await?;
                Ok(DownloadInput::Written(length))
            }
            Ok(Some(DownloadResponse { part: None })) => Ok(DownloadInput::Written(0)),
            Ok(None) => Ok(DownloadInput::Ended(Ok(()))),
            Err(status) => Ok(DownloadInput::Ended(Err(from_status(&status)))),
        }
    }
}

/// The bytes that have come, in a file that no other process writes to while this is there. All calls block.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    file: Mutex<File>,
}

impl Part {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let io = |source| Error::File { path: path.clone(), source };
        let file = OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file: Mutex::new(file) }),
            Err(TryLockError::WouldBlock) => Err(Error::FileBusy(path)),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    fn with<T>(&self, job: impl FnOnce(&mut File) -> io::Result<T>) -> Result<T, Error> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        job(&mut file).map_err(|source| Error::File { path: self.path.clone(), source })
    }

    fn length(&self) -> Result<u64, Error> {
        self.with(|file| Ok(file.metadata()?.len()))
    }

    fn cut(&self, length: u64) -> Result<(), Error> {
        self.with(|file| file.set_len(length))
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.with(|file| file.write_all(bytes))
    }

    fn sha256(&self) -> Result<[u8; 32], Error> {
        self.with(|file| {
            file.seek(SeekFrom::Start(0))?;
            sha256_of(file)
        })
    }

    /// What has come stays for the next time; where nothing has come nothing is left.
    fn leave(&self) -> Result<(), Error> {
        if self.length()? > 0 {
            return Ok(());
        }
        std::fs::remove_file(&self.path).map_err(|source| Error::File { path: self.path.clone(), source })
    }

    fn become_whole(&self, to: &Path) -> Result<(), Error> {
        self.with(|file| file.sync_all())?;
        std::fs::rename(&self.path, to).map_err(|source| Error::File { path: to.to_owned(), source })
    }
}

//! The parent's side: starts a child for each inspection, holds it to its limits and takes what it says.

mod places;
mod receive;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::format::Format;
use crate::report::Facts;
use crate::{InspectError, Inspected, Wanted, sniff};
use places::Places;
use receive::{End, Received};

/// What inspections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Inspections at once; the number of cores, if nothing speaks for another.
    pub jobs: usize,
    /// Inspections that may wait for a place; more get [`InspectError::Busy`].
    pub waiting: usize,
    /// How long one may wait for a place before it gets [`InspectError::Busy`].
    pub wait: Duration,
    /// How long one may run, by the clock on the wall, before it is killed. Its CPU time is limited besides.
    pub time: Duration,
    /// Bytes that a child may write: the cleaned original, that once more if it is turned, and thumbnails.
    pub output_bytes: u64,
    /// Bytes of a picture that is encoded anew to be turned; if it would be longer, the cleaned one stays, which says how it is
    /// to be turned. As much as may be uploaded.
    pub turned_bytes: u64,
    /// The same for [`Wanted::Avatar`].
    pub turned_avatar_bytes: u64,
}

impl Default for Limits {
    /// As many at once as there are cores, 64 waiting for up to 20 s, 30 s for each, 256 MiB of output, 100 MiB of a picture
    /// that is turned, 5 MiB if it is an avatar.
    fn default() -> Self {
        Self {
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            waiting: 64,
            wait: Duration::from_secs(20),
            time: Duration::from_secs(30),
            output_bytes: 256 * 1024 * 1024,
            turned_bytes: 100 * 1024 * 1024,
            turned_avatar_bytes: 5 * 1024 * 1024,
        }
    }
}

/// Looks at uploads, each in a child process of its own.
#[derive(Debug)]
pub struct Inspector {
    limits: Limits,
    command: Vec<OsString>,
    refuses_mislabeled: bool,
    places: Places,
}

impl Inspector {
    /// `command` starts a process that runs [`worker`](crate::worker): program, then arguments. The program is an absolute
    /// path, since the child gets no environment.
    pub fn new(limits: Limits, command: Vec<OsString>) -> Self {
        let places = Places::new(limits.jobs, limits.waiting, limits.wait);
        Self { limits, command, refuses_mislabeled: false, places }
    }

    /// From now on [`InspectError::Mislabeled`] is what comes of files that plainly are not of the type that was claimed: one
    /// whose files all begin alike while this begins otherwise, such as words claimed to be `image/png`, or text while this is
    /// none. What first bytes leave open is taken.
    #[must_use]
    pub fn refusing_mislabeled(self) -> Self {
        Self { refuses_mislabeled: true, ..self }
    }

    /// Looks at the file `input`. Into the folder `output`, which must exist, it writes `original` if others are to get
    /// something else than the input, and thumbnails beside it; if it fails, it may leave files there. `claimed` is what
    /// the uploader takes it for, such as `image/jpeg`, or empty; where such files are not refused it matters for
    /// [`Wanted::File`] alone.
    ///
    /// # Errors
    ///
    /// As [`InspectError`] says; [`InspectError::Busy`] also if the child ran out of time before it was clear whether the
    /// input is good. When this is dropped the child is killed.
    pub async fn inspect(
        &self,
        input: &Path,
        wanted: Wanted,
        claimed: &str,
        output: &Path,
    ) -> Result<Inspected, InspectError> {
        let path = input.to_owned();
        let (file, head) = spawn_blocking(move || open(&path)).await.map_err(io::Error::other)??;
        let format = Format::of(&head);
        if wanted != Wanted::File && !format.is_some_and(|format| may_be(format, wanted)) {
            return Err(InspectError::Mismatch);
        }
        if self.refuses_mislabeled && sniff::is_lie(&head, claimed) {
            return Err(InspectError::Mislabeled);
        }
        if wanted == Wanted::File {
            let media_type = sniff::media_type(&head, claimed);
            return Ok(Inspected { media_type, cleaned: None, preview: None });
        }
        let _place = self.places.take().await.ok_or(InspectError::Busy)?;
        let turned = match wanted {
            Wanted::Avatar => self.limits.turned_avatar_bytes,
            _ => self.limits.turned_bytes,
        };
        let received = self.run(file, Received::new(output, self.limits.output_bytes, turned)).await?;
        received.answer(input, wanted).await
    }

    async fn run(&self, input: File, mut received: Received) -> Result<Received, InspectError> {
        let (program, arguments) =
            self.command.split_first().ok_or_else(|| io::Error::other("no command to inspect with"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pipe = child.stdout.take().expect("its standard output was asked for");
        let in_time = timeout(self.limits.time, received.read(pipe)).await;
        // Either it has ended, or it has to.
        let _ = child.start_kill();
        child.wait().await?;
        match in_time {
            Ok(read) => read?,
            Err(_) => received.end = End::OutOfTime,
        }
        Ok(received)
    }
}

/// What comes of it if a child says this of `input`: what [`Inspector::inspect`] makes of one that runs. All files may have
/// the first of so many bytes, one that is encoded anew the second.
///
/// # Errors
/// As [`Inspector::inspect`].
#[cfg(any(test, feature = "corpus"))]
pub async fn told(
    said: impl tokio::io::AsyncRead + Unpin,
    input: &Path,
    wanted: Wanted,
    output: &Path,
    [room, turned]: [u64; 2],
) -> Result<Inspected, InspectError> {
    let mut received = Received::new(output, room, turned);
    received.read(said).await?;
    received.answer(input, wanted).await
}

fn open(path: &Path) -> io::Result<(File, Vec<u8>)> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    (&mut file).take(sniff::HEAD_BYTES as u64).read_to_end(&mut head)?;
    io::Seek::rewind(&mut file)?;
    Ok((file, head))
}

/// Whether a file of this format can be what is wanted.
fn may_be(format: Format, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Image | Wanted::Avatar => format.is_picture(),
        Wanted::Voice => matches!(format, Format::Opus | Format::Mp4),
        Wanted::Video => format == Format::Mp4,
        Wanted::File => true,
    }
}

/// Whether these facts are of what is wanted.
fn is_of(facts: &Facts, wanted: Wanted) -> bool {
    match facts {
        Facts::Image { .. } => matches!(wanted, Wanted::Image | Wanted::Avatar),
        Facts::Audio { .. } => wanted == Wanted::Voice,
        Facts::Video { .. } => wanted == Wanted::Video,
    }
}

//! Taking down what happens, from many tasks at once.

use std::fs::File;
use std::io::{self, LineWriter, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::{Event, History, Line, Nanos, file};

/// Looks at both clocks.
const LOOKS: u32 = 16;

/// Takes lines down, in memory or in a file. Its clock starts at the time of day and goes on by the monotonic one, so
/// that several recorders on one machine tell the same time, as long as nobody sets the clock between their starts.
#[derive(Debug)]
pub struct Recorder {
    began: Instant,
    epoch: Duration,
    lines: Mutex<Lines>,
}

#[derive(Debug)]
enum Lines {
    Kept(Vec<Line>),
    /// What could not be written last is told at the end.
    Written(LineWriter<File>, Option<io::Error>),
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new(Lines::Kept(Vec::new()))
    }
}

impl Recorder {
    fn new(lines: Lines) -> Self {
        let (began, epoch) = moment();
        Self { began, epoch, lines: Mutex::new(lines) }
    }

    /// Adds to a file, which is made if there is none. A line is in it when the next one begins, also if this process is
    /// killed; a last line that is not whole is cut off.
    ///
    /// # Errors
    /// The file cannot be opened for writing.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        let mut file = File::options().read(true).append(true).create(true).open(path)?;
        cut_to_whole_lines(&mut file)?;
        Ok(Self::new(Lines::Written(LineWriter::new(file), None)))
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Nanos {
        let now = self.epoch + self.began.elapsed();
        u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Something is so now.
    pub fn record(&self, client: &str, event: Event) {
        let mut lines = self.lines();
        // Under the lock, so that the order of the lines is that of their times.
        let line = Line { at: self.now(), client: client.into(), event };
        lines.add(line);
    }

    /// Something began earlier.
    pub fn record_at(&self, at: Nanos, client: &str, event: Event) {
        self.lines().add(Line { at, client: client.into(), event });
    }

    /// What was taken down in memory so far; nothing of what is in a file.
    #[must_use]
    pub fn history(&self) -> History {
        match &*self.lines() {
            Lines::Kept(lines) => History::new(lines.clone()),
            Lines::Written(..) => History::default(),
        }
    }

    /// What was last in the way of writing, if anything was since this was last asked.
    #[must_use]
    pub fn take_error(&self) -> Option<io::Error> {
        match &mut *self.lines() {
            Lines::Written(_, failed) => failed.take(),
            Lines::Kept(_) => None,
        }
    }

    /// Whether all of it could be written.
    ///
    /// # Errors
    /// It could not: what was last in the way.
    pub fn finish(self) -> io::Result<()> {
        match self.lines.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Lines::Written(_, Some(error)) => Err(error),
            Lines::Written(..) | Lines::Kept(_) => Ok(()),
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One moment on both clocks. Whoever is held up between the two is late on one of them for good, so the shortest of several
/// looks counts; what is left is far below the way of a message and its answer.
fn moment() -> (Instant, Duration) {
    let look = || {
        let began = Instant::now();
        let epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        (began.elapsed(), (began, epoch))
    };
    let shortest = (0..LOOKS).map(|_| look()).min_by_key(|(took, _)| *took);
    shortest.unwrap_or_else(look).1
}

/// What is written next would else be part of a line that nobody can read.
fn cut_to_whole_lines(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut end = length;
    let mut block = [0; 4096];
    while end > 0 {
        let begin = end.saturating_sub(block.len() as u64);
        let block = &mut block[..usize::try_from(end - begin).map_err(io::Error::other)?];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(block)?;
        if let Some(newline) = block.iter().rposition(|byte| *byte == b'\n') {
            end = begin + newline as u64 + 1;
            break;
        }
        end = begin;
    }
    if end < length { file.set_len(end) } else { Ok(()) }
}

impl Lines {
    fn add(&mut self, line: Line) {
        match self {
            Self::Kept(lines) => lines.push(line),
            Self::Written(to, failed) => *failed = file::write(&line, to).err().or(failed.take()),
        }
    }
}

#[cfg(test)]
mod tests {
    use parlor_types::{Id as _, Op};

    use super::*;

    fn event(number: u8) -> Event {
        Event::Unknown { op: Op::from_bytes([number; 16]) }
    }

    #[test]
    fn what_began_earlier_stands_earlier() {
        let recorder = Recorder::default();
        let since = recorder.now();
        recorder.record("ada", event(1));
        recorder.record_at(since, "ben", event(2));
        let history = recorder.history();
        let events: Vec<_> = history.lines().iter().map(|line| line.event.clone()).collect();
        assert_eq!(events, [event(2), event(1)]);
    }

    #[test]
    fn a_file_goes_on_where_an_earlier_recorder_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        for number in [1, 2] {
            let recorder = Recorder::to_file(&path).unwrap();
            recorder.record("ada", event(number));
            // Not dropped in order: a line is there when it is taken down.
            assert_eq!(file::read(&[&path]).unwrap().lines().len(), usize::from(number));
            recorder.finish().unwrap();
        }
        assert!(Recorder::to_file(folder.path()).is_err());
    }

    #[test]
    fn a_line_that_was_cut_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        for cut in ["{\"at\":1".to_owned(), "x".repeat(10_000)] {
            Recorder::to_file(&path).unwrap().record("ada", event(1));
            let lines = file::read(&[&path]).unwrap().lines().len();
            std::io::Write::write_all(&mut File::options().append(true).open(&path).unwrap(), cut.as_bytes())
                .unwrap();
            Recorder::to_file(&path).unwrap().record("ada", event(2));
            assert_eq!(file::read(&[&path]).unwrap().lines().len(), lines + 1);
        }
    }
}

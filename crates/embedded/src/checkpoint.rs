//! Moving the log into the file, on a thread of its own: it writes and syncs many pages, and commits need not wait for that.
//!
//! SQLite writes to the start of its log again only when all of the log is in the file. While commits go on there is
//! always a rest that came after the thread began, so the writer moves the rest itself once it is small.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use crate::error::{self, OpenError};
use crate::options::Options;
use crate::{State, open};

/// Frames in the log from which on it is moved: 16 MiB in pages of 4 KiB. A page that many commits change is written to the
/// file once for all of them, so more is less to write, and more to read after a crash.
const DUE_FRAMES: i64 = 4096;
/// The writer moves a rest that is at most this part of the log,
const REST: i64 = 8;
/// and at least so many frames: a long read keeps the log from beginning anew, whatever has been moved.
const LEAST_FRAMES: i64 = 64;
/// Frames from which on the writer moves all of it, and what is to be written waits: 64 MiB. The thread did not keep up.
const MOST_FRAMES: i64 = 16_384;

/// What the log needs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    ByThread,
    ByWriter,
}

impl Due {
    /// Of a log of `frames` frames, `moved` of them in the file already.
    const fn of(frames: i64, moved: i64) -> Self {
        let rest = frames - moved;
        if frames < DUE_FRAMES || rest < LEAST_FRAMES {
            Self::Nothing
        } else if frames >= MOST_FRAMES || rest <= frames / REST {
            Self::ByWriter
        } else {
            Self::ByThread
        }
    }
}

/// The handle of the thread; dropping it waits for what it is at.
pub(crate) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(crate) fn start(options: &Options, state: Arc<State>) -> Result<Self, OpenError> {
        let connection = open::checkpointer(&options.path)?;
        let (wake, woken) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("embedded-log".to_owned())
            .spawn(move || serve(&connection, &woken, &state))
            .map_err(|source| OpenError::Io { path: options.path.clone(), source })?;
        Ok(Self { wake: Some(wake), thread: Some(thread) })
    }

    /// To be called by the writer between its transactions.
    pub(crate) fn after_commit(&self, writer: &Connection) -> rusqlite::Result<()> {
        let (frames, moved) = writer
            .prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
            .query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
        match Due::of(frames, moved) {
            Due::Nothing => Ok(()),
            Due::ByWriter => checkpoint(writer),
            Due::ByThread => {
                // When it is awake already, this is what it is at.
                if let Some(wake) = &self.wake {
                    let _awake = wake.try_send(());
                }
                Ok(())
            }
        }
    }

    pub(crate) fn end(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that moves the log panicked");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.end();
    }
}

fn serve(connection: &Connection, woken: &Receiver<()>, state: &State) {
    for () in woken {
        if let Err(error) = checkpoint(connection) {
            state.stop(&error.to_string());
            return;
        }
    }
}

/// Moves what no reader holds back. Full disks and other checkpoints put it off.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    let moved = connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |_| Ok(()));
    match moved {
        Err(error) if error::is_full(&error) || error::is_busy(&error) => {
            tracing::warn!(%error, "the log could not be moved into the store yet");
            Ok(())
        }
        moved => moved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_moves_a_small_rest_and_a_log_that_is_too_long() {
        let (due, most) = (DUE_FRAMES, MOST_FRAMES);
        assert_eq!(Due::of(0, 0), Due::Nothing);
        assert_eq!(Due::of(due - 1, 0), Due::Nothing);
        assert_eq!(Due::of(due, 0), Due::ByThread);
        assert_eq!(Due::of(due, due - due / REST - 1), Due::ByThread);
        assert_eq!(Due::of(due, due - due / REST), Due::ByWriter);
        assert_eq!(Due::of(due, due - LEAST_FRAMES), Due::ByWriter);
        assert_eq!(Due::of(due, due - LEAST_FRAMES + 1), Due::Nothing);
        assert_eq!(Due::of(most - 1, 0), Due::ByThread);
        assert_eq!(Due::of(most, 0), Due::ByWriter);
    }
}

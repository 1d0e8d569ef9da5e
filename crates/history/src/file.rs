//! Histories as files: one JSON object a line, any number of files.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::{History, Line};

/// Why a file is no history.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line of it is none. The last line of a file may be cut short, as by a client that was killed; it is left out.
    #[error("{}:{number}: {error}", path.display())]
    Line {
        /// In which file.
        path: PathBuf,
        /// Which, from 1.
        number: usize,
        /// Why.
        error: serde_json::Error,
    },
}

/// Reads the lines of all of these files, as one history.
///
/// # Errors
/// One of them cannot be read, or is no history.
pub fn read(paths: &[impl AsRef<Path>]) -> Result<History, FileError> {
    let mut lines = Vec::new();
    for (file, path) in paths.iter().enumerate() {
        read_one(path.as_ref(), |number, line| lines.push(((file, number), line)))?;
    }
    Ok(History::of_files(paths.iter().map(|path| path.as_ref().to_owned()).collect(), lines))
}

fn read_one(path: &Path, mut take: impl FnMut(usize, Line)) -> Result<(), FileError> {
    let unreadable = |error| FileError::Unreadable { path: path.to_owned(), error };
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        if file.read_until(b'\n', &mut text).map_err(unreadable)? == 0 {
            break;
        }
        let is_cut = text.last() != Some(&b'\n');
        match serde_json::from_slice(&text) {
            Ok(line) => take(number, line),
            Err(_) if is_cut || text.trim_ascii().is_empty() => {}
            Err(error) => return Err(FileError::Line { path: path.to_owned(), number, error }),
        }
    }
    Ok(())
}

/// Writes one line.
///
/// # Errors
/// `to` does not take it.
pub fn write(line: &Line, to: &mut impl Write) -> io::Result<()> {
    let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
    text.push(b'\n');
    to.write_all(&text)
}

#[cfg(test)]
mod tests {
    use parlor_types::{ConversationId, Op, SessionId, UserId};

    use super::*;
    use crate::{Event, Seen};

    fn id<T: parlor_types::Id>(byte: u8) -> T {
        T::from_bytes([byte; 16])
    }

    fn events() -> Vec<Event> {
        let (op, conversation, user): (Op, ConversationId, UserId) = (id(1), id(2), id(3));
        let session: SessionId = id(4);
        let seen = Seen {
            seq: 2,
            rev: 0,
            op,
            sender: user,
            content: Some("tea".to_owned()),
            message: true,
            added: vec![user],
            removed: Vec::new(),
        };
        vec![
            Event::Begin { user, session: Some(session) },
            Event::Begin { user, session: None },
            Event::Generation { generation: "g".to_owned() },
            Event::Invoke { op, conversation, base_seq: Some(1), content: Some("tea".to_owned()) },
            Event::Invoke { op, conversation, base_seq: None, content: None },
            Event::Ok { op, seq: 2 },
            Event::Fail { op, reason: "NOT_FOUND".to_owned() },
            Event::Unknown { op },
            Event::Recalled { op },
            Event::Owed { op },
            Event::Applied { conversation, entries: vec![seen.clone()] },
            Event::Page { conversation, entries: vec![seen] },
            Event::Head { conversation, head: 2 },
            Event::Resumed { conversation, from: 1, to: 2 },
            Event::Forgot { conversation },
            Event::Readable { conversation, ranges: vec![(1, Some(3)), (5, None)] },
            Event::Held { conversation, ranges: vec![(1, 3)], whole: true },
            Event::Marks { conversation, user, received: 2, read: 1 },
            Event::Unread { conversation, head: 2, read: 1, messages: 1 },
            Event::Revoked { session },
        ]
    }

    fn written(lines: &[Line], end: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let mut bytes = Vec::new();
        for line in lines {
            write(line, &mut bytes).unwrap();
        }
        bytes.extend_from_slice(end.as_bytes());
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn lines() -> Vec<Line> {
        let line = |(at, event)| Line { at, client: "ada".into(), event };
        (1..).zip(events()).map(line).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let (_folder, path) = written(&lines(), "");
        assert_eq!(read(&[path]).unwrap().lines(), lines());
    }

    #[test]
    fn a_last_line_that_was_cut_is_left_out_and_any_other_is_told() {
        let (_folder, path) = written(&lines(), "{\"at\":99,\"cl");
        assert_eq!(read(&[path]).unwrap().lines(), lines());
        let (_folder, path) = written(&lines(), "{\"at\":99,\"cl\n");
        let number = lines().len() + 1;
        assert!(matches!(read(&[path]), Err(FileError::Line { number: at, .. }) if at == number));
    }

    #[test]
    fn an_event_of_another_name_and_a_spoilt_id_are_told() {
        for spoilt in [
            r#"{"at":1,"client":"a","event":"danced"}"#,
            r#"{"at":1,"client":"a","event":"unknown","op":"1"}"#,
            r#"{"at":1,"event":"unknown","op":"01010101-0101-0101-0101-010101010101"}"#,
        ] {
            let (_folder, path) = written(&[], &format!("{spoilt}\n"));
            assert!(matches!(read(&[path]), Err(FileError::Line { number: 1, .. })), "{spoilt}");
        }
    }

    #[test]
    fn lines_of_several_files_are_in_the_order_of_their_times() {
        let (even, odd): (Vec<_>, Vec<_>) = lines().into_iter().partition(|line| line.at % 2 == 0);
        let (_one, even) = written(&even, "");
        let (_two, odd) = written(&odd, "");
        let history = read(&[&even, &odd]).unwrap();
        assert_eq!(history.lines(), lines());
        let places: Vec<_> = (0..4).map(|line| history.place(line).unwrap().to_string()).collect();
        let [even, odd] = [even, odd].map(|path| path.display().to_string());
        assert_eq!(
            places,
            [format!("{odd}:1"), format!("{even}:1"), format!("{odd}:2"), format!("{even}:2")]
        );
        assert_eq!(History::new(lines()).place(0), None);
    }
}

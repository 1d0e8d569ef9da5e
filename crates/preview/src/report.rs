//! What the child says to its parent: words in JSON and bytes of files, in frames of at most 64 KiB.
//!
//! The parent believes none of it: lengths are bounded, files are named by the parent, and an end in the middle is an end.

use std::io::{self, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Bytes of a frame, without its header.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Of a frame: what it holds, and how many bytes.
pub const FRAME_HEADER_BYTES: usize = 5;
pub const WORD: u8 = 0;
pub const BYTES: u8 = 1;

/// A file that the child makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Made {
    Original,
    Small,
    Large,
}

/// A word of the child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// The bytes that follow are of this file.
    Begin(Made),
    /// The last file is whole.
    End,
    /// All files so far are good, and this is what is known. Later facts replace earlier ones.
    Facts(Facts),
    /// The input is damaged.
    Unreadable,
    /// The input could not be read, or the child could not be confined.
    Failed(String),
}

/// What is known of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Facts {
    Image {
        media_type: String,
        width: u32,
        height: u32,
        animated: bool,
        thumbhash: Vec<u8>,
        thumbnails: Vec<ThumbnailFacts>,
    },
    Audio {
        media_type: String,
        duration: Duration,
        waveform: Vec<u8>,
    },
    Video {
        media_type: String,
        duration: Duration,
        width: u32,
        height: u32,
    },
}

/// A thumbnail that has been made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThumbnailFacts {
    pub made: Made,
    pub width: u32,
    pub height: u32,
    pub media_type: String,
}

/// Says words and writes files.
pub struct Reporter<W> {
    output: W,
}

impl<W: Write> Reporter<W> {
    pub fn new(output: W) -> Self {
        Self { output }
    }

    pub fn say(&mut self, word: &Word) -> io::Result<()> {
        let text = serde_json::to_vec(word)?;
        self.frame(WORD, &text)?;
        self.output.flush()
    }

    /// Writes a file. It is whole when `write` has succeeded.
    pub fn file<T>(
        &mut self,
        made: Made,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<T> {
        self.say(&Word::Begin(made))?;
        let mut file = io::BufWriter::with_capacity(MAX_FRAME_BYTES, File { reporter: self });
        let done = write(&mut file)?;
        file.flush()?;
        drop(file);
        self.say(&Word::End)?;
        Ok(done)
    }

    fn frame(&mut self, kind: u8, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MAX_FRAME_BYTES);
        let length = length.ok_or(io::Error::other("too long a frame"))?;
        self.output.write_all(&[kind])?;
        self.output.write_all(&length.to_be_bytes())?;
        self.output.write_all(bytes)
    }
}

struct File<'a, W> {
    reporter: &'a mut Reporter<W>,
}

impl<W: Write> Write for File<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(MAX_FRAME_BYTES);
        self.reporter.frame(BYTES, &bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

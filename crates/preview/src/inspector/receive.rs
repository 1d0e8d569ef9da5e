//! What comes from the child, written to files and bounded.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::task::spawn_blocking;

use super::is_of;
use crate::report::{BYTES, FRAME_HEADER_BYTES, Facts, MAX_FRAME_BYTES, Made, ThumbnailFacts, WORD, Word};
use crate::{InspectError, Inspected, Preview, Thumbnail, ThumbnailSize, WAVEFORM_VALUES, Wanted};

/// How the child ended.
#[derive(Debug)]
pub enum End {
    /// By itself, or killed by its own limits or for what it said.
    Gone,
    OutOfTime,
    Unreadable,
    Failed(String),
}

/// What has come so far.
pub struct Received {
    folder: PathBuf,
    room: u64,
    turned: u64,
    facts: Option<Facts>,
    has_begun: bool,
    pub end: End,
}

const ALL: [Made; 3] = [Made::Original, Made::Small, Made::Large];

impl Received {
    /// Files go into `folder`, with `room` for so many bytes, and for `turned` of an original that is encoded anew.
    pub fn new(folder: &Path, room: u64, turned: u64) -> Self {
        Self { folder: folder.to_owned(), room, turned, facts: None, has_begun: false, end: End::Gone }
    }

    /// Takes all that is said, up to the end or to what nobody in their right mind says.
    pub async fn read(&mut self, pipe: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut pipe = BufReader::with_capacity(MAX_FRAME_BYTES, pipe);
        let mut bytes = Vec::new();
        let mut open: Option<(Made, File)> = None;
        let mut whole: Vec<Made> = Vec::new();
        while let Some(kind) = frame(&mut pipe, &mut bytes).await? {
            let word = match kind {
                BYTES => {
                    let Some(room) = self.room.checked_sub(bytes.len() as u64) else { break };
                    let Some((_, file)) = &mut open else { break };
                    self.room = room;
                    file.write_all(&bytes).await?;
                    continue;
                }
                WORD => serde_json::from_slice(&bytes),
                _ => break,
            };
            match word {
                Ok(Word::Begin(made)) if open.is_none() => {
                    // An original after facts is a second one. What the first may have stays as it is.
                    if made == Made::Original && self.facts.is_some() {
                        self.room = self.room.min(self.turned);
                    }
                    self.has_begun = true;
                    whole.retain(|other| *other != made);
                    open = Some((made, File::create(self.partial(made)).await?));
                }
                Ok(Word::End) => {
                    let Some((made, mut file)) = open.take() else { break };
                    file.flush().await?;
                    whole.push(made);
                }
                Ok(Word::Facts(facts)) if open.is_none() && is_plausible(&facts) => {
                    for made in whole.drain(..) {
                        tokio::fs::rename(self.partial(made), self.folder.join(name(made))).await?;
                    }
                    self.facts = Some(facts);
                }
                Ok(Word::Unreadable) => self.end = End::Unreadable,
                Ok(Word::Failed(why)) => self.end = End::Failed(why),
                _ => break,
            }
        }
        Ok(())
    }

    /// What it comes to.
    pub async fn answer(self, input: &Path, wanted: Wanted) -> Result<Inspected, InspectError> {
        for made in ALL {
            remove(&self.partial(made)).await?;
        }
        let Some(facts) = &self.facts else {
            return Err(match self.end {
                End::Gone if !self.has_begun => {
                    InspectError::Failed(io::Error::other("the child ended before it began to look"))
                }
                End::Gone | End::Unreadable => InspectError::Unreadable,
                End::OutOfTime => InspectError::Busy,
                End::Failed(why) => InspectError::Failed(io::Error::other(why)),
            });
        };
        if !is_of(facts, wanted) {
            return Err(InspectError::Mismatch);
        }
        let original = self.folder.join(name(Made::Original));
        let (one, other) = (original.clone(), input.to_owned());
        let same = spawn_blocking(move || are_equal(&one, &other)).await.map_err(io::Error::other)??;
        if same {
            remove(&original).await?;
        }
        let (media_type, preview) = self.preview(facts);
        Ok(Inspected { media_type, cleaned: (!same).then_some(original), preview: Some(preview) })
    }

    fn preview(&self, facts: &Facts) -> (String, Preview) {
        match facts.clone() {
            Facts::Image { media_type, width, height, animated, thumbhash, thumbnails } => {
                let thumbnails = thumbnails.into_iter().filter_map(|facts| self.thumbnail(facts)).collect();
                (media_type, Preview::Image { width, height, thumbhash, animated, thumbnails })
            }
            Facts::Audio { media_type, duration, waveform } => {
                (media_type, Preview::Audio { duration, waveform })
            }
            Facts::Video { media_type, duration, width, height } => {
                (media_type, Preview::Video { duration, width, height })
            }
        }
    }

    fn thumbnail(&self, facts: ThumbnailFacts) -> Option<Thumbnail> {
        let size = match facts.made {
            Made::Small => ThumbnailSize::Small,
            Made::Large => ThumbnailSize::Large,
            Made::Original => return None,
        };
        let path = self.folder.join(name(facts.made));
        let ThumbnailFacts { width, height, media_type, .. } = facts;
        path.exists().then_some(Thumbnail { size, width, height, media_type, path })
    }

    fn partial(&self, made: Made) -> PathBuf {
        self.folder.join(format!("{}.part", name(made)))
    }
}

const fn name(made: Made) -> &'static str {
    match made {
        Made::Original => "original",
        Made::Small => "small",
        Made::Large => "large",
    }
}

/// Reads a frame into `bytes` and returns its kind; `None` at the end, also in the middle of a frame.
async fn frame(pipe: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> io::Result<Option<u8>> {
    let mut header = [0; FRAME_HEADER_BYTES];
    let [kind, length @ ..] = match pipe.read_exact(&mut header).await {
        Ok(_) => header,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME_BYTES {
        return Ok(None);
    }
    bytes.resize(length, 0);
    match pipe.read_exact(bytes).await {
        Ok(_) => Ok(Some(kind)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a child that has been taken over could say to harm: names and numbers that others rely on.
fn is_plausible(facts: &Facts) -> bool {
    const IMAGE_TYPES: &[&str] = &["image/jpeg", "image/png", "image/webp", "image/gif"];
    const AUDIO_TYPES: &[&str] = &["audio/ogg", "audio/mp4"];
    const VIDEO_TYPES: &[&str] = &["video/mp4"];
    const THUMBNAILS: [&[Made]; 4] = [&[], &[Made::Small], &[Made::Large], &[Made::Small, Made::Large]];
    const THUMBNAIL_TYPES: &[&str] = &["image/jpeg", "image/png"];
    const MAX_THUMBHASH_BYTES: usize = 32;
    match facts {
        Facts::Image { media_type, thumbhash, thumbnails, .. } => {
            let made: Vec<Made> = thumbnails.iter().map(|small| small.made).collect();
            IMAGE_TYPES.contains(&media_type.as_str())
                && thumbhash.len() <= MAX_THUMBHASH_BYTES
                && THUMBNAILS.contains(&made.as_slice())
                && thumbnails.iter().all(|small| THUMBNAIL_TYPES.contains(&small.media_type.as_str()))
        }
        Facts::Audio { media_type, waveform, .. } => {
            AUDIO_TYPES.contains(&media_type.as_str()) && [0, WAVEFORM_VALUES].contains(&waveform.len())
        }
        Facts::Video { media_type, .. } => VIDEO_TYPES.contains(&media_type.as_str()),
    }
}

async fn remove(path: &Path) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn are_equal(one: &Path, other: &Path) -> io::Result<bool> {
    use std::fs::File;
    use std::io::{BufRead, BufReader};

    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let count = left.len().min(right.len());
        if left[..count] != right[..count] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        one.consume(count);
        other.consume(count);
    }
}

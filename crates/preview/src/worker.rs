//! The child's side: from standard input, which is the file, to standard output, which goes to the parent.
//!
//! First it is cleaned, and what the headers say is told: if anything after that dies, the file is good and has no likeness.

mod confine;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::panic;
use std::process::ExitCode;

use image::metadata::Orientation;

use crate::clean::{self, Input, Picture};
use crate::format::{Format, HEAD_BYTES};
use crate::inspected::ThumbnailSize;
use crate::report::{Facts, Made, Reporter, ThumbnailFacts, Word};
use crate::{mp4, picture, sound};

const BUFFER_BYTES: usize = 64 * 1024;

/// What the child runs: reads its standard input, which is the file to look at, and says on standard output what it found
/// and made. It takes no arguments and no environment, gives up all it could do besides, and ends by itself.
pub fn worker() -> ExitCode {
    let files = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .and_then(|input| Ok((File::from(input), File::from(io::stdout().as_fd().try_clone_to_owned()?))));
    let Ok((input, output)) = files else { return ExitCode::FAILURE };
    let mut reporter = Reporter::new(BufWriter::with_capacity(BUFFER_BYTES, output));
    // What a panic says would go to nobody, and looking for its causes opens files.
    panic::set_hook(Box::new(|_| {}));
    let looked = confine::confine().and_then(|()| {
        let mut input = BufReader::with_capacity(BUFFER_BYTES, Plain(input));
        look(&mut input, &mut reporter)
    });
    let Err(error) = looked else { return ExitCode::SUCCESS };
    let word = match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Word::Unreadable,
        _ => Word::Failed(error.to_string()),
    };
    // If the parent has gone there is nobody to tell.
    let _ = reporter.say(&word);
    ExitCode::FAILURE
}

/// A file that is only read and sought in: the standard library asks files for more, which the child has given up.
struct Plain(File);

impl Read for Plain {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Seek for Plain {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// What [`worker`] does with its standard input and output, here, and confined by nothing: for files that one trusts, and for
/// trying what becomes of others.
///
/// # Errors
///
/// `InvalidData` or `UnexpectedEof` if the file is damaged or of no known format; others as they come from reading and writing.
pub fn examine(input: &mut (impl BufRead + Seek), output: &mut impl Write) -> io::Result<()> {
    look(input, &mut Reporter::new(output))
}

/// Looks at `input` and reports.
fn look(input: &mut impl Input, reporter: &mut Reporter<impl Write>) -> io::Result<()> {
    let mut head = Vec::new();
    Read::take(&mut *input, HEAD_BYTES as u64).read_to_end(&mut head)?;
    let format = Format::of(&head).ok_or(clean::damaged("of no known format"))?;
    let facts = reporter.file(Made::Original, |mut output| clean::clean(format, input, &mut output))?;
    match facts {
        clean::Facts::Picture(found) => look_at_picture(format, found, input, reporter),
        clean::Facts::Opus(found) => {
            let said = |waveform| audio("audio/ogg", found.duration, waveform);
            reporter.say(&said(Vec::new()))?;
            match sound::opus_waveform(input, found)? {
                Some(waveform) => reporter.say(&said(waveform)),
                None => Ok(()),
            }
        }
        clean::Facts::Mp4(movie) => look_at_movie(&movie, input, reporter),
    }
}

fn audio(media_type: &str, duration: std::time::Duration, waveform: Vec<u8>) -> Word {
    Word::Facts(Facts::Audio { media_type: media_type.to_owned(), duration, waveform })
}

fn look_at_movie(
    movie: &mp4::Movie,
    input: &mut impl Input,
    reporter: &mut Reporter<impl Write>,
) -> io::Result<()> {
    if let Some(track) = movie.picture() {
        return reporter.say(&Word::Facts(Facts::Video {
            media_type: "video/mp4".to_owned(),
            duration: movie.duration,
            width: track.width,
            height: track.height,
        }));
    }
    let track = movie.sound().ok_or(clean::damaged("neither picture nor sound"))?;
    reporter.say(&audio("audio/mp4", movie.duration, Vec::new()))?;
    match sound::aac_waveform(input, track)? {
        Some(waveform) => reporter.say(&audio("audio/mp4", movie.duration, waveform)),
        None => Ok(()),
    }
}

fn look_at_picture(
    format: Format,
    found: Picture,
    input: &mut impl Input,
    reporter: &mut Reporter<impl Write>,
) -> io::Result<()> {
    let (width, height) = found.shown();
    let said = |media_type: &str, thumbhash: &[u8], thumbnails: &[ThumbnailFacts]| {
        Word::Facts(Facts::Image {
            media_type: media_type.to_owned(),
            width,
            height,
            animated: found.animated,
            thumbhash: thumbhash.to_vec(),
            thumbnails: thumbnails.to_vec(),
        })
    };
    let media_type = match format {
        Format::Png => "image/png",
        Format::WebP => "image/webp",
        Format::Gif => "image/gif",
        _ => "image/jpeg",
    };
    reporter.say(&said(media_type, &[], &[]))?;
    let Some(decoded) = picture::decode(format, input)? else { return Ok(()) };
    let Ok(likeness) = picture::likeness(&decoded, found.orientation) else { return Ok(()) };
    let mut thumbnails = Vec::new();
    for small in &likeness.thumbnails {
        let made = match small.size {
            ThumbnailSize::Small => Made::Small,
            ThumbnailSize::Large => Made::Large,
        };
        reporter.file(made, |output| output.write_all(&small.bytes))?;
        let (width, height) = (small.width, small.height);
        thumbnails.push(ThumbnailFacts { made, width, height, media_type: small.media_type.to_owned() });
    }
    reporter.say(&said(media_type, &likeness.thumbhash, &thumbnails))?;
    if found.orientation == Orientation::NoTransforms || found.animated {
        return Ok(());
    }
    let turned = reporter.file(Made::Original, |output| {
        picture::encode_upright(decoded, found.orientation, format, output).map_err(io::Error::other)
    });
    match turned {
        Ok(media_type) => reporter.say(&said(media_type, &likeness.thumbhash, &thumbnails)),
        // What has been said before is good; what was begun is not whole.
        Err(_) => Ok(()),
    }
}

//! What is done with the bytes of an upload that is complete, one thing after the other.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use parlor_preview::{InspectError, Inspected, Preview as Seen, ThumbnailSize, Wanted};
use parlor_types::MediaId;
use tokio::time::timeout;

use super::Tools;
use crate::blobs::Blobs;
use crate::failure::Failure;
use crate::media::{Declared, Finished, Image, Preview, Purpose, Record, Sha256, Stage, Thumbnail, Variant};
use crate::scan::{Scanner, Verdict};
use crate::staging;

/// The forms of a file, where they lie until they are put.
type Forms = Vec<(Variant, PathBuf)>;

/// Finishes the upload of a record; what does not end it can be tried again. `due` says from when on it may be collected.
pub(super) async fn finish(
    tools: &Tools,
    record: Record,
    due: impl Fn() -> SystemTime,
) -> Result<Record, Failure> {
    let id = record.id;
    let upload = match tools.uploads.open(record.clone()).await? {
        Ok(upload) => upload,
        Err(finished) => return Ok(finished),
    };
    if !upload.progress().parts().is_complete() {
        return Err(Failure::Incomplete);
    }
    tools.uploads.save(&upload).await?;
    let place = tools.jobs.enter().await?;
    let input = tools.staging.path(id);
    let (size, sha256) = staging::measure(input.clone()).await?;
    if (size, sha256) != (record.declared.size, record.declared.sha256) {
        return Err(Failure::HashMismatch);
    }
    let output = tools.staging.output(id).await?;
    let inspected = inspect(tools, &record.declared, &input, &output).await?;
    let (mut finished, forms) = describe(inspected, &input, size, sha256).await?;
    drop(place);
    if let Some(scanner) = &tools.scanner {
        let verdict = timeout(tools.scan_wait, scan(&**scanner, &forms)).await;
        finished.checking = verdict.unwrap_or(Ok(true))?;
    }
    let place = tools.puts.acquire().await;
    put(&tools.blobs, id, &forms).await?;
    drop(place);
    if !tools.store.finish(id, finished.clone(), due()).await? {
        // Deleted by its owner meanwhile, or it has expired.
        return Err(Failure::NotFound);
    }
    Ok(Record { stage: Stage::Finished(finished), ..record })
}

/// Whether the file stays in quarantine. Of its forms only the original has bytes that others have made.
async fn scan(scanner: &dyn Scanner, forms: &Forms) -> Result<bool, Failure> {
    let originals = forms.iter().filter(|(variant, _)| *variant == Variant::Original);
    for (_, original) in originals {
        match scanner.scan(original).await {
            Verdict::Harmless => {}
            Verdict::Harmful => return Err(Failure::Refused),
            Verdict::Unknown => return Ok(true),
        }
    }
    Ok(false)
}

async fn inspect(
    tools: &Tools,
    declared: &Declared,
    input: &Path,
    output: &Path,
) -> Result<Inspected, Failure> {
    let wanted = match declared.purpose {
        Purpose::Image => Wanted::Image,
        Purpose::File => Wanted::File,
        Purpose::Voice => Wanted::Voice,
        Purpose::Video => Wanted::Video,
        Purpose::Avatar => Wanted::Avatar,
    };
    let inspected = tools.inspector.inspect(input, wanted, declared.media_type.as_str(), output).await;
    inspected.map_err(|error| match error {
        InspectError::Mismatch => Failure::TypeMismatch,
        InspectError::Mislabeled => Failure::Mislabeled,
        InspectError::Unreadable => Failure::Unreadable,
        InspectError::Busy => Failure::Overloaded,
        InspectError::Failed(error) => error.into(),
    })
}

/// What is to be kept of what was seen, and the files to put.
async fn describe(
    inspected: Inspected,
    input: &Path,
    size: u64,
    sha256: Sha256,
) -> Result<(Finished, Forms), Failure> {
    let (original, (size, sha256)) = match inspected.cleaned {
        None => (input.to_owned(), (size, sha256)),
        Some(cleaned) => (cleaned.clone(), staging::measure(cleaned).await?),
    };
    let mut forms = vec![(Variant::Original, original)];
    let preview = match inspected.preview {
        None => None,
        Some(Seen::Audio { duration, waveform }) => {
            Some(Preview::Audio { duration: whole_millis(duration), waveform })
        }
        Some(Seen::Video { duration, width, height }) => {
            Some(Preview::Video { duration: whole_millis(duration), width, height })
        }
        Some(Seen::Image { width, height, thumbhash, animated, thumbnails }) => {
            let thumbnails = measured(thumbnails, &mut forms).await?;
            Some(Preview::Image(Image { width, height, thumbhash, animated, thumbnails }))
        }
    };
    let media_type = inspected.media_type;
    Ok((Finished { media_type, size, sha256, preview, checking: false }, forms))
}

async fn measured(
    seen: Vec<parlor_preview::Thumbnail>,
    forms: &mut Forms,
) -> Result<Vec<Thumbnail>, Failure> {
    let mut thumbnails = Vec::with_capacity(seen.len());
    for thumbnail in seen {
        let variant = match thumbnail.size {
            ThumbnailSize::Small => Variant::Small,
            ThumbnailSize::Large => Variant::Large,
        };
        let (size, sha256) = staging::measure(thumbnail.path.clone()).await?;
        let (width, height) = (thumbnail.width, thumbnail.height);
        forms.push((variant, thumbnail.path));
        thumbnails.push(Thumbnail { variant, width, height, size, sha256, media_type: thumbnail.media_type });
    }
    thumbnails.sort_by_key(|thumbnail| thumbnail.variant);
    Ok(thumbnails)
}

/// The original last: where it is, all is.
async fn put(blobs: &Blobs, id: MediaId, forms: &Forms) -> Result<(), Failure> {
    for (variant, path) in forms.iter().rev() {
        blobs.put(id, *variant, path).await?;
    }
    Ok(())
}

/// As it is kept: what is answered now is what is answered later.
fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

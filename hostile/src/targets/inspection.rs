//! What the child that looks at files says to media-svc, were it taken over by the file it looks at: what comes of it is a picture,
//! a voice note or a video by its own name, in files that lie where they are to and are no larger than they may be.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use parlor_preview::{Inspected, Preview, Wanted, corpus, examine, told};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::Target;

/// Bytes that all files together may have, and that one encoded anew may.
const ROOM: u64 = 32 * 1024;
const TURNED: u64 = 16 * 1024;
/// Bytes of a seed: what is said of a small file.
const MAX_SEED: usize = 48 * 1024;
/// Bytes of a likeness, and of a waveform.
const MAX_LIKENESS: usize = 64;

pub(super) const TARGET: Target = Target {
    name: "inspection",
    about: "what the child that looks at files says",
    run,
    seeds,
    max_len: MAX_SEED + 1,
};

struct Place {
    folder: TempDir,
    runtime: Runtime,
}

thread_local! {
    static PLACE: Place = Place {
        folder: tempfile::tempdir().expect("a temporary folder"),
        runtime: Builder::new_current_thread().build().expect("a runtime"),
    };
}

fn run(data: &[u8]) {
    let (choice, said) = data.split_first().map_or((0, data), |(choice, said)| (*choice, said));
    let wanted = [Wanted::Image, Wanted::Voice, Wanted::Video, Wanted::Avatar][usize::from(choice % 4)];
    PLACE.with(|place| {
        let (input, output) = (place.folder.path().join("input"), place.folder.path().join("output"));
        fs::write(&input, b"a file").expect("the folder is there");
        fs::create_dir(&output).expect("the folder is there");
        let told = told(said, &input, wanted, &output, [ROOM, TURNED]);
        let inspected = place.runtime.block_on(told);
        let files: Vec<_> =
            fs::read_dir(&output).expect("it is there").map(|file| file.expect("a file")).collect();
        let bytes: u64 = files.iter().map(|file| file.metadata().expect("it is there").len()).sum();
        assert!(bytes <= ROOM, "{bytes} bytes are written");
        for file in files {
            let name = file.file_name();
            assert!(name == "original" || name == "small" || name == "large", "{name:?} stays");
        }
        if let Ok(inspected) = inspected {
            check(&inspected, wanted, &output);
        }
        fs::remove_dir_all(&output).expect("it is there");
    });
}

fn check(inspected: &Inspected, wanted: Wanted, output: &Path) {
    let Inspected { media_type, cleaned, preview } = inspected;
    if let Some(cleaned) = cleaned {
        assert!(*cleaned == output.join("original") && cleaned.exists(), "{cleaned:?}");
    }
    match preview {
        None => {}
        Some(Preview::Image { thumbhash, thumbnails, .. }) => {
            assert!(
                matches!(wanted, Wanted::Image | Wanted::Avatar) && media_type.starts_with("image/"),
                "{media_type}"
            );
            assert!(thumbhash.len() <= MAX_LIKENESS);
            assert!(thumbnails.windows(2).all(|pair| pair[0].size < pair[1].size), "{thumbnails:?}");
            for small in thumbnails {
                assert!(small.path.parent() == Some(output) && small.path.exists(), "{small:?}");
                assert!(small.media_type.starts_with("image/"), "{small:?}");
            }
        }
        Some(Preview::Audio { waveform, .. }) => {
            assert!(wanted == Wanted::Voice && media_type.starts_with("audio/"), "{media_type}");
            assert!(waveform.len() <= MAX_LIKENESS);
        }
        Some(Preview::Video { .. }) => {
            assert!(wanted == Wanted::Video && media_type.starts_with("video/"), "{media_type}");
        }
    }
}

/// What is said of small files of each kind.
fn seeds() -> Vec<Vec<u8>> {
    let samples = corpus::telling().into_iter().chain(corpus::plain());
    let said = samples.filter_map(|sample| {
        let choice =
            ["image/", "audio/", "video/"].iter().position(|kind| sample.media_type.starts_with(kind))?;
        let mut said = vec![u8::try_from(choice).expect("there are three")];
        examine(&mut Cursor::new(sample.bytes), &mut said).ok()?;
        (said.len() <= MAX_SEED).then_some(said)
    });
    said.collect()
}

//! Inspections as media-svc has them made: a file, a child, what comes out.

mod bombs;
mod kinds;
mod limits;
mod pictures;
mod secrets;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parlor_preview::{InspectError, Inspected, Inspector, Limits, Wanted};
use tempfile::TempDir;

#[path = "../../corpus/mod.rs"]
mod corpus;

/// The child of this crate.
const CHILD: &str = env!("CARGO_BIN_EXE_preview-worker");

/// An inspector and a folder for what it makes.
struct Bench {
    inspector: Inspector,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        // Limits of CPU time are what is tested; the machine may be busy with other tests.
        let patient = Duration::from_secs(300);
        Self::with(Limits { wait: patient, time: patient, ..Limits::default() }, &[CHILD])
    }

    fn with(limits: Limits, command: &[&str]) -> Self {
        let command = command.iter().map(Into::into).collect();
        Self { inspector: Inspector::new(limits, command), folder: tempfile::tempdir().expect("a folder") }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("output")
    }

    async fn inspect(&self, bytes: &[u8], wanted: Wanted) -> Result<Inspected, InspectError> {
        self.inspect_as(bytes, wanted, "").await
    }

    async fn inspect_as(
        &self,
        bytes: &[u8],
        wanted: Wanted,
        claimed: &str,
    ) -> Result<Inspected, InspectError> {
        let input = self.folder.path().join("input");
        fs::write(&input, bytes).expect("it is written");
        let _ = fs::remove_dir_all(self.output());
        fs::create_dir(self.output()).expect("it is made");
        self.inspector.inspect(&input, wanted, claimed, &self.output()).await
    }

    /// All that has been written for others.
    fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.output()).expect("it is there");
        entries
            .map(|entry| entry.expect("it is there").path())
            .map(|path| (path.clone(), read(&path)))
            .collect()
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).expect("it is there")
}

fn wanted(media_type: &str) -> Wanted {
    match media_type.split('/').next() {
        Some("image") => Wanted::Image,
        Some("audio") => Wanted::Voice,
        _ => Wanted::Video,
    }
}

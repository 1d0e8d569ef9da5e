//! The folder a client keeps everything in, while no client is alive.

use std::fs;
use std::path::{Path, PathBuf};

use parlor_client::store::Store;
use parlor_types::Op;
use parlor_wire::chat::v1::content::Kind;

/// See the module. It is looked at through copies, so that what a kill left behind stays as it was.
pub struct Profile {
    folder: PathBuf,
    has_copy: bool,
}

/// A row of the outbox.
pub struct Waiting {
    pub op: Op,
    pub text: String,
}

impl Profile {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, has_copy: false }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a copy to go back to: the database, its log and the rest, as they are.
    pub fn copy(&mut self) {
        copy(&self.folder, &self.beside("copy"));
        self.has_copy = true;
    }

    pub fn has_copy(&self) -> bool {
        self.has_copy
    }

    /// Puts the copy in the profile's place.
    pub fn go_back(&self) {
        copy(&self.beside("copy"), &self.folder);
    }

    /// What waits to be sent, oldest first.
    pub fn outbox(&self) -> Vec<Waiting> {
        let looked_at = self.beside("looked-at");
        copy(&self.folder, &looked_at);
        let store = Store::open(&looked_at).expect("what a kill left behind can be opened");
        let rows = store.outbox(None).expect("the outbox can be read");
        let waiting = rows.into_iter().map(|row| {
            let text = match row.append.content.and_then(|content| content.kind) {
                Some(Kind::Text(text)) => text.body,
                other => panic!("only text is sent: {other:?}"),
            };
            Waiting { op: row.op, text }
        });
        waiting.collect()
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.with_extension(name)
    }
}

/// The files of a folder in another, alone.
fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("it can be removed");
    }
    fs::create_dir(to).expect("it can be made");
    for file in fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        fs::copy(file.path(), to.join(file.file_name())).expect("it can be copied");
    }
}

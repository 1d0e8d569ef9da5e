//! The list of a backup's files, by which restore knows that it has all of them, and as they were written.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Name of the file it is kept in.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The form this release writes and reads.
const FORMAT: u32 = 1;
/// Bytes copied or hashed at a time.
const CHUNK: usize = 128 * 1024;

/// See the module.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    /// The program and its version.
    pub made_by: String,
    /// RFC 3339.
    pub made_at: String,
    pub files: Vec<Entry>,
}

/// A file of a backup.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub name: String,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    pub(crate) fn new(made_at: std::time::SystemTime, files: Vec<Entry>) -> Self {
        Self {
            format: FORMAT,
            made_by: concat!("parlor-server ", env!("CARGO_PKG_VERSION")).to_owned(),
            made_at: humantime::format_rfc3339_seconds(made_at).to_string(),
            files,
        }
    }

    /// From a backup's folder.
    ///
    /// # Errors
    /// In words: it cannot be read, or is not of this form.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let text = std::fs::read(folder.join(MANIFEST))
            .map_err(|error| format!("{} is no backup: {MANIFEST}: {error}", folder.display()))?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| format!("{MANIFEST} of {} is damaged: {error}", folder.display()))?;
        if manifest.format != FORMAT {
            return Err(format!("the backup has format {}, this release knows {FORMAT}", manifest.format));
        }
        Ok(manifest)
    }

    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        let mut file = File::create_new(folder.join(MANIFEST))?;
        file.write_all(&text)?;
        file.sync_all()
    }
}

/// The entry of the file that is read from `from` to its end; what is read is also written to `to`.
pub(crate) fn entry(name: &str, from: &mut impl Read, to: &mut impl Write) -> io::Result<Entry> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&chunk[..read]);
        to.write_all(&chunk[..read])?;
        bytes += read as u64;
    }
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Entry { name: name.to_owned(), bytes, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_describes_what_was_copied() {
        let text = [7; 3 * CHUNK / 2];
        let mut copy = Vec::new();
        let entry = entry("a", &mut &text[..], &mut copy).unwrap();
        assert_eq!((entry.bytes, copy.as_slice()), (text.len() as u64, &text[..]));
        let empty = super::entry("b", &mut io::empty(), &mut io::sink()).unwrap();
        assert_eq!(empty.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let entry = entry("a", &mut io::empty(), &mut io::sink()).unwrap();
        let manifest = Manifest::new(std::time::SystemTime::UNIX_EPOCH, vec![entry]);
        assert!(Manifest::read(folder.path()).unwrap_err().contains("is no backup"));
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest);
        manifest.write(folder.path()).unwrap_err();

        let path = folder.path().join(MANIFEST);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
        assert!(Manifest::read(folder.path()).unwrap_err().contains("format 2"));
        std::fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(Manifest::read(folder.path()).unwrap_err().contains("damaged"));
    }
}

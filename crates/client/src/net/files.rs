//! Files of this machine: what they are, whether they are still that, and their SHA-256.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use parlor_types::Op;
use parlor_types::limits::MAX_FILE_NAME_BYTES;
use parlor_wire::media::v1::Purpose;
use sha2::{Digest as _, Sha256};

use crate::core::{FileFault, FileUpload};
use crate::error::Error;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;
/// So many bytes say what a file is.
const HEAD: u64 = 8 * 1024;

/// Looks at a file that is to be uploaded, as a whole. Blocks. What it is for is guessed from its bytes, or else from its name:
/// pictures and MP4 videos are shown, all else is a file.
pub(super) fn look_at(path: &Path, purpose: Option<Purpose>) -> Result<FileUpload, Error> {
    let unreadable = |source| Error::File { path: path.to_owned(), source };
    let path = std::path::absolute(path).map_err(unreadable)?;
    let mut file = File::open(&path).map_err(unreadable)?;
    let before = file.metadata().map_err(unreadable)?;
    if !before.is_file() {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "not a file")));
    }
    let name = name_of(&path)
        .ok_or_else(|| unreadable(io::Error::new(io::ErrorKind::InvalidInput, "its path is not UTF-8")))?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let sha256 = sha256_of(&mut file).map_err(unreadable)?;
    let after = file.metadata().map_err(unreadable)?;
    let modified = after.modified().map_err(unreadable)?;
    if (before.len(), before.modified().ok()) != (after.len(), Some(modified)) {
        return Err(Error::FileChanged(path));
    }
    let media_type = media_type_of(&head, &path);
    let purpose = purpose.unwrap_or_else(|| purpose_of(&media_type));
    let size = after.len();
    Ok(FileUpload { op: Op::new(), path, name, size, modified, sha256, media_type, purpose, media: None })
}

/// The SHA-256 of all that `file` still has to give. Blocks.
pub(super) fn sha256_of(file: &mut File) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = match file.read(&mut chunk) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&chunk[..length]);
    }
}

/// A file that is being uploaded.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
}

impl Source {
    /// Opens it, if it is what it was.
    pub fn open(upload: &FileUpload) -> Result<Self, FileFault> {
        let file = File::open(&upload.path).map_err(unreadable)?;
        let source = Self { file };
        source.verify(upload)?;
        Ok(source)
    }

    /// Whether it is what it was, as far as can be told without reading all of it.
    pub fn verify(&self, upload: &FileUpload) -> Result<(), FileFault> {
        let is_same =
            |found: Metadata| found.len() == upload.size && found.modified().ok() == Some(upload.modified);
        let here = self.file.metadata().map_err(unreadable)?;
        let there = std::fs::metadata(&upload.path).map_err(unreadable)?;
        if is_same(here) && is_same(there) { Ok(()) } else { Err(FileFault::Changed) }
    }

    /// A part of it.
    pub fn read(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, FileFault> {
        self.file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
        let mut part = Vec::new();
        (&self.file).take(length).read_to_end(&mut part).map_err(unreadable)?;
        if part.len() as u64 == length { Ok(part) } else { Err(FileFault::Changed) }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are handed over when they are mapped")]
fn unreadable(error: io::Error) -> FileFault {
    FileFault::Unreadable(error.to_string())
}

/// What others see it called: nothing of where it lies, and nothing that a name must not hold.
fn name_of(path: &Path) -> Option<String> {
    path.to_str()?;
    let name: String = path.file_name()?.to_str()?.chars().map(|c| if is_bad(c) { '_' } else { c }).collect();
    Some(name[..name.floor_char_boundary(MAX_FILE_NAME_BYTES)].to_owned())
}

fn is_bad(c: char) -> bool {
    c.is_control() || c == '/' || c == '\\'
}

fn media_type_of(head: &[u8], path: &Path) -> String {
    match infer::get(head) {
        Some(known) => known.mime_type().to_owned(),
        None => mime_guess::from_path(path).first_raw().unwrap_or_default().to_owned(),
    }
}

fn purpose_of(media_type: &str) -> Purpose {
    match media_type {
        "image/jpeg" | "image/png" | "image/webp" | "image/gif" => Purpose::Image,
        "video/mp4" | "video/x-m4v" => Purpose::Video,
        _ => Purpose::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_for_is_told_by_its_bytes_and_else_by_its_name() {
        let jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00";
        let mp4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom";
        let m4a = b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A mp42";
        for (head, name, media_type, purpose) in [
            (&jpeg[..], "no extension", "image/jpeg", Purpose::Image),
            (&mp4[..], "x.mp4", "video/mp4", Purpose::Video),
            (&m4a[..], "x.m4a", "audio/m4a", Purpose::File),
            (b"OggS", "note.ogg", "audio/ogg", Purpose::File),
            (b"hello", "x.txt", "text/plain", Purpose::File),
            (b"<svg>", "x.svg", "image/svg+xml", Purpose::File),
            (b"hello", "x", "", Purpose::File),
        ] {
            let found = media_type_of(head, Path::new(name));
            assert_eq!((found.as_str(), purpose_of(&found)), (media_type, purpose), "{name}");
        }
    }

    #[test]
    fn a_file_is_looked_at_as_a_whole_and_changes_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a\nb.txt");
        std::fs::write(&path, "abc").unwrap();
        let found = look_at(&path, None).unwrap();
        assert_eq!((found.name.as_str(), found.size), ("a_b.txt", 3));
        // FIPS 180-2, appendix B.1.
        assert_eq!(found.sha256[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(look_at(&path, Some(Purpose::Voice)).unwrap().purpose, Purpose::Voice);

        let mut source = Source::open(&found).unwrap();
        assert_eq!(source.read(1, 2), Ok(b"bc".to_vec()));
        assert_eq!(source.read(1, 3), Err(FileFault::Changed), "shorter than it was");
        assert_eq!(source.verify(&found), Ok(()));
        let other =
            FileUpload { modified: found.modified + std::time::Duration::from_nanos(1), ..found.clone() };
        assert_eq!(source.verify(&other), Err(FileFault::Changed));
        let replacement = folder.path().join("new");
        std::fs::write(&replacement, "abcd").unwrap();
        std::fs::rename(&replacement, &path).unwrap();
        assert_eq!(source.verify(&found), Err(FileFault::Changed), "another file took its place");
        assert!(matches!(Source::open(&found), Err(FileFault::Changed)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(Source::open(&found), Err(FileFault::Unreadable(_))));
        assert!(matches!(look_at(folder.path(), None), Err(Error::File { .. })), "a folder is not a file");
    }

    #[test]
    fn names_fit() {
        let long = format!("{}.jpg", "ä".repeat(200));
        let name = name_of(Path::new(&long)).unwrap();
        assert!(name.len() <= MAX_FILE_NAME_BYTES && name.starts_with("ää"));
        assert_eq!(name_of(Path::new("/a/b\\c")).unwrap(), "b_c");
    }
}

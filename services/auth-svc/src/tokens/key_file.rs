//! The one file the keys are kept in.
//!
//! It is written whole, readable by its owner alone, and on disk before a token is made with it. A file that is damaged
//! in any way is refused and left as it is: new keys would log everybody out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Serialize};

use super::keys::{KEY_BYTES, KeyBytes, KeyFault, Keys, SigningKey};

/// The form this release writes and reads.
const VERSION: u32 = 1;
/// Readable and writable by the owner alone.
const MODE: u32 = 0o600;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file or its folder cannot be read or written.
    #[error("cannot use the key file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file is not as it was written.
    #[error("the key file {} is damaged ({reason}); put it back from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No key could be made.
    #[error(transparent)]
    Fault(#[from] KeyFault),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    /// The first signs, all verify.
    signing: Vec<Entry>,
    refresh: Entry,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Derived from the key, so that a changed byte is found.
    kid: String,
    /// Base64url without padding.
    key: String,
}

impl Keys {
    /// Reads the file; nothing if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn load(path: &Path) -> Result<Option<Self>, KeyFileError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyFileError::Io { path: path.to_owned(), source }),
        };
        let damaged = |reason: String| KeyFileError::Damaged { path: path.to_owned(), reason };
        let contents: Contents = serde_json::from_slice(&text).map_err(|error| damaged(position(&error)))?;
        keys_of(&contents).map(Some).map_err(damaged)
    }

    /// Writes the keys to `path`, which must not exist.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
        let entry =
            |kid: String, key: &KeyBytes| Entry { kid, key: URL_SAFE_NO_PAD.encode(key.expose_secret()) };
        let contents = Contents {
            version: VERSION,
            signing: self.signing().iter().map(|key| entry(key.kid.clone(), &key.seed)).collect(),
            refresh: entry(fingerprint(self.refresh_bytes()), self.refresh_bytes()),
        };
        let text = serde_json::to_vec_pretty(&contents).expect("strings and numbers always serialise");
        write(path, &text).map_err(|source| KeyFileError::Io { path: path.to_owned(), source })
    }
}

/// Where the text breaks off, without quoting any of it.
fn position(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn keys_of(contents: &Contents) -> Result<Keys, String> {
    if contents.version != VERSION {
        return Err(format!("version {}, this release knows {VERSION}", contents.version));
    }
    let mut signing = Vec::with_capacity(contents.signing.len());
    for entry in &contents.signing {
        let key = SigningKey::from_seed(bytes(entry)?).map_err(|fault| fault.to_string())?;
        if key.kid != entry.kid {
            return Err(format!("signing key {:?} is not what its id says", entry.kid));
        }
        signing.push(key);
    }
    if signing.is_empty() {
        return Err("no signing key".to_owned());
    }
    let refresh = bytes(&contents.refresh)?;
    if fingerprint(&refresh) != contents.refresh.kid {
        return Err("the refresh key is not what its id says".to_owned());
    }
    Ok(Keys::new(signing, refresh))
}

fn bytes(entry: &Entry) -> Result<KeyBytes, String> {
    let bytes = URL_SAFE_NO_PAD.decode(&entry.key).ok();
    let bytes: Option<[u8; KEY_BYTES]> = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes
        .map(|bytes| SecretBox::new(Box::new(bytes)))
        .ok_or_else(|| format!("key {:?} is not 32 bytes", entry.kid))
}

/// Tells whether a byte of the refresh key has changed, and nothing about the key.
fn fingerprint(key: &KeyBytes) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"parlor.refresh-key.v1");
    context.update(key.expose_secret());
    URL_SAFE_NO_PAD.encode(&context.finish().as_ref()[..16])
}

/// All or nothing: under another name first, on disk, then linked to its own, which fails if that is taken.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&partial)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::hard_link(&partial, path)?;
    fs::remove_file(&partial)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        assert!(Keys::load(&path).unwrap().is_none());
        let keys = Keys::generate().unwrap();
        keys.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else stays behind");
        let loaded = Keys::load(&path).unwrap().unwrap();
        assert_eq!(loaded.public(), keys.public());
        assert_eq!(loaded.refresh_bytes().expose_secret(), keys.refresh_bytes().expose_secret());
    }

    #[test]
    fn keys_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        Keys::generate().unwrap().save(&path).unwrap();
        let before = fs::read(&path).unwrap();
        assert!(matches!(Keys::generate().unwrap().save(&path), Err(KeyFileError::Io { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn any_changed_letter_of_a_key_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let damaged = folder.path().join("damaged.json");
        Keys::generate().unwrap().save(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let places: Vec<_> =
            text.match_indices(|c: char| c.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
        for at in places {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            fs::write(&damaged, &changed).unwrap();
            assert!(matches!(Keys::load(&damaged), Err(KeyFileError::Damaged { .. })), "byte {at}");
            assert_eq!(fs::read(&damaged).unwrap(), changed, "a damaged file was touched");
        }
        for length in 0..text.trim_end().len() {
            fs::write(&damaged, &text[..length]).unwrap();
            assert!(Keys::load(&damaged).is_err(), "cut to {length} bytes");
        }
    }
}

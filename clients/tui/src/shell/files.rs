//! Files of this machine: those whose paths were pasted, and those that are saved.

use std::path::{Path, PathBuf};

use parlor_types::MediaId;

use crate::text::is_harmful;

/// How many files of one name are kept apart.
const SAME_NAMES: u32 = 1_000;
/// Files in one message.
const MOST: usize = parlor_client::core::MAX_ALBUM;

/// The files that a pasted text names, if it names nothing else: as terminals write them when files are dropped on them
/// (quoted, escaped, as `file://`), one or several.
pub fn named(text: &str) -> Vec<PathBuf> {
    let text = text.trim();
    if text.is_empty() || text.len() > 16 * 1024 {
        return Vec::new();
    }
    let as_one = Path::new(text);
    if as_one.is_absolute() && as_one.is_file() {
        return vec![as_one.to_owned()];
    }
    let paths: Vec<_> = words(text).iter().map(|word| path(word)).collect();
    let are_files = !paths.is_empty() && paths.iter().all(|path| path.is_absolute() && path.is_file());
    if are_files && paths.len() <= MOST { paths } else { Vec::new() }
}

/// As a shell would read it.
fn words(text: &str) -> Vec<String> {
    let (mut all, mut word, mut quote, mut escaped) = (Vec::new(), String::new(), None, false);
    for c in text.chars() {
        match (c, quote) {
            (c, _) if escaped => {
                word.push(c);
                escaped = false;
            }
            ('\\', None | Some('"')) => escaped = true,
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    all.push(std::mem::take(&mut word));
                }
            }
            (c, _) => word.push(c),
        }
    }
    if !word.is_empty() {
        all.push(word);
    }
    all
}

fn path(word: &str) -> PathBuf {
    if let Some(encoded) = word.strip_prefix("file://") {
        return PathBuf::from(decoded(encoded));
    }
    match (word.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(word),
    }
}

/// `%20` is a space.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where a file is saved: the folder for downloads, or the home.
pub fn downloads() -> PathBuf {
    let home = std::env::home_dir().unwrap_or_default();
    let usual = home.join("Downloads");
    let said = std::env::var_os("XDG_DOWNLOAD_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    said.unwrap_or_else(|| if usual.is_dir() { usual } else { home })
}

/// A name that a stranger gave, as a path in `folder` where nothing is: no way out of it, not hidden, and nothing that a
/// terminal obeys.
#[must_use]
pub fn free_path(folder: &Path, given: &str, id: MediaId) -> Option<PathBuf> {
    let name = safe_name(given, id);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let dot = if extension.is_empty() { "" } else { "." };
    let numbered = (1..SAME_NAMES).map(|number| match number {
        1 => name.clone(),
        _ => format!("{stem} ({number}){dot}{extension}"),
    });
    numbered.map(|name| folder.join(name)).find(|path| !path.exists())
}

/// A name that a stranger gave, as one in a folder of ours.
#[must_use]
pub fn safe_name(given: &str, id: MediaId) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().map(|c| if is_harmful(c) || c == ':' { '_' } else { c }).collect();
    let name = name.trim().trim_start_matches('.');
    if name.is_empty() { id.to_string() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use parlor_types::Id as _;

    use super::*;

    #[test]
    fn paths_are_read_as_terminals_write_them() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("my photo.jpg");
        std::fs::write(&place, "x").unwrap();
        let plain = place.display().to_string();
        for text in [
            plain.clone(),
            format!("'{plain}' "),
            format!("\"{plain}\"\n"),
            plain.replace(' ', "\\ "),
            format!("file://{}", plain.replace(' ', "%20")),
        ] {
            assert_eq!(named(&text), std::slice::from_ref(&place), "{text:?}");
        }
        assert_eq!(named(&format!("'{plain}' '{plain}'")).len(), 2);
        assert!(named(&format!("look at '{plain}'")).is_empty(), "words are words");
        assert!(named("my photo.jpg").is_empty() && named("").is_empty());
        assert!(named(&folder.path().display().to_string()).is_empty(), "a folder is no file");
    }

    #[test]
    fn names_of_strangers_stay_in_the_folder() {
        let id = MediaId::from_bytes([1; 16]);
        let folder = tempfile::tempdir().unwrap();
        for (given, name) in
            [("../../etc/passwd", "passwd"), (".bashrc", "bashrc"), ("a\u{1b}[2J:b", "a_[2J_b")]
        {
            assert_eq!(free_path(folder.path(), given, id), Some(folder.path().join(name)));
        }
        assert_eq!(free_path(folder.path(), "..", id), Some(folder.path().join(id.to_string())));
        std::fs::write(folder.path().join("a.txt"), "").unwrap();
        assert_eq!(free_path(folder.path(), "a.txt", id), Some(folder.path().join("a (2).txt")));
    }
}

//! What is being written, on this machine's disk: one file for each conversation, there from the first key on.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use parlor_types::{ConversationId, Id as _};
use parlor_wire::chat::v1::Draft;
use serde::{Deserialize, Serialize};

/// The folder in the folder of an account.
const FOLDER: &str = "drafts";

#[derive(Serialize, Deserialize)]
struct Kept {
    reply_to: u64,
    text: String,
}

fn path(folder: &Path, id: ConversationId) -> PathBuf {
    folder.join(FOLDER).join(format!("{id}.toml"))
}

/// Keeps a draft, or forgets it. Blocks. What was kept before is there until the new is whole.
pub fn keep(folder: &Path, id: ConversationId, draft: Option<&Draft>) -> io::Result<()> {
    let path = path(folder, id);
    let Some(draft) = draft.filter(|draft| !draft.text.is_empty()) else {
        return match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    };
    std::fs::create_dir_all(folder.join(FOLDER))?;
    let kept = Kept { reply_to: draft.reply_to, text: draft.text.clone() };
    let mut file = tempfile::NamedTempFile::new_in(folder.join(FOLDER))?;
    io::Write::write_all(&mut file, toml::to_string(&kept).map_err(io::Error::other)?.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// All that is kept. Blocks. What cannot be read is left where it is.
pub fn all(folder: &Path) -> BTreeMap<ConversationId, Draft> {
    let files = std::fs::read_dir(folder.join(FOLDER)).into_iter().flatten().flatten();
    let draft = |file: std::fs::DirEntry| {
        let id = ConversationId::parse(file.path().file_stem()?.to_str()?)?;
        let kept: Kept = toml::from_str(&std::fs::read_to_string(file.path()).ok()?).ok()?;
        Some((id, Draft { text: kept.text, reply_to: kept.reply_to }))
    };
    files.filter_map(draft).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_there_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let id = ConversationId::from_bytes([3; 16]);
        assert!(all(folder.path()).is_empty());
        let draft = Draft { text: "two\nlines \"quoted\" ''' \u{5e9}".to_owned(), reply_to: 7 };
        keep(folder.path(), id, Some(&draft)).unwrap();
        assert_eq!(all(folder.path()), BTreeMap::from([(id, draft)]));
        keep(folder.path(), id, None).unwrap();
        keep(folder.path(), id, None).unwrap();
        assert!(all(folder.path()).is_empty());
    }
}

//! `upload`, `download`, `usage`, `avatar`, `forward`.

use std::path::{Path, PathBuf};

use parlor_client::Client;
use parlor_types::{Id as _, MediaId, Seq};
use parlor_wire::media::v1::{Purpose, Variant};
use serde_json::json;

use super::send;
use crate::args::{Avatar, Download, Form, What};
use crate::entry::media;
use crate::names;
use crate::outcome::{Failure, Outcome};
use crate::output::Output;
use crate::progress::Progress;
use crate::text::{hex, is_harmful, size};

/// How many files of one name are kept apart before it is given up.
const SAME_NAMES: u32 = 1_000;

pub async fn upload(client: &Client, out: &mut Output, file: &Path, what: Option<What>) -> Outcome {
    let mut progress = Progress::new(out.is_json(), &name(file));
    let answer = client.upload(file, what.map(purpose), &mut |news| progress.tell(news)).await?;
    drop(progress);
    let media = answer.media.unwrap_or_default();
    let mut object = media::file(&media);
    object["checking"] = json!(answer.checking);
    out.result(&object, || media.id.clone())
}

pub async fn download(client: &Client, out: &mut Output, wishes: Download) -> Outcome {
    let id = media_id(&wishes.id)?;
    let to = match wishes.output {
        Some(path) if !path.is_dir() => path,
        folder => {
            let folder = folder.unwrap_or_else(|| PathBuf::from("."));
            let known = client.media(id).await?.media.unwrap_or_default();
            free_name(&folder, &safe_name(&known.name, id), wishes.variant)?
        }
    };
    let mut progress = Progress::new(out.is_json(), &name(&to));
    let variant = variant(wishes.variant);
    let got = client.download(id, variant, &to, &mut |news| progress.tell(news)).await?;
    drop(progress);
    let object = json!({
        "id": id.to_string(), "path": to.to_string_lossy(), "size": got.size, "sha256": hex(&got.sha256),
    });
    out.result(&object, || format!("{} ({})", to.display(), size(got.size)))
}

pub async fn usage(client: &Client, out: &mut Output) -> Outcome {
    let usage = client.usage().await?;
    let object = json!({
        "stored_bytes": usage.stored_bytes,
        "max_stored_bytes": usage.max_stored_bytes,
        "max_file_bytes": usage.max_file_bytes,
        "uploads_today": usage.uploads_today,
        "max_uploads_per_day": usage.max_uploads_per_day,
        "uploaded_bytes_today": usage.uploaded_bytes_today,
        "max_uploaded_bytes_per_day": usage.max_uploaded_bytes_per_day,
    });
    out.result(&object, || {
        format!(
            "files: {} of {} (one file: {})\nwithin a day: {} of {} uploads, {} of {}",
            size(usage.stored_bytes),
            size(usage.max_stored_bytes),
            size(usage.max_file_bytes),
            usage.uploads_today,
            usage.max_uploads_per_day,
            size(usage.uploaded_bytes_today),
            size(usage.max_uploaded_bytes_per_day),
        )
    })
}

pub async fn avatar(client: &Client, out: &mut Output, action: Avatar) -> Outcome {
    let (file, group) = match action {
        Avatar::Set { file, group } => (Some(file), group),
        Avatar::Clear { group } => (None, group),
    };
    let shown = file.as_deref().map(name).unwrap_or_default();
    let mut progress = Progress::new(out.is_json(), &shown);
    let mut tell = |news| progress.tell(news);
    if let Some(group) = group {
        let group = names::group(client, &group).await?;
        let sent = client.set_group_avatar(group, file.as_deref(), &mut tell).await?;
        drop(progress);
        return send::show(out, &sent);
    }
    let profile = client.set_avatar(file.as_deref(), &mut tell).await?;
    drop(progress);
    let object = json!({ "user_id": profile.user_id, "avatar": profile.avatar.as_ref().map(media::file) });
    out.result(&object, || profile.avatar.map_or_else(|| "no picture".to_owned(), |avatar| avatar.id))
}

pub async fn forward(client: &Client, out: &mut Output, from: &str, seq: u64, to: &str) -> Outcome {
    let from = names::conversation(client, from).await?;
    let to = names::conversation(client, to).await?;
    let sent = client.forward(from, Seq(seq), to).await?;
    send::show(out, &sent)
}

pub fn media_id(text: &str) -> Outcome<MediaId> {
    MediaId::parse(text).ok_or_else(|| Failure::Usage(format!("{text:?} is not a media id")))
}

pub fn purpose(what: What) -> Purpose {
    match what {
        What::Image => Purpose::Image,
        What::File => Purpose::File,
        What::Voice => Purpose::Voice,
        What::Video => Purpose::Video,
    }
}

pub fn variant(form: Form) -> Variant {
    match form {
        Form::Original => Variant::Original,
        Form::Small => Variant::Small,
        Form::Large => Variant::Large,
    }
}

/// What a file of this machine is called.
pub fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A name that a stranger gave, as one in a folder of ours: no way out of it, not hidden, and nothing that a terminal obeys.
fn safe_name(given: &str, id: MediaId) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().map(|c| if is_harmful(c) || c == ':' { '_' } else { c }).collect();
    let name = name.trim().trim_start_matches('.');
    if name.is_empty() { id.to_string() } else { name.to_owned() }
}

/// A path in `folder` where nothing is.
fn free_name(folder: &Path, name: &str, form: Form) -> Outcome<PathBuf> {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let dot = if extension.is_empty() { "" } else { "." };
    let form = match form {
        Form::Original => "",
        Form::Small => "-small",
        Form::Large => "-large",
    };
    let numbered = (1..SAME_NAMES).map(|number| match number {
        1 => format!("{stem}{form}{dot}{extension}"),
        _ => format!("{stem}{form} ({number}){dot}{extension}"),
    });
    let free = numbered.map(|name| folder.join(name)).find(|path| !path.exists());
    free.ok_or_else(|| Failure::Failed(format!("there are many files called {name:?} here: say -o PATH")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_s_name_stays_in_the_folder() {
        let id = MediaId::from_bytes([1; 16]);
        for (given, safe) in [
            ("photo.jpg", "photo.jpg"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\x", "x"),
            (".bashrc", "bashrc"),
            ("a\u{1b}[31m.txt", "a_[31m.txt"),
            ("a\u{202e}gpj.exe", "a_gpj.exe"),
            ("c:x", "c_x"),
        ] {
            assert_eq!(safe_name(given, id), safe, "{given:?}");
        }
        for nothing in ["", "..", "/", "  ", "."] {
            assert_eq!(safe_name(nothing, id), id.to_string(), "{nothing:?}");
        }
    }

    #[test]
    fn nothing_is_overwritten_without_being_named() {
        let folder = tempfile::tempdir().unwrap();
        let free = |form| name(&free_name(folder.path(), "a.tar.gz", form).unwrap());
        assert_eq!(free(Form::Original), "a.tar.gz");
        std::fs::write(folder.path().join("a.tar.gz"), "").unwrap();
        assert_eq!(free(Form::Original), "a.tar (2).gz");
        assert_eq!(free(Form::Small), "a.tar-small.gz");
    }
}

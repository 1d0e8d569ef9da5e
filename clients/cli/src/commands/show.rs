//! `show`, and pictures between the lines of `history` and `tail`.

use std::path::PathBuf;

use parlor_client::Client;
use parlor_tui::content::{Ids, described};
use parlor_tui::picture::Protocol;
use parlor_types::{Id as _, MediaId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, album_item};
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{Media, Variant};
use serde_json::json;
use tempfile::TempDir;

use super::files::media_id;
use crate::args::Pictures;
use crate::entry::media;
use crate::outcome::{Failure, Outcome};
use crate::output::Output;
use crate::pictures;
use crate::progress::Progress;

pub async fn run(client: &Client, out: &mut Output, id: &str, how: Pictures) -> Outcome {
    let id = media_id(id)?;
    let known = client.media(id).await?.media.unwrap_or_default();
    let protocol = pictures::protocol(Some(how), out.is_json());
    let Some(variant) = variant_of(&known, Variant::Large).filter(|_| protocol.is_some()) else {
        let object = media::file(&known);
        return out.result(&object, || described("file", Some(&known), Ids::Told));
    };
    let folder = TempDir::new()?;
    let path = folder.path().join("picture");
    let mut progress = Progress::new(out.is_json(), &known.name);
    client.download(id, variant, &path, &mut |news| progress.tell(news)).await?;
    drop(progress);
    let Some(protocol) = protocol else { return Ok(()) };
    out.result(&json!({}), || described("picture", Some(&known), Ids::Told))?;
    out.heading(&pictures::draw(&path, protocol)?)
}

/// The form to show: the wanted one if there is one, else the whole if it is a picture.
fn variant_of(media: &Media, wanted: Variant) -> Option<Variant> {
    let Some(Preview::Image(image)) = &media.preview else { return None };
    let there_is = image.thumbnails.iter().any(|thumbnail| thumbnail.variant() == wanted);
    Some(if there_is { wanted } else { Variant::Original })
}

/// Draws the pictures of entries, small.
pub struct Gallery {
    protocol: Option<Protocol>,
    /// Made when the first picture comes.
    folder: Option<TempDir>,
}

impl Gallery {
    pub fn new(how: Option<Pictures>, out: &Output) -> Self {
        Self { protocol: pictures::protocol(how, out.is_json()), folder: None }
    }

    /// A picture that is not to be had is said, and is no failure.
    pub async fn hang(&mut self, client: &Client, out: &mut Output, entry: &Entry) -> Outcome {
        let Some(protocol) = self.protocol else { return Ok(()) };
        for media in pictures(entry) {
            let (Some(id), Some(variant)) = (MediaId::parse(&media.id), variant_of(media, Variant::Small))
            else {
                continue;
            };
            let path = self.place(id)?;
            let drawn = match client.download(id, variant, &path, &mut |_| {}).await {
                Ok(_) => pictures::draw(&path, protocol),
                Err(error) => Err(Failure::from(error)),
            };
            match drawn {
                Ok(drawn) => out.heading(&drawn)?,
                Err(failure) => out.notice("picture", &format!("{id}: {failure}")),
            }
            std::fs::remove_file(&path).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
        }
        Ok(())
    }

    fn place(&mut self, id: MediaId) -> Outcome<PathBuf> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => TempDir::new()?,
        };
        Ok(self.folder.insert(folder).path().join(id.to_string()))
    }
}

/// What there is to see in an entry.
fn pictures(entry: &Entry) -> Vec<&Media> {
    let kind = entry.kind();
    match kind {
        Some(Kind::Image(image)) => image.media.iter().collect(),
        Some(Kind::Video(video)) => video.poster.iter().collect(),
        Some(Kind::SetAvatar(set)) => set.media.iter().collect(),
        Some(Kind::Album(album)) => {
            let items = album.items.iter().filter_map(|item| item.kind.as_ref());
            items
                .filter_map(|item| match item {
                    album_item::Kind::Image(image) => image.media.as_ref(),
                    album_item::Kind::Video(video) => video.poster.as_ref(),
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

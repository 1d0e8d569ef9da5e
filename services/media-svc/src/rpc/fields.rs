//! Fields of requests, as the domain's types.

use std::collections::BTreeSet;

use parlor_types::{Id, MediaId, Op, UserId};
use parlor_wire::internal::media::v1 as internal;
use parlor_wire::internal::media::v1::r#use::Place as WirePlace;
use parlor_wire::media::v1 as wire;
use parlor_wire::{Invalid, id};

use crate::download::Wanted;
use crate::media::{Declared, FileName, MediaType, Purpose, Sha256, Variant};
use crate::store::Place;

/// Files in one Claim.
const MAX_CLAIMED: usize = 32;
/// Addresses in one BatchGetMediaUrls.
const MAX_ADDRESSES: usize = 50;
/// Files in one Release.
const MAX_RELEASED: usize = 1000;

/// A claim, but for how long it holds.
pub(super) struct Claimed {
    pub(super) user: UserId,
    pub(super) place: Place,
    pub(super) ids: Vec<MediaId>,
    pub(super) readable: BTreeSet<MediaId>,
}

/// What is said of a file, and what the upload is called. All faults at once.
pub(super) fn declared(request: &wire::CreateUploadRequest) -> Result<(Op, Declared), Invalid> {
    let mut faults = Vec::new();
    let mut note = |Invalid(violations): Invalid| faults.extend(violations);
    let op = op(&request.op).map_err(&mut note);
    let name = FileName::new(&request.name).map_err(|rule| note(Invalid::field("name", rule.to_string())));
    let media_type = MediaType::new(&request.media_type)
        .map_err(|rule| note(Invalid::field("media_type", rule.to_string())));
    let size = Some(request.size).filter(|size| *size > 0).ok_or(());
    let size = size.map_err(|()| note(Invalid::field("size", "must be at least 1")));
    let sha256 = <[u8; 32]>::try_from(&request.sha256[..])
        .map_err(|_| note(Invalid::field("sha256", "must be 32 bytes")));
    let purpose = purpose(request.purpose).map_err(&mut note);
    match (op, name, media_type, size, sha256, purpose) {
        (Ok(op), Ok(name), Ok(media_type), Ok(size), Ok(sha256), Ok(purpose)) => {
            Ok((op, Declared { name, media_type, size, sha256: Sha256(sha256), purpose }))
        }
        _ => Err(Invalid(faults)),
    }
}

/// A random UUID: of version 4 or 7.
fn op(text: &str) -> Result<Op, Invalid> {
    let op: Op = id("op", text)?;
    let version = op.bytes()[6] >> 4;
    if matches!(version, 4 | 7) {
        Ok(op)
    } else {
        Err(Invalid::field("op", "must be a UUID of version 4 or 7"))
    }
}

fn purpose(number: i32) -> Result<Purpose, Invalid> {
    match wire::Purpose::try_from(number) {
        Ok(wire::Purpose::Image) => Ok(Purpose::Image),
        Ok(wire::Purpose::File) => Ok(Purpose::File),
        Ok(wire::Purpose::Voice) => Ok(Purpose::Voice),
        Ok(wire::Purpose::Video) => Ok(Purpose::Video),
        Ok(wire::Purpose::Avatar) => Ok(Purpose::Avatar),
        Ok(wire::Purpose::Unspecified) | Err(_) => Err(Invalid::field("purpose", "must be one of Purpose")),
    }
}

/// Which file it is about.
pub(super) fn media_id(text: &str) -> Result<MediaId, Invalid> {
    id("media_id", text)
}

/// Which bytes are asked for.
pub(super) struct Asked {
    pub(super) id: MediaId,
    pub(super) variant: Variant,
    pub(super) wanted: Wanted,
}

pub(super) fn download(request: &wire::DownloadRequest) -> Result<Asked, Invalid> {
    let of = if request.if_sha256.is_empty() {
        None
    } else {
        let bytes = <[u8; 32]>::try_from(&request.if_sha256[..]);
        Some(Sha256(bytes.map_err(|_| Invalid::field("if_sha256", "must be 32 bytes, or none"))?))
    };
    Ok(Asked {
        id: media_id(&request.media_id)?,
        variant: variant("variant", request.variant)?,
        wanted: Wanted { offset: request.offset, length: request.length, of },
    })
}

pub(super) fn media_variants(items: &[wire::MediaVariant]) -> Result<Vec<(MediaId, Variant)>, Invalid> {
    if items.is_empty() || items.len() > MAX_ADDRESSES {
        return Err(Invalid::field("items", format!("must be 1 to {MAX_ADDRESSES}")));
    }
    let parse = |(index, item): (usize, &wire::MediaVariant)| {
        let id = id(&format!("items[{index}].media_id"), &item.media_id)?;
        Ok((id, variant(&format!("items[{index}].variant"), item.variant)?))
    };
    items.iter().enumerate().map(parse).collect()
}

fn variant(field: &str, number: i32) -> Result<Variant, Invalid> {
    match wire::Variant::try_from(number) {
        Ok(wire::Variant::Unspecified | wire::Variant::Original) => Ok(Variant::Original),
        Ok(wire::Variant::Small) => Ok(Variant::Small),
        Ok(wire::Variant::Large) => Ok(Variant::Large),
        Err(_) => Err(Invalid::field(field, "must be one of Variant")),
    }
}

pub(super) fn claim(request: &internal::ClaimRequest) -> Result<Claimed, Invalid> {
    Ok(Claimed {
        user: id("user_id", &request.user_id)?,
        place: place(request.r#use.as_ref())?,
        ids: media_ids("media_ids", &request.media_ids, 1, MAX_CLAIMED)?,
        readable: media_ids("readable_ids", &request.readable_ids, 0, MAX_CLAIMED)?.into_iter().collect(),
    })
}

pub(super) fn release(request: &internal::ReleaseRequest) -> Result<(Place, Vec<MediaId>), Invalid> {
    let place = place(request.r#use.as_ref())?;
    Ok((place, media_ids("media_ids", &request.media_ids, 1, MAX_RELEASED)?))
}

fn place(used: Option<&internal::Use>) -> Result<Place, Invalid> {
    match used.and_then(|used| used.place.as_ref()) {
        Some(WirePlace::Entry(entry)) => Ok(Place::Entry(
            id("use.entry.conversation_id", &entry.conversation_id)?,
            id("use.entry.op", &entry.op)?,
        )),
        Some(WirePlace::ProfileUserId(user)) => Ok(Place::Profile(id("use.profile_user_id", user)?)),
        None => Err(Invalid::field("use", "must be an entry or a profile")),
    }
}

fn media_ids(field: &str, texts: &[String], least: usize, most: usize) -> Result<Vec<MediaId>, Invalid> {
    if texts.len() < least || texts.len() > most {
        return Err(Invalid::field(field, format!("must be {least} to {most}")));
    }
    let parse = |(index, text): (usize, &String)| id(&format!("{field}[{index}]"), text);
    texts.iter().enumerate().map(parse).collect()
}

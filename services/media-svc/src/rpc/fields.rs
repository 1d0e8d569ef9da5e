//! Fields of requests, as the domain's types.

use std::collections::BTreeSet;

use parlor_types::{Id, MediaId, Op, UserId};
use parlor_wire::internal::media::v1 as internal;
use parlor_wire::internal::media::v1::r#use::Place as WirePlace;
use parlor_wire::media::v1 as wire;
use parlor_wire::{Invalid, id};

use crate::media::{Declared, FileName, MediaType, Purpose, Sha256};
use crate::store::Place;

/// Files in one Claim.
const MAX_CLAIMED: usize = 32;
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

//! People and privacy in both directions.

use bytes::Bytes;
use parlor_types::limits;
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::server_frame::Kind as Frame;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::{Invalid, to_time};
use prost::Message as _;

use super::{mark_problem, problem};
use crate::people::{Audience, ChangeError, Filter, Person, Privacy, PrivacyChanges, Refused, Relation};
use crate::store::AccountChanges;

/// Another user, as one user has them.
#[must_use]
pub fn person(person: &Person) -> wire::Person {
    let relation = match person.side.relation {
        Relation::None => wire::Relation::Unspecified,
        Relation::Requested => wire::Relation::Requested,
        Relation::Received => wire::Relation::RequestReceived,
        Relation::Contact => wire::Relation::Contact,
    };
    wire::Person {
        user_id: person.user.to_string(),
        relation: relation.into(),
        note: person.side.note.clone(),
        blocked: person.side.blocked,
        changed_at: person.changed_at.map(to_time),
    }
}

/// Settings.
#[must_use]
pub fn privacy(privacy: Privacy) -> wire::Privacy {
    let audience = |audience| to_audience(audience).into();
    wire::Privacy {
        read_receipts: privacy.read_receipts,
        online: audience(privacy.online),
        last_seen: audience(privacy.last_seen),
        direct: audience(privacy.direct),
        groups: audience(privacy.groups),
    }
}

/// Changes as encoded frames.
#[must_use]
pub fn account_frames(changes: &AccountChanges) -> Vec<Bytes> {
    let people = changes.people.iter().map(|changed| {
        let person = Some(person(changed));
        Frame::SyncPerson(wire::SyncPerson { person })
    });
    let settings = changes.privacy.map(|settings| {
        let privacy = Some(privacy(settings));
        Frame::SyncPrivacy(wire::SyncPrivacy { privacy })
    });
    let encoded = |kind| wire::ServerFrame { kind: Some(kind) }.encode_to_vec().into();
    people.chain(settings).map(encoded).collect()
}

/// The note of a request.
///
/// # Errors
/// It breaks the rules of notes.
pub fn contact_note(note: &str) -> Result<String, Invalid> {
    if note.chars().count() > limits::MAX_CONTACT_NOTE {
        let rule = format!("must be at most {} characters", limits::MAX_CONTACT_NOTE);
        return Err(Invalid::field("note", rule));
    }
    if note.chars().any(|char| char.is_control() && char != '\n') {
        return Err(Invalid::field("note", "must not have control characters besides line feed"));
    }
    Ok(note.to_owned())
}

/// Which people to list.
///
/// # Errors
/// It is none that this release knows.
pub fn filter(filter: i32) -> Result<Filter, Invalid> {
    Ok(match wire::PeopleFilter::try_from(filter) {
        Ok(wire::PeopleFilter::Unspecified) => Filter::All,
        Ok(wire::PeopleFilter::Contacts) => Filter::Contacts,
        Ok(wire::PeopleFilter::Requests) => Filter::Requests,
        Ok(wire::PeopleFilter::Blocked) => Filter::Blocked,
        Err(_) => return Err(Invalid::field("filter", "must be a filter this server knows")),
    })
}

/// What to change of the settings.
///
/// # Errors
/// An audience is none that this release knows.
pub fn privacy_changes(request: &wire::SetPrivacyRequest) -> Result<PrivacyChanges, Invalid> {
    Ok(PrivacyChanges {
        read_receipts: request.read_receipts,
        online: from_audience("online", request.online)?,
        last_seen: from_audience("last_seen", request.last_seen)?,
        direct: from_audience("direct", request.direct)?,
        groups: from_audience("groups", request.groups)?,
    })
}

fn from_audience(field: &str, audience: i32) -> Result<Option<Audience>, Invalid> {
    Ok(match wire::Audience::try_from(audience) {
        Ok(wire::Audience::Unspecified) => None,
        Ok(wire::Audience::Everyone) => Some(Audience::Everyone),
        Ok(wire::Audience::Contacts) => Some(Audience::Contacts),
        Ok(wire::Audience::Nobody) => Some(Audience::Nobody),
        Err(_) => return Err(Invalid::field(field, "must be an audience this server knows")),
    })
}

fn to_audience(audience: Audience) -> wire::Audience {
    match audience {
        Audience::Everyone => wire::Audience::Everyone,
        Audience::Contacts => wire::Audience::Contacts,
        Audience::Nobody => wire::Audience::Nobody,
    }
}

/// Why nothing changed between two users.
#[must_use]
pub fn change_problem(error: ChangeError) -> Problem {
    use ErrorReason as R;
    match error {
        ChangeError::UserNotFound => problem(R::UserNotFound, "no such user"),
        ChangeError::Refused(Refused::Blocked) => problem(R::UserBlocked, "you have blocked this user"),
        ChangeError::Refused(Refused::NoRequest) => {
            problem(R::RequestNotFound, "no request of this user is open")
        }
        ChangeError::Refused(Refused::TooManyContacts) => {
            problem(R::TooManyContacts, format!("at most {} contacts and requests", limits::MAX_CONTACTS))
        }
        ChangeError::Refused(Refused::TooManyBlocked) => {
            problem(R::TooManyBlocked, format!("at most {} blocked users", limits::MAX_BLOCKED))
        }
        ChangeError::Store(error) => mark_problem(error),
    }
}

//! Fields of requests, as the domain's types.

use std::collections::BTreeSet;

use parlor_runtime::time::{from_millis, to_millis};
use parlor_types::limits::MAX_WATCHED;
use parlor_types::{Id as _, UserId};
use parlor_wire::internal::presence::v1 as internal;
use parlor_wire::internal::presence::v1::attach_frame::Kind;
use parlor_wire::presence::v1 as wire;
use parlor_wire::{Invalid, id, time};

use crate::hub::Said;
use crate::registry::Opened;
use crate::status::{Appearance, Status, StatusText};

/// Users in one Locate, and in one VisibilityChanged.
pub(super) const MAX_NAMED: usize = 1000;

/// All faults of a status at once; none is the default.
pub(super) fn status(status: Option<wire::Status>) -> Result<Status, Invalid> {
    let Some(status) = status else { return Ok(Status::default()) };
    let mut faults = Vec::new();
    let mut note = |Invalid(violations): Invalid| faults.extend(violations);
    let appearance = appearance(status.appearance).map_err(&mut note);
    let text =
        StatusText::new(&status.text).map_err(|rule| note(Invalid::field("status.text", rule.to_string())));
    let until = status.until.map(|until| time("status.until", until)).transpose().map_err(&mut note);
    match (appearance, text, until) {
        (Ok(appearance), Ok(text), Ok(until)) => {
            // Whole milliseconds, so that what is answered is what is kept.
            Ok(Status { appearance, text, until: until.map(|until| from_millis(to_millis(until))) })
        }
        _ => Err(Invalid(faults)),
    }
}

fn appearance(number: i32) -> Result<Appearance, Invalid> {
    use wire::Appearance as Wire;
    match Wire::try_from(number) {
        Ok(Wire::Unspecified | Wire::Online) => Ok(Appearance::Online),
        Ok(Wire::Away) => Ok(Appearance::Away),
        Ok(Wire::DoNotDisturb) => Ok(Appearance::DoNotDisturb),
        Ok(Wire::Invisible) => Ok(Appearance::Invisible),
        Err(_) => Err(Invalid::field("status.appearance", "must be one of Appearance")),
    }
}

/// 1 to `max` ids of users, each of which may come more than once.
pub(super) fn user_ids(field: &str, texts: &[String], max: usize) -> Result<Vec<UserId>, Invalid> {
    if texts.is_empty() || texts.len() > max {
        return Err(Invalid::field(field, format!("must be 1 to {max}")));
    }
    users(field, texts)
}

fn users<T: FromIterator<UserId>>(field: &str, texts: &[String]) -> Result<T, Invalid> {
    let parse = |(index, text): (usize, &String)| {
        UserId::parse(text).ok_or_else(|| {
            Invalid::field(format!("{field}[{index}]"), "must be a UUID in its canonical form")
        })
    };
    texts.iter().enumerate().map(parse).collect()
}

/// What a node says; none for what this release does not know.
pub(super) fn said(frame: internal::AttachFrame) -> Result<Option<Said>, Invalid> {
    let Some(kind) = frame.kind else { return Ok(None) };
    Ok(Some(match kind {
        Kind::Hello(hello) => Said::Hello(id("hello.node_id", &hello.node_id)?),
        Kind::Opened(opened) => Said::Opened(Opened {
            stream: id("opened.stream_id", &opened.stream_id)?,
            user: id("opened.user_id", &opened.user_id)?,
            session: id("opened.session_id", &opened.session_id)?,
            foreground: opened.foreground,
            mobile: opened.mobile,
        }),
        Kind::Closed(closed) => Said::Closed {
            stream: id("closed.stream_id", &closed.stream_id)?,
            session_ended: closed.session_ended,
        },
        Kind::Watching(watching) => Said::Watching {
            stream: id("watching.stream_id", &watching.stream_id)?,
            users: watched("watching.user_ids", &watching.user_ids)?,
        },
        Kind::SnapshotDone(_) => Said::SnapshotDone,
        Kind::VisibilityChanged(changed) => {
            Said::VisibilityChanged(user_ids("visibility_changed.user_ids", &changed.user_ids, MAX_NAMED)?)
        }
    }))
}

/// At most 200.
fn watched(field: &str, texts: &[String]) -> Result<BTreeSet<UserId>, Invalid> {
    if texts.len() > MAX_WATCHED {
        return Err(Invalid::field(field, format!("must be at most {MAX_WATCHED}")));
    }
    users(field, texts)
}

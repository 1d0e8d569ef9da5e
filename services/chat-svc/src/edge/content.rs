//! Content in both directions.

use parlor_types::{DisplayName, UserId, has_control, limits};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::content::Kind as WireKind;
use parlor_wire::{Invalid, id};

use super::media;
use crate::conversation::{Content, HistoryVisibility, Kind, Role, Settings, Withheld};

/// Why content cannot be appended.
#[derive(Debug)]
pub(super) enum BadContent {
    /// A field broke a rule.
    Field(Invalid),
    /// No client may append it.
    NotAllowed,
}

impl From<Invalid> for BadContent {
    fn from(invalid: Invalid) -> Self {
        Self::Field(invalid)
    }
}

/// Content as a client sends it.
pub(super) fn from_client(content: Option<&wire::Content>) -> Result<Content, BadContent> {
    let kind = content.and_then(|content| content.kind.as_ref());
    let kind =
        kind.ok_or_else(|| Invalid::field("content.kind", "must be set to a kind this server knows"))?;
    Ok(match kind {
        WireKind::Created(created) => from_created(created)?,
        WireKind::Text(text) => Content::Text(text_body(&text.body)?),
        WireKind::Add(add) => Content::Add(users("content.add.user_ids", &add.user_ids)?),
        WireKind::Remove(remove) => Content::Remove(users("content.remove.user_ids", &remove.user_ids)?),
        WireKind::Leave(_) => Content::Leave(None),
        WireKind::Rename(rename) => Content::Rename(group_name("content.rename.name", &rename.name)?),
        WireKind::Settings(settings) => Content::Settings(self::settings(settings)),
        WireKind::SetRole(change) => Content::SetRole(
            id("content.set_role.user_id", &change.user_id)?,
            role(change.role()).ok_or_else(|| Invalid::field("content.set_role.role", "must be a role"))?,
        ),
        WireKind::Edit(edit) => Content::Edit(edited(&edit.body)?),
        WireKind::Delete(_) => Content::Delete,
        WireKind::Image(image) => media::from_image(image)?,
        WireKind::File(file) => media::from_file(file)?,
        WireKind::Voice(voice) => media::from_voice(voice)?,
        WireKind::Video(video) => media::from_video(video)?,
        WireKind::Album(album) => media::from_album(album)?,
        WireKind::Location(location) => media::from_location(location)?,
        WireKind::SetAvatar(set) => media::from_set_avatar(set)?,
        WireKind::Withheld(_) | WireKind::Deleted(_) => return Err(BadContent::NotAllowed),
    })
}

/// Whether it may be empty is for the message to say that it changes.
fn edited(body: &str) -> Result<String, Invalid> {
    no_control("content.edit.body", body)?;
    Ok(body.to_owned())
}

fn text_body(body: &str) -> Result<String, Invalid> {
    if body.trim().is_empty() {
        return Err(Invalid::field("content.text.body", "must not be empty"));
    }
    no_control("content.text.body", body)?;
    Ok(body.to_owned())
}

fn no_control(field: &str, text: &str) -> Result<(), Invalid> {
    if has_control(text) {
        return Err(Invalid::field(field, "must not have control characters besides line feed and tab"));
    }
    Ok(())
}

fn users(field: &str, ids: &[String]) -> Result<Vec<UserId>, Invalid> {
    if ids.is_empty() || ids.len() > limits::MAX_USERS_PER_CHANGE {
        return Err(Invalid::field(field, format!("must name 1 to {} users", limits::MAX_USERS_PER_CHANGE)));
    }
    ids.iter().map(|text| id(field, text)).collect()
}

fn group_name(field: &str, name: &str) -> Result<String, Invalid> {
    DisplayName::new(name, limits::MAX_GROUP_NAME)
        .map(|name| name.as_str().to_owned())
        .map_err(|error| Invalid::field(field, error.to_string()))
}

fn from_created(created: &wire::Created) -> Result<Content, BadContent> {
    let members: Result<Vec<UserId>, Invalid> =
        created.member_ids.iter().map(|text| id("content.created.member_ids", text)).collect();
    let members = members?;
    let settings = created.settings.as_ref().map(settings).unwrap_or_default();
    match created.kind() {
        wire::ConversationKind::Direct => {
            if members.len() != 1 {
                let rule = "must name exactly one user for a direct conversation";
                return Err(Invalid::field("content.created.member_ids", rule).into());
            }
            if !created.name.is_empty() {
                let rule = "must be empty for a direct conversation";
                return Err(Invalid::field("content.created.name", rule).into());
            }
            Ok(Content::Created { kind: Kind::Direct, name: String::new(), members, settings })
        }
        wire::ConversationKind::Group => {
            if members.len() > limits::MAX_USERS_PER_CHANGE {
                let rule = format!("must name at most {} users", limits::MAX_USERS_PER_CHANGE);
                return Err(Invalid::field("content.created.member_ids", rule).into());
            }
            let name = group_name("content.created.name", &created.name)?;
            Ok(Content::Created { kind: Kind::Group, name, members, settings })
        }
        wire::ConversationKind::Unspecified => {
            Err(Invalid::field("content.created.kind", "must be direct or group").into())
        }
    }
}

/// Content as it was stored: what was valid when it came in is taken as it is.
pub(super) fn from_stored(content: &wire::Content) -> Option<Content> {
    let users = |ids: &[String]| ids.iter().map(|text| id("", text).ok()).collect::<Option<Vec<UserId>>>();
    Some(match content.kind.as_ref()? {
        WireKind::Created(created) => Content::Created {
            kind: match created.kind() {
                wire::ConversationKind::Direct => Kind::Direct,
                wire::ConversationKind::Group => Kind::Group,
                wire::ConversationKind::Unspecified => return None,
            },
            name: created.name.clone(),
            members: users(&created.member_ids)?,
            settings: created.settings.as_ref().map(settings).unwrap_or_default(),
        },
        WireKind::Text(text) => Content::Text(text.body.clone()),
        WireKind::Add(add) => Content::Add(users(&add.user_ids)?),
        WireKind::Remove(remove) => Content::Remove(users(&remove.user_ids)?),
        WireKind::Leave(leave) => Content::Leave(match leave.new_owner_id.as_str() {
            "" => None,
            text => Some(id("", text).ok()?),
        }),
        WireKind::Rename(rename) => Content::Rename(rename.name.clone()),
        WireKind::Settings(settings) => Content::Settings(self::settings(settings)),
        WireKind::SetRole(change) => Content::SetRole(id("", &change.user_id).ok()?, role(change.role())?),
        WireKind::Edit(edit) => Content::Edit(edit.body.clone()),
        WireKind::Delete(_) => Content::Delete,
        WireKind::Deleted(deleted) => Content::Deleted(id("", &deleted.user_id).ok()?),
        WireKind::Image(image) => media::stored_image(image)?,
        WireKind::File(file) => media::stored_file(file)?,
        WireKind::Voice(voice) => media::stored_voice(voice)?,
        WireKind::Video(video) => media::stored_video(video)?,
        WireKind::Album(album) => media::stored_album(album)?,
        WireKind::Location(location) => media::stored_location(location),
        WireKind::SetAvatar(set) => media::stored_set_avatar(set)?,
        // It is put in the place of content for a reader, and never stored.
        WireKind::Withheld(_) => return None,
    })
}

pub(super) fn to_wire(content: &Content) -> wire::Content {
    let ids = |users: &[UserId]| users.iter().map(UserId::to_string).collect();
    let kind = match content {
        Content::Created { kind, name, members, settings } => WireKind::Created(wire::Created {
            kind: to_kind(*kind).into(),
            name: name.clone(),
            member_ids: ids(members),
            settings: Some(to_settings(*settings)),
        }),
        Content::Text(body) => WireKind::Text(wire::Text { body: body.clone() }),
        Content::Add(users) => WireKind::Add(wire::Add { user_ids: ids(users) }),
        Content::Remove(users) => WireKind::Remove(wire::Remove { user_ids: ids(users) }),
        Content::Leave(successor) => WireKind::Leave(wire::Leave {
            new_owner_id: successor.map(|user| user.to_string()).unwrap_or_default(),
        }),
        Content::Rename(name) => WireKind::Rename(wire::Rename { name: name.clone() }),
        Content::Settings(settings) => WireKind::Settings(to_settings(*settings)),
        Content::SetRole(user, role) => {
            WireKind::SetRole(wire::SetRole { user_id: user.to_string(), role: to_role(*role).into() })
        }
        Content::Image { media, caption } => WireKind::Image(media::image(media, caption)),
        Content::File { media, caption } => WireKind::File(media::file(media, caption)),
        Content::Voice(media) => WireKind::Voice(media::voice(media)),
        Content::Video { video, caption } => WireKind::Video(media::video(video, caption)),
        Content::Album { items, caption } => WireKind::Album(media::album(items, caption)),
        Content::Location(location) => WireKind::Location(media::location(location)),
        Content::SetAvatar(media) => {
            WireKind::SetAvatar(wire::SetAvatar { media: media.as_ref().map(media::media) })
        }
        Content::Edit(body) => WireKind::Edit(wire::Edit { body: body.clone() }),
        Content::Delete => WireKind::Delete(wire::Delete {}),
        Content::Deleted(by) => WireKind::Deleted(wire::Deleted { user_id: by.to_string() }),
        Content::Withheld(why) => {
            let reason = match why {
                Withheld::SenderBlocked => wire::WithheldReason::SenderBlocked,
                Withheld::NotMember => wire::WithheldReason::NotMember,
            };
            WireKind::Withheld(wire::Withheld { reason: reason.into() })
        }
    };
    wire::Content { kind: Some(kind) }
}

fn settings(settings: &wire::Settings) -> Settings {
    let history_visibility = match settings.history_visibility() {
        wire::HistoryVisibility::All => HistoryVisibility::All,
        wire::HistoryVisibility::FromJoin | wire::HistoryVisibility::Unspecified => {
            HistoryVisibility::FromJoin
        }
    };
    Settings { history_visibility }
}

pub(super) fn to_settings(settings: Settings) -> wire::Settings {
    let history_visibility = match settings.history_visibility {
        HistoryVisibility::FromJoin => wire::HistoryVisibility::FromJoin,
        HistoryVisibility::All => wire::HistoryVisibility::All,
    };
    wire::Settings { history_visibility: history_visibility.into() }
}

pub(super) fn to_kind(kind: Kind) -> wire::ConversationKind {
    match kind {
        Kind::Direct => wire::ConversationKind::Direct,
        Kind::Group => wire::ConversationKind::Group,
    }
}

fn role(role: wire::Role) -> Option<Role> {
    match role {
        wire::Role::Member => Some(Role::Member),
        wire::Role::Admin => Some(Role::Admin),
        wire::Role::Owner => Some(Role::Owner),
        wire::Role::Unspecified => None,
    }
}

pub(super) fn to_role(role: Role) -> wire::Role {
    match role {
        Role::Member => wire::Role::Member,
        Role::Admin => wire::Role::Admin,
        Role::Owner => wire::Role::Owner,
    }
}

#[cfg(test)]
mod tests;

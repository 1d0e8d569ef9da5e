//! Fields of requests, as the domain's types; all faults of a request are told at once.

use parlor_types::limits::MAX_DISPLAY_NAME;
use parlor_types::{DisplayName, Id, Username};
use parlor_wire::auth::v1 as wire;
use parlor_wire::{Invalid, id};

use crate::accounts::Password;
use crate::emails::{Code, EmailAddress};
use crate::profiles::{AvatarChange, Bio, ProfileChange};
use crate::sessions::Device;

/// Gathers what is wrong with a request.
#[derive(Default)]
pub(super) struct Fields(Invalids);

type Invalids = Vec<parlor_wire::errors::v1::FieldViolation>;

impl Fields {
    /// The value, or nothing and a note of why.
    pub(super) fn take<T>(&mut self, field: Result<T, Invalid>) -> Option<T> {
        field.map_err(|Invalid(violations)| self.0.extend(violations)).ok()
    }

    /// The end of a decoding that lacks a value.
    pub(super) fn fault(self) -> Invalid {
        Invalid(self.0)
    }
}

pub(super) fn username(field: &str, text: &str) -> Result<Username, Invalid> {
    Username::new(text).map_err(|rule| Invalid::field(field, rule.to_string()))
}

pub(super) fn chosen_password(field: &str, text: &str) -> Result<Password, Invalid> {
    Password::chosen(text).map_err(|rule| Invalid::field(field, rule.to_string()))
}

pub(super) fn presented_password(field: &str, text: &str) -> Result<Password, Invalid> {
    Password::presented(text).map_err(|rule| Invalid::field(field, rule.to_string()))
}

pub(super) fn email(field: &str, text: &str) -> Result<EmailAddress, Invalid> {
    EmailAddress::new(text).map_err(|rule| Invalid::field(field, rule.to_string()))
}

pub(super) fn code(field: &str, text: &str) -> Result<Code, Invalid> {
    Code::new(text).map_err(|rule| Invalid::field(field, rule.to_string()))
}

pub(super) fn display_name(field: &str, text: &str) -> Result<DisplayName, Invalid> {
    DisplayName::new(text, MAX_DISPLAY_NAME).map_err(|rule| Invalid::field(field, rule.to_string()))
}

/// Empty is none.
pub(super) fn optional_display_name(field: &str, text: &str) -> Result<Option<DisplayName>, Invalid> {
    if text.is_empty() { Ok(None) } else { display_name(field, text).map(Some) }
}

pub(super) fn device(device: Option<wire::Device>) -> Result<Device, Invalid> {
    let device = device.ok_or_else(|| Invalid::field("device", "must be given"))?;
    let mut fields = Fields::default();
    let id = fields.take(id("device.device_id", &device.device_id));
    let name = fields.take(display_name("device.name", &device.name));
    match (id, name) {
        (Some(id), Some(name)) => Ok(Device { id, name }),
        _ => Err(fields.fault()),
    }
}

/// 1 to `max` ids.
pub(super) fn ids<T: Id>(field: &str, texts: &[String], max: usize) -> Result<Vec<T>, Invalid> {
    if texts.is_empty() || texts.len() > max {
        return Err(Invalid::field(field, format!("must be 1 to {max}")));
    }
    let parse = |(index, text): (usize, &String)| {
        T::parse(text).ok_or_else(|| {
            Invalid::field(format!("{field}[{index}]"), "must be a UUID in its canonical form")
        })
    };
    texts.iter().enumerate().map(parse).collect()
}

pub(super) fn profile_change(request: &wire::UpdateProfileRequest) -> Result<ProfileChange, Invalid> {
    let mut fields = Fields::default();
    let name = request.display_name.as_deref().map(|text| display_name("display_name", text)).transpose();
    let bio = request
        .bio
        .as_deref()
        .map(|text| Bio::new(text).map_err(|rule| Invalid::field("bio", rule.to_string())));
    let avatar = request.avatar_id.as_deref().map(|text| match text {
        "" => Ok(AvatarChange::Remove),
        text => id("avatar_id", text).map(AvatarChange::Set),
    });
    match (fields.take(name), fields.take(bio.transpose()), fields.take(avatar.transpose())) {
        (Some(display_name), Some(bio), Some(avatar)) => Ok(ProfileChange { display_name, bio, avatar }),
        _ => Err(fields.fault()),
    }
}

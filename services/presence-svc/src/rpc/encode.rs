//! The domain's types as messages.

use parlor_types::UserId;
use parlor_wire::internal::presence::v1 as internal;
use parlor_wire::presence::v1 as wire;
use parlor_wire::to_time;

use crate::presence::{Availability, Presence};
use crate::registry::Located;
use crate::status::{Appearance, Status};
use crate::watching::News;

pub(super) fn presence(user: UserId, presence: &Presence) -> wire::Presence {
    let availability = match presence.availability {
        None => wire::Availability::Unspecified,
        Some(Availability::Offline) => wire::Availability::Offline,
        Some(Availability::Away) => wire::Availability::Away,
        Some(Availability::DoNotDisturb) => wire::Availability::DoNotDisturb,
        Some(Availability::Online) => wire::Availability::Online,
    };
    wire::Presence {
        user_id: user.to_string(),
        availability: availability.into(),
        last_seen: presence.last_seen.map(|minute| to_time(minute.start())),
        text: presence.text.as_str().to_owned(),
    }
}

pub(super) fn status(status: &Status) -> wire::Status {
    let appearance = match status.appearance {
        Appearance::Online => wire::Appearance::Online,
        Appearance::Away => wire::Appearance::Away,
        Appearance::DoNotDisturb => wire::Appearance::DoNotDisturb,
        Appearance::Invisible => wire::Appearance::Invisible,
    };
    wire::Status {
        appearance: appearance.into(),
        text: status.text.as_str().to_owned(),
        until: status.until.map(to_time),
    }
}

pub(super) fn told(news: News) -> internal::Told {
    internal::Told { stream_id: news.watcher.to_string(), presences: presences(&news) }
}

pub(super) fn presences(news: &News) -> Vec<wire::Presence> {
    news.presences.iter().map(|(user, shown)| presence(*user, shown)).collect()
}

pub(super) fn located(located: Located) -> internal::Located {
    internal::Located {
        user_id: located.user.to_string(),
        session_id: located.session.to_string(),
        stream_id: located.stream.to_string(),
        node_id: located.node.to_string(),
    }
}

//! The codes that stand for enums in stores; the same in every backend, never reused.

use crate::conversation::{HistoryVisibility, Kind, Role};
use crate::people::{Audience, Relation};

pub(crate) fn relation(relation: Relation) -> u8 {
    match relation {
        Relation::None => 0,
        Relation::Requested => 1,
        Relation::Received => 2,
        Relation::Contact => 3,
    }
}

pub(crate) fn to_relation(code: u8) -> Option<Relation> {
    [Relation::None, Relation::Requested, Relation::Received, Relation::Contact]
        .into_iter()
        .find(|value| relation(*value) == code)
}

pub(crate) fn audience(audience: Audience) -> u8 {
    match audience {
        Audience::Everyone => 1,
        Audience::Contacts => 2,
        Audience::Nobody => 3,
    }
}

pub(crate) fn to_audience(code: u8) -> Option<Audience> {
    [Audience::Everyone, Audience::Contacts, Audience::Nobody]
        .into_iter()
        .find(|value| audience(*value) == code)
}

pub(crate) fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Direct => 1,
        Kind::Group => 2,
    }
}

pub(crate) fn to_kind(code: u8) -> Option<Kind> {
    [Kind::Direct, Kind::Group].into_iter().find(|value| kind(*value) == code)
}

pub(crate) fn role(role: Role) -> u8 {
    match role {
        Role::Member => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    }
}

pub(crate) fn to_role(code: u8) -> Option<Role> {
    [Role::Member, Role::Admin, Role::Owner].into_iter().find(|value| role(*value) == code)
}

pub(crate) fn history(history: HistoryVisibility) -> u8 {
    match history {
        HistoryVisibility::FromJoin => 1,
        HistoryVisibility::All => 2,
    }
}

pub(crate) fn to_history(code: u8) -> Option<HistoryVisibility> {
    [HistoryVisibility::FromJoin, HistoryVisibility::All].into_iter().find(|value| history(*value) == code)
}

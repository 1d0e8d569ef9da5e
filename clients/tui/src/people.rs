//! Who is who: names for ids, how people are there, what they do just now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::auth::v1::Profile;
use parlor_wire::chat::v1::{Activity, Conversation, ConversationKind};
use parlor_wire::presence::v1::{Availability, Presence};

use crate::text::one_line;
use crate::time::Clock;

/// What somebody is called. Harmless to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// As they want to be called.
    pub display: String,
    /// As they are found.
    pub username: String,
}

impl Name {
    /// Of a profile.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        Self { display: one_line(&profile.display_name), username: one_line(&profile.username) }
    }
}

/// Everybody heard of.
#[derive(Debug, Default)]
pub struct People {
    /// Whose terminal this is.
    pub me: Option<UserId>,
    names: HashMap<UserId, Name>,
    asked: BTreeSet<UserId>,
    presence: BTreeMap<UserId, Presence>,
    doings: BTreeMap<(ConversationId, UserId), Activity>,
}

impl People {
    /// Learns names.
    pub fn learn(&mut self, names: impl IntoIterator<Item = (UserId, Name)>) {
        self.names.extend(names);
    }

    /// Those of `users` whose names are to be asked for; they are asked for once until [`People::ask_again`].
    pub fn unknown(&mut self, users: impl IntoIterator<Item = UserId>) -> Vec<UserId> {
        let names = &self.names;
        let asked = &mut self.asked;
        users.into_iter().filter(|user| !names.contains_key(user) && asked.insert(*user)).collect()
    }

    /// A name that was not to be had may be had now.
    pub fn ask_again(&mut self) {
        self.asked.clear();
    }

    /// The name, or the beginning of the id where the name is not to be had.
    #[must_use]
    pub fn name(&self, user: UserId) -> String {
        match self.names.get(&user) {
            Some(name) => name.display.clone(),
            None => user.to_string().chars().take(8).collect(),
        }
    }

    /// The name as it is said of oneself and of others.
    #[must_use]
    pub fn name_or_you(&self, user: UserId) -> String {
        if self.me == Some(user) { "You".to_owned() } else { self.name(user) }
    }

    /// As [`People::name_or_you`], by the id as it came.
    #[must_use]
    pub fn said(&self, user: &str) -> String {
        UserId::parse(user).map_or_else(|| "somebody".to_owned(), |user| self.name_or_you(user))
    }

    /// How somebody is found; none while that is not known.
    #[must_use]
    pub fn username(&self, user: UserId) -> Option<&str> {
        self.names.get(&user).map(|name| name.username.as_str())
    }

    /// A name one gave it, a group's name, or the name of the other.
    #[must_use]
    pub fn title(&self, row: &Conversation, custom: &str) -> String {
        if !custom.is_empty() {
            return one_line(custom);
        }
        if row.kind() == ConversationKind::Group {
            return if row.name.is_empty() { "group".to_owned() } else { one_line(&row.name) };
        }
        self.other(row).map_or_else(|| "notes to yourself".to_owned(), |other| self.name(other))
    }

    /// Who else is in a direct conversation.
    #[must_use]
    pub fn other(&self, row: &Conversation) -> Option<UserId> {
        if row.kind() != ConversationKind::Direct {
            return None;
        }
        row.members
            .iter()
            .filter_map(|member| UserId::parse(&member.user_id))
            .find(|user| Some(*user) != self.me)
    }

    /// Somebody came, went, or is not to be seen.
    pub fn hear_presence(&mut self, user: UserId, presence: Option<Presence>) {
        match presence {
            Some(presence) => self.presence.insert(user, presence),
            None => self.presence.remove(&user),
        };
    }

    /// How somebody is there.
    #[must_use]
    pub fn availability(&self, user: UserId) -> Availability {
        self.presence.get(&user).map_or(Availability::Unspecified, Presence::availability)
    }

    /// The same in words, with what they say of themselves; empty if nothing is known.
    #[must_use]
    pub fn presence(&self, user: UserId, clock: &Clock) -> String {
        let Some(presence) = self.presence.get(&user) else { return String::new() };
        let word = match presence.availability() {
            Availability::Online => "online".to_owned(),
            Availability::Away => "away".to_owned(),
            Availability::DoNotDisturb => "do not disturb".to_owned(),
            Availability::Offline | Availability::Unspecified => {
                presence.last_seen.map_or_else(String::new, |at| clock.last_seen(at))
            }
        };
        let text = one_line(&presence.text);
        match (word.is_empty(), text.is_empty()) {
            (_, true) => word,
            (true, false) => text,
            (false, false) => format!("{word} · {text}"),
        }
    }

    /// Somebody began to do something, or stopped.
    pub fn hear_doing(&mut self, conversation: ConversationId, user: UserId, activity: Activity) {
        match activity {
            Activity::Unspecified => self.doings.remove(&(conversation, user)),
            doing => self.doings.insert((conversation, user), doing),
        };
    }

    /// Without a connection nobody is known to be there, or to do anything.
    pub fn forget_the_moment(&mut self) {
        self.presence.clear();
        self.doings.clear();
    }

    /// `Ben is typing…`; none if nobody does anything.
    #[must_use]
    pub fn doing(&self, conversation: ConversationId) -> Option<String> {
        let here = self.doings.iter().filter(|((id, _), _)| *id == conversation);
        let here: Vec<_> = here.map(|((_, user), activity)| (self.name(*user), *activity)).collect();
        match &here[..] {
            [] => None,
            [(name, Activity::Recording)] => Some(format!("{name} is recording…")),
            [(name, _)] => Some(format!("{name} is typing…")),
            [(one, _), (other, _)] => Some(format!("{one} and {other} are typing…")),
            several => Some(format!("{} people are typing…", several.len())),
        }
    }
}

//! People, privacy, presence and typing.

use std::time::Duration;

use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::chat::v1::{Activity, Person, PresenceChanged, Relation, Typing, Watch, server_frame};
use parlor_wire::presence::v1::{Availability, Presence};
use parlor_wire::to_duration;
use rand::RngExt as _;

use super::log::at;
use super::{Conn, Server};
use crate::core::MAX_WATCHED;

impl Server {
    /// Another device of the user befriends or blocks somebody, or ends it.
    pub fn change_person(&mut self, user: UserId) {
        self.state.commit += 1;
        let commit = self.state.commit;
        let blocked = self.rng.random_bool(0.3);
        let relations =
            [Relation::Unspecified, Relation::Requested, Relation::RequestReceived, Relation::Contact];
        let relation = if blocked { relations[0] } else { relations[self.rng.random_range(0..4)] };
        let person = Person {
            user_id: user.to_string(),
            relation: relation.into(),
            note: String::new(),
            blocked,
            changed_at: Some(at(commit)),
        };
        self.state.people.insert(user, (person, commit));
        for session in self.sessions.values_mut().filter(|session| session.greeted) {
            session.owed.people.insert(user);
        }
    }

    /// Everybody with whom there is something.
    pub fn people(&self) -> Vec<Person> {
        let people = self.state.people.values().map(|(person, _)| person);
        people.filter(|person| is_something(person)).cloned().collect()
    }

    pub(super) fn has_blocked(&self, user: UserId) -> bool {
        self.state.people.get(&user).is_some_and(|(person, _)| person.blocked)
    }

    /// Another device of the user shares read receipts, or no longer does: every row shows other marks.
    pub fn change_privacy(&mut self) {
        self.state.commit += 1;
        self.state.privacy_changed = self.state.commit;
        self.state.privacy.read_receipts ^= true;
        for session in self.sessions.values_mut().filter(|session| session.greeted) {
            session.owed.privacy = true;
        }
        for id in self.state.chats.keys().copied().collect::<Vec<_>>() {
            self.touch(id, None);
        }
    }

    pub(super) fn watch(&mut self, conn: Conn, watch: &Watch) {
        assert!(watch.user_ids.len() <= MAX_WATCHED, "more watched than allowed");
        let users: Vec<_> = watch.user_ids.iter().map(|id| UserId::parse(id).unwrap()).collect();
        let session = self.sessions.get_mut(&conn).expect("it speaks");
        session.owed.presence =
            users.iter().copied().filter(|user| self.presences.contains_key(user)).collect();
        session.watch = users;
    }

    /// Somebody comes, goes, or is no longer to be seen.
    pub fn change_presence(&mut self, user: UserId) {
        let availability = match self.rng.random_range(0..4) {
            0 => Availability::Unspecified,
            1 => Availability::Offline,
            2 => Availability::Away,
            _ => Availability::Online,
        };
        let last_seen = self.rng.random_bool(0.5).then(|| at(self.state.commit));
        let (user_id, availability) = (user.to_string(), availability.into());
        let presence = Presence { user_id, availability, last_seen, text: String::new() };
        self.presences.insert(user, presence);
        for session in self.sessions.values_mut().filter(|session| session.watch.contains(&user)) {
            session.owed.presence.insert(user);
        }
    }

    pub(super) fn push_presence(&mut self, conn: Conn, user: UserId) {
        let presence = self.presences.get(&user).cloned();
        self.push(conn, server_frame::Kind::PresenceChanged(PresenceChanged { presence }));
    }

    /// Somebody types, or stops.
    pub fn other_types(&mut self, id: ConversationId, user: UserId) {
        let activities = [Activity::Unspecified, Activity::Typing, Activity::Recording];
        let typing = Typing {
            conversation_id: id.to_string(),
            user_id: user.to_string(),
            activity: activities[self.rng.random_range(0..3)].into(),
            expires_after: Some(to_duration(Duration::from_secs(6))),
        };
        for conn in self.greeted() {
            if self.sessions[&conn].live && self.rng.random_bool(0.7) {
                self.push(conn, server_frame::Kind::Typing(typing.clone()));
            }
        }
    }
}

pub(super) fn is_something(person: &Person) -> bool {
    person.blocked || person.relation() != Relation::Unspecified
}

//! What is between the user and others, and the privacy settings: kept as they come.

use parlor_types::{Id as _, UserId};
use parlor_wire::chat::v1::{Person, Privacy};

use super::message::{Effects, Event, Mutation};

pub(super) fn on_person(person: Option<Person>, fx: &mut Effects) {
    let Some(person) = person else { return };
    let Some(user) = UserId::parse(&person.user_id) else { return };
    fx.save.push(Mutation::Person(user, Box::new(person)));
    fx.tell.push(Event::Person(user));
}

pub(super) fn on_privacy(privacy: Option<Privacy>, fx: &mut Effects) {
    let Some(privacy) = privacy else { return };
    fx.save.push(Mutation::Privacy(privacy));
    fx.tell.push(Event::Privacy);
}

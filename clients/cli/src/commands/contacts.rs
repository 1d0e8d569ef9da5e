//! `contacts`, `block`, `unblock`, `privacy`.

use parlor_client::Client;
use parlor_types::{Id as _, UserId};
use parlor_wire::chat::v1::{self as chat, PeopleFilter, Person, Relation, SetPrivacyRequest};
use serde_json::{Value, json};

use crate::args::{Audience, Contacts, Privacy, Switch};
use crate::entry::kind_name;
use crate::names::{self, Names};
use crate::outcome::Outcome;
use crate::output::Output;
use crate::text::{one_line, rfc3339};

pub async fn run(client: &Client, out: &mut Output, action: Option<Contacts>) -> Outcome {
    let person = match action.unwrap_or(Contacts::List) {
        Contacts::List => {
            let people = client.people(PeopleFilter::Unspecified).await?;
            return show(client, out, &people).await;
        }
        Contacts::Add { person, note } => {
            client.request_contact(names::user(client, &person).await?, &note).await?
        }
        Contacts::Accept { person } => client.accept_contact(names::user(client, &person).await?).await?,
        Contacts::Remove { person } => client.remove_contact(names::user(client, &person).await?).await?,
    };
    show(client, out, &[person]).await
}

pub async fn block(client: &Client, out: &mut Output, person: &str) -> Outcome {
    let person = client.block(names::user(client, person).await?).await?;
    show(client, out, &[person]).await
}

pub async fn unblock(client: &Client, out: &mut Output, person: &str) -> Outcome {
    let person = client.unblock(names::user(client, person).await?).await?;
    show(client, out, &[person]).await
}

async fn show(client: &Client, out: &mut Output, people: &[Person]) -> Outcome {
    let mut names = Names::default();
    names.learn(client, people.iter().filter_map(|person| UserId::parse(&person.user_id))).await?;
    for person in people {
        out.result(&object(person, &names), || line(person, &names))?;
    }
    Ok(())
}

fn object(person: &Person, names: &Names) -> Value {
    json!({
        "user_id": person.user_id,
        "username": names.username(&person.user_id),
        "relation": relation(person).0,
        "note": person.note,
        "blocked": person.blocked,
        "changed_at": rfc3339(person.changed_at),
    })
}

fn line(person: &Person, names: &Names) -> String {
    let username = names.username(&person.user_id).unwrap_or_default();
    let blocked = if person.blocked { ", blocked" } else { "" };
    let note = if person.note.is_empty() { String::new() } else { format!(": {}", one_line(&person.note)) };
    format!("@{username}  {}  {}{blocked}{note}", names.show(&person.user_id), relation(person).1)
}

/// For programs, and for people.
fn relation(person: &Person) -> (&'static str, &'static str) {
    match person.relation() {
        Relation::Unspecified => ("none", "no contact"),
        Relation::Requested => ("requested", "asked by you"),
        Relation::RequestReceived => ("request_received", "asks you"),
        Relation::Contact => ("contact", "contact"),
    }
}

pub async fn privacy(client: &Client, out: &mut Output, wishes: &Privacy) -> Outcome {
    let changes = changes(wishes);
    let privacy = if changes == SetPrivacyRequest::default() {
        client.privacy().await?
    } else {
        client.set_privacy(changes).await?
    };
    let who = |audience: chat::Audience| kind_name(audience.as_str_name(), "AUDIENCE_");
    let object = json!({
        "read_receipts": privacy.read_receipts,
        "online": who(privacy.online()),
        "last_seen": who(privacy.last_seen()),
        "direct": who(privacy.direct()),
        "groups": who(privacy.groups()),
    });
    out.result(&object, || {
        let receipts = if privacy.read_receipts { "on" } else { "off" };
        format!(
            "read receipts: {receipts}\nonline: {}\nlast seen: {}\ndirect conversations: {}\ngroups: {}",
            who(privacy.online()),
            who(privacy.last_seen()),
            who(privacy.direct()),
            who(privacy.groups())
        )
    })
}

fn changes(wishes: &Privacy) -> SetPrivacyRequest {
    let audience = |wanted: Option<Audience>| -> i32 {
        let audience = match wanted {
            None => chat::Audience::Unspecified,
            Some(Audience::Everyone) => chat::Audience::Everyone,
            Some(Audience::Contacts) => chat::Audience::Contacts,
            Some(Audience::Nobody) => chat::Audience::Nobody,
        };
        audience.into()
    };
    SetPrivacyRequest {
        read_receipts: wishes.read_receipts.map(|switch| switch == Switch::On),
        online: audience(wishes.online),
        last_seen: audience(wishes.last_seen),
        direct: audience(wishes.direct),
        groups: audience(wishes.groups),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_does_not_change() {
        let nothing =
            Privacy { read_receipts: None, online: None, last_seen: None, direct: None, groups: None };
        assert_eq!(changes(&nothing), SetPrivacyRequest::default());
        let some = Privacy { read_receipts: Some(Switch::Off), groups: Some(Audience::Nobody), ..nothing };
        let groups = chat::Audience::Nobody.into();
        let expected =
            SetPrivacyRequest { read_receipts: Some(false), groups, ..SetPrivacyRequest::default() };
        assert_eq!(changes(&some), expected);
    }

    #[test]
    fn a_request_shows_its_note() {
        let person = Person {
            user_id: "ben".into(),
            relation: Relation::RequestReceived.into(),
            note: "from\nwork".into(),
            ..Person::default()
        };
        assert_eq!(line(&person, &Names::default()), "@  ben  asks you: from\u{240a}work");
        let blocked = Person { blocked: true, note: String::new(), relation: 0, ..person };
        assert_eq!(line(&blocked, &Names::default()), "@  ben  no contact, blocked");
        assert_eq!(object(&blocked, &Names::default())["relation"], "none");
    }
}

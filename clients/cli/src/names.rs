//! From what people type to ids, and from ids to what people read.

use std::collections::HashMap;

use parlor_client::{Client, Error};
use parlor_types::{ConversationId, Id as _, UserId, Username};
use parlor_wire::auth::v1::Profile;
use parlor_wire::chat::v1::{Conversation, ConversationKind};
use parlor_wire::errors::v1::ErrorReason;

use crate::outcome::{Failure, Outcome};
use crate::text::one_line;

/// Who "@ben" or a user id is.
pub async fn user(client: &Client, text: &str) -> Outcome<UserId> {
    if let Some(id) = UserId::parse(text) {
        return Ok(id);
    }
    let Some(name) = text.strip_prefix('@') else {
        return Err(Failure::Usage(format!("{text:?} is neither @username nor a user id")));
    };
    let name = Username::new(name).map_err(|rule| Failure::Usage(format!("{text:?}: a user name {rule}")))?;
    Ok(client.user_named(&name).await?)
}

/// Several of them.
pub async fn users(client: &Client, texts: &[String]) -> Outcome<Vec<UserId>> {
    let mut users = Vec::with_capacity(texts.len());
    for text in texts {
        users.push(user(client, text).await?);
    }
    Ok(users)
}

/// The conversation with a person, or a group. The one with a person is made if there is none.
pub async fn conversation(client: &Client, text: &str) -> Outcome<ConversationId> {
    if text.starts_with('@') {
        return Ok(client.direct(user(client, text).await?).await?);
    }
    let Some(id) = ConversationId::parse(text) else { return group(client, text).await };
    if client.store().conversation(id).map_err(Error::from)?.is_some() {
        return Ok(id);
    }
    match (client.conversation(id).await, UserId::parse(text)) {
        (Ok(_), _) => Ok(id),
        (Err(error), Some(user)) if error.reason() == Some(ErrorReason::ConversationNotFound) => {
            Ok(client.direct(user).await?)
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// A group by name or id.
pub async fn group(client: &Client, text: &str) -> Outcome<ConversationId> {
    if let Some(id) = ConversationId::parse(text) {
        return Ok(id);
    }
    let rows = match client.conversations().await {
        Ok(rows) => rows,
        // The server is away: what is saved may do.
        Err(error @ Error::Unreachable(_)) => {
            let saved = client.store().conversations().map_err(Error::from)?;
            let rows: Vec<_> = saved.into_iter().filter_map(|known| known.row).collect();
            if named(&rows, text).next().is_none() {
                return Err(error.into());
            }
            rows
        }
        Err(other) => return Err(other.into()),
    };
    only_one(&rows, text)
}

fn only_one(rows: &[Conversation], name: &str) -> Outcome<ConversationId> {
    let found: Vec<_> = named(rows, name).collect();
    match found[..] {
        [] => Err(Failure::Failed(format!("there is no group {name:?}"))),
        [only] => Ok(only),
        _ => {
            let ids: Vec<_> = found.iter().map(ToString::to_string).collect();
            Err(Failure::Failed(format!("several groups are called {name:?}: {}", ids.join(", "))))
        }
    }
}

fn named(rows: &[Conversation], name: &str) -> impl Iterator<Item = ConversationId> {
    rows.iter()
        .filter(move |row| row.kind() == ConversationKind::Group && row.name == name)
        .filter_map(|row| ConversationId::parse(&row.id))
}

/// Names of users, for showing.
#[derive(Default)]
pub struct Names(HashMap<UserId, Profile>);

impl Names {
    /// Learns the names of `users` that it does not know.
    pub async fn learn(&mut self, client: &Client, users: impl IntoIterator<Item = UserId>) -> Outcome {
        let unknown: Vec<_> = users.into_iter().filter(|user| !self.0.contains_key(user)).collect();
        if !unknown.is_empty() {
            self.0.extend(client.profiles(&unknown).await?);
        }
        Ok(())
    }

    /// The display name, or the beginning of the id if the name is not to be had.
    pub fn show(&self, user: &str) -> String {
        let profile = UserId::parse(user).and_then(|user| self.0.get(&user));
        profile.map_or_else(
            || user.chars().filter(char::is_ascii_alphanumeric).take(8).collect(),
            |profile| one_line(&profile.display_name),
        )
    }

    /// The user name; none if it is not to be had.
    pub fn username(&self, user: &str) -> Option<&str> {
        UserId::parse(user).and_then(|user| self.0.get(&user)).map(|profile| profile.username.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u8, kind: ConversationKind, name: &str) -> Conversation {
        let id = ConversationId::from_bytes([id; 16]).to_string();
        Conversation { id, kind: kind.into(), name: name.into(), ..Conversation::default() }
    }

    #[test]
    fn a_name_means_a_group_if_it_is_the_only_one() {
        let rows = [
            row(1, ConversationKind::Group, "Tea"),
            row(2, ConversationKind::Group, "Two"),
            row(3, ConversationKind::Group, "Two"),
            row(4, ConversationKind::Direct, ""),
        ];
        assert_eq!(only_one(&rows, "Tea").unwrap(), ConversationId::from_bytes([1; 16]));
        assert!(only_one(&rows, "").is_err());
        assert!(only_one(&rows, "tea").is_err());
        assert!(only_one(&rows, "Two").unwrap_err().to_string().contains("03030303-0303"));
    }

    #[test]
    fn an_unknown_person_is_shown_by_id() {
        let mut names = Names::default();
        let user = UserId::from_bytes([0xab; 16]);
        assert_eq!(names.show(&user.to_string()), "abababab");
        let profile =
            Profile { display_name: "Ada\u{1b}L".into(), username: "ada".into(), ..Profile::default() };
        names.0.insert(user, profile);
        assert_eq!(names.show(&user.to_string()), "Ada\u{241b}L");
        assert_eq!(names.username(&user.to_string()), Some("ada"));
    }
}

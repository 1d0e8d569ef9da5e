//! `group`: each change is an append like a message, and waits in the same outbox.

use parlor_client::Client;
use parlor_client::core::Draft;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{self as chat, Add, HistoryVisibility, Leave, Remove, Rename, SetRole, Settings};

use super::conversations;
use super::send;
use crate::args::{GroupAction, History, Role};
use crate::names;
use crate::outcome::Outcome;
use crate::output::Output;

pub async fn run(client: &Client, out: &mut Output, action: GroupAction) -> Outcome {
    let (group, content) = match action {
        GroupAction::Create { name, members, history } => {
            return create(client, out, &name, &members, history).await;
        }
        GroupAction::Add { group, members } => {
            let user_ids = ids(client, &members).await?;
            (group, Kind::Add(Add { user_ids }))
        }
        GroupAction::Remove { group, members } => {
            let user_ids = ids(client, &members).await?;
            (group, Kind::Remove(Remove { user_ids }))
        }
        GroupAction::Leave { group } => (group, Kind::Leave(Leave::default())),
        GroupAction::Rename { group, name } => (group, Kind::Rename(Rename { name })),
        GroupAction::Role { group, member, role } => {
            let user_id = names::user(client, &member).await?.to_string();
            (group, Kind::SetRole(SetRole { user_id, role: to_role(role).into() }))
        }
        GroupAction::Settings { group, history } => (group, Kind::Settings(settings(history))),
    };
    let id = names::group(client, &group).await?;
    let sent = client.send(Draft::new(id, content)).await?;
    send::show(out, &sent)
}

async fn create(
    client: &Client,
    out: &mut Output,
    name: &str,
    members: &[String],
    history: Option<History>,
) -> Outcome {
    let members = names::users(client, members).await?;
    let row = client.create_group(name, &members, history.map(settings)).await?;
    let names = conversations::names_of(client, std::slice::from_ref(&row)).await?;
    out.result(&conversations::object(&row, &names), || row.id.clone())
}

async fn ids(client: &Client, people: &[String]) -> Outcome<Vec<String>> {
    Ok(names::users(client, people).await?.iter().map(ToString::to_string).collect())
}

fn settings(history: History) -> Settings {
    let visibility = match history {
        History::FromJoin => HistoryVisibility::FromJoin,
        History::All => HistoryVisibility::All,
    };
    Settings { history_visibility: visibility.into() }
}

fn to_role(role: Role) -> chat::Role {
    match role {
        Role::Member => chat::Role::Member,
        Role::Admin => chat::Role::Admin,
        Role::Owner => chat::Role::Owner,
    }
}

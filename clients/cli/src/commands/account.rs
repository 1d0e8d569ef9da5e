//! `register`, `login`, `whoami`, `logout`, `password`.

use parlor_client::{Client, LogIn};
use serde_json::json;

use crate::outcome::{Failure, Outcome};
use crate::output::Output;
use crate::secret;
use crate::text::one_line;

pub async fn register(
    client: &Client,
    out: &mut Output,
    username: String,
    name: &str,
    from_stdin: bool,
) -> Outcome {
    let password = secret::ask_new("Password: ", from_stdin)?;
    client.register(&log_in_as(username, password), name).await?;
    entered(client, out, "registered").await
}

pub async fn log_in(client: &Client, out: &mut Output, username: String, from_stdin: bool) -> Outcome {
    let password = secret::ask("Password: ", from_stdin)?;
    client.log_in(&log_in_as(username, password)).await?;
    entered(client, out, "logged in").await
}

/// The list of sessions shows where a session is: on a terminal that is enough of a name.
fn log_in_as(username: String, password: String) -> LogIn {
    LogIn { username, password, device_name: format!("parlor on {}", std::env::consts::OS) }
}

async fn entered(client: &Client, out: &mut Output, deed: &str) -> Outcome {
    let account = client.account().await?;
    let object = json!({
        "user_id": account.user.map(|user| user.to_string()),
        "username": account.username,
        "session_id": account.session.map(|session| session.to_string()),
        "device_id": account.device.to_string(),
        "server": account.server,
    });
    let name = account.username.unwrap_or_default();
    out.result(&object, || format!("{deed} as @{name} at {}", account.server.unwrap_or_default()))
}

pub async fn whoami(client: &Client, out: &mut Output) -> Outcome {
    let profile = client.own_profile().await?;
    let account = client.account().await?;
    let object = json!({
        "user_id": profile.user_id,
        "username": profile.username,
        "display_name": profile.display_name,
        "bio": profile.bio,
        "session_id": account.session.map(|session| session.to_string()),
        "device_id": account.device.to_string(),
        "server": account.server,
    });
    out.result(&object, || {
        let name = one_line(&profile.display_name);
        format!(
            "@{} ({name}) {} at {}",
            profile.username,
            profile.user_id,
            account.server.unwrap_or_default()
        )
    })
}

pub async fn log_out(client: &Client, out: &mut Output, force: bool) -> Outcome {
    let with_files = client.store().parcels().map_err(parlor_client::Error::from)?.len();
    let waiting = client.store().outbox(None).map_err(parlor_client::Error::from)?.len() + with_files;
    if waiting > 0 && !force {
        return Err(Failure::Waiting(waiting));
    }
    client.log_out().await?;
    out.result(&json!({ "logged_out": true }), || "logged out".to_owned())
}

pub async fn password(client: &Client, out: &mut Output, from_stdin: bool) -> Outcome {
    let current = secret::ask("Present password: ", from_stdin)?;
    let new = secret::ask_new("New password: ", from_stdin)?;
    let ended = client.change_password(&current, &new).await?;
    out.result(&json!({ "ended": ended }), || format!("changed; other sessions ended: {ended}"))
}

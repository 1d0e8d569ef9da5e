//! `sessions`.

use std::time::SystemTime;

use parlor_client::Client;
use parlor_types::{Id as _, SessionId};
use serde_json::json;

use crate::args::Sessions;
use crate::outcome::{Failure, Outcome};
use crate::output::Output;
use crate::text::{local, one_line, rfc3339};

pub async fn run(client: &Client, out: &mut Output, action: Option<Sessions>) -> Outcome {
    match action.unwrap_or(Sessions::List) {
        Sessions::List => list(client, out).await,
        Sessions::End { id } => {
            let session = SessionId::parse(&id).ok_or_else(|| {
                Failure::Usage(format!("{id:?} is not a session id; see `parlor sessions`"))
            })?;
            client.end_session(session).await?;
            out.result(&json!({ "session_id": id }), || "ended".to_owned())
        }
        Sessions::EndOthers => {
            let ended = client.end_other_sessions().await?;
            out.result(&json!({ "ended": ended }), || format!("sessions ended: {ended}"))
        }
    }
}

async fn list(client: &Client, out: &mut Output) -> Outcome {
    let now = SystemTime::now();
    for session in client.sessions().await? {
        let device = session.device.unwrap_or_default();
        let object = json!({
            "session_id": session.session_id,
            "device_id": device.device_id,
            "device_name": device.name,
            "created_at": rfc3339(session.created_at),
            "refreshed_at": rfc3339(session.refreshed_at),
            "expires_at": rfc3339(session.expires_at),
            "current": session.current,
        });
        out.result(&object, || {
            let this = if session.current { "  (this one)" } else { "" };
            let used = local(session.refreshed_at, now);
            format!("{}  {}  last used {used}{this}", session.session_id, one_line(&device.name))
        })?;
    }
    Ok(())
}

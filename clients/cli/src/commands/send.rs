//! `send`.

use std::io::{self, BufRead as _};

use parlor_client::core::Draft;
use parlor_client::{Client, Error, Sent};
use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::Text;
use parlor_wire::chat::v1::content::Kind;
use serde_json::json;

use crate::names;
use crate::outcome::{Failure, Outcome};
use crate::output::Output;
use crate::text::rfc3339;

/// Says which message of several was refused.
const FROM_STDIN: &str = "-";

pub async fn run(client: &Client, out: &mut Output, to: &str, text: String, reply_to: u64) -> Outcome {
    let to = names::conversation(client, to).await?;
    if text != FROM_STDIN {
        let sent = client.send(draft(to, text, reply_to)).await?;
        return show(out, &sent);
    }
    let mut refused = false;
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue; // no message is white space alone
        }
        match client.send(draft(to, line, reply_to)).await {
            Ok(sent) => show(out, &sent)?,
            Err(error @ Error::Refused(_)) => {
                refused = true;
                out.notice("refused", &error.to_string());
            }
            Err(other) => return Err(other.into()),
        }
        out.flush()?;
    }
    if refused { Err(Failure::Partly) } else { Ok(()) }
}

fn draft(to: ConversationId, body: String, reply_to: u64) -> Draft {
    Draft { reply_to: Seq(reply_to), ..Draft::new(to, Kind::Text(Text { body })) }
}

/// What became of an append.
pub fn show(out: &mut Output, sent: &Sent) -> Outcome {
    for (op, problem) in &sent.dropped {
        let reason = parlor_wire::reason::name(problem.reason());
        out.notice("dropped", &format!("{op}, which was waiting, was refused: {reason}"));
    }
    let appended = &sent.appended;
    let object = json!({
        "op": sent.op.to_string(),
        "conversation_id": appended.conversation_id,
        "seq": appended.seq,
        "message_number": appended.message_number,
        "time": rfc3339(appended.time),
        "duplicate": appended.duplicate,
    });
    out.result(&object, || format!("stored as {}", appended.seq))
}

//! `send`: text, files, places.

use std::io::{self, BufRead as _};

use parlor_client::core::{Draft, MAX_ALBUM};
use parlor_client::{Client, Error, FileDraft, FileToSend, Sent};
use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Location, Text};
use serde_json::json;

use super::files::{name, purpose};
use crate::args::Send;
use crate::names;
use crate::outcome::{Failure, Outcome};
use crate::output::Output;
use crate::progress::Progress;
use crate::text::rfc3339;

/// Says which message of several was refused.
const FROM_STDIN: &str = "-";

pub async fn run(client: &Client, out: &mut Output, send: Send) -> Outcome {
    let to = names::conversation(client, &send.to).await?;
    if !send.files.is_empty() {
        return files(client, out, to, send).await;
    }
    if let Some((latitude, longitude)) = send.location {
        let place = Location { latitude, longitude, name: send.name, ..Location::default() };
        let sent = client.send(draft(to, Kind::Location(place), send.reply_to)).await?;
        return show(out, &sent);
    }
    match send.text {
        Some(text) if text != FROM_STDIN => {
            let sent = client.send(draft(to, Kind::Text(Text { body: text }), send.reply_to)).await?;
            show(out, &sent)
        }
        _ => lines(client, out, to, send.reply_to).await,
    }
}

async fn lines(client: &Client, out: &mut Output, to: ConversationId, reply_to: u64) -> Outcome {
    let mut refused = false;
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue; // no message is white space alone
        }
        match client.send(draft(to, Kind::Text(Text { body: line }), reply_to)).await {
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

/// As albums where that is possible, else one by one. What was said stands under the first.
async fn files(client: &Client, out: &mut Output, to: ConversationId, send: Send) -> Outcome {
    if send.poster.is_some() && send.files.len() > 1 {
        return Err(Failure::Usage("a still picture belongs to one video".to_owned()));
    }
    let purpose = send.what.map(purpose);
    let file = |path| FileToSend { path, purpose, poster: send.poster.clone() };
    let all: Vec<_> = send.files.into_iter().map(file).collect();
    let mut caption = send.text.unwrap_or_default();
    for together in all.chunks(MAX_ALBUM) {
        let draft = |files: &[FileToSend], caption| FileDraft {
            conversation: to,
            files: files.to_vec(),
            caption,
            reply_to: Seq(send.reply_to),
            mentions: Vec::new(),
        };
        match message(client, out, draft(together, caption.clone())).await {
            Ok(sent) => show(out, &sent)?,
            Err(Error::NoMessage) if together.len() > 1 => {
                for one in together {
                    let draft = draft(std::slice::from_ref(one), std::mem::take(&mut caption));
                    let sent = message(client, out, draft).await?;
                    show(out, &sent)?;
                }
            }
            Err(other) => return Err(other.into()),
        }
        caption.clear();
        out.flush()?;
    }
    Ok(())
}

async fn message(client: &Client, out: &Output, draft: FileDraft) -> Result<Sent, Error> {
    let names: Vec<_> = draft
        .files
        .iter()
        .flat_map(|file| [Some(&file.path), file.poster.as_ref()])
        .flatten()
        .map(|p| name(p))
        .collect();
    let json = out.is_json();
    let mut current: Option<(usize, Progress)> = None;
    let mut tell = |place: usize, news| {
        if current.as_ref().is_none_or(|(shown, _)| *shown != place) {
            drop(current.take());
            let name = names.get(place).map_or("", String::as_str);
            current = Some((place, Progress::new(json, name)));
        }
        if let Some((_, progress)) = &mut current {
            progress.tell(news);
        }
    };
    client.send_file(draft, &mut tell).await
}

fn draft(to: ConversationId, content: Kind, reply_to: u64) -> Draft {
    Draft { reply_to: Seq(reply_to), ..Draft::new(to, content) }
}

/// What became of an append.
pub fn show(out: &mut Output, sent: &Sent) -> Outcome {
    for (op, problem) in &sent.dropped {
        let reason = parlor_wire::reason::name(problem.reason());
        out.notice("dropped", &format!("{op}, which was waiting, was refused: {reason}"));
    }
    if sent.resumed {
        out.notice("resumed", "the same message was waiting here: it has gone on, and none was sent twice");
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

//! `edit` and `delete`.

use parlor_client::Client;
use parlor_client::core::Draft;
use parlor_types::Seq;

use super::send;
use crate::names;
use crate::outcome::Outcome;
use crate::output::Output;

pub async fn edit(client: &Client, out: &mut Output, conversation: &str, seq: u64, text: String) -> Outcome {
    let id = names::conversation(client, conversation).await?;
    let sent = client.send(Draft::edit(id, Seq(seq), text)).await?;
    send::show(out, &sent)
}

pub async fn delete(client: &Client, out: &mut Output, conversation: &str, seq: u64) -> Outcome {
    let id = names::conversation(client, conversation).await?;
    let sent = client.send(Draft::delete(id, Seq(seq))).await?;
    send::show(out, &sent)
}

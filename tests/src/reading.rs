//! Reading whole logs over the public API, without a client's cleverness.

use parlor_testkit::ChatClient;
use parlor_types::Seq;
use parlor_wire::chat::v1::get_conversation_request::Conversation as Named;
use parlor_wire::chat::v1::{Conversation, Entry, FetchRequest, GetConversationRequest, LogPage};
use tonic::Status;

/// One page.
///
/// # Errors
/// Refused, or no answer.
///
/// # Panics
/// The answer has no page.
pub async fn page(chat: &ChatClient, conversation: &str, from: u64, to: u64) -> Result<LogPage, Status> {
    let request = FetchRequest { conversation_id: conversation.to_owned(), from_seq: from, to_seq: to };
    let answer = chat.clone().fetch(request).await?.into_inner();
    Ok(answer.page.expect("a page"))
}

/// All that the caller may read, lowest first.
///
/// # Errors
/// Refused, or no answer.
pub async fn log(chat: &ChatClient, conversation: &str) -> Result<Vec<Entry>, Status> {
    let (mut entries, mut from) = (Vec::new(), 1);
    while from != 0 {
        let page = page(chat, conversation, from, 0).await?;
        from = page.next_seq;
        entries.extend(page.entries);
    }
    Ok(entries)
}

/// The row of the chat list.
///
/// # Errors
/// Refused, or no answer.
///
/// # Panics
/// The answer has no row.
pub async fn row(chat: &ChatClient, conversation: &str) -> Result<Conversation, Status> {
    let conversation = Some(Named::ConversationId(conversation.to_owned()));
    let answer = chat.clone().get_conversation(GetConversationRequest { conversation }).await?;
    Ok(answer.into_inner().conversation.expect("a row"))
}

/// What its reader may read, as first and last; no last means all that comes.
#[must_use]
pub fn ranges(row: &Conversation) -> Vec<(Seq, Option<Seq>)> {
    let last = |to| (to != 0).then_some(Seq(to));
    row.readable.iter().map(|range| (Seq(range.from_seq), last(range.to_seq))).collect()
}

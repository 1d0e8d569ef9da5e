//! Appends as clients send them.

use parlor_types::{ConversationId, Seq, UserId, limits};
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::{Invalid, id, optional_id};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::content::{self, BadContent};
use super::{media, problem};
use crate::conversation::{Content, Kind};
use crate::log::{Digest, Draft, Lane};

/// Validates an append.
///
/// # Errors
/// FIELD_INVALID, CONTENT_TOO_LARGE or CONTENT_NOT_ALLOWED.
pub fn draft(sender: UserId, append: &wire::Append, lane: Option<Lane>) -> Result<Draft, Problem> {
    let bytes = append.content.as_ref().map_or(0, wire::Content::encoded_len);
    if bytes > limits::MAX_ENTRY_BYTES {
        let message = format!("content is {bytes} bytes, at most {} are taken", limits::MAX_ENTRY_BYTES);
        return Err(problem(ErrorReason::ContentTooLarge, message));
    }
    let content = content::from_client(append.content.as_ref()).map_err(|bad| match bad {
        BadContent::Field(invalid) => invalid.into(),
        BadContent::NotAllowed => problem(ErrorReason::ContentNotAllowed, "no client may append this kind"),
    })?;
    labels(append)?;
    change(append, &content)?;
    let op = id("op", &append.op)?;
    let given: Option<ConversationId> = optional_id("conversation_id", &append.conversation_id)?;
    let conversation = match (given, derived(sender, op, &content)) {
        (Some(given), Some(derived)) if given != derived => {
            let rule = "must be empty or the id derived for this creation";
            return Err(Invalid::field("conversation_id", rule).into());
        }
        (_, Some(derived)) => derived,
        (Some(given), None) => given,
        (None, None) => return Err(Invalid::field("conversation_id", "must be a UUID").into()),
    };
    Ok(Draft {
        conversation,
        sender,
        op,
        base: Seq(append.base_seq),
        lane,
        target: (append.target > 0).then_some(Seq(append.target)),
        reply_to: (append.reply_to > 0).then_some(Seq(append.reply_to)),
        mentions: mentions(append)?,
        labels: append.labels.clone(),
        digest: digest(conversation, append),
        content,
        bytes,
    })
}

/// What changes a message names it, and is no answer; a delete calls nobody. Nothing else names one.
fn change(append: &wire::Append, content: &Content) -> Result<(), Invalid> {
    let wrong = match (content.is_change(), append.target) {
        (true, 0) => ("target", "must be the seq of the message to change"),
        (false, 1..) => ("target", "must be 0 but for edits and deletes"),
        (true, _) if append.reply_to > 0 => ("reply_to", "must be 0 for edits and deletes"),
        (true, _) if matches!(content, Content::Delete) && !append.mention_ids.is_empty() => {
            ("mention_ids", "must be empty for deletes")
        }
        _ => return Ok(()),
    };
    Err(Invalid::field(wrong.0, wrong.1))
}

/// The append that a CreateConversation stands for.
#[must_use]
pub fn creation(request: wire::CreateConversationRequest) -> wire::Append {
    let created = wire::Created {
        kind: request.kind,
        name: request.name,
        member_ids: request.member_ids,
        settings: request.settings,
    };
    let content = wire::Content { kind: Some(wire::content::Kind::Created(created)) };
    wire::Append { op: request.op, content: Some(content), ..wire::Append::default() }
}

fn derived(sender: UserId, op: parlor_types::Op, content: &Content) -> Option<ConversationId> {
    match content {
        Content::Created { kind: Kind::Direct, members, .. } => {
            members.first().map(|other| ConversationId::direct(sender, *other))
        }
        Content::Created { kind: Kind::Group, .. } => Some(ConversationId::group(sender, op)),
        _ => None,
    }
}

fn mentions(append: &wire::Append) -> Result<Vec<UserId>, Invalid> {
    if append.mention_ids.len() > limits::MAX_MENTIONS {
        return Err(Invalid::field("mention_ids", format!("must be at most {}", limits::MAX_MENTIONS)));
    }
    append.mention_ids.iter().map(|text| id("mention_ids", text)).collect()
}

fn labels(append: &wire::Append) -> Result<(), Invalid> {
    let bytes: usize = append.labels.iter().map(|(key, value)| key.len() + value.len()).sum();
    if append.labels.len() > limits::MAX_LABELS || bytes > limits::MAX_LABEL_BYTES {
        let rule = format!(
            "must be at most {} pairs of {} bytes in all",
            limits::MAX_LABELS,
            limits::MAX_LABEL_BYTES
        );
        return Err(Invalid::field("labels", rule));
    }
    Ok(())
}

/// Over everything that says what is appended, and nothing that says when or how it is sent.
fn digest(conversation: ConversationId, append: &wire::Append) -> Digest {
    let meant = wire::Append {
        conversation_id: conversation.to_string(),
        op: String::new(),
        base_seq: 0,
        lane: 0,
        content: append.content.clone().map(media::by_ids),
        ..append.clone()
    };
    let hash = Sha256::digest(meant.encode_to_vec());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Digest(bytes)
}

#[cfg(test)]
mod tests {
    use parlor_types::Id as _;

    use super::*;

    fn text(body: &str) -> wire::Append {
        wire::Append {
            conversation_id: ConversationId::from_bytes([1; 16]).to_string(),
            op: parlor_types::Op::from_bytes([2; 16]).to_string(),
            content: Some(wire::Content {
                kind: Some(wire::content::Kind::Text(wire::Text { body: body.into() })),
            }),
            ..wire::Append::default()
        }
    }

    fn reason(append: &wire::Append) -> ErrorReason {
        draft(UserId::from_bytes([3; 16]), append, None).unwrap_err().reason()
    }

    #[test]
    fn the_largest_text_passes_and_one_byte_more_does_not() {
        let overhead = text("x".repeat(16_000).as_str()).content.unwrap().encoded_len() - 16_000;
        let most = limits::MAX_ENTRY_BYTES - overhead;
        assert!(draft(UserId::from_bytes([3; 16]), &text(&"x".repeat(most)), None).is_ok());
        assert_eq!(reason(&text(&"x".repeat(most + 1))), ErrorReason::ContentTooLarge);
    }

    #[test]
    fn bad_fields_are_named() {
        for (body, good) in
            [("", false), (" \n", false), ("a\u{0}b", false), ("a\u{1b}[2J", false), ("a\n\tb", true)]
        {
            assert_eq!(draft(UserId::from_bytes([3; 16]), &text(body), None).is_ok(), good, "{body:?}");
        }
        let problem = draft(UserId::from_bytes([3; 16]), &wire::Append { op: "1".into(), ..text("x") }, None);
        assert_eq!(problem.unwrap_err().violations[0].field, "op");
        let withheld = wire::content::Kind::Withheld(wire::Withheld::default());
        let withheld = wire::Append { content: Some(wire::Content { kind: Some(withheld) }), ..text("x") };
        assert_eq!(reason(&withheld), ErrorReason::ContentNotAllowed);
    }

    #[test]
    fn what_changes_a_message_names_it_and_nothing_else_does() {
        use wire::content::Kind;
        let of = |kind, target, reply_to, mentions: usize| {
            let mention = UserId::from_bytes([4; 16]).to_string();
            let append = wire::Append { target, reply_to, mention_ids: vec![mention; mentions], ..text("x") };
            let append = wire::Append { content: Some(wire::Content { kind: Some(kind) }), ..append };
            let draft = draft(UserId::from_bytes([3; 16]), &append, None);
            draft.map(|draft| draft.target).map_err(|problem| problem.violations[0].field.clone())
        };
        let edit = |body: &str| Kind::Edit(wire::Edit { body: body.into() });
        let delete = || Kind::Delete(wire::Delete {});
        let says = |body: &str| Kind::Text(wire::Text { body: body.into() });
        assert_eq!(of(edit(""), 5, 0, 1), Ok(Some(Seq(5))));
        assert_eq!(of(delete(), 5, 0, 0), Ok(Some(Seq(5))));
        assert_eq!(of(says("x"), 0, 5, 1), Ok(None));
        for (kind, target, reply_to, mentions, field) in [
            (edit("x"), 0, 0, 0, "target"),
            (delete(), 0, 0, 0, "target"),
            (says("x"), 5, 0, 0, "target"),
            (edit("x"), 5, 1, 0, "reply_to"),
            (delete(), 5, 1, 0, "reply_to"),
            (delete(), 5, 0, 1, "mention_ids"),
            (edit("a\u{1b}[2J"), 5, 0, 0, "content.edit.body"),
        ] {
            assert_eq!(of(kind, target, reply_to, mentions), Err(field.to_owned()));
        }
        let deleted = Kind::Deleted(wire::Deleted::default());
        let deleted = wire::Append { content: Some(wire::Content { kind: Some(deleted) }), ..text("x") };
        assert_eq!(reason(&deleted), ErrorReason::ContentNotAllowed);
    }

    #[test]
    fn the_digest_says_what_is_meant_not_how_it_is_sent() {
        let of = |append: &wire::Append| draft(UserId::from_bytes([3; 16]), append, None).unwrap().digest;
        let first = text("hello");
        assert_eq!(of(&first), of(&wire::Append { base_seq: 7, lane: 3, ..first.clone() }));
        assert_ne!(of(&first), of(&text("hallo")));
        assert_ne!(of(&first), of(&wire::Append { reply_to: 1, ..first.clone() }));
        let labels = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let one = wire::Append { labels: labels(&[("a", "1"), ("b", "2")]), ..first.clone() };
        let other = wire::Append { labels: labels(&[("b", "2"), ("a", "1")]), ..first.clone() };
        assert_eq!(of(&one), of(&other));
        assert_ne!(of(&one), of(&first));
    }
}

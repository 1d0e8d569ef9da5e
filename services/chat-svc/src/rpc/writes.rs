//! Calls that change something.

use parlor_types::{ConversationId, Seq, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::{ErrorReason, FieldViolation, Problem};
use parlor_wire::{Invalid, id};

use super::Chat;
use crate::edge;
use crate::receipts::Marks;
use crate::store::Marked;

impl Chat {
    pub(super) async fn append_one(
        &self,
        user: UserId,
        request: wire::AppendRequest,
    ) -> Result<wire::AppendResponse, Problem> {
        let append = request.append.ok_or_else(|| Invalid::field("append", "must be set"))?;
        let draft = edge::draft(user, &append, None)
            .map_err(|problem| with_paths(problem, |field| format!("append.{field}")))?;
        let appended = self.deps.log.append(draft).await.map_err(edge::refusal_problem)?;
        Ok(wire::AppendResponse { appended: Some(edge::appended(&appended)) })
    }

    pub(super) async fn create(
        &self,
        user: UserId,
        request: wire::CreateConversationRequest,
    ) -> Result<wire::CreateConversationResponse, Problem> {
        let own = |field: &str| field.strip_prefix("content.created.").unwrap_or(field).to_owned();
        let draft =
            edge::draft(user, &edge::creation(request), None).map_err(|problem| with_paths(problem, own))?;
        let appended = self.deps.log.append(draft).await.map_err(edge::refusal_problem)?;
        let conversation = self.row(user, appended.conversation).await?;
        Ok(wire::CreateConversationResponse { conversation: Some(conversation), existed: appended.duplicate })
    }

    pub(super) async fn marked(
        &self,
        user: UserId,
        conversation_id: &str,
        seq: u64,
        read: bool,
    ) -> Result<wire::Marks, Problem> {
        let conversation: ConversationId = id("conversation_id", conversation_id)?;
        let marks = Marks { received: Seq(seq), read: if read { Seq(seq) } else { Seq(0) } };
        let marked =
            self.deps.log.mark(user, &[(conversation, marks)], None).await.map_err(edge::mark_problem)?;
        match marked.first() {
            Some(Marked::Now(marks, _)) => Ok(edge::marks(marks)),
            Some(Marked::Ahead) => Err(edge::problem(ErrorReason::SeqAhead, "the seq is above the head")),
            Some(Marked::NotFound) | None => Err(edge::read_problem(None)),
        }
    }
}

/// Names the fields at fault by their paths from this request.
fn with_paths(problem: Problem, path: impl Fn(&str) -> String) -> Problem {
    if problem.violations.is_empty() {
        return problem;
    }
    let moved = |violation: FieldViolation| FieldViolation { field: path(&violation.field), ..violation };
    Invalid(problem.violations.into_iter().map(moved).collect()).into()
}

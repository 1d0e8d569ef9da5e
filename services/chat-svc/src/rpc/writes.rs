//! Calls that change something.

use parlor_types::UserId;
use parlor_wire::Invalid;
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::{FieldViolation, Problem};

use super::Chat;
use crate::edge;

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
}

/// Names the fields at fault by their paths from this request.
fn with_paths(problem: Problem, path: impl Fn(&str) -> String) -> Problem {
    if problem.violations.is_empty() {
        return problem;
    }
    let moved = |violation: FieldViolation| FieldViolation { field: path(&violation.field), ..violation };
    Invalid(problem.violations.into_iter().map(moved).collect()).into()
}

//! What an append depends on beside its conversation. Of one that brings people in: whether they exist, let the sender
//! bring them in, and have room. Of one that names files: whether they are there for the sender.

use parlor_types::{ConversationId, UserId, limits};

use super::{Appended, Draft, Log, Refusal};
use crate::conversation::{Content, Kind};
use crate::people::{Acceptance, Purpose};

/// What [`Log::gather`] found out about a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facts {
    /// Nothing speaks against it.
    Clear,
    /// Nothing does; and this is its content with the files in it claimed and described.
    Claimed(Box<Content>),
    /// This does, unless the draft is stored already.
    Against(Refusal),
    /// The conversation it would create is there already: the answer.
    There(Appended),
}

impl Log {
    /// Looks up what an append depends on beside its conversation. That comes after dedupe: somebody or something may have gone
    /// since the append was stored, and its retry is answered all the same (G2).
    pub async fn gather(&self, draft: &Draft) -> Facts {
        if names_files(draft) {
            return match self.claim(draft).await {
                Ok(content) => Facts::Claimed(Box::new(content)),
                Err(refusal) => Facts::Against(refusal),
            };
        }
        match self.facts(draft).await {
            Ok(Some(appended)) => Facts::There(appended),
            Ok(None) => Facts::Clear,
            Err(refusal) => Facts::Against(refusal),
        }
    }

    async fn facts(&self, draft: &Draft) -> Result<Option<Appended>, Refusal> {
        let mut users = draft.content.newcomers().to_vec();
        if let Content::Created { .. } = draft.content {
            if let Some(answer) = self.created_before(draft).await? {
                return Ok(Some(answer));
            }
            users.push(draft.sender);
        }
        let newcomers = draft.content.newcomers();
        if !self.directory().all_exist(newcomers).await.map_err(|_| Refusal::Unavailable)? {
            return Err(Refusal::UserNotFound);
        }
        self.ask(draft).await?;
        let counts = self.store().memberships(users).await.map_err(|_| Refusal::Unavailable)?;
        if counts.iter().any(|count| *count >= limits::MAX_CONVERSATIONS) {
            return Err(Refusal::TooManyConversations);
        }
        Ok(None)
    }

    /// Whether those brought in take it from the sender.
    async fn ask(&self, draft: &Draft) -> Result<(), Refusal> {
        let purpose = match draft.content {
            Content::Created { kind: Kind::Direct, .. } => Purpose::Direct,
            _ => Purpose::Group,
        };
        let others = draft.content.newcomers().iter().copied().filter(|user| *user != draft.sender);
        let answers = self.store().acceptance(draft.sender, draft.conversation, purpose, others.collect());
        let answers = answers.await.map_err(|_| Refusal::Unavailable)?;
        if answers.contains(&Acceptance::Blocked) {
            Err(Refusal::Blocked)
        } else if answers.contains(&Acceptance::Declines) {
            Err(Refusal::NotAccepting)
        } else {
            Ok(())
        }
    }

    /// The answer, if the conversation was created by an earlier send, or, a direct one, by either side.
    async fn created_before(&self, draft: &Draft) -> Result<Option<Appended>, Refusal> {
        let first = self.store().first(draft.conversation).await.map_err(|_| Refusal::Unavailable)?;
        let Some(first) = first else { return Ok(None) };
        let same_op = first.op == draft.op && first.sender == draft.sender;
        if same_op && first.digest != draft.digest {
            return Err(Refusal::OpReused);
        }
        let answers = same_op || draft.conversation == direct_of(draft);
        Ok(answers.then(|| first.appended(draft.conversation, true)))
    }
}

/// Whether [`Log::gather`] has to be asked before [`Log::enqueue`].
#[must_use]
pub fn needs_facts(draft: &Draft) -> bool {
    matches!(draft.content, Content::Created { .. } | Content::Add(_)) || names_files(draft)
}

fn names_files(draft: &Draft) -> bool {
    !draft.content.media_ids().is_empty()
}

/// The id of the direct conversation that the draft would create.
fn direct_of(draft: &Draft) -> ConversationId {
    let other: Option<&UserId> = draft.content.newcomers().first();
    ConversationId::direct(draft.sender, *other.unwrap_or(&draft.sender))
}

//! What chat-svc has around it, as far as a conversation needs it: everybody exists, nobody sends files.

use async_trait::async_trait;
use chat_svc::directory::{Directory, Unreachable};
use chat_svc::media::{Claim, Claims, Unclaimed};
use chat_svc::people::VisibilityWatcher;
use parlor_types::{ConversationId, MediaId, Op, UserId};

/// See the module.
#[derive(Debug)]
pub struct Around;

#[async_trait]
impl Directory for Around {
    async fn all_exist(&self, _: &[UserId]) -> Result<bool, Unreachable> {
        Ok(true)
    }
}

#[async_trait]
impl Claims for Around {
    async fn claim(&self, _: Claim) -> Result<Vec<chat_svc::conversation::Media>, Unclaimed> {
        Err(Unclaimed::NotFound)
    }

    fn release(&self, _: ConversationId, _: Op, _: Vec<MediaId>) {}
}

impl VisibilityWatcher for Around {
    fn changed(&self, _: &[UserId]) {}
}

//! Ids that somebody asks with.

use parlor_types::{ConversationId, Id as _, MediaId, Op, SessionId, StreamId, UserId};

/// What is Ada's; or nobody's.
#[derive(Debug, Clone)]
pub struct Named {
    pub conversation: String,
    pub user: String,
    pub username: String,
    pub stream: String,
    pub file: String,
    pub session: String,
}

impl Named {
    pub fn made_up() -> Self {
        let random = || Op::new().bytes();
        Self {
            conversation: ConversationId::group(UserId::from_bytes(random()), Op::new()).to_string(),
            user: UserId::new().to_string(),
            username: parlor_tests::account::name("ada"),
            stream: StreamId::new().to_string(),
            file: MediaId::new().to_string(),
            session: SessionId::new().to_string(),
        }
    }
}

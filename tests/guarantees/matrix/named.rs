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

    /// The bytes without these ids.
    pub fn without(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let ids = [&self.conversation, &self.user, &self.username, &self.stream, &self.file, &self.session];
        for id in ids {
            while let Some(at) = bytes.windows(id.len()).position(|part| part == id.as_bytes()) {
                bytes[at..at + id.len()].fill(b'#');
            }
        }
        bytes
    }
}

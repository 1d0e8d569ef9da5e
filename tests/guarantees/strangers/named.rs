//! What a stranger can name, and answers in a form that can be compared.

use parlor_tests::account::Login;
use parlor_types::{ConversationId, Id as _, MediaId, Op, StreamId, UserId};
use tonic::{Response, Status};

/// Ids that a stranger came by.
pub struct Named {
    pub conversation: String,
    pub user: String,
    pub stream: String,
    pub media: String,
    pub op: String,
}

impl Named {
    /// Of things there are.
    pub fn theirs(conversation: &str, owner: &Login, stream: &str) -> Self {
        Self {
            conversation: conversation.to_owned(),
            user: owner.id(),
            stream: stream.to_owned(),
            media: MediaId::new().to_string(),
            op: Op::new().to_string(),
        }
    }

    /// Of nothing.
    pub fn made_up() -> Self {
        let random = || Op::new().bytes();
        Self {
            conversation: ConversationId::group(UserId::from_bytes(random()), Op::new()).to_string(),
            user: UserId::new().to_string(),
            stream: StreamId::new().to_string(),
            media: MediaId::new().to_string(),
            op: Op::new().to_string(),
        }
    }

    /// The bytes without the ids that the caller sent anyway.
    pub fn without(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for id in [&self.conversation, &self.user, &self.stream, &self.media, &self.op] {
            while let Some(at) = bytes.windows(id.len()).position(|part| part == id.as_bytes()) {
                bytes[at..at + id.len()].fill(b'#');
            }
        }
        bytes
    }
}

/// What was asked, and the answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub what: String,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Of a unary call.
    pub fn unary<T: prost::Message>(of: &Named, what: &str, result: Result<Response<T>, Status>) -> Self {
        let bytes = match result {
            Ok(response) => [b"OK ".to_vec(), response.into_inner().encode_to_vec()].concat(),
            Err(status) => {
                let said = format!("{:?} {} ", status.code(), status.message());
                [said.as_bytes(), status.details()].concat()
            }
        };
        Self { what: what.to_owned(), bytes: of.without(&bytes) }
    }

    pub fn is_refusal(&self) -> bool {
        !self.bytes.starts_with(b"OK")
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Answers about what there is tell no more than those about what there is not.
#[track_caller]
pub fn assert_same(found: &[Answer], made_up: &[Answer]) {
    assert_eq!(found.len(), made_up.len());
    for (found, made_up) in found.iter().zip(made_up) {
        let texts = (found.text(), made_up.text());
        assert_eq!(found.bytes, made_up.bytes, "G7: {}: {:?} against {:?}", found.what, texts.0, texts.1);
    }
}

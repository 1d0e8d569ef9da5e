//! Ids and sequence numbers.

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// What all ids have in common: 16 bytes in stores, a canonical UUID string on the wire and in logs.
pub trait Id: Copy + Sized {
    /// From the canonical (lower-case, hyphenated) form; anything else is `None`.
    fn parse(text: &str) -> Option<Self>;
    /// From the 16 bytes of a store.
    fn from_bytes(bytes: [u8; 16]) -> Self;
    /// The 16 bytes for a store.
    fn bytes(self) -> [u8; 16];
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl Id for $name {
            fn parse(text: &str) -> Option<Self> {
                let id = Uuid::try_parse(text).ok()?;
                let canonical = id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text;
                canonical.then_some(Self(id))
            }

            fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            fn bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl $name {
            /// A new id, ordered by time of making (UUID version 7).
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a default that differs each time misleads")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// A user: a person or a service account.
    UserId
);
id!(
    /// A session: one log-in of one device.
    SessionId
);
id!(
    /// An installation of an app.
    DeviceId
);
id!(
    /// A conversation.
    ConversationId
);
id!(
    /// What a client calls one append, so that it takes effect once.
    Op
);
id!(
    /// An open client stream.
    StreamId
);
id!(
    /// An uploaded file.
    MediaId
);
id!(
    /// A process that holds client streams, from its start to its end.
    NodeId
);

impl ConversationId {
    /// The direct conversation of two users, whichever comes first; with oneself if they are the same.
    #[must_use]
    pub fn direct(a: UserId, b: UserId) -> Self {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        Self::derived(b"parlor.direct.v1", low.bytes(), high.bytes())
    }

    /// The group that `creator` makes with `op`.
    #[must_use]
    pub fn group(creator: UserId, op: Op) -> Self {
        Self::derived(b"parlor.group.v1", creator.bytes(), op.bytes())
    }

    /// The formula is part of the API (CreateConversationRequest): clients compute it too.
    fn derived(purpose: &[u8], first: [u8; 16], second: [u8; 16]) -> Self {
        let hash = Sha256::new().chain_update(purpose).chain_update(first).chain_update(second).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// A place in a log, from 1. 0 stands before the first entry.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// The first entry.
    pub const FIRST: Self = Self(1);

    /// The next place.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The place before; 0 has none and stays.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_read() {
        let text = "0f0e1c3e-7d0c-4b5f-9a51-0a4f6d1c2b3a";
        assert_eq!(Op::parse(text).map(|op| op.to_string()).as_deref(), Some(text));
        for other in [
            "",
            "0F0E1C3E-7D0C-4B5F-9A51-0A4F6D1C2B3A",
            "0f0e1c3e7d0c4b5f9a510a4f6d1c2b3a",
            "{0f0e1c3e-7d0c-4b5f-9a51-0a4f6d1c2b3a}",
            "0f0e1c3e-7d0c-4b5f-9a51-0a4f6d1c2b3a ",
        ] {
            assert_eq!(Op::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_direct_conversation_is_the_same_from_both_sides() {
        let (ada, ben) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        assert_eq!(ConversationId::direct(ada, ben), ConversationId::direct(ben, ada));
        assert_ne!(ConversationId::direct(ada, ben), ConversationId::direct(ada, ada));
        // Computed apart, with Python's hashlib: clients in other languages must reach the same.
        assert_eq!(ConversationId::direct(ada, ben).to_string(), "2626427d-a405-8f12-9f1d-9fcc91306660");
        assert_eq!(
            ConversationId::group(ada, Op::from_bytes([3; 16])).to_string(),
            "b0a45554-e325-8e51-a06f-b2ae2270f0ab"
        );
    }
}

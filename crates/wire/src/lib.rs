//! The messages of `proto/` as Rust types, what holds of them for everybody, and the only conversions between them and the
//! types of the domain.
//!
//! Generated code lives in `OUT_DIR`; nothing of it is edited. One thing differs from a plain generation: `frames` of
//! the stream messages are kept as encoded bytes (see `build.rs`), decoded with `ClientFrame::decode` or
//! `ServerFrame::decode` by whoever reads them.

pub mod codec;
mod content;
mod convert;
pub mod reason;

pub use convert::{Invalid, id, optional_id, time, to_duration, to_time};

/// The encoded `FileDescriptorSet` of everything in `proto/`, comments included: for reflection, policy and docs.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! package {
    ($name:literal) => {
        /// Version 1.
        #[allow(missing_docs, clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
        pub mod v1 {
            tonic::include_proto!($name);
        }
    };
}

/// Why requests fail: `parlor.errors`.
pub mod errors {
    package!("parlor.errors.v1");
}

/// Accounts, sessions, profiles: `parlor.auth`.
pub mod auth {
    package!("parlor.auth.v1");
}

/// Conversations, logs, the stream: `parlor.chat`.
pub mod chat {
    package!("parlor.chat.v1");
}

/// Images, files, voice notes and videos: `parlor.media`.
pub mod media {
    package!("parlor.media.v1");
}

/// Who is there: `parlor.presence`.
pub mod presence {
    package!("parlor.presence.v1");
}

/// What services ask of each other: `parlor.internal`.
pub mod internal {
    /// chat-svc: `parlor.internal.chat`.
    pub mod chat {
        package!("parlor.internal.chat.v1");
    }
    /// presence-svc: `parlor.internal.presence`.
    pub mod presence {
        package!("parlor.internal.presence.v1");
    }
    /// media-svc: `parlor.internal.media`.
    pub mod media {
        package!("parlor.internal.media.v1");
    }
    /// auth-svc: `parlor.internal.auth`.
    pub mod auth {
        package!("parlor.internal.auth.v1");
    }
}

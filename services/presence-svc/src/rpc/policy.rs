//! Who may call what, how often, with how large a message.

use parlor_grpc_kit::{Auth, Limit, Method};

use crate::config::{Limits, RateLimit};

/// The public services.
pub const PUBLIC: &[&str] = &["parlor.presence.v1.PresenceService"];
/// The services for other services.
pub const INTERNAL: &[&str] = &["parlor.internal.presence.v1.PresenceInternalService"];

/// A status with a text of 100 characters.
const SMALL: usize = 4 * 1024;
/// 200 ids.
const BATCH: usize = 16 * 1024;
/// 1000 ids.
const LOCATE: usize = 64 * 1024;
/// Frames of a snapshot, some at once.
pub(crate) const ATTACH: usize = 1024 * 1024;

/// The rows of [`PUBLIC`].
pub(crate) fn public(limits: &Limits) -> Vec<Method> {
    let row = |path, limit: RateLimit, max_request_bytes| Method {
        path,
        auth: Auth::Session,
        limit: Limit::PerCaller { burst: limit.burst, per_second: limit.per_second },
        max_request_bytes,
    };
    vec![
        row("/parlor.presence.v1.PresenceService/SetStatus", limits.write, SMALL),
        row("/parlor.presence.v1.PresenceService/GetStatus", limits.read, SMALL),
        row("/parlor.presence.v1.PresenceService/BatchGetPresence", limits.read, BATCH),
        row("/parlor.presence.v1.PresenceService/Watch", limits.watch, BATCH),
    ]
}

/// The rows of [`INTERNAL`]: other services are not limited.
pub(crate) fn internal() -> Vec<Method> {
    let row = |path, max_request_bytes| Method {
        path,
        auth: Auth::Internal,
        limit: Limit::None,
        max_request_bytes,
    };
    vec![
        row("/parlor.internal.presence.v1.PresenceInternalService/Attach", ATTACH),
        row("/parlor.internal.presence.v1.PresenceInternalService/Locate", LOCATE),
    ]
}

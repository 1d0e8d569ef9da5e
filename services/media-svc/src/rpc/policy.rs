//! Who may call what, how often, with how large a message.

use parlor_grpc_kit::{Auth, Limit, Method};

use crate::config::{Limits, RateLimit};

/// The public services.
pub const PUBLIC: &[&str] = &["parlor.media.v1.MediaService"];
/// The services for other services.
pub const INTERNAL: &[&str] = &["parlor.internal.media.v1.MediaInternalService"];

/// Ids, a name, a type.
const SMALL: usize = 4 * 1024;
/// 50 ids.
const BATCH: usize = 16 * 1024;
/// A part and its id.
pub(crate) const PART: usize = 257 * 1024;
/// 1000 ids.
pub(crate) const NAMED: usize = 64 * 1024;

/// The rows of [`PUBLIC`].
pub(crate) fn public(limits: &Limits) -> Vec<Method> {
    let row = |path, limit: RateLimit, max_request_bytes| Method {
        path,
        auth: Auth::Session,
        limit: Limit::PerCaller { burst: limit.burst, per_second: limit.per_second },
        max_request_bytes,
    };
    vec![
        row("/parlor.media.v1.MediaService/CreateUpload", limits.write, SMALL),
        row("/parlor.media.v1.MediaService/UploadPart", limits.part, PART),
        row("/parlor.media.v1.MediaService/GetUpload", limits.read, SMALL),
        row("/parlor.media.v1.MediaService/FinishUpload", limits.write, SMALL),
        row("/parlor.media.v1.MediaService/GetMedia", limits.read, SMALL),
        row("/parlor.media.v1.MediaService/Download", limits.read, SMALL),
        row("/parlor.media.v1.MediaService/BatchGetMediaUrls", limits.read, BATCH),
        row("/parlor.media.v1.MediaService/DeleteMedia", limits.write, SMALL),
        row("/parlor.media.v1.MediaService/GetUsage", limits.read, SMALL),
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
        row("/parlor.internal.media.v1.MediaInternalService/Claim", SMALL + BATCH),
        row("/parlor.internal.media.v1.MediaInternalService/Release", NAMED),
    ]
}

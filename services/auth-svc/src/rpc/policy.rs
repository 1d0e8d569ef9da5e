//! Who may call what, how often, with how large a message.

use parlor_grpc_kit::{Auth, Limit, Method};

use crate::config::{Limits, RateLimit};

/// The public services.
pub const PUBLIC: &[&str] =
    &["parlor.auth.v1.AuthService", "parlor.auth.v1.ProfileService", "parlor.auth.v1.EmailService"];
/// The services for other services.
pub const INTERNAL: &[&str] = &["parlor.internal.auth.v1.AuthInternalService"];

/// Names, a password of 128 characters, a device.
const SMALL: usize = 4 * 1024;
/// 200 ids.
const BATCH: usize = 16 * 1024;

/// The rows of [`PUBLIC`].
pub(crate) fn public(limits: &Limits) -> Vec<Method> {
    let (register, login, refresh, keys) = (
        per_address(limits.register),
        per_address(limits.login),
        per_address(limits.refresh),
        per_address(limits.keys),
    );
    let (read, write, password) =
        (per_caller(limits.read), per_caller(limits.write), per_caller(limits.change_password));
    let open = |path, limit| Method { path, auth: Auth::None, limit, max_request_bytes: SMALL };
    let guarded = |path, limit| Method { path, auth: Auth::Session, limit, max_request_bytes: SMALL };
    vec![
        open("/parlor.auth.v1.AuthService/Register", register),
        open("/parlor.auth.v1.AuthService/Login", login),
        open("/parlor.auth.v1.AuthService/LoginService", login),
        open("/parlor.auth.v1.AuthService/Refresh", refresh),
        open("/parlor.auth.v1.AuthService/GetJwks", keys),
        guarded("/parlor.auth.v1.AuthService/Logout", write),
        guarded("/parlor.auth.v1.AuthService/ListSessions", read),
        guarded("/parlor.auth.v1.AuthService/EndSession", write),
        guarded("/parlor.auth.v1.AuthService/EndOtherSessions", write),
        guarded("/parlor.auth.v1.AuthService/ChangePassword", password),
        guarded("/parlor.auth.v1.ProfileService/GetProfile", read),
        Method {
            max_request_bytes: BATCH,
            ..guarded("/parlor.auth.v1.ProfileService/BatchGetProfiles", read)
        },
        guarded("/parlor.auth.v1.ProfileService/UpdateProfile", write),
        guarded("/parlor.auth.v1.ProfileService/SearchUsers", read),
        guarded("/parlor.auth.v1.EmailService/GetEmail", read),
        guarded("/parlor.auth.v1.EmailService/SetEmail", per_caller(limits.set_email)),
        guarded("/parlor.auth.v1.EmailService/ConfirmEmail", write),
        guarded("/parlor.auth.v1.EmailService/RemoveEmail", write),
        guarded("/parlor.auth.v1.EmailService/SetEmailDiscoverable", write),
        guarded("/parlor.auth.v1.EmailService/FindByEmail", per_caller(limits.find_by_email)),
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
        row("/parlor.internal.auth.v1.AuthInternalService/WatchRevocations", SMALL),
        row("/parlor.internal.auth.v1.AuthInternalService/ListRevocations", SMALL),
        row("/parlor.internal.auth.v1.AuthInternalService/CheckUsers", BATCH),
        row("/parlor.internal.auth.v1.AuthInternalService/FindMediaReferences", BATCH),
    ]
}

fn per_address(limit: RateLimit) -> Limit {
    Limit::PerAddress { burst: limit.burst, per_second: limit.per_second }
}

fn per_caller(limit: RateLimit) -> Limit {
    Limit::PerCaller { burst: limit.burst, per_second: limit.per_second }
}

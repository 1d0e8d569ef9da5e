//! The table of every RPC of this service.

use parlor_grpc_kit::{Auth, Limit, Method, Policy, PolicyError};

use crate::{INTERNAL_SERVICES, PUBLIC_SERVICES, session};

/// Calls that read: as a person scrolling fast, or a client catching up.
const READS: Limit = Limit::PerCaller { burst: 400, per_second: 100.0 };
/// Calls that count over thousands of conversations or members: once for each wake-up, or each message looked at.
const COUNTS: Limit = Limit::PerCaller { burst: 200, per_second: 10.0 };
/// Opening streams: as a phone on a bad network.
const OPENS: Limit = Limit::PerCaller { burst: 60, per_second: 5.0 };
/// Changes of people and settings: as a person going through a long list.
const CHANGES: Limit = Limit::PerCaller { burst: 60, per_second: 2.0 };
/// As many on a stream.
const PREFERENCES: Limit = Limit::PerCaller {
    burst: session::PREFERENCES_RATE.burst,
    per_second: session::PREFERENCES_RATE.per_second,
};
/// Appends have limits of their own, where duplicates do not count.
const APPENDS: Limit = Limit::None;
/// A page token, ids and a few numbers.
const SMALL: usize = 4 * 1024;
/// Content of an entry with everything around it, or a frameful of them.
const LARGE: usize = 64 * 1024;

/// 200 ids.
const BATCH: usize = 16 * 1024;

/// What clients may call. Checked against the protocol at start-up.
pub(crate) fn public() -> Result<Policy, PolicyError> {
    let method =
        |path, limit, max_request_bytes| Method { path, auth: Auth::Session, limit, max_request_bytes };
    Policy::new(
        &[
            method("/parlor.chat.v1.ChatService/Connect", OPENS, LARGE),
            method("/parlor.chat.v1.ChatService/Subscribe", OPENS, SMALL),
            method("/parlor.chat.v1.ChatService/Push", Limit::None, LARGE),
            method("/parlor.chat.v1.ChatService/CreateConversation", APPENDS, LARGE),
            method("/parlor.chat.v1.ChatService/Append", APPENDS, LARGE),
            method("/parlor.chat.v1.ChatService/Fetch", READS, SMALL),
            method("/parlor.chat.v1.ChatService/ListMessages", READS, SMALL),
            method("/parlor.chat.v1.ChatService/GetConversation", READS, SMALL),
            method("/parlor.chat.v1.ChatService/ListConversations", READS, SMALL),
            method("/parlor.chat.v1.ChatService/Sync", READS, SMALL),
            method("/parlor.chat.v1.ChatService/MarkReceived", READS, SMALL),
            method("/parlor.chat.v1.ChatService/MarkRead", READS, SMALL),
            method("/parlor.chat.v1.ChatService/GetReceipts", COUNTS, SMALL),
            method("/parlor.chat.v1.ChatService/SetPreferences", PREFERENCES, 16 * 1024),
            method("/parlor.chat.v1.ChatService/GetBadge", COUNTS, SMALL),
            method("/parlor.chat.v1.PeopleService/RequestContact", CHANGES, SMALL),
            method("/parlor.chat.v1.PeopleService/AcceptContact", CHANGES, SMALL),
            method("/parlor.chat.v1.PeopleService/RemoveContact", CHANGES, SMALL),
            method("/parlor.chat.v1.PeopleService/BlockUser", CHANGES, SMALL),
            method("/parlor.chat.v1.PeopleService/UnblockUser", CHANGES, SMALL),
            method("/parlor.chat.v1.PeopleService/ListPeople", READS, SMALL),
            method("/parlor.chat.v1.PeopleService/GetPrivacy", READS, SMALL),
            method("/parlor.chat.v1.PeopleService/SetPrivacy", CHANGES, SMALL),
        ],
        PUBLIC_SERVICES,
    )
}

/// What other services may call; they are not limited.
pub(crate) fn internal() -> Result<Policy, PolicyError> {
    let method = |path, max_request_bytes| Method {
        path,
        auth: Auth::Internal,
        limit: Limit::None,
        max_request_bytes,
    };
    Policy::new(
        &[
            method("/parlor.internal.chat.v1.ChatInternalService/CheckVisibility", BATCH),
            method("/parlor.internal.chat.v1.ChatInternalService/CheckMediaAccess", BATCH),
            method("/parlor.internal.chat.v1.ChatInternalService/FindMediaReferences", BATCH),
        ],
        INTERNAL_SERVICES,
    )
}

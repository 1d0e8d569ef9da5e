//! Limits that are part of the API and fixed, each with its unit. Limits an operator may change live in configuration;
//! where both sides need the default it stands here.

/// Encoded content of an entry, bytes.
pub const MAX_ENTRY_BYTES: usize = 16 * 1024;
/// How far `base_seq` may be below the head, entries.
pub const MAX_DEDUPE_SPAN: u64 = 4096;
/// Members of a group, unless configured otherwise.
pub const MAX_GROUP_MEMBERS: usize = 10;
/// Conversations of one user.
pub const MAX_CONVERSATIONS: usize = 5_000;
/// Up to this many members a row of the chat list names them all.
pub const MAX_LISTED_MEMBERS: usize = 128;
/// Users named in one Add or Remove.
pub const MAX_USERS_PER_CHANGE: usize = 100;
/// Edits of one message: what a delete has to clear is bounded.
pub const MAX_EDITS: usize = 1000;
/// Mentions in one entry.
pub const MAX_MENTIONS: usize = 50;
/// Pairs of labels in one entry.
pub const MAX_LABELS: usize = 16;
/// Bytes of all labels of one entry together.
pub const MAX_LABEL_BYTES: usize = 1024;
/// Contacts of one user, with the requests they have made and that are open.
pub const MAX_CONTACTS: usize = 5_000;
/// Open requests that one user has received. Whoever makes one more is not told that it is not shown.
pub const MAX_RECEIVED_REQUESTS: usize = 1_000;
/// Users one user has blocked.
pub const MAX_BLOCKED: usize = 5_000;
/// Characters of the note of a request.
pub const MAX_CONTACT_NOTE: usize = 200;
/// Users named in one question about many.
pub const MAX_USERS_PER_QUESTION: usize = 200;
/// Characters of a group's name.
pub const MAX_GROUP_NAME: usize = 100;
/// Bytes of the text under a picture, a file, a video or an album.
pub const MAX_CAPTION_BYTES: usize = 4096;
/// Pictures and videos in one album.
pub const ALBUM_ITEMS: std::ops::RangeInclusive<usize> = 2..=10;
/// Characters of what a place is called.
pub const MAX_PLACE_NAME: usize = 100;
/// Characters of where a place is.
pub const MAX_PLACE_ADDRESS: usize = 300;
/// Metres that a place may be off.
pub const MAX_ACCURACY_METRES: f64 = 100_000.0;
/// Bytes of a file's name.
pub const MAX_FILE_NAME_BYTES: usize = 255;
/// Ranges named of what an upload lacks; beyond these, all counts as missing.
pub const MAX_MISSING_RANGES: usize = 1_000;
/// Files named in one question about many.
pub const MAX_MEDIA_PER_QUESTION: usize = 200;
/// Conversations that one user has pinned.
pub const MAX_PINNED: usize = 50;
/// Conversations that a client says marks of on one stream, per second. A server bears with a few times that at once.
pub const MAX_MARKS_PER_SECOND: usize = 64;
/// Bytes of a draft.
pub const MAX_DRAFT_BYTES: usize = 8 * 1024;
/// Characters of what a member calls a conversation.
pub const MAX_CUSTOM_NAME: usize = 100;
/// Characters of a person's display name, and of a device's name.
pub const MAX_DISPLAY_NAME: usize = 64;
/// Characters of a bio.
pub const MAX_BIO: usize = 300;
/// Characters of a status text.
pub const MAX_STATUS_TEXT: usize = 100;
/// Users in one watch list, and in one question about presence.
pub const MAX_WATCHED: usize = 200;
/// Characters of a password.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;
/// The stream protocol this code speaks.
pub const PROTOCOL: u32 = 1;

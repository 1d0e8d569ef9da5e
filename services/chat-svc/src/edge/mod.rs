//! Between messages and the domain: the only place of this service that builds or takes apart protobuf.
//!
//! Inwards everything is validated and every rule broken is named; outwards every domain value has one form.

mod alive;
mod content;
mod cursor;
mod draft;
mod entry;
mod media;
mod page_token;
mod people;
mod preferences;
mod presence;
mod problem;
mod row;

pub use alive::{activity, typing};
pub use cursor::{decode_cursor, encode_cursor};
pub use draft::{creation, draft};
pub use entry::{BareEntry, appended, entry, event_frame, from_stored, stored_body};
pub use media::described;
pub use page_token::{Position, decode_token, encode_token};
pub use people::{account_frames, change_problem, contact_note, filter, person, privacy, privacy_changes};
pub use preferences::{badge, preference_changes, preferences, preferred};
pub use presence::{attach_request, told};
pub use problem::{
    forbidden_reason, mark_problem, not_found, problem, read_problem, refusal_problem, seq_ahead,
};
pub use row::{log_page, marked, member_marks, receipts_frame, row};

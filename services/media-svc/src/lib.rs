//! media-svc: images, files, voice notes and videos: up, down, and what becomes of them.
//!
//! Rooms, from the inside out: `media` (what a file is), `parts` (which of its parts are there), `quota` (how much one
//! may upload), `store` (what is kept), `staging` (bytes until they are whole), `blobs` (bytes from then on), `uploads`
//! (parts as they come), `finish` (checking, cleaning, previews), `references` (who uses what), `collection` (what nobody
//! uses), `access` (who may have a file), `download` (bytes on their way out), `link` (signed addresses), `http` (files
//! over plain HTTP), `scan` (what looks for harm in them), `rpc` (the services), [`App`] (how it is put together). What it
//! guarantees:
//! - a file is there whole, with the SHA-256 that was announced, or not at all, whatever crashes when (G1);
//! - an upload begun with an op is one upload, however often that is said (G2);
//! - no file is deleted that chat-svc or auth-svc use, or were told they may; nothing else is kept for ever;
//! - nobody gets a byte of a file but its owner, whoever can read an entry that names it, and everybody if it is the picture
//!   of a profile; others cannot tell that it exists (G7);
//! - memory does not grow with the size of files, and only so far with their number (G8).

mod access;
mod app;
mod blobs;
mod collection;
mod config;
mod download;
mod failure;
mod finish;
mod gate;
mod http;
mod link;
mod media;
mod parts;
mod quota;
mod references;
mod room;
mod rpc;
mod scan;
mod staging;
mod store;
mod uploads;

pub use app::{App, Needs, StartError};
pub use blobs::{BlobConfig, BlobStore};
pub use config::{Config, Limits, MismatchedType, RateLimit};
pub use download::DownloadConfig;
pub use failure::Failure;
pub use http::{Answer as HttpAnswer, answer as http_answer};
pub use link::{Link, Signer, Useless};
pub use media::{FileName, MediaType, Variant};
pub use parts::{Misplaced, PART_BYTES, Parts};
pub use rpc::policy::{INTERNAL as INTERNAL_SERVICES, PUBLIC as PUBLIC_SERVICES};
pub use scan::ScannerConfig;
pub use store::{CopyError, complete_copy, disown_copy};
pub use uploads::{Admission, Progress, Save};

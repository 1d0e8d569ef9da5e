//! All targets, by name; what each of them checks stands in its file.

mod append;
mod client;
mod frames;
mod history;
mod names;
mod operator;
mod pages;
mod preview;
mod session;
mod tokens;
mod upload;

use crate::Target;

/// All of them.
pub const ALL: [Target; 18] = [
    session::TARGET,
    client::TARGET,
    append::TARGET,
    tokens::ACCESS,
    tokens::REFRESH,
    tokens::LINK,
    pages::CURSOR,
    pages::TOKEN,
    names::TARGET,
    upload::PROGRESS,
    upload::NAMES,
    preview::PICTURE,
    preview::SOUND,
    preview::VIDEO,
    operator::CONFIGURATION,
    operator::BACKUP,
    operator::IMPORT,
    history::TARGET,
];

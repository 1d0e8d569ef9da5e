//! All targets, by name; what each of them checks stands in its file.

mod append;
mod client;
mod frames;
mod history;
mod inspection;
mod names;
mod operator;
mod pages;
mod preview;
mod proxies;
mod ranges;
mod session;
mod tokens;
mod upload;

use crate::Target;

/// All of them.
pub const ALL: [Target; 22] = [
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
    inspection::TARGET,
    ranges::TARGET,
    proxies::HEADER,
    proxies::FORWARDED,
    operator::CONFIGURATION,
    operator::BACKUP,
    operator::IMPORT,
    history::TARGET,
];

//! The accounts of this machine: the one it began with, and those in folders inside of it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parlor_client::store::Store;

use crate::text::one_line;
use crate::views::accounts::Account;

/// The folder of the other accounts.
const FOLDER: &str = "accounts";

/// All of them, and where another would be kept. Blocks.
pub fn all(main: &Path) -> (Vec<Account>, PathBuf) {
    let inside =
        std::fs::read_dir(main.join(FOLDER)).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = inside.filter(|path| path.is_dir()).collect();
    folders.sort();
    let accounts = std::iter::once(main.to_owned()).chain(folders).filter_map(account).collect();
    let numbered = (1_u32..).map(|number| main.join(FOLDER).join(number.to_string()));
    let free = numbered.take(1_000).find(|path| !is_used(path));
    (accounts, free.unwrap_or_else(|| main.join(FOLDER).join("new")))
}

/// An account that somebody is logged in to.
pub struct LoggedIn {
    /// Where it is kept.
    pub folder: PathBuf,
    /// Its server.
    pub server: Option<String>,
}

/// The account in a folder, if somebody is logged in there. Blocks.
pub fn account_in(folder: &Path) -> Option<LoggedIn> {
    let account = Store::open(folder).ok()?.account().ok()?;
    account.username.is_some().then(|| LoggedIn { folder: folder.to_owned(), server: account.server })
}

fn is_used(folder: &Path) -> bool {
    folder.is_dir() && account(folder.to_owned()).is_some()
}

fn account(folder: PathBuf) -> Option<Account> {
    let store = Store::open(&folder).ok()?;
    let account = store.account().ok()?;
    let name = name(account.username.as_deref()?, account.server.as_deref());
    let unread = store.badge(SystemTime::now()).ok()?.unread;
    Some(Account { folder, name, unread })
}

/// `@ada at 127.0.0.1:7700`.
pub fn name(username: &str, server: Option<&str>) -> String {
    one_line(&format!("@{username} at {}", server.unwrap_or_default()))
}

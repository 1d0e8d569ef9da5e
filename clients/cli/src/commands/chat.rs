//! The full screen.

use std::env;
use std::io::{IsTerminal as _, stdin, stdout};

use parlor_tui::picture::Protocol;
use parlor_tui::theme::Theme;
use parlor_tui::{Options, TuiError};

use crate::args::{Chat, Global};
use crate::outcome::{Failure, Outcome};
use crate::{pictures, profile};

pub async fn run(global: &Global, chat: &Chat) -> Outcome {
    let (folder, server) = (profile::folder(global)?, global.server.clone());
    show(options(global, chat, folder, server)?).await
}

/// What the screen is started with.
pub fn options(
    global: &Global,
    chat: &Chat,
    folder: std::path::PathBuf,
    server: Option<String>,
) -> Outcome<Options> {
    if !(stdin().is_terminal() && stdout().is_terminal()) || global.json {
        return Err(Failure::Usage("the full screen wants a terminal; `parlor --help` lists the commands".to_owned()));
    }
    Ok(Options {
        folder,
        server,
        default_server: profile::DEFAULT_SERVER.to_owned(),
        patience: profile::patience(global, true),
        pictures: pictures::protocol(Some(chat.pictures), false).unwrap_or(Protocol::Blocks),
        theme: Theme::of_terminal(&env::var("COLORTERM").unwrap_or_default()),
        greeting: String::new(),
    })
}

pub async fn show(options: Options) -> Outcome {
    match parlor_tui::run(&options).await {
        Ok(()) => Ok(()),
        Err(TuiError::Client(error)) => Err(error.into()),
        Err(TuiError::Terminal(error)) => Err(error.into()),
        Err(error @ TuiError::Failed) => Err(Failure::Failed(error.to_string())),
    }
}

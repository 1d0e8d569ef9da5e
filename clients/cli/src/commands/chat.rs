//! The full screen.

use std::env;
use std::io::{IsTerminal as _, stdin, stdout};
use std::path::PathBuf;

use parlor_client::store::Store;
use parlor_tui::demo::{self, DemoError};
use parlor_tui::picture::Protocol;
use parlor_tui::theme::Theme;
use parlor_tui::{Options, TuiError};

use crate::args::{Chat, Global};
use crate::outcome::{Failure, Outcome};
use crate::{pictures, profile};

pub async fn run(global: &Global, chat: &Chat) -> Outcome {
    let (folder, server) = (profile::folder(global)?, global.server.clone());
    if global.ca.is_some() {
        Store::open(&folder).map_err(parlor_client::Error::from)?; // makes the folder, for nobody else to read
        profile::keep_authorities(global, &folder)?;
    }
    show(options(global, chat, folder, server)?).await
}

pub async fn demo(global: &Global, chat: &Chat) -> Outcome {
    let program = demo::server_program().ok_or(DemoError::NoServer);
    let options = options(global, chat, PathBuf::new(), None)?;
    let shown = match program {
        Ok(program) => demo::demo(&program, options).await,
        Err(error) => Err(error),
    };
    shown.map_err(|error| match error {
        DemoError::Client(error) => error.into(),
        DemoError::Io(error) => error.into(),
        DemoError::Screen(error) => failure(error),
        other => Failure::Failed(other.to_string()),
    })
}

/// What the screen is started with.
fn options(global: &Global, chat: &Chat, folder: PathBuf, server: Option<String>) -> Outcome<Options> {
    if !(stdin().is_terminal() && stdout().is_terminal()) || global.json {
        return Err(Failure::Usage(
            "the full screen wants a terminal; `parlor --help` lists the commands".to_owned(),
        ));
    }
    Ok(Options {
        folder,
        server,
        default_server: profile::DEFAULT_SERVER.to_owned(),
        patience: profile::patience(global, true),
        pictures: pictures::protocol(Some(chat.pictures), false).unwrap_or(Protocol::Blocks),
        theme: Theme::of_terminal(&env::var("COLORTERM").unwrap_or_default()),
        record: profile::record(global),
        greeting: String::new(),
    })
}

async fn show(options: Options) -> Outcome {
    parlor_tui::run(&options).await.map_err(failure)
}

fn failure(error: TuiError) -> Failure {
    match error {
        TuiError::Client(error) => error.into(),
        TuiError::Terminal(error) => error.into(),
        error @ TuiError::Failed => Failure::Failed(error.to_string()),
    }
}

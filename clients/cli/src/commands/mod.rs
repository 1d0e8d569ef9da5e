//! One function per command.

mod account;
mod activity;
mod chat;
mod chats;
mod check_history;
mod contacts;
mod conversations;
mod edit;
mod files;
mod group;
mod history;
mod people;
mod presence;
mod send;
mod sessions;
mod show;
mod tail;

use parlor_client::Client;

use crate::args::{Args, Chat, Command, Global};
use crate::outcome::Outcome;
use crate::output::Output;
use crate::profile;

/// Does what was asked.
pub async fn run(args: Args, out: &mut Output) -> Outcome {
    match args.command.unwrap_or(Command::Chat(Chat::default())) {
        Command::Chat(chat) => chat::run(&args.global, &chat).await,
        Command::Demo(chat) => chat::demo(&args.global, &chat).await,
        Command::CheckHistory(check) => check_history::run(out, &check),
        command => with_account(command, &args.global, out).await,
    }
}

async fn with_account(command: Command, global: &Global, out: &mut Output) -> Outcome {
    let client = &profile::open(global, has_files(&command))?;
    if let Some(file) = profile::record(global) {
        client.record_history(&file).await?;
    }
    let done = perform(command, client, out).await;
    if let Err(error) = client.finish_history() {
        out.notice("not_recorded", &error.to_string());
    }
    done
}

async fn perform(command: Command, client: &Client, out: &mut Output) -> Outcome {
    match command {
        // They open accounts themselves, or need none.
        Command::Chat(_) | Command::Demo(_) | Command::CheckHistory(_) => Ok(()),
        Command::Register { username, name, password } => {
            account::register(client, out, username, &name, password.password_stdin).await
        }
        Command::Login { username, password } => {
            account::log_in(client, out, username, password.password_stdin).await
        }
        Command::Whoami => account::whoami(client, out).await,
        Command::Logout { force } => account::log_out(client, out, force).await,
        Command::Sessions { action } => sessions::run(client, out, action).await,
        Command::Password { password_stdin } => account::password(client, out, password_stdin).await,
        Command::Profile { person, name, bio } => people::profile(client, out, person, name, bio).await,
        Command::Send(send) => send::run(client, out, send).await,
        Command::Upload { file, what } => files::upload(client, out, &file, what).await,
        Command::Download(download) => files::download(client, out, download).await,
        Command::Show { id, pictures } => show::run(client, out, &id, pictures).await,
        Command::Usage => files::usage(client, out).await,
        Command::Avatar { action } => files::avatar(client, out, action).await,
        Command::Forward { conversation, seq, to } => {
            files::forward(client, out, &conversation, seq, &to).await
        }
        Command::Edit { conversation, seq, text } => edit::edit(client, out, &conversation, seq, text).await,
        Command::Delete { conversation, seq } => edit::delete(client, out, &conversation, seq).await,
        Command::Tail(tail) => tail::run(client, out, tail).await,
        Command::History { to, limit, before, all, pictures } => {
            let limit = (!all).then_some(limit);
            let gallery = show::Gallery::new(pictures, out);
            history::run(client, out, &to, limit, before, gallery).await
        }
        Command::Conversations => conversations::run(client, out).await,
        Command::Chats { all } => chats::list(client, out, all).await,
        Command::Read { conversation, up_to } => chats::read(client, out, &conversation, up_to).await,
        Command::Set { conversation, set } => chats::set(client, out, &conversation, set).await,
        Command::Receipts { conversation, seq } => chats::receipts(client, out, &conversation, seq).await,
        Command::Group { action } => group::run(client, out, action).await,
        Command::People { prefix, limit } => people::search(client, out, &prefix, limit).await,
        Command::Contacts { action } => contacts::run(client, out, action).await,
        Command::Block { person } => contacts::block(client, out, &person).await,
        Command::Unblock { person } => contacts::unblock(client, out, &person).await,
        Command::Privacy(privacy) => contacts::privacy(client, out, &privacy).await,
        Command::Status(status) => presence::status(client, out, status).await,
        Command::Watch { people } => presence::watch(client, out, &people).await,
    }
}

/// Files take their time.
fn has_files(command: &Command) -> bool {
    match command {
        Command::Send(send) => !send.files.is_empty(),
        Command::Upload { .. } | Command::Download(_) | Command::Avatar { .. } => true,
        _ => false,
    }
}

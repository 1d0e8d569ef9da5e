//! `(state, input) -> effects`. No I/O, no clock: both come from whoever calls.

mod after;
mod heard;
mod mouse;
mod news;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use parlor_client::FileDraft;
use parlor_client::FileToSend;
use parlor_types::{ConversationId, Seq};

use crate::effect::{Effect, Part};
use crate::input::Input;
use crate::state::{Focus, Overlay, State};
use crate::text::one_line;
use crate::views::accounts::{self, Accounts};
use crate::views::confirm::{self, Answer, Confirm};
use crate::views::help::{self, Help};
use crate::views::members::{self, Members};
use crate::views::messages::{self, Thread};
use crate::views::people::{self, PeopleSearch};
use crate::views::prompt::{self, Prompt, Purpose};
use crate::views::settings::{self, SettingsView};
use crate::views::{composer, list, sign_in};

pub use news::{fault, reason};

/// Takes one input in.
pub fn update(state: &mut State, input: Input) -> Vec<Effect> {
    let mut fx = Vec::new();
    match input {
        Input::Key(key) => on_key(state, key, &mut fx),
        Input::Mouse(mouse) => mouse::on_mouse(state, mouse, &mut fx),
        Input::Paste(text, files) => on_paste(state, &text, files, &mut fx),
        Input::Resize(columns, rows) => state.size = (columns, rows),
        Input::Front(in_front) => {
            state.in_front = in_front;
            fx.push(Effect::Front(in_front));
        }
        Input::Tick(now) => on_tick(state, now, &mut fx),
        Input::News(news) => news::on_news(state, news, &mut fx),
        other => heard::on_heard(state, other, &mut fx),
    }
    after::after(state, &mut fx);
    fx
}

/// Opens a conversation.
pub fn open(state: &mut State, id: ConversationId, fx: &mut Vec<Effect>) {
    state.focus = Focus::Composer;
    state.list.chosen = Some(id);
    if state.thread.as_ref().is_some_and(|thread| thread.id == id) {
        return;
    }
    composer::put_away(state, fx);
    state.composer = composer::opened(state, id);
    let (read, unread) = state.chat(id).map_or((Seq::default(), 0), |chat| (chat.read, chat.unread.messages));
    let mut thread = Thread::new(id, if unread > 0 { read } else { Seq::default() });
    thread.going_to = (unread > 0 && read > Seq::default()).then(|| (read.next(), false));
    thread.loading = true;
    state.thread = Some(thread);
    fx.push(Effect::Load(id, Part::Newest));
}

fn on_key(state: &mut State, key: KeyEvent, fx: &mut Vec<Effect>) {
    let held = key.modifiers;
    if held == KeyModifiers::CONTROL && matches!(key.code, KeyCode::Char('c' | 'q')) {
        composer::put_away(state, fx);
        fx.push(Effect::Quit);
    } else if let Some(overlay) = state.overlay.take() {
        on_overlay_key(state, overlay, key, fx);
    } else if !on_global_key(state, key, fx) {
        on_focused_key(state, key, fx);
    }
}

fn on_overlay_key(state: &mut State, overlay: Overlay, key: KeyEvent, fx: &mut Vec<Effect>) {
    let back = match overlay {
        Overlay::Help(mut help) => help::on_key(&mut help, key).then_some(Overlay::Help(help)),
        Overlay::People(search) => people::on_key(state, search, key, fx),
        Overlay::Members(view) => members::on_key(state, view, key, fx),
        Overlay::Settings(view) => settings::on_key(state, view, key, fx),
        Overlay::Accounts(view) => accounts::on_key(view, key, fx),
        Overlay::SignIn(view) => Some(sign_in::on_key(view, key, fx)),
        Overlay::Confirm(confirm) => on_confirm_key(state, confirm, key, fx),
        Overlay::Prompt(mut prompt) => {
            let done = prompt::on_key(state, &mut prompt, key, fx);
            (!done).then_some(Overlay::Prompt(prompt))
        }
    };
    if state.overlay.is_none() {
        state.overlay = back;
    }
}

fn on_confirm_key(
    state: &mut State,
    mut confirm: Confirm,
    key: KeyEvent,
    fx: &mut Vec<Effect>,
) -> Option<Overlay> {
    match confirm::on_key(&mut confirm, key) {
        Answer::Yes(mut effects) => {
            if confirm.takes_text {
                give_caption(state, &mut effects, fx);
                composer::follow(state, fx);
            }
            fx.extend(effects);
            None
        }
        Answer::Text(text) => {
            composer::write(state, &text, fx);
            None
        }
        Answer::No => None,
        Answer::None => Some(Overlay::Confirm(confirm)),
    }
}

/// What is being written goes along with the files.
fn give_caption(state: &mut State, effects: &mut [Effect], fx: &mut Vec<Effect>) {
    let text = state.composer.editor.text().trim().to_owned();
    let fits = text.len() <= parlor_types::limits::MAX_CAPTION_BYTES && state.composer.editing.is_none();
    for effect in effects {
        if let Effect::SendFiles(draft) = effect
            && fits
        {
            draft.caption.clone_from(&text);
            draft.reply_to = state.composer.reply_to.unwrap_or_default();
        }
    }
    if fits {
        composer::clear(state, fx);
    }
}

fn on_global_key(state: &mut State, key: KeyEvent, fx: &mut Vec<Effect>) -> bool {
    let asked = state.focus != Focus::Composer;
    match (key.code, key.modifiers - KeyModifiers::SHIFT) {
        (KeyCode::F(1), _) => state.overlay = Some(Overlay::Help(Help::default())),
        (KeyCode::Char('?'), KeyModifiers::NONE) if asked => {
            state.overlay = Some(Overlay::Help(Help::default()));
        }
        (KeyCode::Char('q'), KeyModifiers::NONE) if asked => {
            composer::put_away(state, fx);
            fx.push(Effect::Quit);
        }
        (KeyCode::F(2), _) | (KeyCode::Char('n'), KeyModifiers::CONTROL) => {
            state.overlay = Some(Overlay::People(PeopleSearch::to_talk()));
        }
        (KeyCode::F(3), _) | (KeyCode::Char('f'), KeyModifiers::CONTROL) if state.thread.is_some() => {
            state.overlay = Some(Overlay::Prompt(Prompt::new(Purpose::Search)));
        }
        (KeyCode::F(4), _) => {
            state.overlay = Some(Overlay::Accounts(Accounts::default()));
            fx.push(Effect::LoadAccounts);
        }
        (KeyCode::F(5), _) => {
            state.overlay = Some(Overlay::Settings(SettingsView::default()));
            fx.push(Effect::LoadAccount);
        }
        (KeyCode::F(6), _) => {
            let id = state.thread.as_ref().map(|thread| thread.id);
            state.overlay = id.map(Members::new).map(Overlay::Members);
        }
        (KeyCode::Down, KeyModifiers::ALT) => list::go(state, true, false, fx),
        (KeyCode::Up, KeyModifiers::ALT) => list::go(state, false, false, fx),
        (KeyCode::Char('u'), KeyModifiers::ALT) => list::go(state, true, true, fx),
        (KeyCode::Tab, _) if asked || state.composer.suggestions().is_empty() => turn(state, true),
        (KeyCode::BackTab, _) => turn(state, false),
        _ => return false,
    }
    true
}

fn turn(state: &mut State, on: bool) {
    if state.thread.is_none() {
        return;
    }
    state.focus = match (state.focus, on) {
        (Focus::List, true) | (Focus::Composer, false) => Focus::Messages,
        (Focus::Messages, true) | (Focus::List, false) => Focus::Composer,
        (Focus::Composer, true) | (Focus::Messages, false) => Focus::List,
    };
}

fn on_focused_key(state: &mut State, key: KeyEvent, fx: &mut Vec<Effect>) {
    match state.focus {
        Focus::List => list::on_key(state, key, fx),
        Focus::Messages => messages::on_key(state, key, fx),
        Focus::Composer => composer::on_key(state, key, fx),
    };
}

fn on_paste(state: &mut State, text: &str, files: Vec<std::path::PathBuf>, fx: &mut Vec<Effect>) {
    match &mut state.overlay {
        Some(Overlay::People(search)) => {
            search.field.write(text);
            let query = search.field.text().trim().to_owned();
            return fx.push(Effect::SearchPeople(query));
        }
        Some(Overlay::Prompt(prompt)) => return prompt.field.write(text),
        Some(Overlay::SignIn(view)) => return view.field().write(text),
        Some(_) => return,
        None => {}
    }
    let Some(chat) = state.open_chat() else { return };
    if files.is_empty() {
        state.focus = Focus::Composer;
        return composer::write(state, text, fx);
    }
    let names: Vec<_> = files.iter().map(|path| one_line(&path.display().to_string())).collect();
    let written = one_line(state.composer.editor.text().trim());
    let caption = if written.is_empty() { String::new() } else { format!(", saying: {written}") };
    let question = format!("Send to {}: {}{caption}", state.title(chat), names.join(", "));
    let draft = FileDraft {
        conversation: chat.id,
        files: files.into_iter().map(|path| FileToSend { path, purpose: None, poster: None }).collect(),
        caption: String::new(),
        reply_to: Seq::default(),
        mentions: Vec::new(),
    };
    state.overlay =
        Some(Overlay::Confirm(Confirm::files(question, Effect::SendFiles(draft), text.to_owned())));
}

/// Seconds of rest after which what is being written is told to the server.
const REST: u8 = 2;

fn on_tick(state: &mut State, now: std::time::SystemTime, fx: &mut Vec<Effect>) {
    state.clock.now = now;
    state.notice.take_if(|notice| notice.until <= now);
    state.composer.still = state.composer.still.saturating_add(1);
    if state.composer.still >= REST {
        composer::put_away(state, fx);
    }
}

//! What was asked for, as it comes.

use parlor_client::core::Draft;
use parlor_client::store::Chats;
use parlor_types::{Id as _, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;

use super::open;
use crate::content;
use crate::effect::Effect;
use crate::input::Input;
use crate::state::{Link, Overlay, State};
use crate::text::one_line;
use crate::views::composer::{self, Editor};
use crate::views::messages::{Page, take_in};

/// Older entries fetched at a time while something is searched for.
const SEARCH_STEP: u64 = 1_000;

/// Takes in what came.
pub fn on_heard(state: &mut State, input: Input, fx: &mut Vec<Effect>) {
    match input {
        // It may have been asked for before the connection came, or ended.
        Input::Link(link) if !matches!(state.link, Link::Online | Link::Stopped) => state.link = link,
        Input::Chats(chats, unsent) => on_chats(state, chats, unsent, fx),
        Input::Page(page) => on_page(state, page, fx),
        Input::Names(names) => state.people.learn(names),
        Input::Drafts(drafts) => state.drafts.extend(drafts),
        Input::OutboxChanged => {
            fx.push(Effect::LoadChats);
            if let Some(thread) = &state.thread {
                let part = crate::effect::Part::After(thread.last().unwrap_or_default());
                fx.push(Effect::Load(thread.id, part));
            }
        }
        Input::Found(id, needle, seq) => on_found(state, id, &needle, seq, fx),
        Input::FoundTime(id, seq) => match (state.thread.as_mut().filter(|thread| thread.id == id), seq) {
            (Some(thread), Some(seq)) => thread.going_to = Some((seq, true)),
            (Some(_), None) => state.say("nothing was said since"),
            (None, _) => {}
        },
        Input::People(query, found) => {
            state.people.learn(found.iter().map(|found| (found.user, found.name.clone())));
            if let Some(Overlay::People(search)) = &mut state.overlay {
                search.hear(&query, found);
            }
        }
        Input::Ready(id) => {
            fx.push(Effect::LoadChats);
            state.notice = None;
            open(state, id, fx);
        }
        Input::Account(known) => {
            if known.status.is_some() {
                state.status.clone_from(&known.status);
            }
            if let Some(Overlay::Settings(view)) = &mut state.overlay {
                view.known = known;
            }
        }
        Input::Accounts(all, free) => {
            if let Some(Overlay::Accounts(view)) = &mut state.overlay {
                (view.all, view.free) = (all, free);
            }
        }
        Input::Picture(id, drawing) => state.gallery.hang(id, drawing),
        Input::Saved(path) => state.say(format!("saved as {}", one_line(&path.display().to_string()))),
        Input::Refused(draft, why) => on_refused(state, &draft, &why, fx),
        Input::Failed(why) => state.complain(one_line(&why)),
        Input::Entered(folder) => fx.push(Effect::SwitchTo(folder)),
        Input::NotLoggedIn(why) => {
            if let Some(Overlay::SignIn(view)) = &mut state.overlay {
                view.refused(one_line(&why));
            }
        }
        _ => {}
    }
}

fn on_chats(state: &mut State, chats: Chats, unsent: usize, fx: &mut Vec<Effect>) {
    let now = state.clock.now;
    let loud = |chats: &Chats| -> u64 {
        chats.shown.iter().filter(|chat| !chat.is_muted(now)).map(|chat| chat.unread.messages).sum()
    };
    let began = !state.chats.shown.is_empty();
    if began && state.settings.bell && loud(&chats) > loud(&state.chats) {
        fx.push(Effect::Bell);
    }
    state.chats = chats;
    state.unsent = unsent;
    if state.list.chosen.is_none() {
        state.list.chosen = state.chats.shown.first().map(|chat| chat.id);
    }
    forget_told_drafts(state, fx);
    let all = || state.chats.shown.iter().chain(&state.chats.archived);
    let members =
        all().flat_map(|chat| &chat.row.members).filter_map(|member| UserId::parse(&member.user_id));
    let spoken = all().filter_map(|chat| chat.last_message.as_ref()).flat_map(content::people_of);
    let users: Vec<_> = members.chain(spoken).collect();
    learn(state, users, fx);
}

/// What the server has need not be kept here too.
fn forget_told_drafts(state: &mut State, fx: &mut Vec<Effect>) {
    let told: Vec<_> = state
        .drafts
        .iter()
        .filter(|(id, draft)| {
            state.chat(**id).is_some_and(|chat| {
                chat.preferences.draft == draft.text && chat.preferences.draft_reply_to == draft.reply_to
            })
        })
        .map(|(id, _)| *id)
        .collect();
    for id in told {
        let is_written =
            state.thread.as_ref().is_some_and(|thread| thread.id == id) && state.composer.changed;
        if !is_written {
            state.drafts.remove(&id);
            fx.push(Effect::KeepDraft(id, None));
        }
    }
}

fn learn(state: &mut State, users: Vec<UserId>, fx: &mut Vec<Effect>) {
    let unknown = state.people.unknown(users);
    if !unknown.is_empty() {
        fx.push(Effect::Learn(unknown));
    }
}

fn on_page(state: &mut State, page: Page, fx: &mut Vec<Effect>) {
    let Some(thread) = state.thread.as_mut().filter(|thread| thread.id == page.conversation) else { return };
    let users: Vec<_> = page.entries.iter().flat_map(content::people_of).collect();
    take_in(thread, page);
    learn(state, users, fx);
}

fn on_found(
    state: &mut State,
    id: parlor_types::ConversationId,
    needle: &str,
    seq: Option<Seq>,
    fx: &mut Vec<Effect>,
) {
    let online = state.link == Link::Online;
    let Some(thread) = state.thread.as_mut().filter(|thread| thread.id == id) else { return };
    let Some(search) = thread.search.as_mut().filter(|search| search.needle == needle) else { return };
    if let Some(seq) = seq {
        search.at = Some(seq);
        thread.going_to = Some((seq, true));
        state.focus = crate::state::Focus::Messages;
        return;
    }
    let low = thread.range.map_or(Seq::default(), |range| range.low);
    if online && !thread.complete && low > Seq::FIRST {
        search.fetching = true;
        fx.push(Effect::FetchOlder(id, Seq(low.0.saturating_sub(SEARCH_STEP))));
        state.say("searching further back…");
    } else if search.at.is_some() {
        state.say("no older hit; N begins at the end again");
    } else {
        state.complain(format!("not found: {}", one_line(needle)));
    }
}

/// What was to be said is not lost: it is back in the composer.
fn on_refused(state: &mut State, draft: &Draft, why: &str, fx: &mut Vec<Effect>) {
    state.complain(format!("not sent: {}", one_line(why)));
    let text = match &draft.content {
        Kind::Text(text) => text.body.clone(),
        Kind::Edit(edit) => edit.body.clone(),
        _ => return,
    };
    let id = draft.conversation;
    let is_open = state.thread.as_ref().is_some_and(|thread| thread.id == id);
    let written = if is_open { state.composer.draft() } else { composer::opened(state, id).draft() };
    let together = if written.text.trim().is_empty() { text } else { format!("{text}\n{}", written.text) };
    let kept = parlor_wire::chat::v1::Draft { text: together, reply_to: draft.reply_to.0 };
    fx.push(Effect::KeepDraft(id, Some(kept.clone())));
    if is_open {
        state.composer.editor = Editor::new(&kept.text);
        state.composer.changed = true;
    }
    state.drafts.insert(id, kept);
}

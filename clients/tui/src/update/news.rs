//! What the client tells: it names what is different, and the store says what it is.

use parlor_client::News;
use parlor_client::core::{Event, FileFault, UploadNews};
use parlor_types::ConversationId;
use parlor_wire::errors::v1::{ErrorReason, Problem};

use crate::effect::{Effect, Part};
use crate::state::{Link, Overlay, State};
use crate::text::one_line;
use crate::views::accounts;

/// Takes news in.
pub fn on_news(state: &mut State, news: News, fx: &mut Vec<Effect>) {
    match news {
        News::Event(event) => on_event(state, event, fx),
        News::Missed(_) => everything(state, fx),
    }
}

fn everything(state: &mut State, fx: &mut Vec<Effect>) {
    fx.push(Effect::LoadChats);
    fx.extend(state.thread.as_ref().map(|thread| Effect::Load(thread.id, Part::Newest)));
}

fn on_event(state: &mut State, event: Event, fx: &mut Vec<Effect>) {
    match event {
        Event::Online => {
            state.link = Link::Online;
            state.people.ask_again();
            state.gallery.try_again();
            state.watched.clear();
            fx.push(Effect::LoadChats);
            newer(state, None, fx);
        }
        Event::Offline(_) => {
            state.link = Link::Connecting;
            state.people.forget_the_moment();
            if let Some(thread) = &mut state.thread {
                thread.fetching = false;
            }
            fx.push(Effect::LoadChats);
        }
        Event::Stopped(problem) => on_stopped(state, &problem),
        Event::Reset => {
            state.say("the server was restored from a backup: everything comes anew");
            everything(state, fx);
        }
        Event::Regressed(_) => everything(state, fx),
        Event::Conversation { conversation, .. } => {
            fx.push(Effect::LoadChats);
            again(state, conversation, fx);
        }
        Event::Entries { conversation, .. } => {
            fx.push(Effect::LoadChats);
            newer(state, Some(conversation), fx);
        }
        Event::Changed { conversation, message } => {
            fx.push(Effect::LoadChats);
            if is_open(state, conversation) {
                fx.push(Effect::Load(conversation, Part::Again(message, message)));
            }
        }
        Event::Older { conversation, complete, .. } => on_older(state, conversation, complete, fx),
        Event::Settled(op, outcome) => {
            if let (Some(thread), Ok(_)) = (&mut state.thread, &outcome) {
                thread.settle(op);
            }
            state.uploads.remove(&op);
            fx.push(Effect::LoadChats);
            newer(state, None, fx);
        }
        Event::Upload { message, news } => on_upload(state, message, news, fx),
        Event::Receipts { conversation, .. } => again(state, conversation, fx),
        Event::PreferencesRefused { problem, .. } => {
            state.complain(format!("not changed: {}", reason(&problem)))
        }
        Event::Person(_) => {}
        Event::Privacy => {
            if matches!(state.overlay, Some(Overlay::Settings(_))) {
                fx.push(Effect::LoadAccount);
            }
        }
        Event::Typing { conversation, user, activity } => {
            state.people.hear_doing(conversation, user, activity)
        }
        Event::Presence { user, presence } => state.people.hear_presence(user, presence),
        Event::Refused { frame, problem } => {
            state.complain(format!("{} was refused: {}", one_line(&frame), reason(&problem)));
        }
    }
}

fn is_open(state: &State, id: ConversationId) -> bool {
    state.thread.as_ref().is_some_and(|thread| thread.id == id)
}

/// What came after what is there; in the open conversation, if it is this one.
fn newer(state: &State, id: Option<ConversationId>, fx: &mut Vec<Effect>) {
    let Some(thread) = state.thread.as_ref().filter(|thread| id.is_none_or(|id| thread.id == id)) else {
        return;
    };
    fx.push(Effect::Load(thread.id, Part::After(thread.last().unwrap_or_default())));
}

/// What stands beside the entries, and the last of them.
fn again(state: &State, id: ConversationId, fx: &mut Vec<Effect>) {
    let Some(thread) = state.thread.as_ref().filter(|thread| thread.id == id) else { return };
    let last = thread.last().unwrap_or_default();
    fx.push(Effect::Load(id, Part::Again(last, last)));
}

fn on_older(state: &mut State, id: ConversationId, complete: bool, fx: &mut Vec<Effect>) {
    let Some(thread) = state.thread.as_mut().filter(|thread| thread.id == id) else { return };
    thread.fetching = false;
    if let Some(search) = thread.search.as_mut().filter(|search| search.fetching) {
        search.fetching = false;
        fx.push(Effect::Find(id, search.needle.clone(), search.at.unwrap_or_default()));
    }
    let part = thread.first().map_or(Part::Newest, Part::Before);
    thread.complete |= complete && thread.range.is_some_and(|range| Some(range.low) == thread.first());
    fx.push(Effect::Load(id, part));
}

fn on_upload(state: &mut State, message: parlor_types::Op, news: UploadNews, fx: &mut Vec<Effect>) {
    match news {
        UploadNews::Progress { progress, .. } => drop(state.uploads.insert(message, progress)),
        UploadNews::Waits { problem, .. } => state.say(format!("the upload waits: {}", reason(&problem))),
        UploadNews::Again => state.say("the server no longer has the file: it is uploaded again"),
        UploadNews::Failed(failure) => {
            state.uploads.remove(&message);
            state.complain(format!("not sent: {}", fault(&failure.why)));
            fx.push(Effect::LoadChats);
            newer(state, None, fx);
        }
    }
}

/// What is wrong with a file, in words.
#[must_use]
pub fn fault(why: &FileFault) -> String {
    match why {
        FileFault::Changed => "the file was changed after it was to be sent".to_owned(),
        FileFault::Unreadable(why) => format!("the file cannot be read: {}", one_line(why)),
        FileFault::Refused(problem) => reason(problem),
    }
}

fn on_stopped(state: &mut State, problem: &Problem) {
    use ErrorReason as R;
    state.link = Link::Stopped;
    state.people.forget_the_moment();
    match problem.reason() {
        R::TokenMissing | R::TokenInvalid | R::SessionEnded | R::RefreshReused => {
            state.complain("the session has ended: log in again");
            let server =
                state.account.split_once(" at ").map(|(_, server)| server.to_owned()).unwrap_or_default();
            state.overlay = Some(accounts::nobody(&server));
        }
        R::Displaced => state.complain("another program uses this account here: it has the connection now"),
        _ => state.complain(format!("the connection has ended: {}", reason(problem))),
    }
}

/// Why something was refused, in words.
#[must_use]
pub fn reason(problem: &Problem) -> String {
    let name = parlor_wire::reason::name(problem.reason()).to_lowercase().replace('_', " ");
    if problem.message.is_empty() { name } else { one_line(&problem.message) }
}

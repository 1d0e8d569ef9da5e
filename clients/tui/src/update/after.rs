//! What follows from what is on the screen, whatever led to it: more is loaded, it is marked as read, people are watched.

use std::collections::BTreeSet;

use parlor_client::core::MAX_WATCHED;
use parlor_types::{Id as _, MediaId, Seq};
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{Media, Variant};

use crate::content;
use crate::effect::{Effect, Part};
use crate::layout::areas;
use crate::state::{Link, State};
use crate::views::messages::{self, Anchor, Key, Placed};

/// More is loaded when so few messages are left beyond the edge of the screen.
const NEAR: usize = 30;
/// Older entries asked of the server at a time.
const OLDER_STEP: u64 = 200;

/// Looks at what is on the screen.
pub fn after(state: &mut State, fx: &mut Vec<Effect>) {
    go(state, fx);
    load_more(state, fx);
    mark_read(state, fx);
    hang_pictures(state, fx);
    watch(state, fx);
}

/// To where the reader wants to be, when it is there.
fn go(state: &mut State, fx: &mut Vec<Effect>) {
    let online = state.link == Link::Online;
    let area = areas(state).messages;
    let Some(thread) = &mut state.thread else { return };
    let Some((seq, choose)) = thread.going_to else { return };
    let Some(range) = thread.range.filter(|_| !thread.loading) else { return };
    if thread.first().is_some_and(|first| first <= seq) && thread.last().is_some_and(|last| last >= seq) {
        let shown = thread.entries.iter().find(|entry| entry.seq >= seq.0 && entry.target == 0);
        let key = shown.map_or(Key::At(seq), |entry| Key::At(Seq(entry.seq)));
        thread.going_to = None;
        if choose {
            thread.chosen = Some(key);
        }
        messages::to_key(state, (area.width, area.height), key);
    } else if seq > range.have || (thread.complete && seq < range.low) {
        thread.going_to = None;
    } else if seq >= range.low {
        thread.loading = true;
        fx.push(Effect::Load(thread.id, Part::Around(seq)));
    } else if online && !thread.fetching {
        thread.fetching = true;
        fx.push(Effect::FetchOlder(thread.id, seq));
    }
}

fn load_more(state: &mut State, fx: &mut Vec<Effect>) {
    let area = areas(state).messages;
    let seen = messages::visible(state, (area.width, area.height));
    let (top, bottom) =
        (seen.first().map_or(0, |placed| placed.index), seen.last().map_or(0, |placed| placed.index));
    let online = state.link == Link::Online;
    let Some(thread) = &mut state.thread else { return };
    let Some(range) = thread.range.filter(|_| !thread.loading) else { return };
    let first = thread.first();
    if top < NEAR {
        match first {
            Some(first) if first > range.low => {
                thread.loading = true;
                fx.push(Effect::Load(thread.id, Part::Before(first)));
            }
            None if !range.is_empty() => {
                thread.loading = true;
                fx.push(Effect::Load(thread.id, Part::Newest));
            }
            _ if online && !thread.complete && !thread.fetching && range.low > Seq::FIRST => {
                thread.fetching = true;
                fx.push(Effect::FetchOlder(thread.id, Seq(range.low.0.saturating_sub(OLDER_STEP))));
            }
            _ => {}
        }
    }
    if bottom + NEAR >= thread.len() && !thread.has_newest() && !thread.loading {
        thread.loading = true;
        fx.push(Effect::Load(thread.id, Part::After(thread.last().unwrap_or_default())));
    }
}

fn mark_read(state: &mut State, fx: &mut Vec<Effect>) {
    if !state.in_front || state.overlay.is_some() || areas(state).messages.height == 0 {
        return;
    }
    let seen = last_seen(state);
    let Some(thread) = &mut state.thread else { return };
    let Some(range) = thread.range else { return };
    if thread.loading || thread.going_to.is_some() || range.is_empty() {
        return;
    }
    let at_end = thread.anchor == Anchor::Bottom && thread.has_newest();
    let (seen, before) =
        if at_end { (range.have, thread.marked) } else { (seen, thread.marked.max(thread.read_before)) };
    if seen > before {
        thread.marked = seen;
        fx.push(Effect::MarkRead(thread.id, seen));
    }
}

/// The last message that is on the screen as a whole; none is before the first.
fn last_seen(state: &State) -> Seq {
    let area = areas(state).messages;
    let seen = messages::visible(state, (area.width, area.height));
    let is_whole = |placed: &&Placed| {
        let lines = placed.block.lines.len() as isize;
        lines > 0 && placed.top + lines <= area.height as isize
    };
    let mut whole = seen.iter().rev().filter(is_whole);
    let last = whole.find_map(|placed| state.thread.as_ref()?.entries.get(placed.index));
    last.map_or_else(Seq::default, |entry| Seq(entry.seq))
}

fn hang_pictures(state: &mut State, fx: &mut Vec<Effect>) {
    if !state.settings.pictures {
        return;
    }
    let area = areas(state).messages;
    let Some(thread) = &state.thread else { return };
    let mut wanted = Vec::new();
    for placed in messages::visible(state, (area.width, area.height)) {
        let pictures = thread.entries.get(placed.index).map(content::pictures).unwrap_or_default();
        wanted.extend(
            pictures.into_iter().filter_map(|media| Some((MediaId::parse(&media.id)?, variant(media)))),
        );
    }
    for (id, variant) in wanted {
        if state.gallery.look_for(id) {
            fx.push(Effect::LoadPicture(id, variant));
        }
    }
}

/// The small form, if there is one.
fn variant(media: &Media) -> Variant {
    match &media.preview {
        Some(Preview::Image(image))
            if image.thumbnails.iter().any(|small| small.variant() == Variant::Small) =>
        {
            Variant::Small
        }
        _ => Variant::Original,
    }
}

/// Those in the conversation that is open, and those one talks to.
fn watch(state: &mut State, fx: &mut Vec<Effect>) {
    if state.link != Link::Online {
        return;
    }
    let open = state.thread.as_ref().map(|thread| state.members(thread.id)).unwrap_or_default();
    let others = state.chats.shown.iter().filter_map(|chat| state.people.other(&chat.row));
    let me = state.me();
    let wanted = open.into_iter().chain(others).filter(|user| Some(*user) != me).take(MAX_WATCHED);
    let wanted: BTreeSet<_> = wanted.collect();
    if wanted != state.watched {
        fx.push(Effect::Watch(wanted.iter().copied().collect()));
        state.watched = wanted;
    }
}

//! Who watches whom, and what they have been told.
//!
//! A state machine without a clock or I/O. A watcher is a client's stream on some node, or a Watch call; it is told
//! news through its outlet: the node's line, or the call itself. What a viewer may see is asked of chat-svc, by
//! whoever drives this: see [`Asks`]. While that is not known, nothing is told; what was told before is not taken
//! back by that alone. Once it is known, each watcher is told of each user once, if only that nothing may be seen, and
//! then of changes. What is owed is marked, latest wins, and made when the outlet pulls (G8).

mod asks;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use parlor_types::{StreamId, UserId};

pub use asks::{Ask, Unanswered};

use crate::presence::{Presence, Shown, Sight};
use crate::registry::OutletId;
use crate::time::Now;
use asks::Asks;

/// Presences in one message to an outlet; a watcher's own are not split at less than this.
const MAX_TOLD_AT_ONCE: usize = 200;

/// Why an outlet is told no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The session has ended.
    SessionEnded,
    /// The node has a newer line.
    Displaced,
    /// Nobody listens any more.
    Gone,
    /// It cannot be known whether the session has ended.
    Blind,
    /// The service stops.
    Stopping,
}

/// News for one watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The watcher.
    pub watcher: StreamId,
    /// Of whom, what.
    pub presences: Vec<(UserId, Presence)>,
}

/// What an outlet gets when it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pull {
    /// This.
    News(Vec<News>),
    /// Nothing now.
    Wait,
    /// Nothing any more.
    End(Ending),
}

/// See the module.
#[derive(Debug)]
pub struct Watching {
    watchers: HashMap<StreamId, Watcher>,
    viewers: HashMap<UserId, Viewer>,
    /// Who watches them.
    targets: HashMap<UserId, HashSet<UserId>>,
    outlets: HashMap<OutletId, Outlet>,
    asks: Asks,
    /// Outlets that may have something to pull.
    woken: BTreeSet<OutletId>,
    /// Users who are watched by others than before, or no longer.
    affected: BTreeSet<UserId>,
}

#[derive(Debug)]
struct Watcher {
    viewer: UserId,
    outlet: OutletId,
    /// Whom it watches, and what it was last told of them, if anything.
    told: HashMap<UserId, Option<Presence>>,
    owed: BTreeSet<UserId>,
    /// Whether it stands in its outlet's line.
    queued: bool,
}

#[derive(Debug, Default)]
struct Viewer {
    watchers: HashSet<StreamId>,
    /// Of all they watch: with how many watchers, and what they may see, if that is known.
    sights: HashMap<UserId, (usize, Option<Sight>)>,
}

#[derive(Debug, Default)]
struct Outlet {
    watchers: HashSet<StreamId>,
    queue: VecDeque<StreamId>,
    ending: Option<Ending>,
}

impl Watching {
    /// Nobody watches. What may be seen is asked again after `recheck`.
    #[must_use]
    pub fn new(recheck: std::time::Duration) -> Self {
        Self {
            watchers: HashMap::new(),
            viewers: HashMap::new(),
            targets: HashMap::new(),
            outlets: HashMap::new(),
            asks: Asks::new(recheck),
            woken: BTreeSet::new(),
            affected: BTreeSet::new(),
        }
    }

    /// A new outlet.
    pub fn open(&mut self, outlet: OutletId) {
        self.outlets.insert(outlet, Outlet::default());
    }

    /// The outlet is to be told no more; its watchers are gone.
    pub fn end(&mut self, outlet: OutletId, ending: Ending) {
        self.drop_watchers(outlet);
        if let Some(outlet) = self.outlets.get_mut(&outlet) {
            outlet.ending.get_or_insert(ending);
        }
        self.woken.insert(outlet);
    }

    /// The outlet is gone.
    pub fn gone(&mut self, outlet: OutletId) {
        self.drop_watchers(outlet);
        self.outlets.remove(&outlet);
    }

    /// Whether the outlet is there and takes news.
    #[must_use]
    pub fn is_open(&self, outlet: OutletId) -> bool {
        self.outlets.get(&outlet).is_some_and(|outlet| outlet.ending.is_none())
    }

    /// The outlets that take news.
    pub fn open_outlets(&self) -> Vec<OutletId> {
        self.outlets.iter().filter(|(_, outlet)| outlet.ending.is_none()).map(|(id, _)| *id).collect()
    }

    /// A watcher watches these users now, and no others. Of those it watched before it is told only changes.
    pub fn watch(
        &mut self,
        now: Now,
        outlet: OutletId,
        watcher: StreamId,
        viewer: UserId,
        users: &BTreeSet<UserId>,
    ) {
        if !self.is_open(outlet) {
            return;
        }
        if users.is_empty() || self.watchers.get(&watcher).is_some_and(|known| known.outlet != outlet) {
            self.remove(watcher);
        }
        if users.is_empty() {
            return;
        }
        let state = self.watchers.entry(watcher).or_insert_with(|| Watcher {
            viewer,
            outlet,
            told: HashMap::new(),
            owed: BTreeSet::new(),
            queued: false,
        });
        let gone: Vec<_> = state.told.keys().filter(|user| !users.contains(user)).copied().collect();
        let new: BTreeSet<_> = users.iter().filter(|user| !state.told.contains_key(user)).copied().collect();
        gone.iter().for_each(|user| {
            state.told.remove(user);
            state.owed.remove(user);
        });
        state.told.extend(new.iter().map(|user| (*user, None)));
        self.outlets.entry(outlet).or_default().watchers.insert(watcher);
        self.asks.arm(now, viewer);
        let sights = self.viewers.entry(viewer).or_default();
        sights.watchers.insert(watcher);
        for user in &new {
            sights.sights.entry(*user).or_insert((0, None)).0 += 1;
            self.targets.entry(*user).or_default().insert(viewer);
        }
        let unknown =
            new.iter().filter(|user| sights.sights.get(user).is_none_or(|(_, sight)| sight.is_none()));
        self.asks.want(viewer, unknown.copied());
        self.affected.extend(&new);
        for user in gone {
            self.unsee(viewer, user);
        }
        for user in new {
            self.owe(watcher, user);
        }
    }

    /// A watcher of this outlet is gone.
    pub fn unwatch(&mut self, outlet: OutletId, watcher: StreamId) {
        if self.watchers.get(&watcher).is_some_and(|known| known.outlet == outlet) {
            self.remove(watcher);
        }
    }

    fn remove(&mut self, watcher: StreamId) {
        let Some(state) = self.watchers.remove(&watcher) else { return };
        if let Some(outlet) = self.outlets.get_mut(&state.outlet) {
            outlet.watchers.remove(&watcher);
            if state.queued {
                outlet.queue.retain(|queued| *queued != watcher);
            }
        }
        for user in state.told.into_keys() {
            self.unsee(state.viewer, user);
        }
        if let Some(viewer) = self.viewers.get_mut(&state.viewer) {
            viewer.watchers.remove(&watcher);
            if viewer.watchers.is_empty() {
                self.viewers.remove(&state.viewer);
                self.asks.forget(state.viewer);
            }
        }
    }

    /// Whether anybody watches them.
    #[must_use]
    pub fn is_watched(&self, user: UserId) -> bool {
        self.targets.contains_key(&user)
    }

    /// Everybody who is watched.
    pub fn watched(&self) -> Vec<UserId> {
        self.targets.keys().copied().collect()
    }

    /// Somebody shows something else: whoever watches them is owed it.
    pub fn changed(&mut self, user: UserId) {
        let viewers = self.targets.get(&user).into_iter().flatten();
        let watchers: Vec<_> = viewers
            .filter_map(|viewer| self.viewers.get(viewer))
            .flat_map(|viewer| viewer.watchers.iter().copied())
            .collect();
        watchers.into_iter().for_each(|watcher| self.owe(watcher, user));
    }

    /// What these users may see of others, and others of them, has to be asked again before anything is told.
    pub fn distrust(&mut self, users: &[UserId]) {
        for user in users {
            if let Some(viewer) = self.viewers.get_mut(user) {
                viewer.sights.values_mut().for_each(|(_, sight)| *sight = None);
                self.asks.want(*user, viewer.sights.keys().copied());
            }
            for viewer in self.targets.get(user).into_iter().flatten() {
                self.asks.want(*viewer, [*user]);
                let sights = self.viewers.get_mut(viewer).map(|viewer| &mut viewer.sights);
                if let Some((_, sight)) = sights.and_then(|sights| sights.get_mut(user)) {
                    *sight = None;
                }
            }
        }
    }

    /// As [`Watching::distrust`], for everybody.
    pub fn distrust_all(&mut self) {
        let viewers: Vec<_> = self.viewers.keys().copied().collect();
        self.distrust(&viewers);
    }

    /// Time passes: what was answered long ago is asked again, and counts until there is an answer.
    pub fn tick(&mut self, now: Now) {
        for viewer in self.asks.due(now) {
            if let Some(sights) = self.viewers.get(&viewer).map(|viewer| &viewer.sights) {
                self.asks.want(viewer, sights.keys().copied());
            }
        }
    }

    /// The next question for chat-svc, if one may be asked now.
    pub fn take_ask(&mut self, now: Now) -> Option<Ask> {
        self.asks.take(now)
    }

    /// Whether [`Watching::take_ask`] may have something.
    #[must_use]
    pub fn wants_to_ask(&self, now: Now) -> bool {
        self.asks.may_take(now)
    }

    /// chat-svc has answered for each user of `ask`, or has not.
    pub fn answered(&mut self, now: Now, ask: Ask, answer: Result<Vec<Sight>, Unanswered>) {
        let counts = self.asks.done(now, &ask, answer.is_ok());
        match answer {
            Ok(sights) if counts => {
                for (user, sight) in ask.users.into_iter().zip(sights) {
                    self.see(ask.viewer, user, sight);
                }
            }
            Ok(_) => {}
            Err(Unanswered) => {
                if counts {
                    self.asks.want(ask.viewer, ask.users);
                }
                // Whatever waits to be asked is too old to count now.
                for (viewer, users) in self.asks.wanted() {
                    let Some(viewer) = self.viewers.get_mut(viewer) else { continue };
                    for user in users {
                        if let Some((_, sight)) = viewer.sights.get_mut(user) {
                            *sight = None;
                        }
                    }
                }
            }
        }
    }

    /// What the outlet is to tell next. `look` gives what somebody shows, if that is known.
    pub fn pull(&mut self, outlet: OutletId, look: impl Fn(UserId) -> Option<Shown>) -> Pull {
        let Some(state) = self.outlets.get_mut(&outlet) else { return Pull::End(Ending::Gone) };
        if let Some(ending) = state.ending {
            return Pull::End(ending);
        }
        let mut news = Vec::new();
        let mut told = 0;
        while told < MAX_TOLD_AT_ONCE
            && let Some(id) = state.queue.pop_front()
        {
            let Some(watcher) = self.watchers.get_mut(&id) else { continue };
            watcher.queued = false;
            let Some(viewer) = self.viewers.get(&watcher.viewer) else { continue };
            let presences = watcher.tell(viewer, &look);
            told += presences.len();
            if !presences.is_empty() {
                news.push(News { watcher: id, presences });
            }
        }
        if told >= MAX_TOLD_AT_ONCE {
            self.woken.insert(outlet);
        }
        if news.is_empty() { Pull::Wait } else { Pull::News(news) }
    }

    /// Outlets that may have something to pull since this was last asked.
    pub fn take_woken(&mut self) -> BTreeSet<OutletId> {
        std::mem::take(&mut self.woken)
    }

    /// Users of whom it may have changed whether anybody watches them, since this was last asked.
    pub fn take_affected(&mut self) -> BTreeSet<UserId> {
        std::mem::take(&mut self.affected)
    }

    fn see(&mut self, viewer: UserId, user: UserId, sight: Sight) {
        // Something has changed since it was asked, and it will be asked again.
        if self.asks.wants(viewer, user) {
            return;
        }
        let Some(state) = self.viewers.get_mut(&viewer) else { return };
        let Some((_, known)) = state.sights.get_mut(&user) else { return };
        *known = Some(sight);
        let watchers: Vec<_> = state.watchers.iter().copied().collect();
        watchers.into_iter().for_each(|watcher| self.owe(watcher, user));
    }

    /// One watcher of the viewer fewer watches them.
    fn unsee(&mut self, viewer: UserId, user: UserId) {
        let Some(sights) = self.viewers.get_mut(&viewer).map(|viewer| &mut viewer.sights) else { return };
        let Some((watchers, _)) = sights.get_mut(&user) else { return };
        *watchers -= 1;
        if *watchers > 0 {
            return;
        }
        sights.remove(&user);
        self.asks.want_no_more(viewer, user);
        if let Some(viewers) = self.targets.get_mut(&user) {
            viewers.remove(&viewer);
            if viewers.is_empty() {
                self.targets.remove(&user);
                self.affected.insert(user);
            }
        }
    }

    /// Marks that the watcher has to be told of them, if it watches them.
    fn owe(&mut self, watcher: StreamId, user: UserId) {
        let Some(state) = self.watchers.get_mut(&watcher).filter(|state| state.told.contains_key(&user))
        else {
            return;
        };
        state.owed.insert(user);
        let sights = self.viewers.get(&state.viewer).map(|viewer| &viewer.sights);
        let known = sights.and_then(|sights| sights.get(&user)).is_some_and(|(_, sight)| sight.is_some());
        if known && !std::mem::replace(&mut state.queued, true) {
            self.outlets.entry(state.outlet).or_default().queue.push_back(watcher);
        }
        if known {
            self.woken.insert(state.outlet);
        }
    }

    fn drop_watchers(&mut self, outlet: OutletId) {
        let watchers = self.outlets.get(&outlet).map(|outlet| outlet.watchers.clone());
        watchers.into_iter().flatten().for_each(|watcher| self.remove(watcher));
    }
}

impl Watcher {
    /// What is owed and can be told; what cannot stays owed, and what is as it was told before is owed no longer.
    fn tell(&mut self, viewer: &Viewer, look: impl Fn(UserId) -> Option<Shown>) -> Vec<(UserId, Presence)> {
        let mut news = Vec::new();
        let told = &mut self.told;
        self.owed.retain(|user| {
            let Some((_, Some(sight))) = viewer.sights.get(user) else { return true };
            let nothing = *sight == Sight::default();
            // Who may see nothing need not wait for what there is to see.
            let presence =
                if nothing { Some(Presence::default()) } else { look(*user).map(|shown| shown.to(*sight)) };
            let Some(presence) = presence else { return true };
            // That there is nothing to see is told, too: on a line that broke it may have been told otherwise.
            if let Some(before) = told.get_mut(user).filter(|before| before.as_ref() != Some(&presence)) {
                *before = Some(presence.clone());
                news.push((*user, presence));
            }
            false
        });
        news
    }
}

#[cfg(test)]
mod tests;

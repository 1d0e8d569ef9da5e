//! The stream itself: opening, Hello and Welcome, signs of life, Drain, Goodbye, opening again.

use std::time::Duration;

use bytes::Bytes;
use parlor_types::Seq;
use parlor_types::limits::PROTOCOL;
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{Ack, Drain, Goodbye, Hello, Limits, Ping, SetActive, Welcome};
use parlor_wire::errors::v1::{ErrorReason, Problem};

use super::ahead::Ahead;
use super::message::{Conn, Effects, Event, Mutation, Now};
use super::verdict::{may_reconnect, retry_after};
use super::{Core, backoff, say, verdict};

/// Opening must lead to Welcome within this; fetching a new access token is part of it.
const WELCOME_WITHIN: Duration = Duration::from_secs(20);
/// After a Ping something must be heard within this.
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// If Welcome does not say.
const DEFAULT_PING_INTERVAL: Duration = Duration::from_secs(60);
/// The same while the app is behind.
const DEFAULT_BACKGROUND_PING_INTERVAL: Duration = Duration::from_secs(240);
/// Batches are acked after this many at the latest.
const ACK_BATCHES: u64 = 32;
/// Batches are acked after this time at the latest.
const ACK_WITHIN: Duration = Duration::from_millis(250);
/// Appends in flight, if Welcome does not say.
const DEFAULT_APPENDS: u32 = 32;
/// Fetches in flight, if Welcome does not say.
const DEFAULT_FETCHES: u32 = 2;

/// The streams there are: at most one in use, and one being opened.
#[derive(Debug)]
pub(super) struct Link {
    opened: u64,
    /// The app is in front.
    foreground: bool,
    /// What the Hello of the stream being opened said of that.
    said_foreground: bool,
    /// It had no cursor: everything comes.
    said_nothing_held: bool,
    current: Option<Stream>,
    /// The one being opened, and when it must have answered.
    opening: Option<(Conn, Now)>,
    /// When to open the next one. None: while there is a stream, and when there shall be no other.
    open_at: Option<Now>,
    started: bool,
    /// Attempts in a row that did not become live.
    failures: u32,
    told_offline: bool,
}

#[derive(Debug)]
struct Stream {
    conn: Conn,
    live: bool,
    /// What the server was told.
    foreground: bool,
    ping_interval: Duration,
    background_ping_interval: Duration,
    appends: usize,
    fetches: usize,
    spoke_at: Now,
    /// Something must be heard by then.
    answer_by: Option<Now>,
    pings: u64,
    taken_in: u64,
    acked: u64,
    ack_at: Option<Now>,
}

impl Stream {
    fn new(conn: Conn, now: Now, foreground: bool, welcome: &Welcome) -> Self {
        let limits = welcome.limits.unwrap_or_default();
        let Limits { max_appends_in_flight: appends, max_fetches_in_flight: fetches, .. } = limits;
        let at_least_one = |limit: u32, default| if limit == 0 { default } else { limit } as usize;
        let duration = |said: Option<prost_types::Duration>, default| {
            said.and_then(verdict::said).filter(|said| !said.is_zero()).unwrap_or(default)
        };
        let background = welcome.background_ping_interval;
        Self {
            conn,
            live: false,
            foreground,
            ping_interval: duration(welcome.ping_interval, DEFAULT_PING_INTERVAL),
            background_ping_interval: duration(background, DEFAULT_BACKGROUND_PING_INTERVAL),
            appends: at_least_one(appends, DEFAULT_APPENDS),
            fetches: at_least_one(fetches, DEFAULT_FETCHES),
            spoke_at: now,
            answer_by: None,
            pings: 0,
            taken_in: 0,
            acked: 0,
            ack_at: None,
        }
    }

    /// When a sign of life is due, by what the server was told of the app.
    fn ping_at(&self) -> Now {
        self.spoke_at + if self.foreground { self.ping_interval } else { self.background_ping_interval }
    }

    fn deadline(&self) -> Now {
        let ping = self.answer_by.unwrap_or(self.ping_at());
        self.ack_at.map_or(ping, |ack| ack.min(ping))
    }
}

impl Link {
    pub fn new(foreground: bool) -> Self {
        Self {
            opened: 0,
            foreground,
            said_foreground: foreground,
            said_nothing_held: false,
            current: None,
            opening: None,
            open_at: None,
            started: false,
            failures: 0,
            told_offline: false,
        }
    }

    pub fn current_conn(&self) -> Option<Conn> {
        self.current.as_ref().map(|stream| stream.conn)
    }

    pub fn is_opening(&self, conn: Conn) -> bool {
        self.opening.is_some_and(|(opening, _)| opening == conn)
    }

    pub fn next_attempt(&self) -> Option<Now> {
        self.open_at.filter(|_| self.current.is_none() && self.opening.is_none())
    }

    /// In sync: requests may be sent.
    pub fn is_live(&self) -> bool {
        self.current.as_ref().is_some_and(|stream| stream.live)
    }

    pub fn max_appends(&self) -> usize {
        self.current.as_ref().map_or(0, |stream| stream.appends)
    }

    pub fn max_fetches(&self) -> usize {
        self.current.as_ref().map_or(0, |stream| stream.fetches)
    }

    pub fn spoke(&mut self, now: Now) {
        if let Some(stream) = &mut self.current {
            stream.spoke_at = now;
        }
    }

    /// A batch came: it must be acked, and it is a sign of life as good as a Pong that waits behind it.
    pub fn took_in(&mut self, now: Now, batch: u64) {
        if let Some(stream) = &mut self.current {
            stream.answer_by = None;
            stream.taken_in = stream.taken_in.max(batch);
            stream.ack_at.get_or_insert(now + ACK_WITHIN);
        }
    }

    pub fn deadline(&self) -> Option<Now> {
        let first = (!self.started).then_some(Now::ZERO);
        let opening = self.opening.map(|(_, by)| by);
        [first, opening, self.open_at, self.current.as_ref().map(Stream::deadline)]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Core {
    /// Does what the clock asks for.
    pub(super) fn run_link(&mut self, now: Now, fx: &mut Effects) {
        if !self.link.started {
            self.link.started = true;
            self.link.open_at = Some(now);
        }
        if let Some((conn, by)) = self.link.opening
            && by <= now
        {
            fx.close.push(conn);
            self.on_closed(now, conn, None, fx);
        }
        self.run_stream(now, fx);
        if self.link.opening.is_none() && self.link.open_at.is_some_and(|at| at <= now) {
            self.open(now, fx);
        }
    }

    fn run_stream(&mut self, now: Now, fx: &mut Effects) {
        let Some(stream) = &mut self.link.current else { return };
        if stream.answer_by.is_some_and(|by| by <= now) {
            let conn = stream.conn;
            fx.close.push(conn);
            self.on_closed(now, conn, None, fx);
            return;
        }
        if stream.taken_in - stream.acked >= ACK_BATCHES || stream.ack_at.is_some_and(|at| at <= now) {
            stream.acked = stream.taken_in;
            stream.ack_at = None;
            say(fx, Kind::Ack(Ack { batch: stream.acked }));
        }
        if stream.ping_at() <= now && stream.answer_by.is_none() {
            self.ping(now, fx);
        }
    }

    fn ping(&mut self, now: Now, fx: &mut Effects) {
        if let Some(stream) = &mut self.link.current {
            stream.pings += 1;
            stream.answer_by.get_or_insert(now + PONG_WITHIN);
            say(fx, Kind::Ping(Ping { nonce: stream.pings }));
        }
    }

    /// Somebody looks at the app: no waiting for the next attempt, and no trust in an old stream.
    pub(super) fn on_foreground(&mut self, now: Now, fx: &mut Effects) {
        self.link.foreground = true;
        self.link.failures = 0;
        if let Some(at) = &mut self.link.open_at {
            *at = now;
        }
        self.pump_active(fx);
        self.ping(now, fx);
    }

    pub(super) fn on_background(&mut self) {
        self.link.foreground = false;
    }

    pub(super) fn pump_active(&mut self, fx: &mut Effects) {
        let foreground = self.link.foreground;
        if let Some(stream) = &mut self.link.current
            && stream.foreground != foreground
        {
            stream.foreground = foreground;
            say(fx, Kind::SetActive(SetActive { foreground }));
        }
    }

    fn open(&mut self, now: Now, fx: &mut Effects) {
        self.link.opened += 1;
        let conn = Conn(self.link.opened);
        self.link.open_at = None;
        self.link.opening = Some((conn, now + WELCOME_WITHIN));
        for conversation in self.conversations.values_mut() {
            conversation.held_at_hello = conversation.range.map_or_else(Default::default, |range| range.have);
        }
        let hello = Hello {
            protocol: PROTOCOL,
            cursor: self.cursor.clone(),
            client: self.client.clone(),
            background: !self.link.foreground,
            mobile: self.mobile,
        };
        self.link.said_foreground = self.link.foreground;
        self.link.said_nothing_held = self.cursor.is_empty();
        fx.open = Some((conn, hello));
    }

    pub(super) fn on_welcome(&mut self, now: Now, conn: Conn, welcome: &Welcome, fx: &mut Effects) {
        if let Some(old) = self.link.current.take() {
            fx.close.push(old.conn);
            fx.send.clear();
        }
        self.link.opening = None;
        self.link.current = Some(Stream::new(conn, now, self.link.said_foreground, welcome));
        self.leave_stream(fx);
        if self.link.said_nothing_held {
            // People with whom there is nothing any more do not come. Until the others have, no cursor is true.
            fx.save.push(Mutation::ForgetPeople);
            self.set_cursor(Bytes::new(), fx);
        }
        match &self.generation {
            Some(known) if *known == welcome.generation => return,
            Some(_) => {
                self.conversations.clear();
                self.ahead = Ahead::default();
                self.fetches.reset();
                self.cursor = Bytes::new();
                fx.save.push(Mutation::Reset(welcome.generation.clone()));
                fx.tell.push(Event::Reset);
            }
            None => fx.save.push(Mutation::Generation(welcome.generation.clone())),
        }
        self.generation = Some(welcome.generation.clone());
    }

    /// Forgets what belonged to a stream.
    fn leave_stream(&mut self, fx: &mut Effects) {
        self.fetches.leave_stream();
        self.marks.leave_stream();
        self.outbox.leave_stream();
        self.wishes.leave_stream();
        self.doings.leave_stream(fx);
        self.watching.leave_stream(fx);
        for conversation in self.conversations.values_mut() {
            conversation.held = conversation.held_at_hello;
            conversation.received_said = Seq::default();
            conversation.read_said = Seq::default();
        }
    }

    pub(super) fn on_sync_done(&mut self, now: Now, cursor: Bytes, fx: &mut Effects) {
        let Some(stream) = &mut self.link.current else { return };
        stream.live = true;
        self.link.failures = 0;
        self.link.told_offline = false;
        self.set_cursor(cursor, fx);
        self.want_what_is_behind();
        self.remember_marks(now);
        fx.load_outbox = true;
        fx.tell.push(Event::Online);
    }

    /// A checkpoint within the sync could pass over rows still to come.
    pub(super) fn on_checkpoint(&mut self, cursor: Bytes, fx: &mut Effects) {
        if self.link.is_live() {
            self.set_cursor(cursor, fx);
        }
    }

    fn set_cursor(&mut self, cursor: Bytes, fx: &mut Effects) {
        if self.cursor != cursor {
            self.cursor = cursor.clone();
            fx.save.push(Mutation::Cursor(cursor));
        }
    }

    pub(super) fn on_drain(&mut self, now: Now, drain: &Drain) {
        let after = drain.reconnect_after.and_then(verdict::said).unwrap_or_default();
        if self.link.opening.is_none() && self.link.open_at.is_none() {
            // All clients of the server are told at once, and the same.
            self.link.open_at = Some(now + backoff::wait(&mut self.rng, 0, Some(after)));
        }
    }

    pub(super) fn on_goodbye(&mut self, now: Now, conn: Conn, goodbye: &Goodbye, fx: &mut Effects) {
        fx.close.push(conn);
        let problem = Problem {
            reason: goodbye.reason,
            message: goodbye.message.clone(),
            retry_after: goodbye.after,
            ..Problem::default()
        };
        self.ended(now, conn, Some(problem), goodbye.reconnect, fx);
    }

    pub(super) fn on_closed(&mut self, now: Now, conn: Conn, problem: Option<Problem>, fx: &mut Effects) {
        let again = problem.as_ref().is_none_or(may_reconnect);
        self.ended(now, conn, problem, again, fx);
    }

    pub(super) fn ended(
        &mut self,
        now: Now,
        conn: Conn,
        problem: Option<Problem>,
        mut again: bool,
        fx: &mut Effects,
    ) {
        if self.link.is_opening(conn) {
            self.link.opening = None;
        } else if self.link.current_conn() == Some(conn) {
            self.link.current = None;
            fx.send.clear();
            self.leave_stream(fx);
            if self.link.opening.is_some() {
                return; // its successor is on the way, and may be what displaced it
            }
            // So may be one that has ended since.
            let is_displaced = problem.as_ref().is_some_and(|p| p.reason() == ErrorReason::Displaced);
            again |= is_displaced && conn != Conn(self.link.opened);
        } else {
            return;
        }
        let cursor_refused = problem.as_ref().is_some_and(|p| p.reason() == ErrorReason::CursorInvalid);
        if cursor_refused {
            self.set_cursor(Bytes::new(), fx);
        }
        if !again && !cursor_refused {
            self.link.open_at = None;
            fx.tell.push(Event::Stopped(problem.unwrap_or_default()));
            return;
        }
        let advice = problem.as_ref().and_then(retry_after);
        let at = now + backoff::wait(&mut self.rng, self.link.failures, advice);
        self.link.failures += 1;
        self.link.open_at = Some(self.link.open_at.map_or(at, |already| already.min(at)));
        if self.link.current.is_none() && !self.link.told_offline {
            self.link.told_offline = true;
            fx.tell.push(Event::Offline(problem));
        }
    }
}

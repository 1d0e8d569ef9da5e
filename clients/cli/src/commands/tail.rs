//! `tail`: the store printed as it grows.
//!
//! Events only say where to look: what is printed comes from the store, each conversation's entries after the last one
//! printed. So whatever the stream goes through, an entry is printed once, and in its place.

use std::collections::BTreeMap;

use parlor_client::core::{Event, FileFault, UploadNews};
use parlor_client::store::StoredConversation;
use parlor_client::{Client, Error, Live, News};
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::errors::v1::Problem;

use super::show::Gallery;
use super::{activity, conversations, history};
use crate::args;
use crate::names::{self, Names};
use crate::outcome::{Failure, Outcome};
use crate::output::Output;

/// Entries read from the store at once.
const PAGE: u32 = 200;

struct Tail<'a> {
    client: &'a Client,
    live: Live,
    names: Names,
    gallery: Gallery,
    only: Option<ConversationId>,
    wishes: args::Tail,
    /// The last entry printed of each conversation, or the one before the first to print.
    printed: BTreeMap<ConversationId, Seq>,
    /// This profile had synced before: what is new to it is to be printed from its beginning.
    had_synced: bool,
    online: bool,
    was_offline: bool,
    /// Whose entry was printed last.
    last: Option<ConversationId>,
    me: String,
}

pub async fn run(client: &Client, out: &mut Output, wishes: args::Tail) -> Outcome {
    let me = client.me().await?.to_string();
    let only = match &wishes.to {
        Some(to) => Some(names::conversation(client, to).await?),
        None => None,
    };
    let saved = client.store().load().map_err(Error::from)?;
    let ranges = saved.conversations.iter().filter_map(|known| Some((known.id, known.range?.have)));
    let printed = ranges.collect();
    let had_synced = !saved.cursor.is_empty();
    let (live, mut events) = client.live().await?;
    let names = Names::default();
    let gallery = Gallery::new(wishes.pictures, out);
    let (online, was_offline, last) = (false, false, None);
    let mut tail = Tail {
        client,
        live,
        names,
        gallery,
        only,
        wishes,
        printed,
        had_synced,
        online,
        was_offline,
        last,
        me,
    };
    while let Some(news) = events.next().await {
        match news {
            News::Event(event) => tail.on_event(out, event).await?,
            News::Missed(_) => tail.print_all(out).await?,
        }
    }
    Err(Error::Stopped.into())
}

impl Tail<'_> {
    async fn on_event(&mut self, out: &mut Output, event: Event) -> Outcome {
        match event {
            Event::Online => self.on_online(out).await,
            Event::Offline(problem) => {
                self.was_offline = true;
                let why =
                    problem.as_ref().map_or_else(String::new, |problem| format!(": {}", reason(problem)));
                out.notice("disconnected", &format!("the connection is lost{why}; trying again"));
                Ok(())
            }
            Event::Stopped(problem) => Err(stopped(problem)),
            Event::Reset => {
                out.notice(
                    "reset",
                    "the server was restored from a backup: its log may differ from what was printed",
                );
                Ok(())
            }
            Event::Regressed(id) => {
                out.notice("regressed", &format!("the log of {id} is shorter than it was"));
                self.print(out, id, None).await
            }
            Event::Conversation { conversation, .. } | Event::Entries { conversation, .. } => {
                self.print(out, conversation, None).await
            }
            Event::Older { conversation, low, complete } => {
                self.print(out, conversation, complete.then_some(low)).await
            }
            Event::Settled(op, outcome) => {
                if let Err(problem) = outcome {
                    out.notice(
                        "dropped",
                        &format!("{op}, which was waiting, was refused: {}", reason(&problem)),
                    );
                }
                Ok(())
            }
            Event::Upload { message, news: UploadNews::Failed(failure) } => {
                let why = match failure.why {
                    FileFault::Changed => "it was changed after it was to be sent".to_owned(),
                    FileFault::Unreadable(why) => why,
                    FileFault::Refused(problem) => reason(&problem),
                };
                let text = format!(
                    "{message}, which was waiting, will not be sent: {}: {why}",
                    failure.path.display()
                );
                out.notice("dropped", &text);
                Ok(self.client.discard(message).await?)
            }
            Event::PreferencesRefused { conversation, problem, .. } => {
                let text =
                    format!("a change of preferences of {conversation} was refused: {}", reason(&problem));
                out.notice("dropped", &text);
                Ok(())
            }
            Event::Typing { conversation, user, activity } if self.tells_of(conversation) => {
                activity::typing(self.client, out, &mut self.names, conversation, user, activity).await
            }
            Event::Receipts { conversation, users } if self.tells_of(conversation) => {
                activity::receipts(self.client, out, &mut self.names, conversation, &users).await
            }
            // Nobody is watched here, and the rest is for programs with a window.
            Event::Typing { .. }
            | Event::Upload { .. }
            | Event::Receipts { .. }
            | Event::Changed { .. }
            | Event::Presence { .. }
            | Event::Person(_)
            | Event::Privacy
            | Event::Refused { .. } => Ok(()),
        }
    }

    fn tells_of(&self, conversation: ConversationId) -> bool {
        self.wishes.activity && self.online && self.only.is_none_or(|only| only == conversation)
    }

    async fn on_online(&mut self, out: &mut Output) -> Outcome {
        if std::mem::take(&mut self.was_offline) {
            out.notice("connected", "connected again");
        } else {
            out.notice("connected", "connected");
        }
        let first = !std::mem::replace(&mut self.online, true);
        if first {
            self.begin()?;
        }
        self.print_all(out).await
    }

    /// Where printing begins, when all that exists is known.
    fn begin(&mut self) -> Outcome {
        for known in self.client.store().conversations().map_err(Error::from)? {
            let from_start = if self.had_synced { before_first(&known) } else { have(&known) };
            let begin = self.printed.entry(known.id).or_insert(from_start);
            if let Some(count) = self.wishes.history {
                *begin = (*begin).min(Seq(known.head.0.saturating_sub(count)));
            }
        }
        if let (Some(only), Some(since)) = (self.only, self.wishes.since) {
            self.printed.insert(only, Seq(since));
        }
        Ok(())
    }

    async fn print_all(&mut self, out: &mut Output) -> Outcome {
        for known in self.client.store().conversations().map_err(Error::from)? {
            self.print(out, known.id, None).await?;
        }
        Ok(())
    }

    /// Prints what has not been printed. `lowest` is given when nothing below it may be read.
    async fn print(&mut self, out: &mut Output, id: ConversationId, lowest: Option<Seq>) -> Outcome {
        if !self.online || self.only.is_some_and(|only| only != id) {
            return Ok(());
        }
        let Some(known) = self.client.store().conversation(id).map_err(Error::from)? else { return Ok(()) };
        let Some(range) = known.range else { return Ok(()) };
        // One that appears while this runs is new as a whole. A log that became shorter goes on from its new end.
        let printed = self.printed.entry(id).or_insert_with(|| before_first(&known));
        *printed = (*printed).min(known.head);
        let mut from = printed.next().max(lowest.unwrap_or_default());
        if from < range.low && from <= range.have.max(known.head) {
            let readable = before_first(&known).next();
            from = from.max(readable);
            if from < range.low {
                return Ok(self.live.fetch_older(id, from).await?);
            }
        }
        while from <= range.have {
            let store = self.client.store();
            let entries = store.entries(id, from, range.have, PAGE).map_err(Error::from)?;
            let Some(last) = entries.last() else { break };
            let last = Seq(last.seq);
            self.head(out, &known).await?;
            history::print(self.client, out, &mut self.names, &mut self.gallery, &entries).await?;
            self.printed.insert(id, last);
            from = last.next();
            if self.wishes.mark_read {
                self.live.mark_read(id, last).await?;
            }
        }
        Ok(())
    }

    /// Says whose entries follow, where several conversations are followed.
    async fn head(&mut self, out: &mut Output, known: &StoredConversation) -> Outcome {
        let changed = self.last.replace(known.id) != Some(known.id);
        if let Some(row) = known.row.as_ref().filter(|_| changed && self.only.is_none()) {
            let members = row.members.iter().filter_map(|member| UserId::parse(&member.user_id));
            self.names.learn(self.client, members).await?;
            out.heading(&format!("-- {}", conversations::title(row, &self.me, &self.names)))?;
        }
        Ok(())
    }
}

/// The place before the first entry that may be read.
fn before_first(known: &StoredConversation) -> Seq {
    let readable = known.row.as_ref().and_then(|row| row.readable.last());
    readable.map_or_else(Seq::default, |range| Seq(range.from_seq).previous())
}

fn have(known: &StoredConversation) -> Seq {
    known.range.map_or(known.head, |range| range.have)
}

fn reason(problem: &Problem) -> String {
    parlor_wire::reason::name(problem.reason()).to_owned()
}

/// The stream will not come back.
pub fn stopped(problem: Problem) -> Failure {
    use parlor_wire::errors::v1::ErrorReason as R;
    match problem.reason() {
        R::TokenMissing | R::TokenInvalid | R::SessionEnded | R::RefreshReused => {
            Error::SessionOver(problem).into()
        }
        R::Displaced => Failure::Failed("another stream of this session has taken over".to_owned()),
        _ => Error::Refused(problem).into(),
    }
}

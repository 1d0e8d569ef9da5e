//! Reading a line: all fields that any event has, in one pass, and then the event that they make. Serde's own way for an enum
//! within a struct keeps every field aside first, which takes twice as long.

use std::borrow::Cow;

use parlor_types::{ConversationId, Op, SessionId, UserId};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::id::Named;
use crate::{Event, Line, Nanos, Seen};

#[derive(Deserialize)]
struct Flat<'a> {
    at: Nanos,
    #[serde(borrow)]
    client: Cow<'a, str>,
    event: Name,
    op: Option<Named<Op>>,
    conversation: Option<Named<ConversationId>>,
    user: Option<Named<UserId>>,
    session: Option<Named<SessionId>>,
    generation: Option<String>,
    base_seq: Option<u64>,
    content: Option<String>,
    reason: Option<String>,
    seq: Option<u64>,
    head: Option<u64>,
    entries: Option<Vec<Seen>>,
    from: Option<u64>,
    to: Option<u64>,
    ranges: Option<Vec<(u64, Option<u64>)>>,
    #[serde(default)]
    whole: bool,
    received: Option<u64>,
    read: Option<u64>,
    messages: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Begin,
    Generation,
    Invoke,
    Ok,
    Fail,
    Unknown,
    Recalled,
    Owed,
    Applied,
    Page,
    Head,
    Resumed,
    Forgot,
    Readable,
    Held,
    Marks,
    Unread,
    Revoked,
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let flat = Flat::deserialize(from)?;
        let (at, client) = (flat.at, flat.client.as_ref().into());
        Ok(Self { at, client, event: flat.event()? })
    }
}

/// What an event cannot do without.
fn need<T, E: Error>(field: Option<T>, name: &'static str) -> Result<T, E> {
    field.ok_or_else(|| E::missing_field(name))
}

impl Flat<'_> {
    fn event<E: Error>(self) -> Result<Event, E> {
        let op = || need(self.op, "op").map(|Named(op)| op);
        let conversation = || need(self.conversation, "conversation").map(|Named(id)| id);
        let user = || need(self.user, "user").map(|Named(user)| user);
        Ok(match self.event {
            Name::Begin => {
                Event::Begin { user: user()?, session: self.session.map(|Named(session)| session) }
            }
            Name::Generation => Event::Generation { generation: need(self.generation, "generation")? },
            Name::Invoke => Event::Invoke {
                op: op()?,
                conversation: conversation()?,
                base_seq: self.base_seq,
                content: self.content,
            },
            Name::Ok => Event::Ok { op: op()?, seq: need(self.seq, "seq")? },
            Name::Fail => Event::Fail { op: op()?, reason: need(self.reason, "reason")? },
            Name::Unknown => Event::Unknown { op: op()? },
            Name::Recalled => Event::Recalled { op: op()? },
            Name::Owed => Event::Owed { op: op()? },
            Name::Applied => {
                let entries = fitting(need(self.entries, "entries")?);
                Event::Applied { conversation: conversation()?, entries }
            }
            Name::Page => {
                let entries = fitting(need(self.entries, "entries")?);
                Event::Page { conversation: conversation()?, entries }
            }
            Name::Head => Event::Head { conversation: conversation()?, head: need(self.head, "head")? },
            Name::Resumed => Event::Resumed {
                conversation: conversation()?,
                from: need(self.from, "from")?,
                to: need(self.to, "to")?,
            },
            Name::Forgot => Event::Forgot { conversation: conversation()? },
            Name::Readable => {
                Event::Readable { conversation: conversation()?, ranges: need(self.ranges, "ranges")? }
            }
            Name::Held => Event::Held {
                conversation: conversation()?,
                ranges: closed(need(self.ranges, "ranges")?)?,
                whole: self.whole,
            },
            Name::Marks => Event::Marks {
                conversation: conversation()?,
                user: user()?,
                received: need(self.received, "received")?,
                read: need(self.read, "read")?,
            },
            Name::Unread => Event::Unread {
                conversation: conversation()?,
                head: need(self.head, "head")?,
                read: need(self.read, "read")?,
                messages: need(self.messages, "messages")?,
            },
            Name::Revoked => {
                Event::Revoked { session: need(self.session, "session").map(|Named(session)| session)? }
            }
        })
    }
}

/// Most are few, and a list that grows makes room for more.
fn fitting(mut entries: Vec<Seen>) -> Vec<Seen> {
    entries.shrink_to_fit();
    entries
}

/// What is held has an end.
fn closed<E: Error>(ranges: Vec<(u64, Option<u64>)>) -> Result<Vec<(u64, u64)>, E> {
    let closed = ranges.into_iter().map(|(from, to)| Some((from, to?)));
    closed.collect::<Option<_>>().ok_or_else(|| E::custom("what is held has an end"))
}

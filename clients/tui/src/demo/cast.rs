//! The people who talk.

use std::convert::Infallible;
use std::path::PathBuf;

use parlor_client::core::{Draft, Event};
use parlor_client::{Client, Error, Events, FileDraft, FileToSend, Live, News};
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Activity, Text};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::script::{ANSWERS, Deed, MOMENTS, Role, SCENE};
use super::{DemoError, Stage, picture};

/// All of them, and where they talk.
pub struct Cast {
    actors: Vec<Actor>,
    group: ConversationId,
    you: UserId,
    picture: PathBuf,
    /// How many were given; nobody interrupts.
    answers: Mutex<usize>,
}

struct Actor {
    role: Role,
    client: Client,
    live: Live,
    events: Mutex<Events>,
}

impl Cast {
    /// Gives them accounts, connects them, and makes the group.
    pub async fn gather(stage: &Stage, you: UserId) -> Result<Self, DemoError> {
        let mut actors = Vec::new();
        for role in Role::ALL {
            let client = stage.register(role.username(), role.name()).await?;
            let (live, events) = client.live().await?;
            actors.push(Actor { role, client, live, events: Mutex::new(events) });
        }
        let mut members = vec![you];
        for actor in actors.iter().skip(1) {
            members.push(actor.client.me().await?);
        }
        let group = actors[0].client.create_group("Harbour walk", &members, None).await?;
        let group = ConversationId::parse(&group.id).ok_or(Error::Answer("a conversation id"))?;
        let picture = stage.folder("harbour.png");
        picture::paint(&picture).map_err(std::io::Error::other)?;
        Ok(Self { actors, group, you, picture, answers: Mutex::new(0) })
    }

    /// Plays the scene, and answers for ever.
    pub async fn play(&self) -> Infallible {
        let [one, two, three] = [0, 1, 2].map(|at| self.listen(&self.actors[at]));
        let scene = async {
            for (role, deed) in SCENE {
                sleep(MOMENTS.1).await;
                // A message that cannot be sent now is sent when it can be; who watches sees why.
                let _ = self.act(self.actor(*role), *deed).await;
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            never = scene => never,
            never = one => never,
            never = two => never,
            never = three => never,
        }
    }

    fn actor(&self, role: Role) -> &Actor {
        self.actors.iter().find(|actor| actor.role == role).unwrap_or(&self.actors[0])
    }

    async fn act(&self, actor: &Actor, deed: Deed) -> Result<(), Error> {
        let (text, place) = match deed {
            Deed::Say(text) | Deed::Answer(text) | Deed::Reword(text) | Deed::Show(text) => {
                (text, self.group)
            }
            Deed::Whisper(text) => (text, actor.client.direct(self.you).await?),
            Deed::Unsay => ("", self.group),
        };
        let draft = match deed {
            Deed::Say(_) | Deed::Whisper(_) => said(place, text, Seq::default()),
            Deed::Answer(_) => said(place, text, self.last(actor, false).await?),
            Deed::Reword(_) => Draft::edit(place, self.last(actor, true).await?, text.to_owned()),
            Deed::Unsay => Draft::delete(place, self.last(actor, true).await?),
            Deed::Show(_) => {
                let file = FileToSend { path: self.picture.clone(), purpose: None, poster: None };
                let (caption, reply_to) = (text.to_owned(), Seq::default());
                let draft = FileDraft {
                    conversation: place,
                    files: vec![file],
                    caption,
                    reply_to,
                    mentions: Vec::new(),
                };
                return actor.live.send_file(draft).await.map(drop);
            }
        };
        self.type_and_send(actor, draft).await
    }

    async fn type_and_send(&self, actor: &Actor, draft: Draft) -> Result<(), Error> {
        actor.live.set_typing(draft.conversation, Activity::Typing).await?;
        sleep(MOMENTS.0).await;
        actor.live.send(draft).await?.settled().await.map(drop)
    }

    /// The last message in the group, of their own or of somebody else.
    async fn last(&self, actor: &Actor, own: bool) -> Result<Seq, Error> {
        let me = actor.client.me().await?.to_string();
        let row = actor.client.conversation(self.group).await?;
        let page =
            actor.client.fetch(self.group, Seq(row.head.saturating_sub(20).max(1)), Seq::default()).await?;
        let is_text = |kind: &Kind| matches!(kind, Kind::Text(_));
        let mut messages = page.entries.iter().rev().filter(|entry| {
            let kind = entry.kind();
            (entry.sender_id == me) == own && kind.is_some_and(is_text)
        });
        Ok(Seq(messages.next().map_or(0, |entry| entry.seq)))
    }

    /// Reads what is said, and answers you.
    async fn listen(&self, actor: &Actor) -> Infallible {
        let mut events = actor.events.lock().await;
        while let Some(news) = events.next().await {
            if let News::Event(Event::Entries { conversation, from, to }) = news {
                sleep(MOMENTS.1).await;
                // When the connection has ended there is nothing left to do.
                let _ = actor.live.mark_read(conversation, to).await;
                let _ = self.answer(actor, conversation, from, to).await;
            }
        }
        std::future::pending().await
    }

    async fn answer(&self, actor: &Actor, place: ConversationId, from: Seq, to: Seq) -> Result<(), Error> {
        let entries = actor.client.store().entries(place, from, to, 100)?;
        let you = self.you.to_string();
        let asked = entries.iter().rev().find(|entry| entry.sender_id == you && entry.target == 0);
        let Some(asked) = asked.map(|entry| Seq(entry.seq)) else { return Ok(()) };
        let turn = usize::try_from(asked.0).unwrap_or_default() % Role::ALL.len();
        if place == self.group && Role::ALL[turn] != actor.role {
            return Ok(());
        }
        let mut answers = self.answers.lock().await;
        let text = ANSWERS[*answers % ANSWERS.len()];
        self.type_and_send(actor, said(place, text, asked)).await?;
        *answers += 1;
        Ok(())
    }
}

fn said(place: ConversationId, text: &str, reply_to: Seq) -> Draft {
    Draft { reply_to, ..Draft::new(place, Kind::Text(Text { body: text.to_owned() })) }
}

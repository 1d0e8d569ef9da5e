//! What effects ask for, done with the client library.

use std::path::PathBuf;
use std::sync::Arc;

use parlor_client::core::Draft;
use parlor_client::store::{Store, StoreError};
use parlor_client::{Client, Error, FileDraft, Live};
use parlor_types::{ConversationId, Id as _, MediaId, Op, UserId};
use parlor_wire::media::v1::Variant;
use tokio::sync::mpsc;

use super::{drafts, files, load};
use crate::effect::{Deed, Effect};
use crate::input::Input;
use crate::people::Name;
use crate::picture::{self, Drawing, Protocol, ROOM};
use crate::views::people::Found;
use crate::views::settings::Known;

/// What effects need.
#[derive(Clone)]
pub struct World {
    pub client: Client,
    pub live: Arc<Live>,
    pub folder: PathBuf,
    pub pictures: Protocol,
    pub inputs: mpsc::Sender<Input>,
}

impl World {
    /// Hands something in. When nobody listens any more nobody needs to know.
    async fn tell(&self, input: Input) {
        let _ = self.inputs.send(input).await;
    }

    async fn report<T>(&self, outcome: Result<T, Error>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.tell(Input::Failed(error.to_string())).await;
                None
            }
        }
    }

    async fn stored<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<T> {
        let store = Arc::clone(self.client.store());
        let outcome = tokio::task::spawn_blocking(move || job(&store)).await;
        match outcome {
            Ok(read) => self.report(read.map_err(Error::from)).await,
            Err(_) => None, // it panicked, or this program ends
        }
    }

    /// What is said on the connection, and drafts: in order.
    pub async fn say(self, effect: Effect) {
        let live = &self.live;
        let outcome = match effect {
            Effect::Send(draft) => return self.send(draft).await,
            Effect::KeepDraft(id, draft) => {
                let folder = self.folder.clone();
                let kept =
                    tokio::task::spawn_blocking(move || drafts::keep(&folder, id, draft.as_ref())).await;
                if let Ok(Err(error)) = kept {
                    self.tell(Input::Failed(format!("the draft cannot be kept: {error}"))).await;
                }
                return;
            }
            Effect::Typing(id, activity) => live.set_typing(id, activity).await,
            Effect::MarkRead(id, seq) => live.mark_read(id, seq).await,
            Effect::Prefer(id, changes) => live.set_preferences(id, *changes).await,
            Effect::Watch(users) => live.watch(users).await,
            Effect::FetchOlder(id, seq) => live.fetch_older(id, seq).await,
            Effect::Front(true) => live.foreground().await,
            Effect::Front(false) => live.background().await,
            _ => Ok(()),
        };
        if let Err(Error::Refused(problem)) = outcome {
            self.tell(Input::Failed(crate::update::reason(&problem))).await;
        }
    }

    async fn send(self, draft: Draft) {
        let pending = match self.live.send(draft.clone()).await {
            Ok(pending) => pending,
            Err(error) => return self.tell(Input::Refused(draft, error.to_string())).await,
        };
        self.tell(Input::OutboxChanged).await;
        tokio::spawn(async move {
            if let Err(Error::Refused(problem)) = pending.settled().await {
                self.tell(Input::Refused(draft, crate::update::reason(&problem))).await;
            }
        });
    }

    /// What is read of the store: in order, so that what is newer comes later.
    pub async fn read(self, effect: Effect) {
        match effect {
            Effect::LoadChats => {
                if let Some((chats, unsent)) = self.stored(load::chats).await {
                    self.tell(Input::Chats(chats, unsent)).await;
                }
            }
            Effect::Load(id, part) => {
                if let Some(page) = self.stored(move |store| load::page(store, id, part)).await {
                    self.tell(Input::Page(page)).await;
                }
            }
            Effect::Find(id, needle, below) => {
                let wanted = needle.clone();
                if let Some(found) = self.stored(move |store| store.search(id, &wanted, below)).await {
                    self.tell(Input::Found(id, needle, found)).await;
                }
            }
            _ => {}
        }
    }

    /// Calls: each by itself, as long as it takes.
    pub async fn call(self, effect: Effect) {
        match effect {
            Effect::Learn(users) => self.learn(users).await,
            Effect::SendFiles(draft) => self.send_files(draft).await,
            Effect::Discard(op) => self.discard(op).await,
            Effect::FindTime(id, time) => {
                if let Some(seq) = self.report(self.client.first_since(id, time).await).await {
                    self.tell(Input::FoundTime(id, seq)).await;
                }
            }
            Effect::SearchPeople(query) => self.search_people(query).await,
            Effect::Direct(user) => {
                if let Some(id) = self.report(self.client.direct(user).await).await {
                    self.ready(id).await;
                }
            }
            Effect::NewGroup(name, members) => {
                let made = self.report(self.client.create_group(&name, &members, None).await).await;
                if let Some(id) = made.and_then(|row| ConversationId::parse(&row.id)) {
                    self.ready(id).await;
                }
            }
            Effect::Person(user, deed) => self.person(user, deed).await,
            Effect::LoadPicture(id, variant) => self.picture(id, variant).await,
            Effect::SaveFile(id, name) => self.save(id, &name).await,
            Effect::LoadAccount => self.account().await,
            Effect::SetPrivacy(changes) => {
                self.report(self.client.set_privacy(changes).await).await;
                self.account().await;
            }
            Effect::SetStatus(status) => {
                self.report(self.client.set_status(status).await).await;
                self.account().await;
            }
            Effect::SetName(name) => {
                self.report(self.client.update_profile(Some(name), None).await).await;
                if let Some(me) = self.report(self.client.me().await).await {
                    self.learn(vec![me]).await;
                }
                self.account().await;
            }
            _ => {}
        }
    }

    async fn learn(&self, users: Vec<UserId>) {
        if let Some(profiles) = self.report(self.client.profiles(&users).await).await {
            let names = profiles.iter().map(|(user, profile)| (*user, Name::of(profile)));
            self.tell(Input::Names(names.collect())).await;
        }
    }

    /// The row of a conversation comes with the stream; it is opened when it is there.
    async fn ready(&self, id: ConversationId) {
        let mut events = self.live.events();
        loop {
            match self.stored(move |store| store.chat(id)).await {
                Some(None) => {}
                _ => break,
            }
            if events.next().await.is_none() {
                break;
            }
        }
        self.tell(Input::Ready(id)).await;
    }

    async fn send_files(&self, draft: FileDraft) {
        if self.report(self.live.send_file(draft).await).await.is_some() {
            self.tell(Input::OutboxChanged).await;
        }
    }

    async fn discard(&self, op: Op) {
        self.report(self.client.discard(op).await).await;
        self.tell(Input::OutboxChanged).await;
    }

    async fn search_people(&self, query: String) {
        let Some(page) = self.report(self.client.search(query.trim_start_matches('@'), "").await).await
        else {
            return;
        };
        let found = page.profiles.iter().filter_map(|profile| {
            Some(Found { user: UserId::parse(&profile.user_id)?, name: Name::of(profile) })
        });
        let found = found.collect();
        self.tell(Input::People(query, found)).await;
    }

    async fn person(&self, user: UserId, deed: Deed) {
        let outcome = match deed {
            Deed::Befriend => self.client.request_contact(user, "").await,
            Deed::Block => self.client.block(user).await,
            Deed::Unblock => self.client.unblock(user).await,
        };
        self.report(outcome).await;
    }

    async fn account(&self) {
        let (profile, privacy, status) =
            tokio::join!(self.client.own_profile(), self.client.privacy(), self.client.status());
        let name = self.report(profile).await.map(|profile| profile.display_name);
        let known = Known { name, privacy: privacy.ok(), status: status.ok() };
        self.tell(Input::Account(known)).await;
    }

    async fn picture(&self, id: MediaId, variant: Variant) {
        let drawing = self.drawn(id, variant).await.unwrap_or(Drawing::Failed);
        self.tell(Input::Picture(id, drawing)).await;
    }

    async fn drawn(&self, id: MediaId, variant: Variant) -> Option<Drawing> {
        let folder = tempfile::tempdir().ok()?;
        let path = folder.path().join("picture");
        self.client.download(id, variant, &path, &mut |_| {}).await.ok()?;
        let protocol = self.pictures;
        let drawn = tokio::task::spawn_blocking(move || picture::draw(&path, protocol, ROOM)).await;
        drop(folder);
        drawn.ok()?.ok()
    }

    async fn save(&self, id: MediaId, name: &str) {
        let Some(path) = files::free_path(&files::downloads(), name, id) else {
            return self.tell(Input::Failed("there are too many files of that name".to_owned())).await;
        };
        let saved = self.client.download(id, Variant::Original, &path, &mut |_| {}).await;
        if self.report(saved).await.is_some() {
            self.tell(Input::Saved(path)).await;
        }
    }

    /// How long until the next attempt, or whether one is being made.
    pub async fn link(self) {
        use crate::state::Link;
        let link = match self.live.next_attempt().await {
            Ok(Some(wait)) => Link::Waiting(wait),
            Ok(None) => Link::Connecting,
            Err(_) => Link::Stopped,
        };
        self.tell(Input::Link(link)).await;
    }
}

/// Whether an effect is said on the connection.
pub fn is_said(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Send(_)
            | Effect::KeepDraft(..)
            | Effect::Typing(..)
            | Effect::MarkRead(..)
            | Effect::Prefer(..)
            | Effect::Watch(_)
            | Effect::FetchOlder(..)
            | Effect::Front(_)
    )
}

/// Whether an effect reads the store.
pub fn is_read(effect: &Effect) -> bool {
    matches!(effect, Effect::LoadChats | Effect::Load(..) | Effect::Find(..))
}

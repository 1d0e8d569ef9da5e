//! The services, wired to each other.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parlor_embedded::{OpenError, closed};
use parlor_grpc_kit::{Authorized, Health, LateRoutes, late_channel, local_channel};
use parlor_runtime::clock::SystemClock;
use parlor_runtime::ready::Conditions;
use parlor_runtime::tasks::{StillRunning, TaskGroup};
use tokio::sync::watch;

use crate::args::INSPECT_MEDIA;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::files::Stores;

/// The program that runs, on Linux.
const RUNNING: &str = "/proc/self/exe";

/// See the module. Some call each other, so the way to one that starts later is opened late.
pub(crate) struct Services {
    pub auth: auth_svc::App,
    pub presence: presence_svc::App,
    pub media: media_svc::App,
    pub chat: chat_svc::App,
    /// From presence-svc and media-svc to chat-svc, and from auth-svc to media-svc.
    _late: [LateRoutes; 2],
}

impl Services {
    /// Opens the stores and starts everything. What has started when something fails is given `last_moment` to end.
    pub(crate) async fn start(config: &Config, last_moment: Duration) -> Result<Self, Failure> {
        let (media_channel, to_media) = late_channel();
        let parts = auth_svc::Parts { media_internal: Some(media_channel), ..auth_svc::Parts::default() };
        let auth = auth_svc::App::build(config.auth.clone(), parts).await?;
        let (chat_channel, to_chat) = late_channel();
        let chat_internal = Authorized::new(chat_channel, auth.internal_token_source());
        let presence = match start_presence(config, &auth, chat_internal.clone()) {
            Ok(presence) => presence,
            Err(failure) => {
                let _ = auth.shutdown(last_moment).await;
                return Err(failure);
            }
        };
        let media = match start_media(config, &auth, chat_internal).await {
            Ok(media) => media,
            Err(failure) => {
                let _ = presence.shutdown(last_moment).await;
                let _ = auth.shutdown(last_moment).await;
                return Err(failure);
            }
        };
        let chat = match start_chat(config, &auth, &presence, &media) {
            Ok(chat) => chat,
            Err(failure) => {
                let _ = media.shutdown(last_moment).await;
                let _ = presence.shutdown(last_moment).await;
                let _ = auth.shutdown(last_moment).await;
                return Err(failure);
            }
        };
        to_media.open(media.internal());
        to_chat.open(chat.internal());
        Ok(Self { auth, presence, media, chat, _late: [to_chat, to_media] })
    }

    /// Their background tasks.
    pub(crate) fn tasks(&self) -> [&TaskGroup; 4] {
        [self.auth.tasks(), self.presence.tasks(), self.media.tasks(), self.chat.tasks()]
    }

    /// Asks the clients to leave, and waits for those who have streams.
    pub(crate) async fn drain(&self) {
        self.presence.drain();
        self.media.drain();
        self.chat.drain().await;
    }

    /// Ends the background tasks: first those of who calls others. How each group ended, by name.
    pub(crate) async fn shutdown(
        &self,
        left: impl Fn() -> Duration,
    ) -> [(&'static str, Result<(), StillRunning>); 4] {
        [
            ("chat", self.chat.shutdown(left()).await),
            ("media", self.media.shutdown(left()).await),
            ("presence", self.presence.shutdown(left()).await),
            ("auth", self.auth.shutdown(left()).await),
        ]
    }

    /// Lets go of the stores, and waits until they are closed.
    pub(crate) async fn close(self, stores: &Stores) -> Result<(), OpenError> {
        drop(self);
        let Stores { auth, presence, media, chat, .. } = stores;
        tokio::try_join!(closed(auth), closed(presence), closed(media), closed(chat)).map(drop)
    }

    /// Keeps `health` true: auth-svc is ready from its start, the others while they know which sessions have ended.
    /// `told` says whether all are.
    pub(crate) fn tell(&self, health: Health, told: watch::Sender<bool>) -> impl Future<Output = ()> + use<> {
        let readiness = [
            (chat_svc::PUBLIC_SERVICES, self.chat.readiness().watch()),
            (presence_svc::PUBLIC_SERVICES, self.presence.readiness().watch()),
            (media_svc::PUBLIC_SERVICES, self.media.readiness().watch()),
        ];
        tell(health, readiness, told)
    }
}

/// The full names of what is served to clients.
pub(crate) fn names() -> Vec<&'static str> {
    let of_each = [
        auth_svc::PUBLIC_SERVICES,
        chat_svc::PUBLIC_SERVICES,
        presence_svc::PUBLIC_SERVICES,
        media_svc::PUBLIC_SERVICES,
    ];
    of_each.concat()
}

fn start_presence(
    config: &Config,
    auth: &auth_svc::App,
    chat_internal: Authorized,
) -> Result<presence_svc::App, Failure> {
    let needs = presence_svc::Needs {
        store: Stores::of(&config.server.data).presence,
        auth: local_channel(auth.public()),
        auth_internal: Authorized::new(local_channel(auth.internal()), auth.internal_token_source()),
        chat_internal,
        clock: Arc::new(SystemClock),
    };
    Ok(presence_svc::App::build(&config.presence, needs)?)
}

async fn start_media(
    config: &Config,
    auth: &auth_svc::App,
    chat_internal: Authorized,
) -> Result<media_svc::App, Failure> {
    let needs = media_svc::Needs {
        data: config.server.data.clone(),
        auth: local_channel(auth.public()),
        auth_internal: Authorized::new(local_channel(auth.internal()), auth.internal_token_source()),
        chat_internal,
        inspector: inspector()?,
        clock: Arc::new(SystemClock),
    };
    let media = media_svc::App::build(&config.media, needs)?;
    if let Err(refusal) = media.probe().await {
        let _ = media.shutdown(Duration::ZERO).await;
        return Err(refusal.into());
    }
    Ok(media)
}

/// The command of the process in which uploads are looked at: this program, told to do that alone. Where the system knows it, that is
/// the program that runs, also when another one lies in its place by now.
fn inspector() -> Result<Vec<OsString>, Failure> {
    let running = Path::new(RUNNING);
    let own = if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() };
    let own =
        own.map_err(|error| Failure::new(Code::Internal, format!("cannot find this program: {error}")))?;
    Ok(vec![own.into(), INSPECT_MEDIA.into()])
}

fn start_chat(
    config: &Config,
    auth: &auth_svc::App,
    presence: &presence_svc::App,
    media: &media_svc::App,
) -> Result<chat_svc::App, Failure> {
    let internal = |routes| Authorized::new(local_channel(routes), auth.internal_token_source());
    let needs = chat_svc::Needs {
        store: Stores::of(&config.server.data).chat,
        auth: local_channel(auth.public()),
        auth_internal: internal(auth.internal()),
        presence_internal: Some(internal(presence.internal())),
        media_internal: Some(internal(media.internal())),
    };
    Ok(chat_svc::App::build(&config.chat, needs)?)
}

/// Watchers of health hear of changes only.
async fn tell(
    health: Health,
    mut readiness: [(&[&str], watch::Receiver<Conditions>); 3],
    told: watch::Sender<bool>,
) {
    health.set_ready(auth_svc::PUBLIC_SERVICES, true).await;
    let mut before = [false; 3];
    loop {
        for ((names, watch), before) in readiness.iter_mut().zip(&mut before) {
            let now = watch.borrow_and_update().ready();
            if now != *before {
                health.set_ready(names, now).await;
            }
            *before = now;
        }
        told.send_replace(before.iter().all(|ready| *ready));
        let [(_, first), (_, second), (_, third)] = &mut readiness;
        let changed = tokio::select! {
            changed = first.changed() => changed,
            changed = second.changed() => changed,
            changed = third.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}

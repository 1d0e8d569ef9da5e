//! The services of a process, wired to each other and to those that are apart.

mod doors;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_all;
use parlor_embedded::{OpenError, closed};
use parlor_grpc_kit::{Authorized, ClientTls, Health, LateRoutes, Plain, ServiceTokens, TokenSource, merge};
use parlor_runtime::clock::SystemClock;
use parlor_runtime::ready::Conditions;
use parlor_runtime::tasks::{StillRunning, TaskGroup};
use tokio::sync::watch;
use tonic::service::Routes;

use crate::args::INSPECT_MEDIA;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::files::Stores;
use crate::program::{Program, Service};

use doors::Doors;

/// The program that runs, on Linux.
const RUNNING: &str = "/proc/self/exe";

/// Those that run here.
#[derive(Default)]
pub(crate) struct Services {
    auth: Option<auth_svc::App>,
    presence: Option<presence_svc::App>,
    media: Option<media_svc::App>,
    chat: Option<chat_svc::App>,
    /// The ways from one to another that started after it.
    late: Vec<LateRoutes>,
}

/// What a service gives to whoever runs it.
struct Hosted<'a> {
    service: Service,
    public: Routes,
    internal: Routes,
    readiness: watch::Receiver<Conditions>,
    tasks: &'a TaskGroup,
}

/// Who calls others: the ways to them, and the credential.
struct Calling {
    doors: Doors,
    tokens: Arc<dyn TokenSource>,
}

impl Calling {
    fn to(&self, service: Service) -> Authorized {
        Authorized::new(self.doors.to(service), Arc::clone(&self.tokens))
    }
}

impl Services {
    /// Opens the stores and starts everything; calls to other processes go over `tls`, if there is one. What has started when something fails is given `last_moment` to end.
    pub(crate) async fn start(
        program: &Program,
        config: &Config,
        tls: Option<&ClientTls>,
        last_moment: Duration,
    ) -> Result<Self, Failure> {
        let mut services = Self::default();
        match services.start_all(program, config, tls).await {
            Ok(()) => Ok(services),
            Err(failure) => {
                services.shutdown(|| last_moment).await;
                Err(failure)
            }
        }
    }

    async fn start_all(
        &mut self,
        program: &Program,
        config: &Config,
        tls: Option<&ClientTls>,
    ) -> Result<(), Failure> {
        let mut doors = Doors::new(program, &config.internal, tls)?;
        if program.runs(Service::Auth) {
            let media_internal = Some(doors.to(Service::Media));
            let parts = auth_svc::Parts { media_internal, ..auth_svc::Parts::default() };
            let auth = self.auth.insert(auth_svc::App::build(config.auth.clone(), parts).await?);
            self.late.extend(doors.open(Service::Auth, internal_of_auth(auth)));
        }
        let tokens: Arc<dyn TokenSource> = match &self.auth {
            Some(auth) => auth.internal_token_source(),
            None => Arc::new(own_tokens(program, config, &doors)?),
        };
        let mut calling = Calling { doors, tokens };
        if program.runs(Service::Presence) {
            let presence = self.presence.insert(presence(config, &calling)?);
            self.late.extend(calling.doors.open(Service::Presence, presence.internal()));
        }
        if program.runs(Service::Media) {
            let media = self.media.insert(media(config, &calling)?);
            self.late.extend(calling.doors.open(Service::Media, media.internal()));
            media.probe().await?;
        }
        if program.runs(Service::Chat) {
            let chat = self.chat.insert(chat(config, &calling)?);
            self.late.extend(calling.doors.open(Service::Chat, chat.internal()));
        }
        Ok(())
    }

    fn hosted(&self) -> Vec<Hosted<'_>> {
        let auth = self.auth.as_ref().map(|app| Hosted {
            service: Service::Auth,
            public: app.public(),
            internal: internal_of_auth(app),
            readiness: app.ready().watch(),
            tasks: app.tasks(),
        });
        let presence = self.presence.as_ref().map(|app| Hosted {
            service: Service::Presence,
            public: app.public(),
            internal: app.internal(),
            readiness: app.readiness().watch(),
            tasks: app.tasks(),
        });
        let media = self.media.as_ref().map(|app| Hosted {
            service: Service::Media,
            public: app.public(),
            internal: app.internal(),
            readiness: app.readiness().watch(),
            tasks: app.tasks(),
        });
        let chat = self.chat.as_ref().map(|app| Hosted {
            service: Service::Chat,
            public: app.public(),
            internal: app.internal(),
            readiness: app.readiness().watch(),
            tasks: app.tasks(),
        });
        [auth, presence, media, chat].into_iter().flatten().collect()
    }

    /// What clients call.
    pub(crate) fn public(&self) -> Vec<Routes> {
        self.hosted().into_iter().map(|hosted| hosted.public).collect()
    }

    /// What other services call.
    pub(crate) fn internal(&self) -> Vec<Routes> {
        self.hosted().into_iter().map(|hosted| hosted.internal).collect()
    }

    /// What is served to clients beside gRPC.
    pub(crate) fn plain(&self) -> Option<Plain> {
        self.media.as_ref().map(media_svc::App::http)
    }

    /// Their background tasks.
    pub(crate) fn tasks(&self) -> Vec<&TaskGroup> {
        self.hosted().into_iter().map(|hosted| hosted.tasks).collect()
    }

    /// Asks the clients to leave, and waits for those who have streams.
    pub(crate) async fn drain(&self) {
        if let Some(presence) = &self.presence {
            presence.drain();
        }
        if let Some(media) = &self.media {
            media.drain();
        }
        if let Some(chat) = &self.chat {
            chat.drain().await;
        }
    }

    /// Ends the background tasks, and the streams of other services: first those of who calls others. How each group
    /// ended, by name.
    pub(crate) async fn shutdown(
        &self,
        left: impl Fn() -> Duration,
    ) -> Vec<(&'static str, Result<(), StillRunning>)> {
        let mut ended = Vec::new();
        if let Some(chat) = &self.chat {
            ended.push(("chat", chat.shutdown(left()).await));
        }
        if let Some(media) = &self.media {
            ended.push(("media", media.shutdown(left()).await));
        }
        if let Some(presence) = &self.presence {
            ended.push(("presence", presence.shutdown(left()).await));
        }
        if let Some(auth) = &self.auth {
            ended.push(("auth", auth.shutdown(left()).await));
        }
        ended
    }

    /// Lets go of the stores, and waits until they are closed.
    pub(crate) async fn close(self, program: &Program, stores: &Stores) -> Result<(), OpenError> {
        drop(self);
        for store in stores.databases(program) {
            closed(store).await?;
        }
        Ok(())
    }

    /// Keeps `health` true; `told` says whether all are ready.
    pub(crate) fn tell(&self, health: Health, told: watch::Sender<bool>) -> impl Future<Output = ()> + use<> {
        let hosted = self.hosted().into_iter();
        tell(health, hosted.map(|hosted| (hosted.service, hosted.readiness)).collect(), told)
    }
}

/// Besides what only services may call, others want its keys, and tokens for themselves.
fn internal_of_auth(auth: &auth_svc::App) -> Routes {
    merge([auth.internal(), auth.public()])
}

fn own_tokens(program: &Program, config: &Config, doors: &Doors) -> Result<ServiceTokens, Failure> {
    let (account, secret) = config.internal.credential(program)?;
    Ok(ServiceTokens::new(doors.to(Service::Auth), account, secret, program.name))
}

fn presence(config: &Config, calling: &Calling) -> Result<presence_svc::App, Failure> {
    let needs = presence_svc::Needs {
        store: Stores::of(&config.server.data).presence,
        auth: calling.doors.to(Service::Auth),
        auth_internal: calling.to(Service::Auth),
        chat_internal: calling.to(Service::Chat),
        clock: Arc::new(SystemClock),
    };
    Ok(presence_svc::App::build(&config.presence, needs)?)
}

fn media(config: &Config, calling: &Calling) -> Result<media_svc::App, Failure> {
    let needs = media_svc::Needs {
        data: config.server.data.clone(),
        auth: calling.doors.to(Service::Auth),
        auth_internal: calling.to(Service::Auth),
        chat_internal: calling.to(Service::Chat),
        inspector: inspector()?,
        clock: Arc::new(SystemClock),
    };
    Ok(media_svc::App::build(&config.media, needs)?)
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

fn chat(config: &Config, calling: &Calling) -> Result<chat_svc::App, Failure> {
    let needs = chat_svc::Needs {
        store: Stores::of(&config.server.data).chat,
        auth: calling.doors.to(Service::Auth),
        auth_internal: calling.to(Service::Auth),
        presence_internal: Some(calling.to(Service::Presence)),
        media_internal: Some(calling.to(Service::Media)),
    };
    Ok(chat_svc::App::build(&config.chat, needs)?)
}

/// Watchers of health hear of changes only.
async fn tell(
    health: Health,
    mut readiness: Vec<(Service, watch::Receiver<Conditions>)>,
    told: watch::Sender<bool>,
) {
    let mut before = vec![false; readiness.len()];
    loop {
        for ((service, watch), before) in readiness.iter_mut().zip(&mut before) {
            let now = watch.borrow_and_update().ready();
            if now != *before {
                health.set_ready(service.public_names(), now).await;
            }
            *before = now;
        }
        told.send_replace(before.iter().all(|ready| *ready));
        let changes = readiness.iter_mut().map(|(_, watch)| Box::pin(watch.changed()));
        if select_all(changes).await.0.is_err() {
            return;
        }
    }
}

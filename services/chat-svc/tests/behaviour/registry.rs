//! A presence-svc to order: it writes down what a node says on each line, and says what it is told to.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::Stream;
use parlor_grpc_kit::Authorized;
use parlor_testkit::{PATIENCE, Serving, TestAuth, eventually};
use parlor_wire::internal::presence::v1::attach_frame::Kind;
use parlor_wire::internal::presence::v1::presence_internal_service_server::{
    PresenceInternalService, PresenceInternalServiceServer,
};
use parlor_wire::internal::presence::v1::{
    AttachRequest, AttachResponse, LocateRequest, LocateResponse, Opened, Told,
};
use parlor_wire::presence::v1::{Availability, Presence};
use tokio::sync::mpsc;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

/// See the module. Clones share everything.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    away: bool,
    /// What was said on each line.
    lines: Vec<Vec<Kind>>,
    /// Speaks on the last.
    speaker: Option<mpsc::Sender<AttachResponse>>,
}

/// A stream as the last line has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub opened: Opened,
    pub watched: Vec<String>,
}

impl Registry {
    /// Served on a free port; and a channel to it, for a service.
    pub async fn serve(&self, auth: &TestAuth) -> (Serving, Authorized) {
        let serving = Serving::start(Routes::new(PresenceInternalServiceServer::new(self.clone()))).await;
        let channel = Authorized::new(serving.channel().await, Arc::new(auth.clone()));
        (serving, channel)
    }

    /// Ends its line, and takes none until [`Registry::come_back`].
    pub fn go_away(&self) {
        let mut state = self.state();
        (state.away, state.speaker) = (true, None);
    }

    /// Takes lines again.
    pub fn come_back(&self) {
        self.state().away = false;
    }

    /// How many lines there have been.
    pub fn lines(&self) -> usize {
        self.state().lines.len()
    }

    /// All that was said on the last line.
    pub fn said(&self) -> Vec<Kind> {
        self.state().lines.last().cloned().unwrap_or_default()
    }

    /// The streams that are open, by what was said on the last line, once all of the snapshot was.
    pub fn known(&self) -> Option<BTreeMap<String, Known>> {
        let mut known = BTreeMap::new();
        let mut complete = false;
        for kind in self.said() {
            match kind {
                Kind::Opened(opened) => {
                    let watched = known.get(&opened.stream_id).map(|known: &Known| known.watched.clone());
                    let watched = watched.unwrap_or_default();
                    known.insert(opened.stream_id.clone(), Known { opened, watched });
                }
                Kind::Watching(watching) => {
                    let known = known.get_mut(&watching.stream_id).expect("the stream was opened before");
                    known.watched = watching.user_ids;
                }
                Kind::Closed(closed) => drop(known.remove(&closed.stream_id)),
                Kind::SnapshotDone(_) => complete = true,
                Kind::Hello(_) | Kind::VisibilityChanged(_) => {}
            }
        }
        complete.then_some(known)
    }

    /// Waits until the open streams are as wanted.
    pub async fn knows(&self, what: &str, mut wanted: impl FnMut(&BTreeMap<String, Known>) -> bool) {
        eventually(what, PATIENCE, async || self.known().is_some_and(|known| wanted(&known))).await;
    }

    /// Tells a stream of users.
    pub async fn tell(&self, stream_id: &str, users: &[String], availability: Availability) {
        let presence = |user_id: &String| Presence {
            user_id: user_id.clone(),
            availability: availability.into(),
            text: "as told".to_owned(),
            ..Presence::default()
        };
        let told = Told { stream_id: stream_id.to_owned(), presences: users.iter().map(presence).collect() };
        let speaker = self.state().speaker.clone().expect("a line");
        speaker.send(AttachResponse { told: vec![told] }).await.expect("a line that is listened to");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl PresenceInternalService for Registry {
    type AttachStream = Pin<Box<dyn Stream<Item = Result<AttachResponse, Status>> + Send>>;

    async fn attach(
        &self,
        request: Request<Streaming<AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let (speaker, spoken) = mpsc::channel(16);
        let line = {
            let mut state = self.state();
            if state.away {
                return Err(Status::unavailable("away"));
            }
            state.speaker = Some(speaker);
            state.lines.push(Vec::new());
            state.lines.len() - 1
        };
        let (registry, mut inbound) = (self.clone(), request.into_inner());
        tokio::spawn(async move {
            while let Ok(Some(request)) = inbound.message().await {
                let kinds = request.frames.into_iter().filter_map(|frame| frame.kind);
                registry.state().lines[line].extend(kinds);
            }
        });
        let spoken = futures_util::stream::unfold(spoken, async |mut spoken| {
            spoken.recv().await.map(|response| (Ok(response), spoken))
        });
        Ok(Response::new(Box::pin(spoken)))
    }

    async fn locate(&self, _: Request<LocateRequest>) -> Result<Response<LocateResponse>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }
}

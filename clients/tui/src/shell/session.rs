//! One account on the screen, until another is chosen or its user quits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::tz::TimeZone;
use parlor_client::store::Store;
use parlor_client::{Client, Error, Events, Server};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::lanes::Lane;
use super::perform::{World, is_read, is_said};
use super::terminal::{Screen, has_panicked};
use super::{Options, TuiError, accounts, drafts, files, server_of};
use crate::effect::{Effect, SecretLogIn};
use crate::input::Input;
use crate::settings::Settings;
use crate::state::{Link, State};
use crate::update::update;
use crate::views;

/// Inputs that wait for the state; beyond, whoever brings them waits.
const INPUTS: usize = 256;
/// The clock of the screen.
const TICK: Duration = Duration::from_secs(1);
/// How long what was begun may take when this program is to end. All of it is on disk before.
const END_WITHIN: Duration = Duration::from_secs(3);

/// How it ended.
pub enum End {
    /// The program is to end.
    Quit,
    /// Another account is to be shown, or this one anew.
    Switch(PathBuf),
}

/// Shows the account in `folder`; `from` is the one that was shown before.
pub async fn run(
    screen: &mut Screen,
    options: &Options,
    folder: &Path,
    from: Option<&Path>,
) -> Result<End, TuiError> {
    let store = Arc::new(Store::open(folder).map_err(Error::from)?);
    let account = store.account().map_err(Error::from)?;
    let back = from.filter(|from| *from != folder).and_then(accounts::account_in);
    let known = account.server.clone().or_else(|| back.as_ref()?.server.clone());
    let server = server_of(options, folder, known);
    let mut state = State::new(screen.size(), SystemTime::now(), TimeZone::system());
    state.folder = folder.to_owned();
    state.settings = Settings::load(folder, Settings { theme: options.theme, ..Settings::default() });
    state.account = accounts::name(account.username.as_deref().unwrap_or("nobody"), Some(&server));
    screen.mouse(state.settings.mouse)?;
    let (inputs, heard) = mpsc::channel(INPUTS);
    let main = options.folder.clone();
    let trusted = Server::new(&server).trusted_by(folder)?;
    let Ok(client) = Client::with_open_store(Arc::clone(&store), trusted, options.patience) else {
        state.complain(format!("not a server's address: {server}"));
        state.overlay = Some(views::accounts::nobody(&options.default_server));
        return Session { main, state, world: None, store, patience: options.patience, inputs }
            .show(screen, heard, None)
            .await;
    };
    let (world, events) = match client.me().await {
        Ok(me) => {
            state.people.me = Some(me);
            if let Some(history) = &options.record {
                client.record_history(history).await?;
            }
            let (live, events) = client.live().await?;
            let world = World {
                client,
                live: Arc::new(live),
                folder: folder.to_owned(),
                pictures: options.pictures,
                inputs: inputs.clone(),
            };
            (Some(world), Some(events))
        }
        Err(Error::NotLoggedIn) => {
            state.overlay = Some(match back {
                Some(back) => views::accounts::another(&server, back.folder),
                None => views::accounts::nobody(&server),
            });
            state.link = Link::Stopped;
            (None, None)
        }
        Err(other) => return Err(other.into()),
    };
    if world.is_some() && !options.greeting.is_empty() {
        state.say(options.greeting.clone());
    }
    Session { main, state, world, store, patience: options.patience, inputs }
        .show(screen, heard, events)
        .await
}

struct Session {
    main: PathBuf,
    state: State,
    /// None while nobody is logged in.
    world: Option<World>,
    store: Arc<Store>,
    patience: Duration,
    inputs: mpsc::Sender<Input>,
}

/// What effects are handed to: two lanes, and calls that are waited for side by side.
struct Work {
    lanes: Option<Lanes>,
    calls: FuturesUnordered<LocalBoxFuture<'static, ()>>,
}

struct Lanes {
    say: Lane,
    read: Lane,
}

impl Work {
    fn call(&self, call: impl Future<Output = ()> + 'static) {
        self.calls.push(Box::pin(call));
    }

    /// Goes on with all of it; answers when something has come forward.
    async fn advance(&mut self) {
        let lanes = async {
            match &mut self.lanes {
                Some(Lanes { say, read }) => tokio::select! {
                    () = say.advance() => {}
                    () = read.advance() => {}
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = lanes => {}
            Some(()) = self.calls.next() => {}
        }
    }
}

impl Session {
    async fn show(
        mut self,
        screen: &mut Screen,
        mut heard: mpsc::Receiver<Input>,
        mut events: Option<Events>,
    ) -> Result<End, TuiError> {
        let lanes = self.world.clone().map(|world| {
            let (say, read) = (world.clone(), world);
            Lanes {
                say: Lane::begin(move |effect| say.clone().say(effect)),
                read: Lane::begin(move |effect| read.clone().read(effect)),
            }
        });
        let mut work = Work { lanes, calls: FuturesUnordered::new() };
        let mut terminal = EventStream::new();
        let mut signals = Signals::listen()?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let kept = Input::Drafts(drafts::all(&self.state.folder));
        let mut end = self.take(screen, &mut work, kept)?;
        self.perform(screen, &mut work, Effect::LoadChats)?;
        while end.is_none() {
            screen.draw(&self.state)?;
            let input = tokio::select! {
                event = terminal.next() => match event {
                    Some(event) => from_terminal(event?),
                    None => { end = Some(End::Quit); None }
                },
                Some(input) = heard.recv() => Some(input),
                news = next(&mut events) => Some(Input::News(news)),
                now = tick.tick() => { let _ = now; self.poll_link(&work); Some(Input::Tick(SystemTime::now())) },
                () = work.advance() => None,
                () = signals.come() => { end = Some(End::Quit); None }
            };
            if has_panicked() {
                return Err(TuiError::Failed);
            }
            // What is there already is taken in before anything is drawn.
            let mut more = input;
            while let (Some(input), None) = (more.take(), &end) {
                end = self.take(screen, &mut work, input)?;
                more = heard.try_recv().ok();
            }
        }
        self.leave(&mut work);
        if let Some(Lanes { say, read }) = work.lanes {
            drop(heard); // nobody waits for an answer any more
            let _ =
                tokio::time::timeout(END_WITHIN, async { tokio::join!(say.finish(), read.finish()) }).await;
        }
        Ok(end.unwrap_or(End::Quit))
    }

    /// What is being written is told to the server, if it can be; it is on this machine's disk anyway.
    fn leave(&mut self, work: &mut Work) {
        let mut fx = Vec::new();
        views::composer::put_away(&mut self.state, &mut fx);
        if let Some(lanes) = &mut work.lanes {
            fx.into_iter().for_each(|effect| lanes.say.add(effect));
        }
    }

    fn poll_link(&self, work: &Work) {
        let waits = !matches!(self.state.link, Link::Online | Link::Stopped);
        if let Some(world) = self.world.clone().filter(|_| waits) {
            work.call(world.link());
        }
    }

    fn take(&mut self, screen: &mut Screen, work: &mut Work, input: Input) -> Result<Option<End>, TuiError> {
        for effect in update(&mut self.state, input) {
            if let Some(end) = self.perform(screen, work, effect)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn perform(&self, screen: &mut Screen, work: &mut Work, effect: Effect) -> Result<Option<End>, TuiError> {
        match effect {
            Effect::Quit => return Ok(Some(End::Quit)),
            Effect::SwitchTo(folder) => return Ok(Some(End::Switch(folder))),
            Effect::Bell => screen.bell()?,
            Effect::Mouse(wanted) => screen.mouse(wanted)?,
            Effect::KeepSettings(settings) => settings.keep(&self.state.folder)?,
            Effect::LoadAccounts => {
                let (main, inputs) = (self.main.clone(), self.inputs.clone());
                tokio::task::spawn_blocking(move || {
                    let (all, free) = accounts::all(&main);
                    // When nobody listens any more nobody needs to know.
                    drop(inputs.blocking_send(Input::Accounts(all, free)));
                });
            }
            Effect::LogIn(server, who, name) => work.call(self.log_in(server, who, name)),
            Effect::LogOut => work.call(self.log_out()),
            effect => match (&mut work.lanes, &self.world) {
                (Some(lanes), _) if is_said(&effect) => lanes.say.add(effect),
                (Some(lanes), _) if is_read(&effect) => lanes.read.add(effect),
                (_, Some(world)) => work.call(world.clone().call(effect)),
                (_, None) => {}
            },
        }
        Ok(None)
    }

    fn log_in(
        &self,
        server: String,
        SecretLogIn(who): SecretLogIn,
        name: Option<String>,
    ) -> impl Future<Output = ()> + 'static {
        let (store, patience, inputs) = (Arc::clone(&self.store), self.patience, self.inputs.clone());
        let folder = self.state.folder.clone();
        async move {
            let entered = async {
                let server = Server::new(server.trim_end_matches('/')).trusted_by(&folder)?;
                let client = Client::with_open_store(store, server, patience)?;
                match name {
                    Some(name) => client.register(&who, &name).await,
                    None => client.log_in(&who).await,
                }
            };
            let input = match entered.await {
                Ok(_) => Input::Entered(folder),
                Err(error) => Input::NotLoggedIn(error.to_string()),
            };
            let _ = inputs.send(input).await;
        }
    }

    fn log_out(&self) -> impl Future<Output = ()> + 'static {
        let world = self.world.clone();
        let (inputs, folder) = (self.inputs.clone(), self.state.folder.clone());
        async move {
            let Some(world) = world else { return };
            let input = match world.client.log_out().await {
                Ok(()) => Input::Entered(folder),
                Err(error) => Input::Failed(error.to_string()),
            };
            let _ = inputs.send(input).await;
        }
    }
}

fn from_terminal(event: Event) -> Option<Input> {
    Some(match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Input::Key(key),
        Event::Mouse(mouse) => Input::Mouse(mouse),
        Event::Paste(text) => {
            let files = files::named(&text);
            Input::Paste(text, files)
        }
        Event::Resize(columns, rows) => Input::Resize(columns, rows),
        Event::FocusGained => Input::Front(true),
        Event::FocusLost => Input::Front(false),
        Event::Key(_) => return None,
    })
}

/// The next news; none will come when the connection has ended.
async fn next(events: &mut Option<Events>) -> parlor_client::News {
    if let Some(listening) = events {
        match listening.next().await {
            Some(news) => return news,
            None => *events = None,
        }
    }
    std::future::pending().await
}

/// What asks a program to end.
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()];
        let [one, two, three] = kinds.map(signal);
        Ok(Self([one?, two?, three?]))
    }

    async fn come(&mut self) {
        let [one, two, three] = &mut self.0;
        tokio::select! {
            _ = one.recv() => {}
            _ = two.recv() => {}
            _ = three.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn come(&mut self) {
        // Without a handler the program ends without a word.
        let _ = tokio::signal::ctrl_c().await;
    }
}

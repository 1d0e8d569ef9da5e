//! Who is there, and where.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chat_svc::store::MemoryStore;
use parlor_runtime::clock::ManualClock;
use parlor_testkit::TestAuth;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use turmoil::Builder;

use super::{Server, TICK, World, links};
use crate::client::{Ask, Client};
use crate::ledger::Ledger;
use crate::planted::Planted;
use crate::schedule::Plan;
use crate::server::{Ground, NAME};

/// What any link takes at the least.
const LEAST: Duration = Duration::from_millis(1);
/// Segments that may be on the way of a connection, and connections that wait to be accepted.
const ROOM: usize = 4096;
/// Every so many clients two are of one user.
const SECOND_DEVICE: usize = 4;
/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(3600);

impl World {
    /// Everybody is at their place, and nobody has said anything.
    pub fn new(plan: &Plan, planted: Option<Planted>) -> Self {
        let mut sim = Builder::new()
            .rng_seed(plan.seed)
            .tick_duration(TICK)
            .simulation_duration(FOREVER)
            .min_message_latency(LEAST)
            .max_message_latency(links::USUAL)
            .tcp_capacity(ROOM)
            .build();
        let ledger = Ledger::default();
        let ground = Ground {
            store: Arc::new(MemoryStore::default()),
            clock: Arc::new(ManualClock::at(SystemTime::now())),
            auth: TestAuth::new(),
            ledger: ledger.clone(),
            planted,
            stop: Arc::default(),
            has_stopped: Arc::default(),
        };
        let serving = ground.clone();
        sim.host(NAME, move || serving.clone().serve());

        let folder = tempfile::tempdir().expect("a folder for histories");
        let mut people: Vec<_> = Vec::new();
        for number in 0..plan.kind.clients() {
            people.push(match people.last() {
                Some(before) if number % SECOND_DEVICE == 1 => ground.auth.another_session(before),
                _ => ground.auth.person(),
            });
        }
        let (mut clients, mut at_place) = (Vec::new(), Vec::new());
        for (number, person) in people.iter().enumerate() {
            let (client, asked) = Client::new(number, person, folder.path(), ledger.clone(), planted);
            at_place.push((client.clone(), asked));
            clients.push(client);
            if at_place.len() == plan.kind.clients_each() {
                let name = links::place(number / plan.kind.clients_each());
                let here = Rc::new(std::cell::Cell::new(std::mem::take(&mut at_place)));
                sim.host(name, move || all(here.take()));
            }
        }
        Self {
            sim,
            now: Duration::ZERO,
            ticks: 0,
            clock: ground.clock.clone(),
            ground,
            server: Server::Up,
            kind: plan.kind,
            clients,
            links: links::Links::new(plan.kind.places()),
            said: 0,
            began: Duration::ZERO,
            _folder: folder,
        }
    }
}

/// Those at one place; the first that fails ends it.
async fn all(here: Vec<(Client, Receiver<Ask>)>) -> turmoil::Result {
    let mut running = JoinSet::new();
    for (client, asked) in here {
        running.spawn_local(client.live(asked));
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

//! What goes wrong, and what has to go on meanwhile.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use parlor_testkit::{FaultProxy, StreamClient, in_time};
use parlor_tests::account::PASSWORD;
use parlor_tests::fleet::Service;
use parlor_tests::{Relay, uploads};
use parlor_wire::media::v1::Purpose;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use tokio::time::sleep;

use crate::a_while;
use crate::world::World;

/// How much of a second something is frozen at least.
const FREEZE: Duration = Duration::from_secs(1);
/// How long a network is broken.
const BROKEN: std::ops::Range<Duration> = Duration::from_millis(1)..Duration::from_millis(800);
/// A slow network: at most so slow.
const LAG_MILLIS: u64 = 300;
/// A network that hardly carries anything.
const BYTES_PER_SECOND: NonZeroU32 = NonZeroU32::new(20_000).expect("more than nothing");

/// What has gone wrong so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Of auth-svc, chat-svc, presence-svc and media-svc alone; then of all that serves.
    kills: [u64; 5],
    freezes: u64,
    networks: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills: [auth, chat, presence, media, all], freezes, networks } = self;
        write!(f, "tally: auth={auth} chat={chat} presence={presence} media={media} all={all} ")?;
        write!(f, "freezes={freezes} networks={networks}")
    }
}

impl World {
    /// Kills something, with something wrong with a network at the same time or not, and starts it again.
    pub async fn kill(&mut self, rng: &mut StdRng, tally: &mut Tally) {
        let part = *self.system.parts().choose(rng).expect("something serves");
        let of = Service::ALL.iter().position(|service| part == [*service]).unwrap_or(Service::ALL.len());
        tally.kills[of] += 1;
        match rng.random_range(0..3) {
            0 => {
                tally.networks += 1;
                break_down(self.networks().choose(rng).expect("there are some"), rng);
                a_while(BROKEN, rng).await;
                self.system.kill(part).await;
            }
            1 => {
                // It was well before: what does not go on then, does not because of what was killed.
                self.speaks().await;
                self.system.kill(part).await;
                self.goes_on(part).await;
            }
            _ => self.system.kill(part).await,
        }
        // What starts while a network is broken is not ready before that is well, and ready is what is waited for.
        self.heal();
        self.system.restart(part).await;
        self.recover().await;
    }

    /// Something does nothing for a while, and nobody is told.
    pub async fn freeze(&mut self, longest: Duration, rng: &mut StdRng, tally: &mut Tally) {
        let part = *self.system.parts().choose(rng).expect("something serves");
        tally.freezes += 1;
        self.system.freeze(part).await;
        // waits: for as long as it is to be frozen
        sleep(rng.random_range(FREEZE..=longest.max(FREEZE))).await;
        self.system.thaw(part).await;
        self.recover().await;
    }

    /// All networks: of clients, and between services.
    fn networks(&self) -> Vec<&FaultProxy> {
        let between = Service::ALL.into_iter().filter_map(|service| self.system.network_of(service));
        self.networks.iter().map(Relay::network).chain(between).collect()
    }

    fn heal(&self) {
        for network in self.networks() {
            network.heal();
        }
    }

    /// Everything is well again, and clients look whether it is.
    async fn recover(&self) {
        self.heal();
        for follower in &self.followers {
            assert!(follower.is_live(), "G6: {} does not give up", follower.name);
            follower.hurry().await;
        }
        self.dan.live.foreground().await.expect("G6: Dan does not give up");
    }

    /// A message is stored, and a stream opens.
    async fn speaks(&self) {
        let name = format!("ada, probing {}", self.recorder.now());
        in_time("an ack", self.caller(&name).say(self.notes, "hello".to_owned())).await;
        let (mut stream, _) = in_time("a stream", StreamClient::connect(&self.eve.chat(), b"")).await;
        in_time("a sync", stream.synced()).await;
    }

    /// What does not need a service goes on without it.
    async fn goes_on(&self, without: &[Service]) {
        match without {
            [Service::Chat] => {
                let again = in_time("a log-in", self.ada.another_device(PASSWORD)).await;
                let media = again.expect("one can log in without chat-svc").media();
                let uploaded = uploads::upload(&media, "note", Purpose::File, b"without chat-svc");
                in_time("an upload", uploaded).await.expect("one can upload without chat-svc");
            }
            [_] => self.speaks().await,
            _ => {}
        }
    }
}

/// One of the ways in which a network breaks.
fn break_down(network: &FaultProxy, rng: &mut StdRng) {
    match rng.random_range(0..6) {
        0 => network.cut(),
        1 => network.reset(),
        2 => network.half_open(),
        3 => network.hang(true),
        4 => network.lag(Duration::from_millis(rng.random_range(1..LAG_MILLIS))),
        _ => network.throttle(Some(BYTES_PER_SECOND)),
    }
}

//! What is wrong with the links between places and the server.

use std::time::Duration;

use turmoil::Sim;

use crate::ledger::Ledger;
use crate::points::Point;
use crate::server::NAME;

/// What a link takes when nothing is wrong with it, at the most.
pub const USUAL: Duration = Duration::from_millis(30);
/// What it takes at the most when it is slow.
pub const LONGEST: Duration = Duration::from_millis(500);

/// What is wrong with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Cut,
    Held,
    Slow,
}

/// One of them.
#[derive(Debug)]
struct Link {
    place: String,
    trouble: Option<(Trouble, Duration)>,
    /// Since when nothing was lost or held on it; none while something is.
    calm: Option<Duration>,
}

/// See the module.
#[derive(Debug)]
pub struct Links {
    links: Vec<Link>,
    /// The server's machine is gone: nobody hears anything of it.
    is_machine_gone: bool,
}

/// What a place is called.
pub fn place(number: usize) -> String {
    format!("place-{number}")
}

impl Links {
    /// So many, and nothing is wrong.
    pub fn new(places: usize) -> Self {
        let link = |number| Link { place: place(number), trouble: None, calm: Some(Duration::ZERO) };
        Self { links: (0..places).map(link).collect(), is_machine_gone: false }
    }

    /// Since when nothing was lost or held between a place and the server.
    pub fn calm(&self, place: usize) -> Option<Duration> {
        self.links[place].calm
    }

    /// The link, if nothing is wrong with it yet.
    fn free(&mut self, place: usize) -> Option<&mut Link> {
        let is_free = !self.is_machine_gone && self.links[place].trouble.is_none();
        is_free.then(|| &mut self.links[place])
    }

    pub fn partition(&mut self, sim: &mut Sim<'_>, place: usize, until: Duration, ledger: &Ledger) {
        let Some(link) = self.free(place) else { return };
        sim.partition(&*link.place, NAME);
        link.lose(Trouble::Cut, until);
        ledger.meet(Point::Partitioned);
    }

    pub fn one_way(
        &mut self,
        sim: &mut Sim<'_>,
        place: usize,
        up: bool,
        now: Duration,
        long: Duration,
        ledger: &Ledger,
    ) {
        let Some(link) = self.free(place) else { return };
        let (from, to) = if up { (&*link.place, NAME) } else { (NAME, &*link.place) };
        sim.partition_oneway(from, to);
        link.lose(Trouble::Cut, now + long);
        ledger.meet(if long < Duration::from_secs(1) { Point::Lost } else { Point::OneWay });
    }

    pub fn hold(&mut self, sim: &mut Sim<'_>, place: usize, until: Duration, ledger: &Ledger) {
        let Some(link) = self.free(place) else { return };
        sim.hold(&*link.place, NAME);
        link.lose(Trouble::Held, until);
        ledger.meet(Point::Held);
    }

    pub fn slow(
        &mut self,
        sim: &mut Sim<'_>,
        place: usize,
        late: Duration,
        until: Duration,
        ledger: &Ledger,
    ) {
        let Some(link) = self.free(place) else { return };
        sim.set_link_max_message_latency(&*link.place, NAME, late.min(LONGEST));
        link.trouble = Some((Trouble::Slow, until));
        ledger.meet(Point::Slow);
    }

    /// What was to end by now ends.
    pub fn pass(&mut self, sim: &mut Sim<'_>, now: Duration) {
        for link in &mut self.links {
            if link.trouble.is_some_and(|(_, until)| until <= now) {
                link.mend(sim, now);
            }
        }
    }

    /// All that is wrong ends.
    pub fn heal(&mut self, sim: &mut Sim<'_>, now: Duration) {
        self.links.iter_mut().for_each(|link| link.mend(sim, now));
    }

    /// Nobody hears of the server's end.
    pub fn machine_dies(&mut self, sim: &mut Sim<'_>) {
        self.is_machine_gone = true;
        for link in &mut self.links {
            link.mend(sim, Duration::ZERO);
            sim.partition(&*link.place, NAME);
            link.calm = None;
        }
    }

    /// There is a machine again, if there was none.
    pub fn machine_is_back(&mut self, sim: &mut Sim<'_>, now: Duration) {
        if std::mem::take(&mut self.is_machine_gone) {
            for link in &mut self.links {
                sim.repair(&*link.place, NAME);
                link.calm = Some(now);
            }
        }
    }
}

impl Link {
    fn lose(&mut self, trouble: Trouble, until: Duration) {
        self.trouble = Some((trouble, until));
        self.calm = None;
    }

    fn mend(&mut self, sim: &mut Sim<'_>, now: Duration) {
        match self.trouble.take() {
            Some((Trouble::Cut, _)) => sim.repair(&*self.place, NAME),
            Some((Trouble::Held, _)) => sim.release(&*self.place, NAME),
            Some((Trouble::Slow, _)) => {
                return sim.set_link_max_message_latency(&*self.place, NAME, USUAL);
            }
            None => return,
        }
        self.calm = Some(now);
    }
}

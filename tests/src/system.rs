//! All that serves, as `PARLOR_TOPOLOGY` says, one process or four, each of which can be killed, frozen and started again by
//! itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use parlor_testkit::FaultProxy;

use crate::fleet::{Fleet, Plan, Service};
use crate::{Relay, Server, is_apart};

/// See the module. Ends when dropped.
#[derive(Debug)]
pub struct System(Running);

#[derive(Debug)]
enum Running {
    /// It comes back on other ports; clients call the relay.
    One {
        data: PathBuf,
        server: Option<Server>,
        relay: Relay,
    },
    Four(Box<Fleet>),
}

impl System {
    /// On the folder `data`, ready.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(data: &Path) -> Self {
        if is_apart() {
            let plan = Plan::for_test(data.to_owned());
            let fleet = Fleet::start(plan, ([127, 0, 0, 1], 0).into()).await.expect("all start");
            return Self(Running::Four(Box::new(fleet)));
        }
        let server = Server::start(data).await;
        let relay = Relay::start().await;
        relay.point_to(Some(server.address()));
        Self(Running::One { data: data.to_owned(), server: Some(server), relay })
    }

    /// The one address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match &self.0 {
            Running::One { relay, .. } => relay.address(),
            Running::Four(fleet) => fleet.address(),
        }
    }

    /// What can be killed or frozen at once: each process, and all of them.
    #[must_use]
    pub fn parts(&self) -> Vec<&'static [Service]> {
        match &self.0 {
            Running::One { .. } => vec![&Service::ALL],
            Running::Four(_) => Service::ALL.chunks(1).chain([&Service::ALL[..]]).collect(),
        }
    }

    /// What lies between a service and those that call it, where they are processes.
    #[must_use]
    pub fn network_of(&self, service: Service) -> Option<&FaultProxy> {
        match &self.0 {
            Running::One { .. } => None,
            Running::Four(fleet) => Some(fleet.network_of(service)),
        }
    }

    /// SIGKILL to one of [`System::parts`]; comes back when nothing is left of it.
    ///
    /// # Panics
    /// It does not run.
    pub async fn kill(&mut self, part: &[Service]) {
        match &mut self.0 {
            Running::One { server, relay, .. } => {
                server.take().expect("it runs").kill().await;
                relay.point_to(None);
            }
            Running::Four(fleet) => {
                for service in part {
                    fleet.kill(*service).await;
                }
            }
        }
    }

    /// Starts one of [`System::parts`] that was killed; comes back when it is ready.
    ///
    /// # Panics
    /// It does not start.
    pub async fn restart(&mut self, part: &[Service]) {
        match &mut self.0 {
            Running::One { data, server, relay } => {
                let started = server.insert(Server::start(data).await);
                relay.point_to(Some(started.address()));
            }
            Running::Four(fleet) => fleet.restart_all(part).await,
        }
    }

    /// SIGSTOP to one of [`System::parts`].
    ///
    /// # Panics
    /// It does not run.
    pub async fn freeze(&self, part: &[Service]) {
        match &self.0 {
            Running::One { server, .. } => server.as_ref().expect("it runs").freeze().await,
            Running::Four(fleet) => {
                for service in part {
                    fleet.freeze(*service).await;
                }
            }
        }
    }

    /// SIGCONT to one that was frozen.
    ///
    /// # Panics
    /// It does not run.
    pub async fn thaw(&self, part: &[Service]) {
        match &self.0 {
            Running::One { server, .. } => server.as_ref().expect("it runs").thaw().await,
            Running::Four(fleet) => {
                for service in part {
                    fleet.thaw(*service).await;
                }
            }
        }
    }
}

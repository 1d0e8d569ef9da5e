//! The ways to the four services, wherever they are: in this process, or apart.

use parlor_grpc_kit::{ClientTls, LateRoutes, late_channel, local_channel, remote_channel};
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::config::InternalConfig;
use crate::failure::{Code, Failure};
use crate::program::{Program, Service};

/// See the module. Some services call each other, so the way to one that starts later is opened late.
pub(super) struct Doors([(Service, Door); 4]);

enum Door {
    Apart(Channel),
    Waiting(Channel, LateRoutes),
    Here(Routes),
}

impl Doors {
    /// Over `tls` to those that are apart, if there is one.
    pub(super) fn new(
        program: &Program,
        config: &InternalConfig,
        tls: Option<&ClientTls>,
    ) -> Result<Self, Failure> {
        let door = |service: Service| -> Result<(Service, Door), Failure> {
            if program.runs(service) {
                let (channel, late) = late_channel();
                return Ok((service, Door::Waiting(channel, late)));
            }
            let address = config.address(service).parse().map_err(|error| {
                Failure::new(Code::Usage, format!("internal.{}: {error}", service.part()))
            })?;
            Ok((service, Door::Apart(remote_channel(address, tls.cloned()))))
        };
        let [auth, presence, media, chat] = [Service::Auth, Service::Presence, Service::Media, Service::Chat];
        Ok(Self([door(auth)?, door(presence)?, door(media)?, door(chat)?]))
    }

    /// To what `service` serves to other services.
    pub(super) fn to(&self, service: Service) -> Channel {
        let found = self.0.iter().find(|(of, _)| *of == service);
        match &found.expect("there is a door for each").1 {
            Door::Apart(channel) | Door::Waiting(channel, _) => channel.clone(),
            Door::Here(routes) => local_channel(routes.clone()),
        }
    }

    /// `service` is here now; who holds a channel to it already can use it, as long as what comes back lives.
    pub(super) fn open(&mut self, service: Service, routes: Routes) -> Option<LateRoutes> {
        let found = self.0.iter_mut().find(|(of, _)| *of == service);
        let door = &mut found.expect("there is a door for each").1;
        match std::mem::replace(door, Door::Here(routes.clone())) {
            Door::Waiting(_, late) => {
                late.open(routes);
                Some(late)
            }
            Door::Apart(_) | Door::Here(_) => None,
        }
    }
}

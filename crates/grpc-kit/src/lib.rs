//! What every service needs around tonic, once.
//!
//! - Inwards: the [`Guard`] in front of a service's routes (who may call what, how often, how large), by a [`Policy`]
//!   that names every RPC; access tokens ([`token`]) and the sessions that have ended before them ([`RevokedSet`]).
//! - Outwards: [`Authorized`] channels with the tokens of a service account ([`ServiceTokens`]), [`local_channel`] between
//!   services of one process and [`remote_channel`] between processes, and what is learnt from auth-svc by all others
//!   ([`RemoteKeys`], [`Revocations`]), or told to media-svc ([`Releases`]).
//! - The public address: [`Listener`], [`Plain`], [`Health`], [`reflection`], [`merge`].
//!
//! All refusals are gRPC statuses with details. It knows services only through their internal APIs.

mod address;
mod caller;
mod channel;
mod guard;
mod health;
mod outbound;
mod policy;
mod problem;
mod releases;
mod revocation;
mod serve;
#[cfg(test)]
mod testing;
mod tls;
pub mod token;

pub use caller::{Caller, CallerKind, caller};
pub use channel::{LateRoutes, late_channel, local_channel, remote_channel};
pub use guard::Guard;
pub use health::{Health, merge, reflection};
pub use outbound::{Authorized, ServiceTokens, TokenSource};
pub use parlor_runtime::limiter::Rate;
pub use policy::{Auth, Limit, Method, Policy, PolicyError, PolicyFault};
pub use releases::Releases;
pub use revocation::{Revocations, RevokedSet, Sight};
pub use serve::{
    Accept, Listener, Plain, ServeError, ServeOptions, Stopped, Trusted as TrustedProxies, Wire,
    read_header as read_proxy_header,
};
pub use tls::{ClientTls, ServerTls, TlsError, TlsFiles};
pub use token::{Audience, Claims, KeySet, KeySource, RemoteKeys, Verifier};

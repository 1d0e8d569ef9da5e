//! Clients and chat-svc over their real transport, on a network that is simulated: `turmoil` carries the bytes.
//!
//! What runs is what ships: the client library with its channel, its keep-alive and its backing off; chat-svc as its `App`
//! puts it together; and between them tonic, hyper and the listener of grpc-kit with its limits, its keep-alive and its
//! way of stopping. Simulated are the network, which partitions, holds, delays and loses, and time. chat-svc stands on its
//! model store, which outlives it, and auth-svc is the one of testkit.
//!
//! The simulation of the sans-IO parts tries far more, and knows nothing of connections. This one is for what only
//! connections show: that a dead peer is found from either side, that a server that stops says goodbye, that a call which
//! a partition cuts is neither lost nor done twice, and that many clients who lost their server do not come back in one
//! moment.
//!
//! # What a seed repeats
//!
//! A seed stands for a schedule, and for the latencies of the network: what is done to whom and when, and what people say.
//! It does not stand for a run to the last bit. Clients draw their waits from the machine's chance, as they do when
//! they ship, and their stores work on threads of their own. Simulated time stands still until those are done, so
//! nothing is late by it, but which of two is done first is not in the seed. A seed that failed mostly fails again.
//!
//! # What turmoil's TCP is
//!
//! It has no retransmission: a segment that a partition swallows is gone, and its connection is stuck from there on, for
//! good, however soon the partition ends. Each partition under way of a call therefore leaves peers behind that only
//! keep-alive finds. Loss that TCP would make good is a delay, here as there.

mod client;
mod frames;
mod ledger;
mod panics;
mod planted;
mod points;
mod promises;
mod schedule;
mod server;
mod wire;
mod world;

pub use planted::Planted;
pub use points::{Point, Points};
pub use schedule::{Kind, Plan, Planned, Step, plan};
pub use world::{Ended, run};

//! The services, one file per group of calls: decode, call the rooms, encode. No decisions.

mod chat;
mod internal;
mod members;
mod people;
mod policy;
mod reads;
mod streams;
mod sync;
mod writes;

use parlor_wire::errors::v1::Problem;
use parlor_wire::reason::problem_status;
use tonic::{Response, Status};

pub(crate) use chat::Chat;
pub(crate) use internal::InternalRpc;
pub(crate) use people::PeopleRpc;
pub(crate) use policy::{internal, public};

fn answer<T>(result: Result<T, Problem>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|problem| problem_status(&problem))
}

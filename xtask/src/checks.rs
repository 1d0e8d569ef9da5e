//! The checks, one file each.

pub mod clippy;
pub mod deny;
pub mod docs;
pub mod fmt;
pub mod generated;
pub mod interop;
pub mod layers;
pub mod limits;
pub mod paths;
pub mod promises;
pub mod proto;
pub mod size;
pub mod test;
pub mod words;

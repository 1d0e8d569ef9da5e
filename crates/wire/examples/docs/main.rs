//! Prints a page of docs/ that is made from the protos: `cargo run -p parlor-wire --example docs -- errors`, or `api`.

mod api;
mod comments;
mod errors;

use std::io::Write as _;

use parlor_wire::DESCRIPTORS;
use prost::Message as _;
use prost_types::FileDescriptorSet;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let set = FileDescriptorSet::decode(DESCRIPTORS)?;
    let page = match std::env::args().nth(1).as_deref() {
        Some("errors") => errors::page(&set)?,
        Some("api") => api::page(&set),
        _ => return Err("which page: errors or api?".into()),
    };
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(())
}

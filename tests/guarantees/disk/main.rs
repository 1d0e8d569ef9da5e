//! G1 on disks that are full or lie.

mod damaged;
mod full;

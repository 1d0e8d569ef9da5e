//! Voice notes: their tags taken out, their length, and how loud they are along the way.

mod aac;
mod opus;
mod waveform;

pub use aac::waveform as aac_waveform;
pub use opus::{OpusFacts, clean as clean_opus, waveform as opus_waveform};

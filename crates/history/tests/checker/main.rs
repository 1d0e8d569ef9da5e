//! The checker checked: histories of a server that keeps its promises pass, and each way to break one is found.

mod corrupted;
mod planted;
mod world;

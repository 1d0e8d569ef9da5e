//! G1, G7 and G8 for files: what was finished is there, whole, also on a full disk and in a backup; what its purpose takes out
//! is nowhere; and nobody has it who may not.

mod access;
mod backup;
mod full_disk;
mod privacy;
mod s3;

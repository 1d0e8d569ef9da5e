//! What files leave free of a disk: messages are stored there too, and so is that a file is deleted.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::fstatvfs;

/// Whether so many more bytes on the disk of `place`, a file or a folder, leave `reserve` bytes free.
///
/// # Errors
/// They do not ([`io::ErrorKind::StorageFull`]), or the disk cannot be asked.
pub fn check(place: impl AsFd, bytes: u64, reserve: u64) -> io::Result<()> {
    if reserve == 0 {
        return Ok(());
    }
    let disk = fstatvfs(place)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < reserve.saturating_add(bytes) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn what_is_kept_free_is_no_room() {
        let folder = File::open(std::env::temp_dir()).unwrap();
        check(&folder, 1, 1).unwrap();
        check(&folder, u64::MAX, 0).unwrap();
        for (bytes, reserve) in [(u64::MAX / 2, 1), (1, u64::MAX / 2)] {
            assert_eq!(check(&folder, bytes, reserve).unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }
}

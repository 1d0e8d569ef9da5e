//! The keys of media-svc, with their defaults and ranges.

use std::ffi::OsString;
use std::time::Duration;

use parlor_preview::Inspector;
use parlor_runtime::config::{Problems, Validate, byte_size, choice, duration};
use serde::{Deserialize, Serialize};

use crate::blobs::BlobConfig;
use crate::download::DownloadConfig;
use crate::parts::PART_BYTES;
use crate::quota::Quota;
use crate::scan::ScannerConfig;
use crate::{collection, finish, uploads};

const MIB: u64 = 1 << 20;
/// Room for the thumbnails of one file.
const PREVIEW_BYTES: u64 = 32 * MIB;
/// Bytes of a file that are read, cleaned and written in a second, also by a slow machine: whatever may be uploaded can be finished.
const CLEANED_IN_A_SECOND: u64 = 32 * MIB;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// See the module. Durations are written "10s", sizes "32MiB".
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The store (not the files) may grow to this; 0 for as long as the disk has room. Beyond it uploads fail with
    /// STORAGE_FULL.
    #[serde(with = "byte_size")]
    pub store_max_bytes: u64,
    /// So much of the disk is left free: uploads get STORAGE_FULL before messages do. 0 for nothing.
    #[serde(with = "byte_size")]
    pub min_free_bytes: u64,
    /// Bytes of one file.
    #[serde(with = "byte_size")]
    pub max_file_bytes: u64,
    /// Bytes of a picture of a person or a group.
    #[serde(with = "byte_size")]
    pub max_avatar_bytes: u64,
    /// Bytes of all files of one user.
    #[serde(with = "byte_size")]
    pub max_user_bytes: u64,
    /// Uploads one user may begin in 24 hours.
    pub uploads_per_day: u32,
    /// Bytes of the uploads one user may begin in 24 hours.
    #[serde(with = "byte_size")]
    pub bytes_per_day: u64,
    /// Uploads of one user that are not finished.
    pub unfinished_uploads: u32,
    /// How far beyond the first missing byte a part may begin.
    #[serde(with = "byte_size")]
    pub window_bytes: u64,
    /// An upload is forgotten after this time without a part.
    #[serde(with = "duration")]
    pub upload_expires: Duration,
    /// What has come of an upload is synced and noted after so many bytes: so many of each a crash may forget.
    #[serde(with = "byte_size")]
    pub save_bytes: u64,
    /// And at least this often, while anything comes.
    #[serde(with = "duration")]
    pub save_every: Duration,
    /// Uploads that parts come for at once, over all users, each with an open file. Beyond it parts of others get
    /// OVERLOADED.
    pub open_uploads: usize,
    /// Parts that are written at once.
    pub parts_at_once: usize,
    /// Parts that wait to be written, each of which holds 256 KiB. Beyond it they get OVERLOADED.
    pub parts_waiting: usize,
    /// Uploads that are checked and inspected at once; 0 for as many as there are cores.
    pub finish_jobs: usize,
    /// Uploads that wait for that. Beyond it FinishUpload gets OVERLOADED.
    pub finish_waiting: usize,
    /// Uploads of one user that are finished or wait for it, once half of the places are taken. Beyond it FinishUpload gets
    /// OVERLOADED.
    pub finish_per_user: usize,
    /// How long one may wait for that.
    #[serde(with = "duration")]
    pub finish_wait: Duration,
    /// How long the inspection of one file may take, besides a second for every 32 MiB of `max_file_bytes`; beyond it there is no
    /// preview.
    #[serde(with = "duration")]
    pub inspect_time: Duration,
    /// "store" or "refuse": what becomes of files that plainly are not of the type that was named for them.
    #[serde(deserialize_with = "choice::deserialize")]
    pub mismatched_type: MismatchedType,
    /// How long a file is kept that nothing uses, from its end and from each claim on.
    #[serde(with = "duration")]
    pub keep_unused: Duration,
    /// A file that was found in use is asked about again after this.
    #[serde(with = "duration")]
    pub recheck_used: Duration,
    /// How often files are looked for that nothing uses.
    #[serde(with = "duration")]
    pub collect_every: Duration,
    /// How often bytes are looked for that belong to no file; also at each start.
    #[serde(with = "duration")]
    pub sweep_every: Duration,
    /// How long files can be got while auth-svc cannot be asked about ended sessions.
    #[serde(with = "duration")]
    pub revocation_blind_max: Duration,
    /// Where the bytes of finished files are.
    pub blobs: BlobConfig,
    /// How files get out.
    pub downloads: DownloadConfig,
    /// What looks for harm in files.
    pub scanner: ScannerConfig,
    /// How often methods may be called.
    pub limits: Limits,
}

/// What becomes of files that plainly are not of the type that was named for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MismatchedType {
    /// They are kept as what they are: a picture, voice note or video under its own type, a file as
    /// `application/octet-stream`.
    #[default]
    Store,
    /// FinishUpload gets MEDIA_MISLABELED, and nothing is kept.
    Refuse,
}

/// How often methods may be called, per user and method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// GetUpload, GetMedia, Download, BatchGetMediaUrls and GetUsage.
    pub read: RateLimit,
    /// CreateUpload, FinishUpload and DeleteMedia.
    pub write: RateLimit,
    /// UploadPart: 256 KiB each.
    pub part: RateLimit,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// At once.
    pub burst: u32,
    /// Per second after that.
    pub per_second: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store_max_bytes: 0,
            min_free_bytes: 256 * MIB,
            max_file_bytes: 100 * MIB,
            max_avatar_bytes: 5 * MIB,
            max_user_bytes: 5 * 1024 * MIB,
            uploads_per_day: 1000,
            bytes_per_day: 5 * 1024 * MIB,
            unfinished_uploads: 32,
            window_bytes: 16 * MIB,
            upload_expires: DAY,
            save_bytes: 4 * MIB,
            save_every: Duration::from_secs(1),
            open_uploads: 256,
            parts_at_once: 64,
            parts_waiting: 256,
            finish_jobs: 0,
            finish_waiting: 64,
            finish_per_user: 4,
            finish_wait: Duration::from_secs(30),
            inspect_time: Duration::from_secs(10),
            mismatched_type: MismatchedType::Store,
            keep_unused: DAY,
            recheck_used: 7 * DAY,
            collect_every: Duration::from_secs(60),
            sweep_every: DAY,
            revocation_blind_max: Duration::from_secs(5 * 60),
            blobs: BlobConfig::default(),
            downloads: DownloadConfig::default(),
            scanner: ScannerConfig::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read: RateLimit { burst: 300, per_second: 50.0 },
            write: RateLimit { burst: 120, per_second: 5.0 },
            part: RateLimit { burst: 2000, per_second: 400.0 },
        }
    }
}

impl Config {
    fn quota(&self) -> Quota {
        Quota {
            file_bytes: self.max_file_bytes,
            avatar_bytes: self.max_avatar_bytes,
            stored_bytes: self.max_user_bytes,
            uploads_per_day: self.uploads_per_day,
            bytes_per_day: self.bytes_per_day,
            unfinished: self.unfinished_uploads,
        }
    }

    pub(crate) fn upload_rules(&self) -> uploads::Rules {
        uploads::Rules {
            quota: self.quota(),
            window: self.window_bytes,
            expires: self.upload_expires,
            save_bytes: self.save_bytes,
            save_every: self.save_every,
        }
    }

    pub(crate) fn finish_rules(&self) -> finish::Rules {
        finish::Rules {
            most: self.jobs() + self.finish_waiting,
            most_of_owner: self.finish_per_user,
            keep_unused: self.keep_unused,
        }
    }

    pub(crate) fn collection_rules(&self) -> collection::Rules {
        collection::Rules {
            keep_unused: self.keep_unused,
            recheck_used: self.recheck_used,
            every: self.collect_every,
            sweep_every: self.sweep_every,
        }
    }

    /// What looks at uploads, in processes that `command` starts.
    pub(crate) fn inspector(&self, command: Vec<OsString>) -> Inspector {
        let inspector = Inspector::new(self.inspector_limits(), command);
        match self.mismatched_type {
            MismatchedType::Store => inspector,
            MismatchedType::Refuse => inspector.refusing_mislabeled(),
        }
    }

    fn inspector_limits(&self) -> parlor_preview::Limits {
        parlor_preview::Limits {
            jobs: self.jobs(),
            waiting: self.finish_waiting,
            wait: self.finish_wait,
            time: self.inspect_time + Duration::from_secs(self.max_file_bytes / CLEANED_IN_A_SECOND),
            // The file cleaned, once more if it is turned, and thumbnails.
            output_bytes: self.max_file_bytes.saturating_mul(2).saturating_add(PREVIEW_BYTES),
            turned_bytes: self.max_file_bytes,
            turned_avatar_bytes: self.max_avatar_bytes,
        }
    }

    /// How many uploads are checked and inspected at once.
    pub(crate) fn jobs(&self) -> usize {
        if self.finish_jobs > 0 {
            return self.finish_jobs;
        }
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

impl Validate for Config {
    fn check(&self, problems: &mut Problems) {
        let seconds = Duration::from_secs;
        if self.store_max_bytes != 0 {
            problems.range("store_max_bytes", &self.store_max_bytes, 1 << 20..=1 << 46);
        }
        problems.range("min_free_bytes", &self.min_free_bytes, 0..=1 << 50);
        problems.range("max_file_bytes", &self.max_file_bytes, 1..=1 << 40);
        problems.range("max_avatar_bytes", &self.max_avatar_bytes, 1..=1 << 40);
        problems.range("max_user_bytes", &self.max_user_bytes, 1..=1 << 50);
        problems.range("uploads_per_day", &self.uploads_per_day, 1..=1_000_000_000);
        problems.range("bytes_per_day", &self.bytes_per_day, 1..=1 << 50);
        problems.range("unfinished_uploads", &self.unfinished_uploads, 1..=100_000);
        problems.range("window_bytes", &self.window_bytes, PART_BYTES..=1 << 40);
        problems.range("upload_expires", &self.upload_expires, seconds(1)..=30 * DAY);
        problems.range("save_bytes", &self.save_bytes, PART_BYTES..=1 << 30);
        problems.range("save_every", &self.save_every, Duration::from_millis(10)..=seconds(60));
        problems.range("open_uploads", &self.open_uploads, 1..=100_000);
        problems.range("parts_at_once", &self.parts_at_once, 1..=512);
        problems.range("parts_waiting", &self.parts_waiting, 0..=100_000);
        problems.range("finish_jobs", &self.finish_jobs, 0..=1024);
        problems.range("finish_waiting", &self.finish_waiting, 0..=100_000);
        problems.range("finish_per_user", &self.finish_per_user, 1..=100_000);
        problems.range("finish_wait", &self.finish_wait, seconds(1)..=seconds(600));
        problems.range("inspect_time", &self.inspect_time, seconds(1)..=seconds(600));
        problems.range("keep_unused", &self.keep_unused, seconds(60)..=30 * DAY);
        problems.range("recheck_used", &self.recheck_used, seconds(60)..=365 * DAY);
        problems.range("collect_every", &self.collect_every, Duration::from_millis(10)..=HOUR);
        problems.range("sweep_every", &self.sweep_every, seconds(60)..=30 * DAY);
        problems.range("revocation_blind_max", &self.revocation_blind_max, seconds(1)..=seconds(600));
        problems.within("blobs", &self.blobs);
        problems.within("downloads", &self.downloads);
        problems.within("scanner", &self.scanner);
        problems.within("limits", &self.limits);
    }
}

impl Validate for Limits {
    fn check(&self, problems: &mut Problems) {
        for (key, limit) in [("read", self.read), ("write", self.write), ("part", self.part)] {
            problems.range(&format!("{key}.burst"), &limit.burst, 1..=1_000_000);
            problems.range(&format!("{key}.per_second"), &limit.per_second, 0.001..=1_000_000.0);
        }
    }
}

#[cfg(test)]
mod tests;

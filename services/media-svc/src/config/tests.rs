use parlor_runtime::config::{Sources, load};

use super::*;
use crate::blobs::BlobStore;

#[test]
fn the_defaults_are_good_and_survive_being_written() {
    let loaded = load::<Config>(&Sources::default()).unwrap();
    let text = loaded.to_toml().unwrap();
    for line in [
        "max_file_bytes = \"100MiB\"",
        "max_user_bytes = \"5GiB\"",
        "window_bytes = \"16MiB\"",
        "mismatched_type = \"store\"",
        "upload_expires = \"1day\"",
        "keep_unused = \"1day\"",
        "recheck_used = \"7days\"",
        "store = \"local\"",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[test]
fn every_value_out_of_range_is_named() {
    let year = Duration::from_secs(400 * 24 * 3600);
    let mut config = Config {
        store_max_bytes: 1,
        min_free_bytes: u64::MAX,
        max_file_bytes: 0,
        max_avatar_bytes: 0,
        max_user_bytes: 0,
        uploads_per_day: 0,
        bytes_per_day: 0,
        unfinished_uploads: 0,
        window_bytes: 1,
        upload_expires: year,
        save_bytes: 1,
        save_every: year,
        open_uploads: 0,
        parts_at_once: 0,
        parts_waiting: usize::MAX,
        finish_jobs: usize::MAX,
        finish_waiting: usize::MAX,
        finish_per_user: 0,
        finish_wait: year,
        inspect_time: year,
        mismatched_type: MismatchedType::Refuse,
        keep_unused: year,
        recheck_used: year,
        collect_every: year,
        sweep_every: year,
        revocation_blind_max: year,
        blobs: BlobConfig { store: BlobStore::S3, prefix: "a/../b".to_owned(), ..BlobConfig::default() },
        downloads: DownloadConfig { at_once: 0, ..DownloadConfig::default() },
        scanner: ScannerConfig { at_once: 0, ..ScannerConfig::default() },
        limits: Limits::default(),
    };
    (config.blobs.access_key_id, config.blobs.endpoint) = (Some("key".to_owned()), "http://here".to_owned());
    config.limits.part.burst = 0;
    let mut problems = Problems::default();
    config.check(&mut problems);
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "store_max_bytes",
            "min_free_bytes",
            "max_file_bytes",
            "max_avatar_bytes",
            "max_user_bytes",
            "uploads_per_day",
            "bytes_per_day",
            "unfinished_uploads",
            "window_bytes",
            "upload_expires",
            "save_bytes",
            "save_every",
            "open_uploads",
            "parts_at_once",
            "parts_waiting",
            "finish_jobs",
            "finish_waiting",
            "finish_per_user",
            "finish_wait",
            "inspect_time",
            "keep_unused",
            "recheck_used",
            "collect_every",
            "sweep_every",
            "revocation_blind_max",
            "blobs.prefix",
            "blobs.bucket",
            "blobs.secret_access_key",
            "blobs.endpoint",
            "downloads.at_once",
            "scanner.at_once",
            "limits.part.burst"
        ]
    );
}

#[test]
fn what_becomes_of_other_types_is_one_of_two() {
    let of = |value: &str| {
        let set = vec![format!("mismatched_type={value}")];
        load::<Config>(&Sources { set, ..Sources::default() })
    };
    assert_eq!(of("refuse").unwrap().value.mismatched_type, MismatchedType::Refuse);
    let problems = of("reject").unwrap_err().to_string();
    assert!(problems.contains("mismatched_type") && problems.contains("`store` or `refuse`"), "{problems}");
}

#[test]
fn larger_files_have_more_time() {
    let time = |max_file_bytes| Config { max_file_bytes, ..Config::default() }.inspector_limits().time;
    assert_eq!(time(MIB), Duration::from_secs(10));
    assert_eq!(time(4096 * MIB), Duration::from_secs(10 + 128));
}

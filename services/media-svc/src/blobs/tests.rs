use std::fs;

use super::bucket::PART;
use super::*;
use crate::media::random_id;

fn open(folder: &Path, prefix: &str) -> Blobs {
    let config = BlobConfig { prefix: prefix.to_owned(), ..BlobConfig::default() };
    Blobs::open(&config, folder).unwrap()
}

#[tokio::test]
async fn what_is_put_can_be_had_in_parts_until_it_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (root, from) = (folder.path().join("blobs"), folder.path().join("file"));
    for prefix in ["", "/a/b/"] {
        let blobs = open(&root, prefix);
        let (id, other) = (random_id(), random_id());
        // More than one chunk.
        let content: Vec<u8> = (0..PART as u64 + 5).map(|n| (n * n).to_le_bytes()[0]).collect();
        fs::write(&from, &content).unwrap();
        blobs.put(id, Variant::Original, &from).await.unwrap();
        fs::write(&from, b"small").unwrap();
        blobs.put(id, Variant::Small, &from).await.unwrap();
        blobs.put(other, Variant::Original, &from).await.unwrap();
        blobs.put(other, Variant::Original, &from).await.unwrap();
        let length = content.len() as u64;
        assert_eq!(blobs.read(id, Variant::Original, 0..length).await.unwrap(), content);
        assert_eq!(blobs.read(id, Variant::Original, length - 2..length).await.unwrap(), content[PART + 3..]);
        assert_eq!(blobs.read(id, Variant::Small, 1..4).await.unwrap(), &b"mal"[..]);
        let mut ids: Vec<_> = blobs.ids().try_collect().await.unwrap();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 2, "{prefix:?}: {ids:?}");
        blobs.delete(id).await.unwrap();
        blobs.delete(id).await.unwrap();
        for variant in [Variant::Original, Variant::Small, Variant::Large] {
            assert!(matches!(blobs.read(id, variant, 0..1).await, Err(BlobError::NotFound)));
        }
        assert_eq!(blobs.ids().try_collect::<Vec<_>>().await.unwrap(), [other]);
        blobs.delete(other).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_being_put_when_the_process_ended_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let half = folder.path().join(random_id().to_string());
    fs::create_dir(&half).unwrap();
    fs::write(half.join("original#1"), b"half").unwrap();
    let blobs = open(folder.path(), "");
    assert!(!half.join("original#1").exists());
    assert_eq!(blobs.ids().try_collect::<Vec<_>>().await.unwrap(), []);
}

#[test]
fn a_full_disk_is_told_from_a_fault() {
    let full = |kind| object_store::Error::Generic { store: "any", source: io::Error::from(kind).into() };
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
        assert!(matches!(full(kind).into(), BlobError::Full));
    }
    assert!(matches!(full(io::ErrorKind::PermissionDenied).into(), BlobError::Failed(_)));
}

/// What is left in a folder of files that are not whole, and of folders.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_cannot_be_put_to_its_end_leaves_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (root, from) = (folder.path().join("blobs"), folder.path().join("file"));
    let blobs = open(&root, "");
    fs::write(&from, b"bytes").unwrap();
    let id = random_id();
    // All goes well but for the last step.
    let taken = root.join(id.to_string());
    fs::create_dir_all(taken.join("original/in the way")).unwrap();
    for _ in 0..3 {
        let refused = blobs.put(id, Variant::Original, &from).await.unwrap_err();
        assert!(refused.to_string().to_lowercase().contains("directory"), "{refused}");
        assert_eq!(names(&taken), ["original"], "each try leaves its bytes");
    }
    let full = blobs.clone().reserving(u64::MAX / 2).put(random_id(), Variant::Original, &from).await;
    assert!(matches!(full, Err(BlobError::Full)), "{full:?}");
    assert_eq!(names(&root).len(), 1);
    fs::remove_dir_all(&taken).unwrap();
    blobs.put(id, Variant::Original, &from).await.unwrap();
    assert_eq!(names(&taken), ["original"]);
}

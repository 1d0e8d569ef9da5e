//! Backups: complete and consistent while writes go on, never over something else.

mod support;

use parlor_embedded::BackupError;
use support::{Job, count, file, folder, open, put};

#[tokio::test]
async fn a_backup_made_while_writing_is_one_whole_snapshot() {
    let folder = folder();
    let db = open(&file(&folder));
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let writer = tokio::spawn({
        let db = db.clone();
        async move {
            while stopped.try_recv().is_err() {
                let job = |tx: &mut parlor_embedded::Tx<'_>| -> Job<()> {
                    let number = i64::try_from(tx.commit_number()).unwrap();
                    put(tx, &format!("k{number}"), number)?;
                    tx.execute("INSERT INTO blob (body) VALUES (?1)", [vec![1_u8; 2000]])?;
                    Ok(())
                };
                db.write(job).await.unwrap();
            }
        }
    });
    for round in 0..5 {
        while db.commit_number() < 50 * (round + 1) {
            tokio::task::yield_now().await;
        }
        let target = folder.path().join(format!("copy{round}.db"));
        let before = db.commit_number();
        let backup = db.backup_to(&target).await.unwrap();
        assert!(backup.commit_number >= before);
        assert_eq!(backup.bytes, target.metadata().unwrap().len());
        assert!(!folder.path().join(format!("copy{round}.db.partial")).exists());
        let copy = open(&target);
        let verdict = copy.read(|s| s.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)));
        assert_eq!(verdict.await.unwrap(), "ok");
        let rows = copy.read(count).await.unwrap();
        let number = i64::try_from(backup.commit_number).unwrap();
        assert_eq!((rows, copy.commit_number()), (number, backup.commit_number));
    }
    stop.send(()).unwrap();
    writer.await.unwrap();
}

#[tokio::test]
async fn a_backup_overwrites_nothing_but_its_own_remains() {
    let folder = folder();
    let db = open(&file(&folder));
    let target = folder.path().join("copy.db");
    std::fs::write(&target, "precious").unwrap();
    let refused = db.backup_to(&target).await;
    assert!(matches!(refused, Err(BackupError::Exists { .. })), "{refused:?}");
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");

    std::fs::remove_file(&target).unwrap();
    std::fs::write(folder.path().join("copy.db.partial"), "what an interrupted backup left").unwrap();
    db.backup_to(&target).await.unwrap();
    assert_eq!(open(&target).read(count).await.unwrap(), 0);

    let nowhere = db.backup_to(&folder.path().join("no/copy.db")).await;
    assert!(nowhere.is_err());
}

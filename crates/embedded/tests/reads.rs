//! Reads: one snapshot each, unable to write, and no danger to the store.

mod support;

use parlor_embedded::{Db, Options, ReadError};
use support::{SCHEMA, count, file, folder, open, put};

#[tokio::test]
async fn a_read_sees_one_snapshot_while_writes_go_on() {
    let folder = folder();
    let db = open(&file(&folder));
    let (entered, reading) = tokio::sync::oneshot::channel();
    let (go_on, wait) = std::sync::mpsc::sync_channel::<()>(1);
    let read = tokio::spawn({
        let db = db.clone();
        async move {
            db.read(move |snapshot| {
                entered.send(()).unwrap();
                wait.recv().unwrap();
                Ok((snapshot.commit_number(), count(snapshot)?))
            })
            .await
        }
    });
    reading.await.unwrap();
    db.write(|tx| put(tx, "a", 1)).await.unwrap();
    assert_eq!(db.read(|s| Ok((s.commit_number(), count(s)?))).await.unwrap(), (1, 1));
    go_on.send(()).unwrap();
    assert_eq!(read.await.unwrap().unwrap(), (0, 0));
}

#[tokio::test]
async fn a_read_cannot_write() {
    let folder = folder();
    let db = open(&file(&folder));
    let written = db.read(|s| s.execute("INSERT INTO kv (key, value) VALUES ('a', 1)", [])).await;
    assert!(matches!(written, Err(ReadError::Sqlite(_))), "{written:?}");
    assert_eq!(db.read(count).await.unwrap(), 0);
}

#[tokio::test]
async fn a_panic_in_a_read_is_its_own_affair() {
    let folder = folder();
    let mut options = Options::new(file(&folder));
    options.readers = 1;
    let db = Db::open(options, SCHEMA).unwrap();
    let panicked = db.read::<(), _>(|_| panic!("a bug")).await;
    assert!(matches!(&panicked, Err(ReadError::Panicked(why)) if why == "a bug"), "{panicked:?}");
    db.write(|tx| put(tx, "a", 1)).await.unwrap();
    assert_eq!(db.read(count).await.unwrap(), 1, "the reader's transaction was left open");
}

#[tokio::test]
async fn g8_a_full_read_queue_answers_busy_and_abandoned_reads_are_skipped() {
    let folder = folder();
    let mut options = Options::new(file(&folder));
    (options.readers, options.queue) = (1, 1);
    let db = Db::open(options, SCHEMA).unwrap();
    let (entered, reading) = tokio::sync::oneshot::channel();
    let (go_on, wait) = std::sync::mpsc::sync_channel::<()>(1);
    let holder = tokio::spawn({
        let db = db.clone();
        async move {
            db.read(move |_| {
                entered.send(()).unwrap();
                wait.recv().unwrap();
                Ok(())
            })
            .await
        }
    });
    reading.await.unwrap();
    {
        let abandoned = std::pin::pin!(db.read::<(), _>(|_| panic!("nobody waits for this")));
        let polled = futures_poll_once(abandoned).await;
        assert!(polled.is_none());
        assert!(matches!(db.read(count).await, Err(ReadError::Busy)));
    }
    go_on.send(()).unwrap();
    holder.await.unwrap().unwrap();
    while let Err(error) = db.read(count).await {
        assert!(matches!(error, ReadError::Busy), "{error:?}");
        tokio::task::yield_now().await;
    }
}

async fn futures_poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

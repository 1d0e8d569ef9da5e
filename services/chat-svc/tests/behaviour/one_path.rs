//! G2: an append takes effect once, however often and by whatever way it is sent.

use parlor_testkit::{compose, reason};
use parlor_wire::chat::v1::{Append, Role};
use parlor_wire::errors::v1::ErrorReason;

use crate::support::{Scene, fill, outcome};

#[tokio::test]
async fn g2_stream_and_unary_are_one_path() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut stream = ben.stream().await;

    let by_stream = compose::text(&tea, 1, "by stream");
    assert_eq!(outcome(stream.append(by_stream.clone()).await), Ok((2, false)));
    let again = ben.append(&by_stream).await.unwrap();
    assert_eq!((again.seq, again.message_number, again.duplicate), (2, 1, true), "G2");

    let by_call = compose::text(&tea, 2, "by call");
    assert_eq!(ben.append(&by_call).await.unwrap().seq, 3);
    assert_eq!(outcome(stream.append(by_call.clone()).await), Ok((3, true)), "G2");
    let late = Append { lane: 7, ..by_call.clone() };
    assert_eq!(outcome(stream.append(late).await), Ok((3, true)), "G2: whatever the lane");

    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    for append in [&by_stream, &by_call] {
        let again = ben.append(append).await.unwrap();
        assert!(again.duplicate, "G2: also for one who was removed");
        assert_eq!(outcome(stream.append(append.clone()).await), Ok((again.seq, true)));
    }
    let refused = ben.append(&compose::text(&tea, 3, "something new")).await;
    assert_eq!(reason(refused), ErrorReason::ConversationNotFound, "G7");
    assert_eq!(ada.row(&tea).await.unwrap().head, 4, "G2");
}

#[tokio::test]
async fn g2_the_same_op_twice_at_once_is_one_entry() {
    let scene = Scene::start().await;
    let (ada, ada_too) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ada_too]).await;
    let append = compose::text(&tea, 1, "impatient");
    let sends = (0..20).map(|_| ada.append(&append));
    let mut stored = 0;
    for answer in futures_util::future::join_all(sends).await {
        let answer = answer.unwrap();
        assert_eq!(answer.seq, 2);
        stored += usize::from(!answer.duplicate);
    }
    assert_eq!(stored, 1, "G2");
    let theirs = Append { base_seq: 2, ..append };
    assert_eq!(ada_too.append(&theirs).await.unwrap().seq, 3, "an op is its sender's: another's is no copy");
}

#[tokio::test]
async fn an_op_with_other_content_or_a_base_seq_from_the_future_is_refused() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let append = compose::text(&tea, 1, "what was meant");
    ada.append(&append).await.unwrap();
    let mut other = compose::text(&tea, 1, "something else");
    other.op.clone_from(&append.op);
    assert_eq!(reason(ada.append(&other).await), ErrorReason::OpReused);
    let mut stream = ada.stream().await;
    assert_eq!(outcome(stream.append(other).await), Err((ErrorReason::OpReused, 1)));

    for base_seq in [3, u64::MAX] {
        let ahead = compose::text(&tea, base_seq, "too soon");
        assert_eq!(reason(ada.append(&ahead).await), ErrorReason::BaseSeqAhead);
    }
    let request = compose::group("Tea", &[]);
    ada.create(request.clone()).await.unwrap();
    let mut other = request;
    other.name = "Coffee".to_owned();
    assert_eq!(reason(ada.create(other).await), ErrorReason::OpReused);
    assert_eq!(ada.row(&tea).await.unwrap().head, 2, "G2: nothing of all this was stored");
}

/// The dedupe span is 4,096 entries; the service is started anew so that it has to look into its store.
#[tokio::test]
async fn g2_an_old_retry_is_found_within_the_span_and_refused_beyond() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let old = compose::text(&tea, 1, "long ago");
    ada.append(&old).await.unwrap();
    let mut stream = ada.stream().await;
    let head = fill(&mut stream, &tea, 2, 4095, "since").await;
    assert_eq!(head, 1 + 4096);

    let scene = scene.restart(None, |_| ()).await;
    let ada = scene.session(ada.person).await;
    let again = ada.append(&old).await.unwrap();
    assert_eq!((again.seq, again.duplicate), (2, true), "G2");
    let new = compose::text(&tea, 1, "new, though its sender has not heard anything since");
    assert_eq!(ada.append(&new).await.unwrap().seq, head + 1);

    let scene = scene.restart(None, |_| ()).await;
    let ada = scene.session(ada.person).await;
    assert_eq!(reason(ada.append(&old).await), ErrorReason::OpTooOld, "G2: it cannot be told");
    let mut stream = ada.stream().await;
    assert_eq!(outcome(stream.append(old.clone()).await), Err((ErrorReason::OpTooOld, 1)));
    let newer = Append { base_seq: 2, lane: 1, ..old };
    assert_eq!(
        outcome(stream.append(newer).await),
        Ok((head + 2, false)),
        "as its remedy says, if it is not there"
    );
}

#[tokio::test]
async fn g2_a_retry_is_answered_also_when_what_allowed_it_is_gone() {
    let scene = Scene::start().await;
    let (ada, ben, cem) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.does(&tea, compose::set_role(&ben.id(), Role::Admin)).await.unwrap();
    let add = compose::append(&tea, 2, compose::add(&[cem.id()]));
    let rename = compose::append(&tea, 3, compose::rename("Coffee"));
    assert_eq!(ben.append(&add).await.unwrap().seq, 3);
    assert_eq!(ben.append(&rename).await.unwrap().seq, 4);
    ada.does(&tea, compose::set_role(&ben.id(), Role::Member)).await.unwrap();
    scene.auth.forget(cem.person.caller.user_id);
    let mut stream = ben.stream().await;
    for (append, seq) in [(rename, 4), (add, 3)] {
        let again = ben.append(&append).await.map(|again| (again.seq, again.duplicate));
        assert_eq!(again.unwrap(), (seq, true), "G2");
        assert_eq!(outcome(stream.append(append).await), Ok((seq, true)), "G2");
    }
}

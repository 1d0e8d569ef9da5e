//! Texts, by calls and on streams, and pages of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parlor_history::Recorder;
use parlor_testkit::ChatClient;
use parlor_tests::{Answer, Caller, Follower, history, reading};
use parlor_types::ConversationId;
use tokio::time::{sleep, timeout};

use crate::world::Stop;

/// Messages that a writer on a stream has on their way at once.
const IN_FLIGHT: usize = 6;
/// A reader's pace.
const PACE: Duration = Duration::from_millis(50);
/// A page is given up after this.
const ATTEMPT: Duration = Duration::from_secs(2);

/// One after the other, each until it is answered.
pub async fn call(mut caller: Caller, conversation: ConversationId, stop: Stop) {
    for number in 0.. {
        if stop.is_set() {
            return;
        }
        caller.say(conversation, format!("call {number}")).await;
    }
}

/// Several at once, in order.
pub async fn chat(follower: Arc<Follower>, conversation: ConversationId, stop: Stop) {
    let mut on_their_way = VecDeque::<Answer>::new();
    for number in 0.. {
        if stop.is_set() {
            break;
        }
        on_their_way.push_back(follower.say(conversation, format!("{} {number}", follower.name)).await);
        if on_their_way.len() >= IN_FLIGHT {
            let answer = on_their_way.pop_front().expect("there are several");
            answer.await.expect("it does not panic").expect("G2: it is stored in the end");
        }
    }
    for answer in on_their_way {
        answer.await.expect("it does not panic").expect("G2: it is stored in the end");
    }
}

/// Leafs through the log from its beginning, over and over.
pub async fn leaf(chat: ChatClient, conversation: ConversationId, recorder: Arc<Recorder>, stop: Stop) {
    let (id, mut from) = (conversation.to_string(), 1);
    while !stop.is_set() {
        if let Ok(Ok(page)) = timeout(ATTEMPT, reading::page(&chat, &id, from, 0)).await {
            history::page(&recorder, "ada, leafing", conversation, &page.entries);
            from = page.next_seq.max(1);
        }
        // waits: a reader's pace; how much is read this way decides nothing
        sleep(PACE).await;
    }
}

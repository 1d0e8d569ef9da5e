//! What people do besides talking: send files, read, come and go, type, look who is there, register, say how they are.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use parlor_client::core::Draft;
use parlor_client::{FileDraft, FileToSend};
use parlor_testkit::compose;
use parlor_tests::account::{self, Login, PASSWORD};
use parlor_tests::samples::jpeg;
use parlor_tests::{Caller, Follower, uploads};
use parlor_types::{ConversationId, DeviceId, Op, Seq, UserId};
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{Device, RegisterRequest};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Activity, Text};
use parlor_wire::media::v1::Purpose;
use parlor_wire::presence::v1::{SetStatusRequest, Status as Shown};
use parlor_wire::reason::{Retry, from_status, meaning};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::{sleep, timeout};
use tonic::Status;
use tonic::transport::Channel;

use crate::a_while;
use crate::world::{Guest, Stop};

/// Between two things that somebody does.
const PACE: Duration = Duration::from_millis(60);
/// Between two attempts at the same.
const PAUSE: Duration = Duration::from_millis(20);
/// An attempt is given up after this.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long somebody stays, or stays away.
const STAY: std::ops::Range<Duration> = Duration::from_millis(1)..Duration::from_millis(500);
/// Bytes of a file.
const SIZES: std::ops::Range<usize> = 1..60_000;

/// What the other services said is done.
#[derive(Debug, Default)]
pub struct Acked {
    /// User names that are registered.
    pub accounts: Mutex<Vec<String>>,
    /// Files in the group: where in its log, and what was sent; none for a picture, of which something is taken away.
    pub files: Mutex<Vec<(Seq, Option<Bytes>)>>,
    /// The last words about themselves that Ada has set.
    pub status: Mutex<String>,
}

/// Repeats a call, unchanged, until it is answered.
async fn until_answered<T, F>(what: &str, call: impl Fn() -> F) -> T
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    loop {
        match timeout(ATTEMPT, call()).await {
            Ok(Ok(answer)) => return answer.into_inner(),
            Ok(Err(status)) => {
                let helps = meaning(from_status(&status).reason()).1 == Retry::Same;
                assert!(helps, "{what}: {status:?}");
            }
            Err(_) => {}
        }
        // waits: for the service to come back; that it has is seen by trying
        sleep(PAUSE).await;
    }
}

/// One after the other, each until it is stored.
pub async fn files(
    sender: Arc<Follower>,
    conversation: ConversationId,
    folder: PathBuf,
    acked: Arc<Acked>,
    stop: Stop,
    mut rng: StdRng,
) {
    fs::create_dir(&folder).expect("a folder can be made");
    while !stop.is_set() {
        let is_picture = rng.random_bool(0.2);
        let bytes = if is_picture {
            jpeg(rng.random_range(8..200), 90, 6)
        } else {
            let mut bytes = vec![0; rng.random_range(SIZES)];
            rng.fill(&mut bytes[..]);
            bytes
        };
        let path = folder.join(Op::new().to_string());
        fs::write(&path, &bytes).expect("it can be written");
        let purpose = Some(if is_picture { Purpose::Image } else { Purpose::File });
        let files = vec![FileToSend { path, purpose, poster: None }];
        let (caption, reply_to, mentions) = Default::default();
        let draft = FileDraft { conversation, files, caption, reply_to, mentions };
        let sent = sender.live().send_file(draft).await.expect("it is saved");
        let appended = sent.settled().await.expect("G2: it is stored in the end");
        let sha256 = (!is_picture).then(|| uploads::sha256(&bytes));
        acked.files.lock().expect("nobody panics with it").push((Seq(appended.seq), sha256));
        // waits: so that not all the load is this, and no quota of a day is used up
        sleep(PACE).await;
    }
}

/// Has everything read that there is.
pub async fn reads(reader: Arc<Follower>, conversation: ConversationId, stop: Stop) {
    while !stop.is_set() {
        let known = reader.client.store().conversation(conversation).expect("the store can be read");
        if let Some(known) = known {
            reader.live().mark_read(conversation, known.head).await.expect("it is live");
        }
        // waits: a reader's pace
        sleep(PACE).await;
    }
}

/// The owner adds somebody, who says a few things; then they leave, or are removed; and so on.
pub async fn comes_and_goes(
    mut owner: Caller,
    guest: Arc<Guest>,
    group: ConversationId,
    stop: Stop,
    mut rng: StdRng,
) {
    let id = guest.id.to_string();
    while !stop.is_set() {
        owner.append(group, compose::add(std::slice::from_ref(&id))).await;
        if rng.random_bool(0.5) {
            a_while(STAY, &mut rng).await;
            if guest.is_in(group) {
                guest.says(group, "one moment").await;
            }
            owner.append(group, compose::remove(std::slice::from_ref(&id))).await;
        } else {
            while !guest.is_in(group) {
                if stop.is_set() {
                    return;
                }
                // waits: for the guest to hear of it, for which there may be no network
                sleep(PAUSE).await;
            }
            guest.says(group, "hello").await;
            a_while(STAY, &mut rng).await;
            guest.says(group, "and good bye").await;
            let leaving = guest.live.send(Draft::new(group, compose::leave())).await.expect("it is live");
            leaving.settled().await.expect("G2: it is stored in the end");
        }
        a_while(STAY, &mut rng).await;
    }
}

impl Guest {
    /// As far as its client knows.
    fn is_in(&self, group: ConversationId) -> bool {
        let known = self.client.store().conversation(group).expect("the store can be read");
        let row = known.and_then(|known| known.row);
        row.is_some_and(|row| row.readable.last().is_some_and(|range| range.to_seq == 0))
    }

    /// It may be refused: by then the owner may have removed them.
    async fn says(&self, group: ConversationId, body: &str) {
        let text = Kind::Text(Text { body: body.to_owned() });
        drop(self.live.send(Draft::new(group, text)).await.expect("it is live"));
    }
}

/// Types, looks at others, goes and comes back.
pub async fn is_there(somebody: Arc<Follower>, other: UserId, group: ConversationId, stop: Stop) {
    let live = somebody.live();
    for number in 0_u32.. {
        if stop.is_set() {
            break;
        }
        let done = match number % 6 {
            0 => live.set_typing(group, Activity::Typing).await,
            1 => live.watch(vec![other]).await,
            2 => live.set_typing(group, Activity::Unspecified).await,
            3 => live.background().await,
            4 => live.watch(Vec::new()).await,
            _ => live.foreground().await,
        };
        done.expect("it is live");
        // waits: the pace of somebody who cannot sit still
        sleep(PACE).await;
    }
    live.foreground().await.expect("it is live");
}

/// People register.
pub async fn accounts(channel: Channel, acked: Arc<Acked>, stop: Stop) {
    while !stop.is_set() {
        let username = account::name("somebody");
        let device = Device { device_id: DeviceId::new().to_string(), name: "test".to_owned() };
        let request = RegisterRequest {
            op: Op::new().to_string(),
            username: username.clone(),
            password: PASSWORD.to_owned(),
            display_name: String::new(),
            device: Some(device),
        };
        let register = || {
            let (mut auth, request) = (AuthServiceClient::new(channel.clone()), request.clone());
            async move { auth.register(request).await }
        };
        until_answered("somebody registers", register).await;
        acked.accounts.lock().expect("nobody panics with it").push(username);
        // waits: so that not all the load is this
        sleep(PACE).await;
    }
}

/// Somebody says how they are, again and again.
pub async fn statuses(somebody: Login, acked: Arc<Acked>, stop: Stop) {
    for number in 0.. {
        if stop.is_set() {
            return;
        }
        let text = format!("status {number}");
        let request = SetStatusRequest { status: Some(Shown { text: text.clone(), ..Shown::default() }) };
        let set = || {
            let (mut presence, request) = (somebody.presence(), request.clone());
            async move { presence.set_status(request).await }
        };
        until_answered("a status is set", set).await;
        *acked.status.lock().expect("nobody panics with it") = text;
        // waits: so that not all the load is this
        sleep(PACE).await;
    }
}

//! Who calls, and what they call about.

use std::time::Duration;

use parlor_testkit::{StreamClient, compose, eventually, reason};
use parlor_tests::account::{self, Login, PASSWORD};
use parlor_tests::{Server, uploads};
use parlor_wire::auth::v1::LogoutRequest;
use parlor_wire::chat::v1::{BlockUserRequest, GetBadgeRequest};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::Purpose;
use tempfile::TempDir;

use crate::named::Named;

/// Failed log-ins are many here.
const SETTINGS: &[&str] = &[
    "auth.throttle.account.burst=1000",
    "auth.throttle.account.every=1s",
    "auth.throttle.address.burst=1000",
    "auth.throttle.address.every=1s",
];
/// Of a token that lives a second, and five that clocks may differ.
const EXPIRED_WITHIN: Duration = Duration::from_secs(15);
/// What is promised of a session that has ended.
const ENDED_WITHIN: Duration = Duration::from_secs(1);

/// Somebody with a token, or without.
pub struct Caller {
    /// The name of the column.
    pub is_called: &'static str,
    pub token: Option<String>,
    /// Whether they have nothing to do with Ada, and may learn nothing of what is hers.
    pub is_strange: bool,
}

/// See the module.
pub struct Scene {
    pub server: Server,
    pub adas: Named,
    pub callers: Vec<Caller>,
    /// Ada's stream stays open, which is one of the things that are asked about.
    _on_ada: StreamClient,
    _folder: TempDir,
}

impl Scene {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let brief = Server::start_with(&data, &["auth.session.access_token=1s"]).await;
        let late = Login::register(brief.channel(), "late").await;
        brief.end().await;
        let [id, secret] = account::service(&data, "weather").await;
        let server = Server::start_with(&data, SETTINGS).await;
        let late = late.over(server.channel());
        let bot = Login::service(server.channel(), &id, &secret).await;
        let [ada, ben, stranger, ex, blocked] = people(&server).await;
        let ended = stranger.another_device(PASSWORD).await.expect("logs in");
        let other = ada.another_device(PASSWORD).await.expect("logs in");

        let (adas, on_ada) = belongings(&ada, [&ben, &ex]).await;
        ada.people().block_user(BlockUserRequest { user_id: blocked.id() }).await.expect("blocks");
        ended.auth().logout(LogoutRequest {}).await.expect("logs out");
        is_told(&ended, ErrorReason::SessionEnded, ENDED_WITHIN).await;
        is_told(&late, ErrorReason::TokenExpired, EXPIRED_WITHIN).await;

        let by = |is_called, login: &Login, is_strange| Caller {
            is_called,
            token: Some(login.credentials.access_token.clone()),
            is_strange,
        };
        let callers = vec![
            Caller { is_called: "no token", token: None, is_strange: true },
            Caller { is_called: "another token", token: Some("none.of.ours".to_owned()), is_strange: true },
            by("expired", &late, true),
            by("ended", &ended, true),
            by("service account", &bot, true),
            by("stranger", &stranger, true),
            by("blocked", &blocked, true),
            by("ex-member", &ex, false),
            by("other device", &other, false),
        ];
        Self { server, adas, callers, _on_ada: on_ada, _folder: folder }
    }
}

async fn people(server: &Server) -> [Login; 5] {
    let names = ["ada", "ben", "stranger", "ex", "blocked"];
    let all = names.map(|name| Login::register(server.channel(), name));
    futures_util::future::join_all(all).await.try_into().unwrap_or_else(|_| unreachable!("five"))
}

/// A group that one has been sent away from, a file that is nobody else's, a session and its stream.
async fn belongings(ada: &Login, [ben, ex]: [&Login; 2]) -> (Named, StreamClient) {
    let made = ada.chat().create_conversation(compose::group("Tea", &[ben.id(), ex.id()])).await;
    let conversation = made.expect("creates").into_inner().conversation.expect("a row").id;
    uploads::say(ada, &conversation, said("while all were there")).await.expect("says");
    uploads::say(ada, &conversation, compose::remove(&[ex.id()])).await.expect("removes");
    uploads::say(ada, &conversation, said("when one was gone")).await.expect("says");
    let diary = uploads::upload(&ada.media(), "diary.txt", Purpose::File, b"dear diary").await;
    let (mut stream, welcome) = StreamClient::connect(&ada.chat(), b"").await;
    stream.synced().await;
    let named = Named {
        conversation,
        user: ada.id(),
        username: ada.username.clone(),
        stream: welcome.stream_id,
        file: diary.expect("uploads").id,
        session: ada.credentials.session_id.clone(),
    };
    (named, stream)
}

fn said(body: &str) -> parlor_wire::chat::v1::content::Kind {
    parlor_wire::chat::v1::content::Kind::Text(parlor_wire::chat::v1::Text { body: body.to_owned() })
}

async fn is_told(login: &Login, why: ErrorReason, within: Duration) {
    eventually(&format!("{} is told {why:?}", login.username), within, async || {
        let answer = login.chat().get_badge(GetBadgeRequest {}).await;
        answer.is_err() && reason(answer) == why
    })
    .await;
}

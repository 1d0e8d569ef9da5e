//! Somebody who wants to know when Ada was there, and asks everything there is to ask.

use std::collections::BTreeSet;

use parlor_testkit::{StreamClient, in_time};
use parlor_tests::account::Login;
use parlor_tests::reading;
use parlor_wire::auth::v1::{
    BatchGetProfilesRequest, GetProfileRequest, SearchUsersRequest, get_profile_request,
};
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::list_messages_request::Conversation as Named;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{
    Direction, GetBadgeRequest, GetPrivacyRequest, GetReceiptsRequest, ListConversationsRequest,
    ListMessagesRequest, ListPeopleRequest, ServerFrame, SyncRequest, Watch,
};
use parlor_wire::presence::v1::{BatchGetPresenceRequest, WatchRequest};
use prost::Message;

use crate::scan;

/// See the module.
pub struct Viewer {
    pub login: Login,
    ada: String,
    stream: StreamClient,
    cursor: Vec<u8>,
}

/// What times an answer held, by what was asked.
pub type Times = BTreeSet<(&'static str, u64)>;

impl Viewer {
    /// On a stream that watches Ada.
    pub async fn new(login: Login, ada: &Login) -> Self {
        let (mut stream, _) = StreamClient::connect(&login.chat(), b"").await;
        let (_, cursor) = stream.synced().await;
        let mut viewer = Self { login, ada: ada.id(), stream, cursor: cursor.to_vec() };
        viewer.watch().await;
        viewer
    }

    /// Watches Ada, and oneself: whoever may be seen is told of, and oneself one always sees.
    async fn watch(&mut self) {
        let own = self.login.id();
        self.stream.send(Frame::Watch(Watch { user_ids: vec![self.ada.clone(), own.clone()] })).await;
        self.stream.find("oneself", |frame| told(frame, &own)).await;
    }

    /// Everything that can be asked, and everything that was told on the stream since the last time.
    pub async fn times(&mut self) -> Times {
        let mut all = Times::new();
        self.stream.ping().await;
        self.take_mail("the stream", &mut all);
        self.rows(&mut all).await;
        self.logs(&mut all).await;
        self.people(&mut all).await;
        self.presence(&mut all).await;
        let (stream, _) = StreamClient::connect(&self.login.chat(), b"").await;
        self.stream = stream;
        // Rows stay in the mail.
        self.stream.find("SyncDone", |frame| matches!(frame, In::SyncDone(_)).then_some(())).await;
        self.take_mail("the sync of a stream", &mut all);
        self.watch().await;
        self.stream.ping().await;
        self.take_mail("Watch on a stream", &mut all);
        all
    }

    fn take_mail(&mut self, what: &'static str, all: &mut Times) {
        for kind in self.stream.take_mail() {
            note(all, what, &ServerFrame { kind: Some(kind) });
        }
    }

    async fn rows(&self, all: &mut Times) {
        let mut chat = self.login.chat();
        let rows = chat.list_conversations(ListConversationsRequest::default()).await.expect("lists");
        note(all, "ListConversations", rows.get_ref());
        for row in &rows.get_ref().conversations {
            let row = reading::row(&self.login.chat(), &row.id).await.expect("reads");
            note(all, "GetConversation", &row);
        }
        for cursor in [&b""[..], &self.cursor] {
            let request = SyncRequest { cursor: cursor.to_vec().into(), ..SyncRequest::default() };
            note(all, "Sync", chat.sync(request).await.expect("syncs").get_ref());
        }
        note(all, "GetBadge", chat.get_badge(GetBadgeRequest {}).await.expect("counts").get_ref());
    }

    async fn logs(&self, all: &mut Times) {
        let mut chat = self.login.chat();
        let rows = chat.list_conversations(ListConversationsRequest::default()).await.expect("lists");
        for row in rows.into_inner().conversations {
            for entry in reading::log(&chat, &row.id).await.expect("reads") {
                note(all, "Fetch", &entry);
                let request = GetReceiptsRequest { conversation_id: row.id.clone(), seq: entry.seq };
                note(all, "GetReceipts", chat.get_receipts(request).await.expect("answers").get_ref());
            }
            for direction in [Direction::Older, Direction::Newer] {
                let conversation = Some(Named::ConversationId(row.id.clone()));
                let direction = direction.into();
                let request =
                    ListMessagesRequest { conversation, direction, ..ListMessagesRequest::default() };
                note(all, "ListMessages", chat.list_messages(request).await.expect("lists").get_ref());
            }
        }
    }

    async fn people(&self, all: &mut Times) {
        let (mut profiles, mut people) = (self.login.profiles(), self.login.people());
        let user = Some(get_profile_request::User::UserId(self.ada.clone()));
        note(
            all,
            "GetProfile",
            profiles.get_profile(GetProfileRequest { user }).await.expect("gets").get_ref(),
        );
        let request = BatchGetProfilesRequest { user_ids: vec![self.ada.clone()] };
        note(all, "BatchGetProfiles", profiles.batch_get_profiles(request).await.expect("gets").get_ref());
        let request = SearchUsersRequest { prefix: "ada".to_owned(), ..SearchUsersRequest::default() };
        note(all, "SearchUsers", profiles.search_users(request).await.expect("finds").get_ref());
        let listed = people.list_people(ListPeopleRequest::default()).await.expect("lists");
        note(all, "ListPeople", listed.get_ref());
        note(all, "GetPrivacy", people.get_privacy(GetPrivacyRequest {}).await.expect("gets").get_ref());
    }

    /// What is said of oneself is left out: one was there all the time.
    async fn presence(&self, all: &mut Times) {
        let mut presence = self.login.presence();
        let request = BatchGetPresenceRequest { user_ids: vec![self.ada.clone()] };
        note(all, "BatchGetPresence", presence.batch_get_presence(request).await.expect("gets").get_ref());
        let user_ids = vec![self.ada.clone(), self.login.id()];
        let mut watch = presence.watch(WatchRequest { user_ids }).await.expect("watches").into_inner();
        let mut is_complete = false;
        while !is_complete {
            let news = in_time("oneself", watch.message()).await.expect("it goes on").expect("it goes on");
            for presence in news.presences {
                is_complete |= presence.user_id == self.login.id();
                if presence.user_id == self.ada {
                    note(all, "Watch", &presence);
                }
            }
        }
    }
}

/// Whether it tells of `user`.
fn told(frame: &In, user: &str) -> Option<()> {
    let In::PresenceChanged(changed) = frame else { return None };
    changed.presence.as_ref().filter(|presence| presence.user_id == user).map(|_| ())
}

fn note(all: &mut Times, what: &'static str, message: &impl Message) {
    all.extend(scan::times(&message.encode_to_vec()).into_iter().map(|time| (what, time)));
}

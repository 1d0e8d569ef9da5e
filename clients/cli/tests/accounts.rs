//! Two accounts in one process over a real server: what each sees of the other, and what is there without a server.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::time::{Duration, SystemTime};

use parlor_client::core::{Delivery, Draft, Event};
use parlor_client::{Client, Events, Live, News};
use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Activity, Text};
use support::{PATIENCE, Person, Server};

struct Account {
    client: Client,
    live: Live,
    events: Events,
}

impl Account {
    async fn new(server: &Server, person: &Person) -> Self {
        let client = Client::open(person.folder.path(), &server.url(), Duration::ZERO).await.unwrap();
        let (live, events) = client.live().await.unwrap();
        let mut account = Self { client, live, events };
        account.until("online", |_, event| *event == Event::Online).await;
        account
    }

    /// Waits for an event; those before it are of no interest.
    async fn until(&mut self, what: &str, is_it: impl Fn(&Client, &Event) -> bool) {
        let search = async {
            loop {
                match self.events.next().await.unwrap() {
                    News::Event(event) if is_it(&self.client, &event) => return,
                    News::Event(_) | News::Missed(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("waited for: {what}"));
    }

    async fn says(&self, id: ConversationId, body: &str) -> Seq {
        let draft = Draft::new(id, Kind::Text(Text { body: body.into() }));
        let pending = self.live.send(draft).await.unwrap();
        let settled = tokio::time::timeout(PATIENCE, pending.settled()).await.expect("it is answered");
        Seq(settled.unwrap().seq)
    }

    fn unread(&self, id: ConversationId) -> u64 {
        self.client.store().chat(id).unwrap().map_or(0, |chat| chat.unread.messages)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_in_one_process_see_each_other_receive_read_and_type() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    let sent = ada.json(&["send", "--to", "@ben", "hello"]).remove(0);
    let id = ConversationId::parse(sent["conversation_id"].as_str().unwrap()).unwrap();
    let (mut ada, mut ben) = (Account::new(&server, &ada).await, Account::new(&server, &ben).await);
    assert_eq!(ben.unread(id), 1, "of the row");

    let seq = ada.says(id, "are you there?").await;
    ben.until("the message", |_, event| matches!(event, Event::Entries { to, .. } if *to == seq)).await;
    assert_eq!(ben.unread(id), 2, "without another row");
    assert_eq!(ben.client.store().badge(SystemTime::now()).unwrap().unread, 2);
    let is = |delivery| {
        move |client: &Client, event: &Event| {
            matches!(event, Event::Receipts { .. })
                && client.store().receipts(id, seq).unwrap().delivery == delivery
        }
    };
    ada.until("delivered", is(Delivery::Delivered)).await;

    ben.live.mark_read(id, seq).await.unwrap();
    ada.until("read", is(Delivery::Read)).await;
    assert_eq!(ben.unread(id), 0);

    ben.live.set_typing(id, Activity::Typing).await.unwrap();
    let types = |activity: Activity| move |_: &Client, event: &Event| matches!(event, Event::Typing { activity: now, .. } if *now == activity);
    ada.until("ben types", types(Activity::Typing)).await;
    let of_ben = [(ben.client.me().await.unwrap(), Activity::Typing)];
    assert_eq!(ada.live.typing(id).await.unwrap(), of_ben);
    ben.says(id, "yes").await;
    ada.until("ben has said it", types(Activity::Unspecified)).await;

    server.kill();
    let offline =
        Client::with_open_store(ada.client.store().clone(), "http://127.0.0.1:9", Duration::ZERO).unwrap();
    let chats = offline.store().chats().unwrap().shown;
    assert_eq!((chats.len(), chats[0].unread.messages), (1, 1), "what is saved is shown without a server");
    let last = chats[0].last_message.as_ref().and_then(|entry| entry.content.clone()).unwrap();
    assert_eq!(last.kind, Some(Kind::Text(Text { body: "yes".into() })));
}

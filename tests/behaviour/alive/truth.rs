//! What the server says to a user, and in what a device differs from it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::SystemTime;

use parlor_client::store::{Badge, Chat, Store};
use parlor_tests::account::Login;
use parlor_tests::reading;
use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::{
    Conversation, Entry, GetBadgeRequest, GetPrivacyRequest, GetReceiptsRequest, ListConversationsRequest,
    ListPeopleRequest, Marks, Person, Privacy,
};

/// See the module. Asked by unary calls of a session that has no stream.
#[derive(Debug)]
pub struct Truth {
    conversations: BTreeMap<ConversationId, Of>,
    badge: Badge,
    people: Vec<Person>,
    privacy: Option<Privacy>,
}

/// One conversation.
#[derive(Debug)]
struct Of {
    row: Conversation,
    log: Vec<Entry>,
    /// Of the others, by user.
    marks: BTreeMap<String, Marks>,
}

impl Truth {
    /// As it is now. While somebody acts, its parts may be of different times.
    pub async fn ask(login: &Login) -> Self {
        let (mut chat, mut people) = (login.chat(), login.people());
        let rows = chat.list_conversations(ListConversationsRequest::default()).await.expect("lists");
        let mut conversations = BTreeMap::new();
        for row in rows.into_inner().conversations {
            let log = reading::log(&chat, &row.id).await.expect("reads");
            // The members of the row are all, those of the receipts all but the sender.
            let request = GetReceiptsRequest { conversation_id: row.id.clone(), seq: row.head };
            let receipts = chat.get_receipts(request).await.expect("answers").into_inner().members;
            let of_row = row.members.iter().map(|of| (of.user_id.clone(), of.marks.unwrap_or_default()));
            let of_receipts = receipts.into_iter().map(|of| (of.user_id, of.marks.unwrap_or_default()));
            let mut marks: BTreeMap<_, _> = of_row.chain(of_receipts).collect();
            marks.remove(&login.id());
            let id = ConversationId::parse(&row.id).expect("an id");
            conversations.insert(id, Of { row, log, marks });
        }
        let badge = chat.get_badge(GetBadgeRequest {}).await.expect("counts").into_inner();
        let listed = people.list_people(ListPeopleRequest::default()).await.expect("lists").into_inner();
        let privacy = people.get_privacy(GetPrivacyRequest {}).await.expect("gets").into_inner().privacy;
        let (unread, unread_mentions) = (badge.unread, badge.unread_mentions);
        let badge = Badge { unread, unread_mentions, conversations: badge.conversations };
        Self { conversations, badge, people: listed.people, privacy }
    }

    /// The first thing that a device has otherwise, if there is one.
    pub fn difference(&self, store: &Store) -> Option<String> {
        self.find_difference(store).err()
    }

    fn find_difference(&self, store: &Store) -> Result<(), String> {
        let waiting = store.outbox(None).expect("the store can be read").len();
        same("the number of messages that wait", &waiting, &0)?;
        let wishes = store.wishes().expect("the store can be read");
        same("changes that wait", &wishes, &Vec::new())?;
        for (id, of) in &self.conversations {
            let chat = store.chat(*id).expect("the store can be read");
            let chat = chat.ok_or_else(|| format!("{id} is not known"))?;
            of.compare(store, &chat).map_err(|difference| format!("in {id}, {difference}"))?;
        }
        same("the badge", &store.badge(SystemTime::now()).expect("the store can be read"), &self.badge)?;
        same("people", &store.people().expect("the store can be read"), &self.people)?;
        same("privacy", &store.privacy().expect("the store can be read"), &self.privacy)
    }

    /// Where the log is held from later than it can be read from.
    pub fn incomplete(&self, store: &Store) -> Vec<(ConversationId, Seq)> {
        let mut found = Vec::new();
        for (id, of) in &self.conversations {
            let known = store.conversation(*id).expect("the store can be read");
            let low = known.and_then(|known| known.range).map(|range| range.low);
            let first = Seq(of.log.first().map_or(1, |entry| entry.seq));
            if low.is_some_and(|low| low > first) {
                found.push((*id, first));
            }
        }
        found
    }
}

impl Of {
    fn compare(&self, store: &Store, chat: &Chat) -> Result<(), String> {
        let (id, own) = (chat.id, self.row.marks.unwrap_or_default());
        let held = store.entries(id, Seq::FIRST, Seq(u64::MAX), u32::MAX).expect("the store can be read");
        let seqs = |log: &[Entry]| log.iter().map(|entry| entry.seq).collect::<Vec<_>>();
        same("G5: the seqs held", &seqs(&held), &seqs(&self.log))?;
        same("G3: the entries", &held, &self.log)?;
        same("the last message", &chat.last_message, &self.row.last_message)?;
        same("unread", &chat.unread.messages, &self.row.unread)?;
        same("unread mentions", &chat.unread.mentions, &self.row.unread_mentions)?;
        same("the read mark", &chat.read, &Seq(own.read))?;
        same("what the server has of what is saved here", &own.received, &self.row.head)?;
        same(
            "preferences",
            &Some(chat.preferences.clone()),
            &Some(self.row.preferences.clone().unwrap_or_default()),
        )?;
        let receipts = store.receipts(id, Seq(self.row.head)).expect("the store can be read").members;
        let marks = receipts.into_iter().map(|of| (of.user.to_string(), of.marks)).collect();
        same("receipts", &marks, &self.marks)
    }
}

fn same<T: PartialEq + Debug>(what: &str, here: &T, there: &T) -> Result<(), String> {
    if here == there { Ok(()) } else { Err(format!("{what}: {here:?} here, {there:?} there")) }
}

//! The end: everything that was said to be done is, and all that was seen can have been.

use parlor_history::{Event, Summary};
use parlor_testkit::eventually;
use parlor_tests::account::{Login, PASSWORD};
use parlor_tests::{history, reading, uploads};
use parlor_types::{Id as _, Seq, UserId};
use parlor_wire::chat::v1::Entry;
use parlor_wire::media::v1::Variant;
use parlor_wire::presence::v1::{Availability, GetStatusRequest};

use crate::SETTLE;
use crate::world::World;

/// How much there was to look at.
#[derive(Debug)]
pub struct Found {
    pub acked: usize,
    pub unknown: usize,
    pub files: usize,
    pub accounts: usize,
}

impl World {
    /// Waits until everything is where it belongs, and holds it against the guarantees.
    pub async fn check(&self) -> Found {
        let log = self.read_all().await;
        self.reads_late().await;
        self.guest_has_what_is_theirs().await;
        let files = self.files_are_there(&log).await;
        let accounts = self.accounts_are_there().await;
        self.is_seen().await;

        let mut clients: Vec<_> = self.followers.iter().map(|follower| &follower.client).collect();
        clients.push(&self.dan.client);
        let seen = history::check_profiles(self.folder.path(), &clients).await;
        let marks = history::count(&seen, |event| matches!(event, Event::Marks { .. }));
        let unread = history::count(&seen, |event| matches!(event, Event::Unread { messages: 1.., .. }));
        assert!(marks > 0 && unread > 0, "{marks} marks and {unread} unread counts prove nothing");
        let history = self.recorder.history();
        history.assert_good();
        let Summary { acked, unknown, .. } = history.summary();
        Found { acked, unknown, files, accounts }
    }

    /// Reads everything there is, as everybody may who was there all the time; answers the log of the group.
    async fn read_all(&self) -> Vec<Entry> {
        let mut group = Vec::new();
        for conversation in [self.direct, self.notes, self.group] {
            let log =
                reading::log(&self.ada.chat(), &conversation.to_string()).await.expect("a member reads");
            let head = log.last().map_or(Seq::default(), |entry| Seq(entry.seq));
            history::holds(&self.recorder, "ada, reading all", conversation, &log);
            let members = match conversation {
                of_all if of_all == self.group => &self.followers[..],
                of_two if of_two == self.direct => &self.followers[..1],
                _ => &[],
            };
            for member in members {
                member.caught_up(conversation, head, SETTLE).await;
                history::holds(&self.recorder, &member.name, conversation, &member.held(conversation));
            }
            group = log;
        }
        group
    }

    /// Eve has only what came after her.
    async fn reads_late(&self) {
        let group = self.group.to_string();
        let row = reading::row(&self.eve.chat(), &group).await.expect("a member reads");
        let ranges = reading::ranges(&row);
        assert!(matches!(ranges[..], [(from, None)] if from > Seq::FIRST), "Eve joined later: {ranges:?}");
        let held = reading::log(&self.eve.chat(), &group).await.expect("a member reads");
        let (user, session) = (UserId::parse(&self.eve.id()).expect("an id"), None);
        self.recorder.record("eve", Event::Begin { user, session });
        history::may_read(&self.recorder, "eve", self.group, &ranges);
        history::holds(&self.recorder, "eve", self.group, &held);
    }

    /// Dan, who came and went, has delivered everything and knows what is his, up to its end.
    async fn guest_has_what_is_theirs(&self) {
        let store = self.dan.client.store();
        eventually("G5: Dan has what is his", SETTLE, async || {
            let is_empty = store.outbox(Some(self.group)).is_ok_and(|rows| rows.is_empty());
            let Ok(row) = self.dan.client.conversation(self.group).await else { return false };
            let last = row.readable.last().map_or(0, |range| range.to_seq);
            let last = if last == 0 { row.head } else { last };
            let Ok(Some(known)) = store.conversation(self.group) else { return false };
            let knows = known.row.is_some_and(|known| known.readable == row.readable);
            is_empty && knows && known.range.is_some_and(|range| range.have >= Seq(last))
        })
        .await;
    }

    /// Every file that was sent stands in the log and has its bytes.
    async fn files_are_there(&self, log: &[Entry]) -> usize {
        let files = self.acked.files.lock().expect("nobody panics with it").clone();
        for (seq, sent) in &files {
            let entry = log.iter().find(|entry| entry.seq == seq.0).expect("G1: it is in the log");
            let named = entry.kind().map(|kind| kind.media()).unwrap_or_default();
            let [media] = named[..] else { panic!("G1: {entry:?} has one file") };
            let bytes = uploads::download(&self.ada.media(), &media.id, Variant::Original).await;
            let bytes = bytes.unwrap_or_else(|status| panic!("G1: the file at {seq}: {status:?}"));
            let is_as_sent = sent.as_ref().is_none_or(|sent| *sent == uploads::sha256(&bytes));
            assert!(is_as_sent, "G1: the file at {seq} has other bytes than were sent");
        }
        files.len()
    }

    /// Whoever was told to be registered can log in; Ada's last words about herself are there.
    async fn accounts_are_there(&self) -> usize {
        let accounts = self.acked.accounts.lock().expect("nobody panics with it").clone();
        for username in &accounts {
            let entered = Login::enter(self.ada.channel(), username, PASSWORD).await;
            entered.unwrap_or_else(|status| panic!("G1: {username} was registered: {status:?}"));
        }
        let shown = self.ada.presence().get_status(GetStatusRequest {}).await.expect("it is to be had");
        let shown = shown.into_inner().status.unwrap_or_default().text;
        assert_eq!(shown, *self.acked.status.lock().expect("nobody panics with it"), "G1: the last status");
        accounts.len()
    }

    /// Who is there is seen to be there again.
    async fn is_seen(&self) {
        let [ben, cem] = &self.followers[..] else { unreachable!("there are two") };
        let id = ben.client.me().await.expect("it is logged in");
        cem.live().watch(vec![id]).await.expect("it is live");
        eventually("G6: Cem sees that Ben is there", SETTLE, async || {
            let presence = cem.live().presence(id).await.expect("it is live");
            presence.is_some_and(|presence| presence.availability() == Availability::Online)
        })
        .await;
    }
}

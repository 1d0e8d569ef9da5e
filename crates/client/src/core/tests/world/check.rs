//! Whether every device is in the end what the server is.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use parlor_types::{ConversationId, Id as _, Op, Seq};
use parlor_wire::chat::v1::Entry;
use parlor_wire::presence::v1::{Availability, Presence};

use super::World;
use super::device::Device;
use crate::core::Delivery;
use crate::store::Badge;

impl World {
    /// What is not yet as it should be in the end.
    pub(super) fn difference(&self) -> Option<String> {
        let devices = self.devices.iter().enumerate();
        let mut found =
            devices.filter_map(|(n, device)| Some(format!("device {n}: {}", self.differs(device)?)));
        found.next()
    }

    fn differs(&self, device: &Device) -> Option<String> {
        let waiting = device.store.outbox(None).unwrap().len();
        if waiting > 0 {
            return Some(format!("{waiting} rows wait in the outbox"));
        }
        let saved = device.store.load().unwrap();
        if !saved.wishes.is_empty() {
            return Some(format!("wishes wait: {:?}", saved.wishes));
        }
        if saved.generation != Some(self.server.generation.to_string()) {
            return Some("another generation".to_owned());
        }
        if !device.shows_nobody_typing() {
            return Some("somebody types for ever".to_owned());
        }
        let in_chats = self.conversations.iter().find_map(|id| self.chat_differs(device, *id));
        in_chats.or_else(|| self.people_differ(device)).or_else(|| self.presence_differs(device))
    }

    fn chat_differs(&self, device: &Device, id: ConversationId) -> Option<String> {
        let truth = &self.server.state.chats[&id];
        let known = device.store.conversation(id).unwrap();
        let head = truth.log.len() as u64;
        let Some(range) = known.as_ref().and_then(|known| known.range).filter(|range| range.have.0 >= head)
        else {
            return Some(format!("{id} has {head} entries: {known:?}"));
        };
        let Some(chat) = device.store.chat(id).unwrap() else { return Some(format!("{id} has no row")) };
        let unread = self.server.unread(id);
        if (chat.unread, chat.read.0) != (unread, truth.marks.read) {
            let (read, has) = (truth.marks.read, (chat.unread, chat.read));
            return Some(format!("{id}: {unread:?} are unread above {read}, not {has:?}: {known:?}"));
        }
        let last = truth.messages().next_back();
        if chat.last_message.as_ref() != last {
            return Some(format!("{id}: {last:?} is the last, not {:?}", chat.last_message));
        }
        if chat.preferences != truth.preferences {
            return Some(format!("{id}: {:?}, not {:?}", truth.preferences, chat.preferences));
        }
        if !range.is_empty() && truth.marks.received < head {
            return Some(format!("{id}: the server was told of {:?}, not of {head}", truth.marks));
        }
        let receipts = device.store.receipts(id, Seq(head.max(1))).unwrap();
        if receipts.members.len() != self.server.others.len() {
            return Some(format!("{id}: {:?} are the others", receipts.members));
        }
        for member in receipts.members {
            let seen = self.server.seen_marks(id, member.user);
            if member.marks != seen {
                return Some(format!("{id}: {} is at {seen:?}, not {:?}", member.user, member.marks));
            }
        }
        None
    }

    fn people_differ(&self, device: &Device) -> Option<String> {
        let (people, privacy) = (device.store.people().unwrap(), device.store.privacy().unwrap());
        if people != self.server.people() {
            return Some(format!("{:?}, not {people:?}", self.server.people()));
        }
        let truth = self.server.state.privacy;
        (privacy != Some(truth)).then(|| format!("{truth:?}, not {privacy:?}"))
    }

    /// At the end everybody is watched.
    fn presence_differs(&self, device: &Device) -> Option<String> {
        let core = device.core.as_ref().expect("it runs");
        let is_seen =
            |seen: &Presence| seen.availability() != Availability::Unspecified || seen.last_seen.is_some();
        self.server.others.iter().find_map(|user| {
            let truth = self.server.presences.get(user).filter(|truth| is_seen(truth));
            let known = core.presence(*user);
            (known != truth).then(|| format!("{user} is {truth:?}, not {known:?}"))
        })
    }

    pub(super) fn check(&self) {
        for device in &self.devices {
            for id in &self.conversations {
                self.check_log(device, *id);
                self.check_sent(device, *id);
            }
            assert_eq!(
                device.store.badge(self.date()).unwrap(),
                self.badge(),
                "the badge is as the server has it"
            );
        }
    }

    /// Every mute of a run ends after this, or before.
    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)
    }

    fn badge(&self) -> Badge {
        let mut badge = Badge::default();
        for id in &self.conversations {
            let (unread, preferences) = (self.server.unread(*id), &self.server.state.chats[id].preferences);
            if preferences.archived || preferences.hidden {
                continue;
            }
            badge.unread_mentions += unread.mentions;
            if preferences.muted_until.is_none() {
                badge.unread += unread.messages;
                badge.conversations += u32::from(unread.messages > 0 || preferences.marked_unread);
            }
        }
        badge
    }

    fn check_log(&self, device: &Device, id: ConversationId) {
        let log = &self.server.state.chats[&id].log;
        let range = device.store.conversation(id).unwrap().and_then(|known| known.range).expect("synced");
        let held = device.store.entries(id, range.low, range.have, u32::MAX).unwrap();
        let expected: Vec<_> = log.iter().filter(|entry| entry.seq >= range.low.0).cloned().collect();
        assert_eq!(held, expected, "G5: {id} is held as it is");
        let me = self.server.me.to_string();
        for entry in held.iter().filter(|entry| entry.sender_id == me) {
            let delivery = device.store.receipts(id, Seq(entry.seq)).unwrap().delivery;
            assert_eq!(delivery, self.delivery(id, entry), "{id}: what has become of {}", entry.seq);
        }
    }

    fn delivery(&self, id: ConversationId, entry: &Entry) -> Delivery {
        let marks: Vec<_> = self.server.others.iter().map(|user| self.server.seen_marks(id, *user)).collect();
        if marks.iter().all(|marks| marks.read >= entry.seq) {
            Delivery::Read
        } else if marks.iter().all(|marks| marks.received >= entry.seq) {
            Delivery::Delivered
        } else {
            Delivery::Sent
        }
    }

    fn check_sent(&self, device: &Device, id: ConversationId) {
        let Some(sent) = device.sent.get(&id) else { return };
        let me = self.server.me.to_string();
        let own = self.server.state.chats[&id].log.iter().filter(|entry| entry.sender_id == me);
        let stored: Vec<_> = own.map(|entry| Op::parse(&entry.op).unwrap()).collect();
        let unique: BTreeSet<_> = stored.iter().copied().collect();
        assert_eq!(unique.len(), stored.len(), "G2: nothing of {id} is stored twice");
        for sent in sent.iter().filter(|sent| !sent.is_change) {
            let expected = !sent.forbidden;
            if expected && !self.excused.contains(&sent.op) {
                assert!(unique.contains(&sent.op), "G2: {} of {id} is stored", sent.op);
            }
            assert!(expected || !unique.contains(&sent.op), "a refused one is stored");
            assert!(!(expected && device.refused.contains(&sent.op)), "{} was given up", sent.op);
        }
        if !self.harm.restore_client && !self.harm.restore_server {
            let ours: BTreeSet<_> = sent.iter().map(|sent| sent.op).collect();
            let order: Vec<_> = sent.iter().map(|sent| sent.op).filter(|op| unique.contains(op)).collect();
            let stored: Vec<_> = stored.into_iter().filter(|op| ours.contains(op)).collect();
            assert_eq!(order, stored, "G4: {id} holds them in the order they were sent");
        }
    }
}

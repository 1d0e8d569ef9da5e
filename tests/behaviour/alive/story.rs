//! What people see of each other, one thing after the other, in every weather.

use parlor_client::core::{Delivery, Draft};
use parlor_testkit::{PATIENCE, eventually};
use parlor_types::{ConversationId, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Activity, PreferenceChanges, Text};
use parlor_wire::presence::v1::Availability;

use crate::device::{FAULTS, Fault};
use crate::world::World;

/// Ada's phone and laptop, Ben's phone and laptop.
const ADA: [usize; 2] = [0, 1];
const BEN: [usize; 2] = [2, 3];

impl World {
    /// One device says something; answers where it is in the log.
    async fn says(&mut self, device: usize, conversation: ConversationId, body: &str) -> Seq {
        let draft = Draft::new(conversation, Kind::Text(Text { body: body.to_owned() }));
        let pending = self.devices[device].1.live().await.send(draft).await.expect("it is live");
        let stored =
            tokio::time::timeout(PATIENCE, pending.settled()).await.expect("G6: it is stored in time");
        Seq(stored.expect("it is stored").seq)
    }

    /// Waits until a device shows a message so.
    async fn shows(&self, device: usize, conversation: ConversationId, seq: Seq, delivery: Delivery) {
        let device = &self.devices[device].1;
        let what = format!("G6: {} shows message {seq} as {delivery:?}", device.name);
        eventually(&what, PATIENCE, async || {
            let receipts = device.store().receipts(conversation, seq).expect("the store can be read");
            receipts.delivery == delivery
        })
        .await;
    }

    async fn unread_is(&self, device: usize, conversation: ConversationId, unread: u64) {
        let device = &self.devices[device].1;
        let what = format!("G6: {} shows {unread} unread", device.name);
        eventually(&what, PATIENCE, async || {
            let chat = device.store().chat(conversation).expect("the store can be read");
            chat.is_some_and(|chat| chat.unread.messages == unread)
        })
        .await;
    }
}

impl World {
    /// Waits until a device shows Ada so.
    async fn is_seen(&mut self, device: usize, availability: Availability) {
        let (ada, device) = (self.user(0), &mut self.devices[device].1);
        let what = format!("{} sees Ada {availability:?}", device.name);
        let live = device.live().await;
        eventually(&what, PATIENCE, async || {
            let presence = live.presence(ada).await.expect("it is live");
            presence.is_some_and(|presence| presence.availability() == availability)
        })
        .await;
    }

    /// Waits until a device shows these as typing or recording, and nobody else.
    async fn types(&mut self, device: usize, conversation: ConversationId, who: &[(UserId, Activity)]) {
        let device = &mut self.devices[device].1;
        let what = format!("{} sees {who:?}", device.name);
        let live = device.live().await;
        eventually(&what, PATIENCE, async || live.typing(conversation).await.expect("it is live") == who)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g6_ticks_badges_and_pins_are_on_all_devices_in_every_weather() {
    let mut world = World::new(2, 2).await;
    let direct = world.conversations[0];
    for (number, fault) in FAULTS.into_iter().enumerate() {
        // It meets the phones; the laptops go on.
        for phone in [ADA[0], BEN[0]] {
            world.devices[phone].1.suffer(fault).await;
        }
        let seq = world.says(ADA[1], direct, &format!("{fault:?}?")).await;
        // Ben's laptop is enough for it to be delivered, and to be read.
        world.shows(ADA[1], direct, seq, Delivery::Delivered).await;
        world.unread_is(BEN[1], direct, 1).await;
        world.devices[BEN[1]].1.live().await.mark_read(direct, seq).await.expect("it is live");
        world.shows(ADA[1], direct, seq, Delivery::Read).await;
        let pinned = PreferenceChanges { pinned: Some(number % 2 == 0), ..PreferenceChanges::default() };
        world.devices[BEN[1]].1.live().await.set_preferences(direct, pinned).await.expect("it is live");
        world.heal(&format!("{fault:?}")).await;
        for phone in [ADA[0], BEN[0]] {
            world.unread_is(phone, direct, 0).await;
        }
        world.shows(ADA[0], direct, seq, Delivery::Read).await;
        let pinned = world.devices[BEN[0]].1.store().chat(direct).expect("the store can be read");
        assert_eq!(
            pinned.is_some_and(|chat| chat.is_pinned()),
            number % 2 == 0,
            "on the phone, after {fault:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_types_and_who_is_there_is_seen_and_is_seen_to_end() {
    let mut world = World::new(2, 1).await;
    let direct = world.conversations[0];
    let (ada, laptop) = (world.user(0), BEN[0]);
    world.devices[laptop].1.live().await.watch(vec![ada]).await.expect("it is live");
    world.is_seen(laptop, Availability::Online).await;
    for device in ADA {
        world.is_seen(laptop, Availability::Online).await;
        world.devices[device].1.live().await.background().await.expect("it is live");
    }
    world.is_seen(laptop, Availability::Away).await;
    world.devices[ADA[0]].1.live().await.foreground().await.expect("it is live");
    world.is_seen(laptop, Availability::Online).await;

    world.devices[ADA[0]].1.live().await.set_typing(direct, Activity::Typing).await.expect("it is live");
    world.types(laptop, direct, &[(ada, Activity::Typing)]).await;
    world.says(ADA[0], direct, "Here it is.").await;
    world.types(laptop, direct, &[]).await;
    for device in ADA {
        world.devices[device].1.suffer(Fault::Killed).await;
    }
    world.is_seen(laptop, Availability::Offline).await;
}

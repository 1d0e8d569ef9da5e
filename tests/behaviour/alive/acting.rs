//! What people do with their devices, at random.

use parlor_client::core::Draft;
use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Activity, BlockUserRequest, Draft as Begun, Entry, PreferenceChanges, RemoveContactRequest,
    RequestContactRequest, Text, UnblockUserRequest,
};
use prost_types::Timestamp;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use crate::world::World;

/// One thing that somebody does on one device; it may be that nobody hears of it for a while.
pub async fn act(world: &mut World, device: usize, number: usize, rng: &mut StdRng) {
    let conversation = world.conversations[rng.random_range(0..world.conversations.len())];
    world.devices[device].1.start().await;
    match rng.random_range(0..14) {
        0..4 => say(world, device, conversation, number, rng).await,
        4..6 => read(world, device, conversation, rng).await,
        6..9 => {
            let changes = preferences(number, world.head(device, conversation), rng);
            let live = world.devices[device].1.live().await;
            live.set_preferences(conversation, changes).await.expect("it is live");
        }
        9 => {
            let activity = [Activity::Typing, Activity::Recording, Activity::Unspecified][number % 3];
            let live = world.devices[device].1.live().await;
            live.set_typing(conversation, activity).await.expect("it is live");
        }
        10 => {
            let everybody = vec![world.user(0), world.user(1), world.user(2)];
            let live = world.devices[device].1.live().await;
            live.watch(everybody).await.expect("it is live");
            let asked =
                if number.is_multiple_of(2) { live.background().await } else { live.foreground().await };
            asked.expect("it is live");
        }
        11 | 12 => change(world, device, conversation, number, rng).await,
        _ => {
            let mentions =
                if rng.random_bool(0.5) { vec![world.user(world.devices[device].0)] } else { Vec::new() };
            // Cem is in the groups only.
            let group = world.conversations[rng.random_range(1..world.conversations.len())];
            world.cem_says(group, &format!("cem {number}"), &mentions).await;
            people(world, device, rng).await;
        }
    }
}

async fn say(
    world: &mut World,
    device: usize,
    conversation: ConversationId,
    number: usize,
    rng: &mut StdRng,
) {
    let body = format!("{} {number}", world.devices[device].1.name);
    let mut draft = Draft::new(conversation, Kind::Text(Text { body }));
    // The other of the two is in every conversation.
    if rng.random_bool(0.2) {
        draft.mentions = vec![world.user(1 - world.devices[device].0)];
    }
    world.devices[device].1.live().await.send(draft).await.expect("it is live");
}

/// Another text for a message of one's own, or none: as far as the device knows; another device may have deleted it.
async fn change(
    world: &mut World,
    device: usize,
    conversation: ConversationId,
    number: usize,
    rng: &mut StdRng,
) {
    let me = world.user(world.devices[device].0).to_string();
    let store = world.devices[device].1.store();
    let held =
        store.entries(conversation, Seq::FIRST, Seq(u64::MAX), u32::MAX).expect("the store can be read");
    let is_text = |entry: &&Entry| matches!(entry.kind(), Some(Kind::Text(_)));
    let own: Vec<_> = held.iter().filter(|entry| entry.sender_id == me).filter(is_text).collect();
    let Some(message) = own.choose(rng).map(|entry| Seq(entry.seq)) else { return };
    let draft = if rng.random_bool(0.7) {
        Draft::edit(conversation, message, format!("changed {number}"))
    } else {
        Draft::delete(conversation, message)
    };
    world.devices[device].1.live().await.send(draft).await.expect("it is live");
}

/// Up to the head that the device knows, or not quite.
async fn read(world: &mut World, device: usize, conversation: ConversationId, rng: &mut StdRng) {
    let head = world.head(device, conversation);
    let seq = Seq(head.0.saturating_sub(rng.random_range(0..3)));
    world.devices[device].1.live().await.mark_read(conversation, seq).await.expect("it is live");
}

fn preferences(number: usize, head: Seq, rng: &mut StdRng) -> PreferenceChanges {
    let some = Some(rng.random_bool(0.5));
    let changes = PreferenceChanges::default();
    let far = Timestamp { seconds: 253_370_764_800, nanos: 0 };
    match rng.random_range(0..7) {
        0 => PreferenceChanges { pinned: some, ..changes },
        1 => PreferenceChanges { archived: some, ..changes },
        2 => PreferenceChanges { hidden: some, ..changes },
        3 => PreferenceChanges { marked_unread: some, ..changes },
        4 => {
            let muted_until = if some == Some(true) { far } else { Timestamp::default() };
            PreferenceChanges { muted_until: Some(muted_until), ..changes }
        }
        5 => {
            let text = if some == Some(true) { format!("begun {number}") } else { String::new() };
            let reply_to = if text.is_empty() { 0 } else { head.0 };
            PreferenceChanges { draft: Some(Begun { text, reply_to }), ..changes }
        }
        _ => PreferenceChanges { custom_name: Some(format!("name {}", number % 5)), ..changes },
    }
}

/// The owner of a device does something about Cem, elsewhere; their devices hear of it.
async fn people(world: &World, device: usize, rng: &mut StdRng) {
    let (mut caller, user_id) = (world.people[world.devices[device].0].people(), world.people[2].id());
    match rng.random_range(0..4) {
        0 => {
            let request = RequestContactRequest { user_id, note: "hello".to_owned() };
            // Refused while Cem is blocked.
            drop(caller.request_contact(request).await);
        }
        1 => drop(caller.remove_contact(RemoveContactRequest { user_id }).await.expect("removes")),
        2 => drop(caller.block_user(BlockUserRequest { user_id }).await.expect("blocks")),
        _ => drop(caller.unblock_user(UnblockUserRequest { user_id }).await.expect("unblocks")),
    }
}

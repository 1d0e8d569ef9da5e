//! G1 and G2 for uploads: the network is cut, the server is killed, and the client is, at any moment, and each upload ends as
//! the whole file, once, or as a clean refusal.
//!
//! `PARLOR_CUTS` says how many cuts and kills, `PARLOR_SEED` which chance.

mod world;

use std::time::Duration;

use bytes::Bytes;
use parlor_tests::samples::jpeg;
use parlor_tests::{Seed, number, uploads};
use parlor_wire::media::v1::{CreateUploadRequest, Purpose, Variant};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use world::{Outcome, World};

/// Cuts and kills, if `PARLOR_CUTS` does not say.
const CUTS: u32 = 40;
/// Nothing is done for at most this long, so that a fault comes at any point of an upload, of its end, and of a start.
const LULL: Duration = Duration::from_millis(400);
/// Bytes of a file.
const SIZES: std::ops::Range<usize> = 200_000..12_000_000;
/// Faults that befall one upload.
const FAULTS: std::ops::RangeInclusive<u32> = 1..=6;

/// What became of all.
#[derive(Debug, Default)]
struct Tally {
    files: u32,
    refused: u32,
    cuts: u32,
    server_kills: u32,
    client_kills: u32,
}

/// What is uploaded, and whether it is what it is said to be.
struct Plan {
    request: CreateUploadRequest,
    bytes: Bytes,
    is_true: bool,
}

fn plan(rng: &mut StdRng) -> Plan {
    let is_picture = rng.random_bool(0.2);
    let bytes: Bytes = if is_picture {
        jpeg(rng.random_range(400..1600), 900, 6).into()
    } else {
        let mut bytes = vec![0; rng.random_range(SIZES)];
        rng.fill(&mut bytes[..]);
        bytes.into()
    };
    let purpose = if is_picture { Purpose::Image } else { Purpose::File };
    let mut request = uploads::beginning("file", purpose, &bytes);
    let is_true = rng.random_bool(0.85);
    if !is_true {
        request.sha256 = uploads::sha256(b"something else");
    }
    Plan { request, bytes, is_true }
}

async fn fault(world: &mut World, rng: &mut StdRng, tally: &mut Tally) {
    match rng.random_range(0..3) {
        0 => {
            tally.cuts += 1;
            world.proxy.cut();
        }
        1 => {
            tally.server_kills += 1;
            world.kill_server(LULL.mul_f64(rng.random_range(0.0..0.5))).await;
        }
        _ => {
            tally.client_kills += 1;
            world.kill_client().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_g2_an_upload_ends_whole_or_refused_whatever_is_cut_or_killed() {
    let seed = Seed::new();
    let wanted: u32 = number("PARLOR_CUTS").unwrap_or(CUTS);
    let mut rng = seed.rng(0);
    let mut world = World::new().await;
    let mut tally = Tally::default();
    let mut files = Vec::new();
    while tally.cuts + tally.server_kills + tally.client_kills < wanted {
        let plan = plan(&mut rng);
        world.upload(plan.request.clone(), plan.bytes.clone());
        for _ in 0..rng.random_range(FAULTS) {
            // waits: so that the fault comes at any point
            sleep(LULL.mul_f64(rng.random_range(0.0..1.0))).await;
            fault(&mut world, &mut rng, &mut tally).await;
        }
        match world.outcome().await {
            Outcome::File(media) => {
                assert!(plan.is_true, "G1: bytes with another hash than announced are a file");
                let is_as_sent = media.sha256 == plan.request.sha256;
                assert!(
                    is_as_sent || plan.request.purpose() == Purpose::Image,
                    "G1: other bytes than were sent"
                );
                tally.files += 1;
                files.push((plan.request, media));
            }
            Outcome::Refused(why) => {
                assert!(!plan.is_true, "G1: a whole file is refused: {why:?}");
                tally.refused += 1;
            }
        }
    }

    world.kill_server(Duration::ZERO).await;
    for (request, media) in &files {
        let again = uploads::begin(&world.ada.media(), request).await.expect("G2: the op is known");
        assert!(again.finished && again.media_id == media.id, "G2: one op has become two files");
        let bytes = uploads::download(&world.ada.media(), &media.id, Variant::Original).await;
        assert_eq!(uploads::sha256(&bytes.expect("G1: what was finished is there")), media.sha256);
    }
    world.keeps_nothing_else(&files.iter().map(|(_, media)| media.clone()).collect::<Vec<_>>()).await;
    println!("{tally:?}");
    let is_enough = tally.files > 0 && tally.cuts > 0 && tally.server_kills > 0 && tally.client_kills > 0;
    assert!(wanted < CUTS || is_enough, "too little happened to prove anything: {tally:?}");
}

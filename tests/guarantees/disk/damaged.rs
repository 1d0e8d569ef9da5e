//! G1 on a disk that lies: a page of the store that holds something else than was written is noticed, by an end or a
//! refusal; never is something read that nobody wrote.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use parlor_testkit::compose;
use parlor_tests::account::Login;
use parlor_tests::{Seed, Server, reading};
use parlor_wire::chat::v1::Entry;
use rand::RngExt as _;
use rand::rngs::StdRng;

/// Bytes of a page of the store.
const PAGE: u64 = 4096;
/// Texts in the log; every tenth is longer than a page.
const TEXTS: usize = 120;
/// Pages of the conversation store that are damaged, one after the other.
const DAMAGED: usize = 8;

/// A folder of a server that has ended, and what was in it.
struct Kept {
    token: String,
    group: String,
    log: Vec<Entry>,
}

async fn prepare(data: &Path) -> Kept {
    let server = Server::start(data).await;
    let ada = Login::register(server.channel(), "ada").await;
    let created = ada.chat().create_conversation(compose::group("Tea", &[])).await.expect("creates");
    let group = created.into_inner().conversation.expect("a row").id;
    for number in 0..TEXTS {
        let length = if number % 10 == 0 { 10_000 } else { 300 };
        let append = compose::text(&group, 1, &format!("{number} {}", "x".repeat(length)));
        ada.chat().append(compose::unary(&append)).await.expect("stored");
    }
    let log = reading::log(&ada.chat(), &group).await.expect("reads");
    // Everything is in the store's own file then.
    server.end().await;
    Kept { token: ada.credentials.access_token, group, log }
}

/// The same folder once more.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder can be made");
    for file in fs::read_dir(from).expect("a folder") {
        let path = file.expect("a file").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, to).expect("it can be copied");
        }
    }
}

fn damage(store: &Path, rng: &mut StdRng) -> u64 {
    let file = File::options().read(true).write(true).open(store).expect("the store");
    let pages = file.metadata().expect("it is there").len() / PAGE;
    let page = rng.random_range(0..pages);
    let mut noise = vec![0; usize::try_from(PAGE).expect("a page is small")];
    rng.fill(&mut noise[..]);
    file.write_all_at(&noise, page * PAGE).expect("it can be written");
    page
}

#[tokio::test]
async fn g1_a_damaged_store_is_noticed_and_never_read_as_truth() {
    let seed = Seed::new();
    let mut rng = seed.rng(0);
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole");
    let kept = prepare(&whole).await;
    let mut noticed = 0;
    for number in 0..DAMAGED {
        let data = folder.path().join(format!("damaged-{number}"));
        copy(&whole, &data);
        let page = damage(&data.join("chat.db"), &mut rng);
        let Ok(server) = Server::try_start(&data).await else {
            noticed += 1;
            continue;
        };
        let chat = parlor_testkit::chat_client(server.channel(), Some(&kept.token));
        match reading::log(&chat, &kept.group).await {
            Ok(log) => assert!(
                log == kept.log,
                "G1: page {page} is damaged, and another log is read than was written"
            ),
            Err(_) => noticed += 1,
        }
        server.kill().await;
    }
    println!("{noticed} of {DAMAGED} noticed");
    assert!(noticed > 0, "G1: no damage was noticed");
}

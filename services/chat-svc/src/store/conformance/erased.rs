//! What is deleted is in none of the bytes that SQLite keeps.

use parlor_testkit::{PATIENCE, eventually};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

/// Begins every text that is deleted.
const CANARY: &str = "canary-5b0e";

/// In which files of the store the canary is.
fn found(folder: &tempfile::TempDir) -> Vec<String> {
    let files = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
    let sings = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
    };
    files.filter(|file| sings(&file.path())).map(|file| file.file_name().into_string().unwrap()).collect()
}

/// Messages of all sizes among others, some of them edited; gives the seqs of those to be deleted.
async fn fill(store: &Arc<dyn Store>, tea: &mut Writer, ada: UserId, random: &mut SmallRng) -> Vec<u64> {
    append(store, tea.batch(&[group(ada, &[], Settings::default())])).await.unwrap();
    let mut secret = Vec::new();
    for _ in 0..250 {
        let body = "x".repeat(random.random_range(0..9_000) / random.random_range(1..40));
        if random.random_bool(0.5) {
            append(store, tea.batch(&[text(ada, &body)])).await.unwrap();
            continue;
        }
        append(store, tea.batch(&[text(ada, &format!("{CANARY}{body}"))])).await.unwrap();
        secret.push(tea.head().0);
        for _ in 0..random.random_range(0..3) {
            let about = secret[random.random_range(0..secret.len())];
            let edit = Content::Edit(format!("{CANARY} again {body}"));
            append(store, tea.change(ada, &edit, about)).await.unwrap();
        }
    }
    secret
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_deleted_is_left_in_the_files() {
    let mut random = SmallRng::seed_from_u64(5);
    let folder = tempfile::tempdir().unwrap();
    let (store, ada, mut tea) = (open(&folder), UserId::new(), Writer::new());
    let secret = fill(&store, &mut tea, ada, &mut random).await;
    assert!(!found(&folder).is_empty(), "it was there");
    for about in secret {
        append(&store, tea.change(ada, &Content::Delete, about)).await.unwrap();
    }
    // Soon after, while the store goes on.
    eventually("no file has it", PATIENCE, async || found(&folder).is_empty()).await;
    append(&store, tea.batch(&[text(ada, "and on")])).await.unwrap();
    drop(store);
    assert_eq!(found(&folder), [""; 0]);
}

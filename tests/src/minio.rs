//! A real S3 server, which neither the build nor the other tests need.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use parlor_testkit::in_time;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long it may take to start: it may share two cores with a build.
const START_WITHIN: Duration = Duration::from_secs(60);
/// What comes before its address when it says where it listens.
const API: &str = "API: http://";

/// MinIO, with one bucket, in a process of its own. Killed when dropped.
#[derive(Debug)]
pub struct Minio {
    child: Child,
    folder: PathBuf,
    address: String,
}

impl Minio {
    /// The bucket there is.
    pub const BUCKET: &str = "parlor";
    /// The region it takes requests to be for.
    pub const REGION: &str = "us-east-1";
    /// Who may use it.
    pub const KEY: &str = "parlor";
    /// How they prove it.
    pub const SECRET: &str = "a secret of tests";

    /// Keeps everything in `folder`, which is made. `None`, said loudly, if MinIO is not installed; on CI that is a failure.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(folder: &Path) -> Option<Self> {
        let program = installed()?;
        // To it, a folder in its folder is a bucket.
        fs::create_dir_all(folder.join(Self::BUCKET)).expect("a folder can be made");
        let (child, address) = launch(&program, folder, "127.0.0.1:0").await;
        Some(Self { child, folder: folder.to_owned(), address })
    }

    /// Its address, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// SIGKILL.
    ///
    /// # Panics
    /// It is not gone in time.
    pub async fn kill(&mut self) {
        in_time("the end of a killed S3 server", self.child.kill()).await.expect("it can be killed");
    }

    /// Starts it again, where it was, with what it had.
    ///
    /// # Panics
    /// It does not start.
    pub async fn revive(&mut self) {
        let program = installed().expect("it was there before");
        (self.child, self.address) = launch(&program, &self.folder, &self.address).await;
    }

    /// The names of all objects in the bucket, but for the mark that says whose they are.
    ///
    /// # Panics
    /// Its folder cannot be read.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        let bucket = self.folder.join(Self::BUCKET);
        let mut found = Vec::new();
        find(&bucket, &mut found);
        let name = |path: PathBuf| {
            let path = path.strip_prefix(&bucket).expect("it was found in there");
            path.to_str().expect("our names are ASCII").to_owned()
        };
        let mut names: Vec<_> =
            found.into_iter().map(name).filter(|name| !name.ends_with("/owner")).collect();
        names.sort();
        names
    }
}

/// To MinIO an object is a folder with a file of this name.
fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("xl.meta").exists() {
        found.push(folder.to_owned());
        return;
    }
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let entry = entry.expect("a folder can be read");
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find(&entry.path(), found);
        }
    }
}

async fn launch(program: &Path, folder: &Path, address: &str) -> (Child, String) {
    let mut command = Command::new(program);
    command.args(["server", "--json", "--address", address]).arg(folder);
    command.env("MINIO_ROOT_USER", Minio::KEY).env("MINIO_ROOT_PASSWORD", Minio::SECRET);
    command.env("MINIO_BROWSER", "off").env("MINIO_UPDATE", "off").env("MINIO_REGION", Minio::REGION);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("MinIO can be run");
    let mut lines = BufReader::new(child.stderr.take().expect("it was piped")).lines();
    let mut said = String::new();
    let told = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some((_, rest)) = line.split_once(API) {
                return rest.split_whitespace().next().map(str::to_owned);
            }
            said.extend([line.as_str(), "\n"]);
        }
        None
    };
    let address = timeout(START_WITHIN, told).await.ok().flatten();
    let address = address.unwrap_or_else(|| panic!("MinIO does not start:\n{said}"));
    // What else it says must not fill the pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, address)
}

/// Where it is: `PARLOR_MINIO_BIN`, or where `cargo xtask test` puts it.
fn installed() -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/go/bin/minio");
    let program = std::env::var_os("PARLOR_MINIO_BIN").map_or(ours, PathBuf::from);
    if program.exists() {
        return Some(program);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "MinIO is not installed");
    // Beside the output that is captured.
    let _ =
        writeln!(std::io::stderr(), "SKIPPED: MinIO is not installed; `cargo xtask test` does it, with Go");
    None
}

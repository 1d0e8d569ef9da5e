//! A document's blocks, run in order: in a folder of their own, with the programs of this workspace first on the PATH, a home of
//! their own, and, where the machine lets us, a network of their own, so that they say the ports that people will say.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use parlor_tests::{programs, samples};
use tempfile::TempDir;

use crate::blocks::{Block, Usage};
use crate::cargo;
use crate::languages::Languages;

const FUNCTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/behaviour/documents/session.sh");
/// All blocks of a document have ended after this.
const PATIENCE: Duration = Duration::from_secs(240);
/// What the documents name as theirs: nobody else may have them where there is one network for all.
const PORTS: std::ops::RangeInclusive<u16> = 7700..=7714;

/// Where the blocks of one document run.
pub struct Session {
    folder: TempDir,
    path: String,
}

impl Session {
    pub fn new(languages: &Languages) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let root = folder.path();
        for name in ["home", "bin", "logs", "blocks", "work"] {
            fs::create_dir(root.join(name)).expect("the folder is writable");
        }
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let work = root.join("work");
        copy(&checkout.join("proto"), &work.join("proto"));
        copy(&checkout.join("examples"), &work.join("examples"));
        fs::write(work.join("photo.jpg"), samples::photo()).expect("the folder is writable");
        if let Some(modules) = &languages.node_modules {
            symlink(modules, work.join("node_modules")).expect("the folder is writable");
        }
        let shim = root.join("bin/cargo");
        fs::write(&shim, cargo::stand_in(&checkout, &programs())).expect("the folder is writable");
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let mut path = vec![root.join("bin"), programs()];
        path.extend(languages.python_bin.clone());
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).expect("no folder has a colon in its name");
        Self { path: path.into_string().expect("the PATH is text"), folder }
    }

    /// Runs the blocks and answers what they wrote.
    ///
    /// # Errors
    /// What they wrote, if one of them failed.
    pub fn run(&self, document: &str, blocks: &[Block]) -> Result<String, String> {
        let root = self.folder.path();
        let mut plan = format!(". '{FUNCTIONS}' '{}'\n", root.join("logs").display());
        for section in blocks.chunk_by(|one, next| one.section == next.section) {
            section.iter().for_each(|block| self.plan(&mut plan, document, block));
            plan.push_str("stop\n");
        }
        let file = root.join("plan.sh");
        fs::write(&file, plan).expect("the folder is writable");
        let output = self.command(&file).output().expect("bash can be run");
        let written =
            [&*String::from_utf8_lossy(&output.stdout), &*String::from_utf8_lossy(&output.stderr)].concat();
        let written = written + &self.logs();
        if output.status.success() { Ok(written) } else { Err(format!("{}\n{written}", output.status)) }
    }

    fn plan(&self, plan: &mut String, document: &str, block: &Block) {
        let place = format!("'{document}:{}'", block.line);
        let file = |extension: &str| {
            let path = self.folder.path().join(format!("blocks/{}.{extension}", block.line));
            fs::write(&path, &block.body).expect("the folder is writable");
            format!("'{}'", path.display())
        };
        let step = match &block.usage {
            Usage::Run => format!("run {place} bash -euxo pipefail {}", file("sh")),
            Usage::Serve => format!("serving {place} {}", file("sh")),
            Usage::Background => format!("background {place} {}", file("sh")),
            Usage::Type(answer) => format!("typing {place} {} '{answer}'", file("sh")),
            Usage::Python => format!("run {place} env PYTHONPATH=. python -B {}", file("py")),
            Usage::TypeScript => {
                // Beside what it imports.
                let name = format!("block-{}.mts", block.line);
                fs::write(self.folder.path().join("work").join(&name), &block.body)
                    .expect("the folder is writable");
                format!("run {place} npx tsx {name}")
            }
            Usage::Configuration => {
                format!("run {place} parlor-server --check-config --config {}", file("toml"))
            }
            Usage::NotRun(_) | Usage::Text => return,
        };
        writeln!(plan, "{step}").expect("writing to a String does not fail");
    }

    fn command(&self, plan: &Path) -> Command {
        let (program, arguments) = alone();
        let mut command = Command::new(program);
        command.args(arguments).arg("timeout").arg("--kill-after=10").arg(PATIENCE.as_secs().to_string());
        command.arg("bash").arg(plan).current_dir(self.folder.path().join("work")).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("PARLOR_") || text.starts_with("XDG_") {
                command.env_remove(&name);
            }
        }
        command.env("PATH", &self.path).env("HOME", self.folder.path().join("home")).env("TERM", "dumb");
        command
    }

    /// What the programs that went on have written.
    fn logs(&self) -> String {
        let mut files: Vec<PathBuf> = fs::read_dir(self.folder.path().join("logs"))
            .expect("it was made")
            .map(|entry| entry.expect("it can be read").path())
            .collect();
        files.sort();
        let text = |file: &PathBuf| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned();
        files.iter().map(|file| format!("--- {}\n{}", file.display(), text(file))).collect()
    }
}

/// What gives a command a network of its own, with nothing in it but itself, and ends with it whatever it has started;
/// nothing, where that is not allowed.
///
/// # Panics
/// It is not, and somebody has one of the ports that documents name.
fn alone() -> (&'static str, &'static [&'static str]) {
    const UNSHARE: [&str; 5] = ["--map-root-user", "--net", "--pid", "--fork", "--kill-child"];
    const UP: &str = "ip link set lo up && exec \"$@\"";
    let mut probe = Command::new("unshare");
    probe.args(UNSHARE).args(["sh", "-c", UP, "sh", "true"]).stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        const ARGUMENTS: [&str; 9] = {
            let [user, net, pid, fork, kill] = UNSHARE;
            [user, net, pid, fork, kill, "sh", "-c", UP, "sh"]
        };
        return ("unshare", &ARGUMENTS);
    }
    for port in PORTS {
        let free = std::net::TcpListener::bind(("127.0.0.1", port));
        assert!(
            free.is_ok(),
            "documents say port {port}, which somebody has, and no network of our own can be had"
        );
    }
    ("env", &[])
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder is writable");
    for entry in fs::read_dir(from).expect("the checkout has it") {
        let path = entry.expect("it can be read").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("the folder is writable");
        }
    }
}

//! Python and Node with the packages of the clients in `tests/interop`, for the examples in those languages.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What there is.
pub struct Languages {
    /// The folder of a `python` that knows gRPC.
    pub python_bin: Option<PathBuf>,
    /// The packages for Node.
    pub node_modules: Option<PathBuf>,
}

impl Languages {
    /// Prepares both as their clients do. Says so, loudly, if one is not there; on CI that is a failure.
    pub fn prepare() -> Self {
        let python = is_there("python3").then(|| prepared("python", "$PARLOR_PYTHON"));
        let node = is_there("node").then(|| prepared("node", "$PARLOR_TSX"));
        // .../venv/bin/python and .../node_modules/.bin/tsx
        let above = |path: PathBuf, levels: usize| path.ancestors().nth(levels).map(Path::to_owned);
        Self {
            python_bin: python.and_then(|path| above(path, 1)),
            node_modules: node.and_then(|path| above(path, 2)),
        }
    }
}

fn is_there(program: &str) -> bool {
    let is_there =
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        assert!(env::var("CI").as_deref() != Ok("true"), "{program} is not installed");
        // Beside the output that is captured.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {program} is not installed");
    }
    is_there
}

/// The value of `variable` once the client in `folder` is prepared.
fn prepared(folder: &str, variable: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(folder).join("prepare.sh");
    let line = format!(". '{}' >&2; echo \"{variable}\"", script.display());
    let output =
        Command::new("bash").args(["-euo", "pipefail", "-c", &line]).output().expect("bash can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a path is text").trim().into()
}

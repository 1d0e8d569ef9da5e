//! What stands for cargo while documents are run: it does what cargo would, with what has been built already.
//!
//! What `cargo run` runs and what `cargo install --path` brings is asked of cargo itself.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The text of the program.
pub fn stand_in(checkout: &Path, programs: &Path) -> String {
    let metadata = metadata(checkout);
    let root = metadata["workspace_root"].as_str().expect("cargo says where it is");
    let mut text = "#!/usr/bin/env bash\nset -euo pipefail\ncase \"$*\" in\n".to_owned();
    let default = metadata["workspace_default_members"].as_array().expect("cargo says them");
    for package in metadata["packages"].as_array().expect("cargo says them") {
        let targets = package["targets"].as_array().expect("a package has targets");
        let is_program =
            |target: &&Value| target["kind"].as_array().is_some_and(|kinds| kinds.contains(&"bin".into()));
        let names: Vec<_> =
            targets.iter().filter(is_program).filter_map(|target| target["name"].as_str()).collect();
        let Some(first) = names.first() else { continue };
        if default.contains(&package["id"]) {
            let program = programs.join(package["default_run"].as_str().unwrap_or(first));
            writeln!(text, "\"run --release\") exec '{}' ;;", program.display()).expect("a String takes all");
        }
        let manifest = Path::new(package["manifest_path"].as_str().expect("a package has a manifest"));
        let folder = manifest
            .parent()
            .and_then(|folder| folder.strip_prefix(root).ok())
            .expect("it is in the workspace");
        let built = names.iter().map(|name| format!("[[ -x '{}' ]]", programs.join(name).display()));
        let built = built.collect::<Vec<_>>().join(" && ");
        writeln!(text, "\"install --path {}\") {built} ;;", folder.display()).expect("a String takes all");
    }
    text + "*) echo \"a document says \\`cargo $*\\`, which nothing stands for\" >&2; exit 1 ;;\nesac\n"
}

fn metadata(checkout: &Path) -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(checkout);
    let output = command.output().expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

//! What can be said on the command line, and what is answered.

use std::process::Stdio;

use tokio::process::Command;

use crate::support::{run, run_badly, run_well};

#[tokio::test]
async fn a_configuration_can_be_checked_without_starting() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(run_well(&data, &["--check-config"]).await, "");
    let wrong = ["--check-config", "--set", "chat.max_group_members=1", "--set", "server.nothing=1"];
    let (code, text) = run_badly(&data, &wrong).await;
    assert_eq!(code, 64);
    assert!(text.contains("chat.max_group_members: is 1") && text.contains("server.nothing"), "{text}");
    assert!(!data.exists(), "checking made the data folder");
}

#[tokio::test]
async fn a_bad_configuration_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (code, text) = run_badly(&data, &["--set", "server.stop_within=soon"]).await;
    assert_eq!(code, 64);
    assert!(text.contains("server.stop_within") && text.contains("soon"), "{text}");
    assert!(!data.exists());
}

#[tokio::test]
async fn the_configuration_in_effect_is_printed_with_its_sources() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("parlor.toml"), "[chat]\nmax_group_members = 12\n").unwrap();
    let printed = run_well(folder.path(), &["--print-config", "--set", "log.filter=warn"]).await;
    let line = |key: &str| printed.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    assert!(line("max_group_members = 12").contains("parlor.toml"), "{printed}");
    assert!(line("filter = \"warn\"").contains("--set"), "{printed}");
    let path = format!("path = \"{}\"", folder.path().join("auth.db").display());
    assert!(printed.contains(&path), "{path} is not in {printed}");

    let again = folder.path().join("again.toml");
    std::fs::write(&again, &printed).unwrap();
    let config = again.to_str().unwrap();
    let reprinted = run_well(folder.path(), &["--print-config", "--config", config]).await;
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  # ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(values(&reprinted), values(&printed));
}

#[tokio::test]
async fn the_default_folder_s_file_does_not_lead_to_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("parlor-data")).unwrap();
    let own = folder.path().join("parlor-data/parlor.toml");
    std::fs::write(own, "[server]\ndata = \"elsewhere\"\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_parlor-server"))
        .arg("--check-config")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("server.data: the parlor.toml of a data folder cannot name another"), "{text}");
}

#[tokio::test]
async fn help_tells_the_exit_codes_and_nonsense_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let help = run_well(folder.path(), &["--help"]).await;
    for code in ["0", "64", "65", "69", "70", "74", "130"] {
        let named = |line: &str| line.trim_start().split("  ").next() == Some(code);
        assert!(help.lines().any(named), "{code} is not in {help}");
    }
    assert_eq!(run(folder.path(), &["--frobnicate"]).await.status.code(), Some(64));
}

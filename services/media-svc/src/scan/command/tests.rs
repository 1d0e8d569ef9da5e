use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use parlor_testkit::{PATIENCE, eventually};
use tempfile::TempDir;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// A folder with a file to look at and a scanner of this text.
struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new(script: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("scanner");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("a file; exit 0"), "some bytes").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn scan(&self, time_limit: Duration) -> Verdict {
        let line = vec![self.path("scanner").display().to_string(), "--quiet".to_owned()];
        Command::new(line, time_limit, 1).scan(&self.path("a file; exit 0")).await
    }
}

#[tokio::test]
async fn the_exit_code_is_the_verdict() {
    for (code, verdict) in [
        (0, Verdict::Harmless),
        (1, Verdict::Harmful),
        (2, Verdict::Unknown),
        (3, Verdict::Unknown),
        (255, Verdict::Unknown),
    ] {
        assert_eq!(Scene::new(&format!("exit {code}")).scan(LONG).await, verdict, "exit {code}");
    }
    assert_eq!(Scene::new("kill -9 $$").scan(LONG).await, Verdict::Unknown);
}

#[tokio::test]
async fn it_is_given_the_file_as_its_last_argument_and_no_shell_reads_it() {
    let scene = Scene::new("test \"$1\" = --quiet && grep -q 'some bytes' \"$2\" && test $# = 2 || exit 9");
    assert_eq!(scene.scan(LONG).await, Verdict::Harmless);
}

#[tokio::test]
async fn one_that_hangs_is_ended_with_all_that_it_has_started() {
    let scene = Scene::new("(echo $$ > \"$0.pid\"; sleep 1000) & echo $! > \"$0.child\"; wait");
    assert_eq!(scene.scan(Duration::from_millis(300)).await, Verdict::Unknown);
    let child = fs::read_to_string(scene.path("scanner.child")).unwrap();
    let status = format!("/proc/{}/stat", child.trim());
    eventually("what it had started has ended", PATIENCE, async || {
        // One that has ended and was not asked about yet is a zombie.
        fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z "))
    })
    .await;
}

#[tokio::test]
async fn one_that_is_missing_says_nothing() {
    let file = Scene::new("");
    for line in [vec![], vec!["/nowhere/scanner".to_owned()], vec![file.folder.path().display().to_string()]]
    {
        let verdict = Command::new(line, LONG, 1).scan(&file.path("a file; exit 0")).await;
        assert_eq!(verdict, Verdict::Unknown);
    }
}

#[tokio::test]
async fn who_waits_for_one_that_hangs_waits_no_longer_than_it_may_take() {
    let scene = Scene::new("sleep 1000");
    let line = vec![scene.path("scanner").display().to_string()];
    let command = Command::new(line, Duration::from_millis(300), 1);
    let file = scene.path("a file; exit 0");
    let verdicts = tokio::join!(command.scan(&file), command.scan(&file), command.scan(&file));
    assert_eq!(verdicts, (Verdict::Unknown, Verdict::Unknown, Verdict::Unknown));
}

#[tokio::test]
async fn one_that_would_have_every_file_deleted_is_found_out() {
    for (script, is_sane) in [("exit 0", true), ("exit 1", false), ("exit 2", true)] {
        let scene = Scene::new(script);
        let command = Command::new(vec![scene.path("scanner").display().to_string()], LONG, 1);
        let probe = scene.path("probe");
        assert_eq!(super::super::is_sane(&command, &probe).await, is_sane, "{script}");
        assert!(!probe.exists());
        let no_room = std::path::Path::new("/dev/full/probe");
        assert!(super::super::is_sane(&command, no_room).await, "a full disk is no reason not to start");
    }
}

#[tokio::test]
async fn one_that_nobody_waits_for_any_more_is_ended_with_all_that_it_has_started() {
    let scene = Scene::new("(echo $$ > \"$0.pid\"; sleep 1000) & echo $! > \"$0.child\"; wait");
    let child = scene.path("scanner.child");
    tokio::select! {
        verdict = scene.scan(LONG) => panic!("{verdict:?}"),
        () = eventually("it has begun", PATIENCE, async || fs::read(&child).is_ok_and(|id| !id.is_empty())) => {}
    }
    let status = format!("/proc/{}/stat", fs::read_to_string(&child).unwrap().trim());
    eventually("what it had started has ended", PATIENCE, async || {
        fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z "))
    })
    .await;
}

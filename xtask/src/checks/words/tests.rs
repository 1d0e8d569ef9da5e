use super::*;

/// The line numbers of what is found in `text`, were it the file `path`.
fn found(path: &str, text: &str) -> Vec<usize> {
    let number = |finding: &String| {
        let rest = finding.strip_prefix(path).and_then(|rest| rest.strip_prefix(':')).expect("path first");
        rest.split(':').next().and_then(|number| number.parse().ok()).expect("then the line")
    };
    examine(Path::new(path), text).iter().map(number).collect()
}

#[test]
fn a_note_needs_an_owner() {
    assert_eq!(
        found("a.rs", "// TODO: later\n// TODO(ada): later\n// FIXME later\n// TODO(): x\n"),
        [1, 3, 4]
    );
    assert_eq!(found("a.proto", "// TODO name it\n"), [1]);
    assert_eq!(found("a.py", "x = 1  # FIXME\n"), [1]);
    assert_eq!(found("a.sql", "select 1; -- TODO\n"), [1]);
    assert!(found("a.rs", "let s = \"TODO\"; // METHODOLOGY\n").is_empty());
}

#[test]
fn an_ignored_test_and_a_bare_allow_are_refused() {
    assert_eq!(found("a.rs", "#[ignore]\n#[ignore = \"slow\"]\n"), [1, 2]);
    assert_eq!(found("a.rs", "#[allow(dead_code)]\n#![allow(missing_docs)]\n"), [1, 2]);
    assert_eq!(found("a.rs", "#[allow(\n    dead_code,\n)]\nfn reason() {}\n"), [1]);
    assert!(found("a.rs", "#[allow(\n    dead_code,\n    reason = \"generated\"\n)]\n").is_empty());
    assert!(found("a.rs", "#[expect(dead_code, reason = \"x\")]\nlet s = \"#[allow(x)]\";\n").is_empty());
}

#[test]
fn an_unbounded_queue_is_refused_and_an_open_range_is_not() {
    assert_eq!(
        found("a.rs", "let (tx, rx) = mpsc::unbounded_channel();\ntx: UnboundedSender<u8>,\n"),
        [1, 2]
    );
    assert!(found("a.rs", "use std::ops::Bound::{self, Unbounded};\n// never unbounded\n").is_empty());
    assert!(found("a.rs", "fn an_unbounded_list_is_refused() { unbounded += 1; }\n").is_empty());
}

#[test]
fn a_sleep_in_a_test_says_what_it_waits_for() {
    for path in ["tests/src/a.rs", "services/x/src/log/tests.rs", "crates/testkit/src/lib.rs", "a/b_test.rs"]
    {
        assert_eq!(found(path, "tokio::time::sleep(d).await;\n"), [1], "{path}");
        assert_eq!(found(path, "sleep_until(d).await;\n"), [1], "{path}");
    }
    assert!(found("tests/a.rs", "sleep(d).await; // waits: the token's own expiry\n").is_empty());
    assert!(
        found("tests/a.rs", "// waits: the token's own expiry,\n// which is real time\nsleep(d).await;\n")
            .is_empty()
    );
    assert_eq!(found("tests/a.rs", "sleep(d).await; // waits:\n"), [1]);
    assert_eq!(found("tests/a.rs", "// waits: x\nlet y = 1;\nsleep(d).await;\n"), [3]);
    assert!(found("tests/a.rs", "fn sleep(d: Duration) {}\nlet sleep = 1;\n").is_empty());
}

#[test]
fn a_sleep_outside_tests_is_a_timer() {
    let text = "sleep(d).await;\n#[cfg(test)]\nmod tests {\n    sleep(d);\n}\nsleep(d).await;\n";
    assert_eq!(found("crates/client/src/backoff.rs", text), [4]);
}

#[test]
fn other_languages_have_the_same_rule() {
    assert_eq!(found("tests/a.py", "await asyncio.sleep(1)\ntime.sleep(1)  # waits: the proxy's cut\n"), [1]);
    assert_eq!(found("tests/a.mjs", "setTimeout(done, 5)\n"), [1]);
    assert_eq!(found("tests/run.sh", "sleep 1\n# waits: nothing else can\nsleep 1\n"), [1]);
}

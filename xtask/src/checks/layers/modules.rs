//! The modules of a service: the rooms named by subject know no gRPC, no database and no clock.

use std::path::Path;

use crate::source;

/// Something that only some files of a service may name.
struct Rule {
    /// Crates, or paths as they are written.
    names: &'static [&'static str],
    /// Files and folders, relative to the service's `src/`; a folder's name stands for `name.rs` too.
    only: &'static [&'static str],
    /// Whether unit tests may, wherever they are.
    tests_may: bool,
    because: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        names: &["tonic", "tonic_health", "tonic_reflection", "tonic_types", "tonic_web"],
        only: &["main", "app", "config", "rpc"],
        tests_may: false,
        because: "gRPC ends at rpc/: a room takes and gives types, and a store speaks in words of the domain",
    },
    Rule {
        names: &["rusqlite", "parlor_embedded"],
        only: &["main", "app", "store"],
        tests_may: false,
        because: "the database is behind the trait of store/",
    },
    Rule {
        names: &["Instant::now", "SystemTime::now"],
        only: &["main", "app"],
        // An `Instant` cannot be made in any other way.
        tests_may: true,
        because: "time is handed in, so that a test can say what time it is",
    },
];

/// Every line of a file in `services/*/src` that names what its place must not.
pub fn examine(path: &Path, text: &str) -> Vec<String> {
    let Some(place) = place(path) else { return Vec::new() };
    let forbidding: Vec<_> = RULES.iter().filter(|rule| !rule.only.contains(&place)).collect();
    let lines = source::lines(text);
    let is_test_file = path.file_stem().is_some_and(|stem| stem == "tests");
    let mut findings = Vec::new();
    for (index, (line, in_test)) in lines.iter().zip(source::in_test_module(&lines)).enumerate() {
        for rule in forbidding.iter().filter(|rule| !(rule.tests_may && (in_test || is_test_file))) {
            if let Some(name) = rule.names.iter().find(|name| source::names(&line.code, name)) {
                let (path, number) = (path.display(), index + 1);
                findings.push(format!("{path}:{number} names {name}: not allowed because {}", rule.because));
            }
        }
    }
    findings
}

/// The file or folder directly under a service's `src/` that `path` belongs to, without `.rs`.
fn place(path: &Path) -> Option<&str> {
    let mut parts = path.iter().map(|part| part.to_str().unwrap_or_default());
    let is_service =
        parts.next() == Some("services") && parts.next().is_some() && parts.next() == Some("src");
    let place = parts.next().filter(|_| is_service)?;
    Some(place.strip_suffix(".rs").unwrap_or(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(place: &str, code: &str) -> bool {
        !examine(&Path::new("services/chat-svc/src").join(place), code).is_empty()
    }

    #[test]
    fn a_room_names_neither_grpc_nor_the_database() {
        for room in ["log/appender.rs", "session.rs", "lib.rs", "error.rs"] {
            assert!(refused(room, "fn f() -> tonic::Status { todo() }\n"), "{room}");
            assert!(refused(room, "use tonic_types::StatusExt;\n"), "{room}");
            assert!(refused(room, "use rusqlite::Connection;\n"), "{room}");
        }
    }

    #[test]
    fn each_library_has_its_places() {
        for place in ["rpc/append.rs", "rpc.rs", "app.rs", "app/wiring.rs", "main.rs", "config.rs"] {
            assert!(!refused(place, "use tonic::Status;\n"), "{place}");
        }
        for place in ["store/embedded.rs", "store.rs", "app.rs", "main.rs"] {
            assert!(!refused(place, "use rusqlite::Connection;\n"), "{place}");
        }
        assert!(refused("rpc/append.rs", "use rusqlite::Connection;\n"));
        assert!(refused("config.rs", "use parlor_embedded::Engine;\n"));
        assert!(refused("store/embedded.rs", "use tonic::Status;\n"));
    }

    #[test]
    fn a_room_is_told_the_time() {
        for room in ["session/mod.rs", "log.rs", "rpc/append.rs", "store/memory.rs"] {
            assert!(refused(room, "let now = tokio::time::Instant::now();\n"), "{room}");
            assert!(refused(room, "let now = SystemTime::now();\n"), "{room}");
        }
        assert!(!refused("app.rs", "let now = Instant::now();\n"));
        assert!(!refused("session/tests.rs", "let now = Instant::now();\n"));
        assert!(!refused("session.rs", "#[cfg(test)]\nmod tests {\n    let now = Instant::now();\n}\n"));
        assert!(refused("session.rs", "#[cfg(test)]\nmod tests {\n    use rusqlite::Row;\n}\n"));
    }

    #[test]
    fn only_code_of_services_counts() {
        assert!(!refused(
            "log.rs",
            "// unlike tonic::Status\nlet s = \"rusqlite::\"; let tonics = 1; MyInstant::now_ish();\n"
        ));
        assert!(examine(Path::new("crates/grpc-kit/src/lib.rs"), "use tonic::Status;\n").is_empty());
        assert!(examine(Path::new("services/chat-svc/tests/a.rs"), "use tonic::Status;\n").is_empty());
    }

    #[test]
    fn the_message_says_where_what_and_why() {
        let found = examine(Path::new("services/chat-svc/src/log.rs"), "\nuse rusqlite::Row;\n");
        assert_eq!(
            found,
            [
                "services/chat-svc/src/log.rs:2 names rusqlite: not allowed because the database is behind the trait of store/"
            ]
        );
    }
}

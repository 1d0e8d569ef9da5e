//! The crates: one table of what each may depend on, checked against `cargo metadata`.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::{Workspace, output};

/// Stands in the table for every crate under `services/`.
const SERVICE: &str = "services/*";
const TESTKIT: &str = "parlor-testkit";

/// What one crate may import of ours.
struct Rule {
    name: &'static str,
    may_import: &'static [&'static str],
    /// Completes "not allowed because".
    because: &'static str,
}

const RULES: &[Rule] = &[
    Rule { name: "parlor-types", may_import: &[], because: "types is the ground all others stand on" },
    Rule {
        name: "parlor-wire",
        may_import: &["parlor-types"],
        because: "wire only converts between messages and types",
    },
    Rule { name: "parlor-runtime", may_import: &[], because: "runtime knows nothing of chat" },
    Rule {
        name: "parlor-embedded",
        may_import: &["parlor-runtime"],
        because: "embedded is a storage engine and knows nothing of chat",
    },
    Rule { name: "parlor-preview", may_import: &[], because: "preview knows bytes and nothing of chat" },
    Rule {
        name: "parlor-grpc-kit",
        may_import: &["parlor-types", "parlor-wire", "parlor-runtime"],
        because: "grpc-kit is beneath every service",
    },
    Rule {
        name: "parlor-client",
        may_import: &["parlor-history", "parlor-types", "parlor-wire"],
        because: "client is what a native app would write: it has the API and nothing of the servers",
    },
    Rule {
        name: "parlor-history",
        may_import: &["parlor-types", "parlor-wire"],
        because: "history judges a server by what its clients saw, whoever wrote them",
    },
    Rule {
        name: TESTKIT,
        may_import: &["parlor-types", "parlor-wire", "parlor-runtime", "parlor-grpc-kit"],
        because: "testkit starts whatever app it is given and knows none by name",
    },
    Rule {
        name: SERVICE,
        may_import: &[
            "parlor-types",
            "parlor-wire",
            "parlor-runtime",
            "parlor-embedded",
            "parlor-preview",
            "parlor-grpc-kit",
        ],
        because: "a service stands on the kits alone",
    },
    Rule {
        name: "parlor-server",
        may_import: &[
            SERVICE,
            "parlor-types",
            "parlor-wire",
            "parlor-runtime",
            "parlor-embedded",
            "parlor-preview",
            "parlor-grpc-kit",
        ],
        because: "server only puts the services into one process",
    },
    Rule {
        name: "parlor-tui",
        may_import: &["parlor-client", "parlor-types", "parlor-wire"],
        because: "the full screen is a client like any other",
    },
    Rule {
        name: "parlor-cli",
        may_import: &["parlor-client", "parlor-history", "parlor-tui", "parlor-types", "parlor-wire"],
        because: "the command line is a client like any other",
    },
    Rule {
        name: "parlor-tests",
        may_import: &[
            SERVICE,
            TESTKIT,
            "parlor-server",
            "parlor-client",
            "parlor-history",
            "parlor-types",
            "parlor-wire",
            "parlor-runtime",
            "parlor-embedded",
            "parlor-preview",
            "parlor-grpc-kit",
        ],
        because: "nobody imports the checks or the command line",
    },
    Rule {
        name: "parlor-simulation",
        may_import: &[
            SERVICE,
            "parlor-client",
            "parlor-history",
            "parlor-types",
            "parlor-wire",
            "parlor-runtime",
        ],
        because: "simulation puts the client's core and services on simulated ground, and on nothing else",
    },
    Rule {
        name: "parlor-turmoil",
        may_import: &[
            SERVICE,
            TESTKIT,
            "parlor-client",
            "parlor-grpc-kit",
            "parlor-history",
            "parlor-types",
            "parlor-wire",
            "parlor-runtime",
        ],
        because: "turmoil puts clients and services with their transport on a simulated network, and on nothing else",
    },
    Rule {
        name: "parlor-hostile",
        may_import: &[
            SERVICE,
            "parlor-server",
            "parlor-client",
            "parlor-history",
            "parlor-types",
            "parlor-wire",
            "parlor-runtime",
            "parlor-preview",
            "parlor-grpc-kit",
        ],
        because: "hostile enters where bytes of others do: by the doors of the product",
    },
    Rule {
        name: "bench",
        may_import: &["parlor-history", "parlor-types", "parlor-wire"],
        because: "bench measures servers from outside, as a client",
    },
    Rule { name: "xtask", may_import: &[], because: "xtask examines the workspace and is no part of it" },
];

/// A library of others that only some crates may depend on.
struct Foreign {
    name: &'static str,
    only: &'static [&'static str],
    because: &'static str,
}

const FOREIGN: &[Foreign] = &[
    Foreign {
        name: "rusqlite",
        only: &["parlor-embedded", "parlor-client", SERVICE, "parlor-tests", "bench"],
        because: "the database is known to the storage engine, the stores on it, the client's own store, and what is measured against",
    },
    Foreign {
        name: "rustls",
        only: &["parlor-grpc-kit"],
        because: "there is one place where what is served gets its certificates",
    },
    Foreign {
        name: "tonic",
        only: &[
            "parlor-wire",
            "parlor-grpc-kit",
            "parlor-client",
            TESTKIT,
            SERVICE,
            "parlor-server",
            "parlor-tests",
            "bench",
        ],
        because: "gRPC begins at wire and at grpc-kit",
    },
    Foreign {
        name: "tokio",
        only: &[
            "parlor-runtime",
            "parlor-embedded",
            "parlor-preview",
            "parlor-grpc-kit",
            "parlor-client",
            TESTKIT,
            SERVICE,
            "parlor-server",
            "parlor-cli",
            "parlor-tui",
            "parlor-tests",
            "parlor-simulation",
            "parlor-turmoil",
            "parlor-hostile",
            "bench",
        ],
        because: "types and wire do no I/O",
    },
];

/// A crate of the workspace.
pub struct Package {
    name: String,
    is_service: bool,
    imports: Vec<Import>,
}

struct Import {
    name: String,
    /// A folder instead of a registry: a crate of ours.
    is_ours: bool,
    /// Only for its tests, examples and benches.
    is_dev: bool,
}

/// The crates of the workspace, as cargo sees them.
pub fn packages(workspace: &Workspace) -> Result<Vec<Package>> {
    let text = output(&mut workspace.cargo(&["metadata", "--no-deps", "--format-version", "1", "--locked"]))?;
    parse(&text, &workspace.root)
}

fn parse(metadata: &str, root: &Path) -> Result<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let string = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let package = |value: &Value| {
        let manifest = string(value, "manifest_path").context("a package has a manifest")?;
        let dependencies = value["dependencies"].as_array().context("a package lists its dependencies")?;
        let import = |value: &Value| {
            let name = string(value, "name").context("a dependency has a name")?;
            let is_dev = string(value, "kind").as_deref() == Some("dev");
            Ok(Import { name, is_ours: value["path"].is_string(), is_dev })
        };
        Ok(Package {
            name: string(value, "name").context("a package has a name")?,
            is_service: Path::new(&manifest).starts_with(root.join("services")),
            imports: dependencies.iter().map(import).collect::<Result<_>>()?,
        })
    };
    packages.iter().map(package).collect()
}

/// Every import that the tables forbid.
pub fn examine(packages: &[Package]) -> Vec<String> {
    let row = |name: &str| {
        let is_service = packages.iter().any(|package| package.name == name && package.is_service);
        if is_service { SERVICE.to_owned() } else { name.to_owned() }
    };
    let mut findings = Vec::new();
    for package in packages {
        let own_row = row(&package.name);
        let Some(rule) = RULES.iter().find(|rule| rule.name == own_row) else {
            findings.push(format!(
                "{} has no row in xtask/src/checks/layers/crates.rs: give it one",
                package.name
            ));
            continue;
        };
        for import in &package.imports {
            let why = if import.is_ours {
                ours(rule, import, &row(&import.name))
            } else {
                foreign(&own_row, import)
            };
            findings.extend(
                why.map(|why| format!("{} imports {}: not allowed because {why}", package.name, import.name)),
            );
        }
    }
    findings
}

/// Why `rule` forbids the import of a crate of ours that has the row `to`, if it does.
fn ours(rule: &Rule, import: &Import, to: &str) -> Option<&'static str> {
    if rule.may_import.contains(&to) || (import.is_dev && to == TESTKIT) {
        return None;
    }
    Some(match (rule.name, to) {
        (_, TESTKIT) => "testkit is for tests: make it a dev-dependency",
        (SERVICE, SERVICE) => {
            "a service never imports a service: it calls it over gRPC, with the stubs of wire"
        }
        _ => rule.because,
    })
}

/// Why the crate of the row `from` must not depend on this library, if so. Its tests may.
fn foreign(from: &str, import: &Import) -> Option<&'static str> {
    let limited = FOREIGN.iter().find(|foreign| foreign.name == import.name && !import.is_dev)?;
    (!limited.only.contains(&from)).then_some(limited.because)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate with imports written as cargo writes them: `parlor-types`, `tokio`, `dev:parlor-testkit`.
    fn package(name: &str, imports: &[&str]) -> Package {
        let import = |text: &&str| {
            let name = text.trim_start_matches("dev:");
            let is_ours = name.starts_with("parlor-") || name.ends_with("-svc") || name == "xtask";
            Import { name: name.to_owned(), is_ours, is_dev: text.starts_with("dev:") }
        };
        let imports = imports.iter().map(import).collect();
        Package { name: name.to_owned(), is_service: name.ends_with("-svc"), imports }
    }

    fn refused(packages: &[Package]) -> String {
        examine(packages).join("\n")
    }

    #[test]
    fn what_the_layout_allows_passes() {
        let graph = [
            package("parlor-types", &["uuid"]),
            package("parlor-wire", &["parlor-types", "tonic"]),
            package("parlor-grpc-kit", &["parlor-wire", "parlor-runtime", "tokio", "dev:parlor-testkit"]),
            package("auth-svc", &["parlor-embedded", "parlor-grpc-kit", "rusqlite", "dev:parlor-testkit"]),
            package("chat-svc", &["parlor-grpc-kit"]),
            package("parlor-server", &["auth-svc", "chat-svc", "parlor-runtime"]),
            package("parlor-cli", &["parlor-client", "parlor-types"]),
            package("parlor-tests", &["parlor-server", "parlor-testkit", "parlor-client", "auth-svc"]),
        ];
        assert_eq!(refused(&graph), "");
    }

    #[test]
    fn a_service_never_imports_a_service() {
        let graph = [package("chat-svc", &["auth-svc"]), package("auth-svc", &[])];
        assert_eq!(
            refused(&graph),
            "chat-svc imports auth-svc: not allowed because a service never imports a service: it calls it over gRPC, with the stubs of wire"
        );
    }

    #[test]
    fn nothing_imports_upwards_or_sideways() {
        for (from, to) in [
            ("parlor-types", "parlor-wire"),
            ("parlor-wire", "parlor-grpc-kit"),
            ("parlor-runtime", "parlor-types"),
            ("parlor-grpc-kit", "parlor-embedded"),
            ("parlor-client", "parlor-grpc-kit"),
            ("parlor-client", "parlor-runtime"),
            ("parlor-cli", "parlor-grpc-kit"),
            ("auth-svc", "parlor-server"),
            ("auth-svc", "parlor-client"),
            ("parlor-server", "parlor-client"),
            ("parlor-tests", "xtask"),
            ("xtask", "parlor-types"),
        ] {
            let found = refused(&[package(from, &[to])]);
            assert!(
                found.starts_with(&format!("{from} imports {to}: not allowed because ")),
                "{from} -> {to}: {found}"
            );
        }
    }

    #[test]
    fn testkit_is_for_tests_alone() {
        assert!(refused(&[package("auth-svc", &["parlor-testkit"])]).ends_with("make it a dev-dependency"));
        assert!(
            refused(&[package("parlor-server", &["parlor-testkit"])]).ends_with("make it a dev-dependency")
        );
    }

    #[test]
    fn a_dev_dependency_is_no_way_around_the_table() {
        assert!(!refused(&[package("parlor-types", &["dev:parlor-wire"])]).is_empty());
    }

    #[test]
    fn libraries_stay_where_they_belong() {
        assert!(!refused(&[package("parlor-types", &["tokio"])]).is_empty());
        assert!(!refused(&[package("parlor-runtime", &["tonic"])]).is_empty());
        assert!(!refused(&[package("parlor-grpc-kit", &["rusqlite"])]).is_empty());
        assert_eq!(refused(&[package("parlor-wire", &["dev:tokio"])]), "");
    }

    #[test]
    fn a_crate_without_a_row_is_refused() {
        assert!(refused(&[package("parlor-utils", &[])]).starts_with("parlor-utils has no row"));
    }

    #[test]
    fn cargo_metadata_is_understood() {
        let text = r#"{"packages": [{"name": "auth-svc", "manifest_path": "/w/services/auth-svc/Cargo.toml",
            "dependencies": [{"name": "parlor-types", "kind": null, "path": "/w/crates/types"},
                             {"name": "tempfile", "kind": "dev"}]}]}"#;
        let packages = parse(text, Path::new("/w")).expect("it is valid");
        assert!(packages[0].is_service);
        assert!(packages[0].imports[0].is_ours && !packages[0].imports[0].is_dev);
        assert!(!packages[0].imports[1].is_ours && packages[0].imports[1].is_dev);
    }
}

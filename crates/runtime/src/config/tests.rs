use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Loaded, Problems, Secret, Sources, Validate, load};

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Service {
    name: String,
    hosts: Vec<String>,
    key: Secret,
    listen: Listen,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Listen {
    port: u16,
    tls: bool,
    #[serde(deserialize_with = "super::choice::deserialize")]
    mode: Mode,
    #[serde(with = "super::duration")]
    patience: Duration,
    #[serde(with = "super::byte_size")]
    body: u64,
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Open,
    Closed,
}

impl Default for Service {
    fn default() -> Self {
        let key = Secret::from("built in".to_owned());
        Self { name: "parlor".to_owned(), hosts: Vec::new(), key, listen: Listen::default() }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { port: 7000, tls: false, mode: Mode::Open, patience: Duration::from_secs(10), body: 16 * 1024 }
    }
}

impl Validate for Service {
    fn check(&self, problems: &mut Problems) {
        if self.name.is_empty() {
            problems.add("name", "is empty");
        }
        problems.within("listen", &self.listen);
    }
}

impl Validate for Listen {
    fn check(&self, problems: &mut Problems) {
        problems.range("port", &self.port, 1024..=65535);
        problems.range("patience", &self.patience, Duration::from_secs(1)..=Duration::from_secs(60));
    }
}

struct Given {
    folder: tempfile::TempDir,
    sources: Sources,
}

fn given(file: &str, env: &[(&str, &str)], set: &[&str]) -> Given {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("parlor.toml");
    std::fs::write(&path, file).expect("the folder is writable");
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let set = set.iter().map(|flag| (*flag).to_owned()).collect();
    Given { folder, sources: Sources { file: Some(path), env, set } }
}

fn read(file: &str, env: &[(&str, &str)], set: &[&str]) -> Result<Loaded<Service>, Problems> {
    load(&given(file, env, set).sources)
}

fn problems(file: &str, env: &[(&str, &str)], set: &[&str]) -> Vec<(String, String)> {
    let problems = read(file, env, set).expect_err("something is wrong");
    problems.iter().map(|problem| (problem.key.clone(), problem.to_string())).collect()
}

#[test]
fn the_later_source_wins() {
    let file = "name = 'file'\n[listen]\nport = 7001\npatience = '20s'\nbody = '1MiB'";
    let env = [
        ("PARLOR_LISTEN__PORT", "7002"),
        ("PARLOR_LISTEN__TLS", "true"),
        ("HOME", "/"),
        ("PORT", "1"),
        ("PARLOR_SERVER_PORT", "tcp://10.0.0.1:7700"),
        ("PARLOR_PROFILE", "ada"),
    ];
    let loaded = read(file, &env, &["listen.port=7003", "listen.mode=closed"]).unwrap().value;
    let listen = &loaded.listen;
    assert_eq!((loaded.name.as_str(), listen.port, listen.tls), ("file", 7003, true));
    assert_eq!(
        (listen.patience, listen.body, &listen.mode),
        (Duration::from_secs(20), 1 << 20, &Mode::Closed)
    );
    assert_eq!(read("", &env, &[]).unwrap().value.listen.port, 7002);
    assert_eq!(read("", &[], &[]).unwrap().value.listen.port, 7000);
}

#[test]
fn text_becomes_what_its_key_wants() {
    let env = [("PARLOR__NAME", "12"), ("PARLOR__HOSTS", "['a', 'b']"), ("PARLOR_LISTEN__BODY", "512")];
    let loaded = read("", &env, &["key=a=b", "listen.patience=1m 0s"]).unwrap().value;
    assert_eq!(
        (loaded.name.as_str(), loaded.hosts.as_slice()),
        ("12", &["a".to_owned(), "b".to_owned()][..])
    );
    assert_eq!((loaded.key.expose(), loaded.listen.body), ("a=b", 512));
    assert_eq!(loaded.listen.patience, Duration::from_secs(60));
}

#[test]
fn every_problem_is_reported_at_once_with_its_source() {
    let file = "nme = 'typo'\n[listen]\nport = 80\nbody = -1";
    let env = [("PARLOR_LISTEN__TLS", "maybe"), ("PARLOR_LISTEN__PATIENC", "5s")];
    let set = ["listen.patience=5", "listen.mode=ajar", "hosts=[1", "Bad=1", "nothing", "name="];
    let found = problems(file, &env, &set);
    let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    let wanted = [
        "Bad",
        "hosts",
        "listen.body",
        "listen.mode",
        "listen.patienc",
        "listen.patience",
        "listen.port",
        "listen.tls",
        "name",
        "nme",
        "nothing",
    ];
    assert_eq!(keys, wanted, "{found:#?}");
    let text =
        |key: &str| found.iter().find(|(found, _)| found == key).map(|(_, text)| text.as_str()).unwrap();
    assert!(text("listen.port").contains("is 80, allowed is 1024 to 65535"), "{}", text("listen.port"));
    assert!(text("listen.port").contains("parlor.toml"), "{}", text("listen.port"));
    assert!(text("listen.patienc").contains("unknown field"), "{}", text("listen.patienc"));
    assert!(text("listen.patienc").ends_with("(from PARLOR_LISTEN__PATIENC)"), "{}", text("listen.patienc"));
    assert!(text("listen.patience").contains("\"5\""), "{}", text("listen.patience"));
    let mode = "listen.mode: unknown variant `ajar`, expected `open` or `closed` (from --set)";
    assert_eq!(text("listen.mode"), mode);
}

#[test]
fn a_value_that_may_be_a_secret_is_not_repeated() {
    for (_, text) in problems("", &[("PARLOR__KYE", "hunter2")], &["key2=hunter2"]) {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_a_problem_beside_the_others() {
    let mut given = given("[listen]\nport = hunter2", &[("PARLOR_LISTEN__PORT", "1")], &[]);
    let found = load::<Service>(&given.sources).expect_err("no TOML").to_string();
    assert!(found.contains("parlor.toml: line 2: ") && found.contains("listen.port: is 1,"), "{found}");
    assert!(!found.contains("hunter2"), "{found}");
    given.sources.file = Some(given.folder.path().join("none.toml"));
    let found = load::<Service>(&given.sources).expect_err("no file").to_string();
    assert!(found.contains("none.toml") && found.contains("listen.port: is 1,"), "{found}");
}

#[test]
fn the_printed_configuration_loads_to_the_same_and_hides_secrets() {
    let file = "key = 'hunter2'\n[listen]\nport = 7001";
    let loaded = read(file, &[("PARLOR__HOSTS", "['a']")], &["listen.patience=45s"]).unwrap();
    let printed = loaded.to_toml().unwrap();
    assert!(!printed.contains("hunter2") && !format!("{loaded:?}").contains("hunter2"), "{printed}");
    for line in ["key = \"[redacted]\"  # ", "name = \"parlor\"\n", "hosts = [\"a\"]  # PARLOR__HOSTS\n"] {
        assert!(printed.contains(line), "{line:?} not in\n{printed}");
    }
    assert!(printed.contains("patience = \"45s\"  # --set\n"), "{printed}");
    assert!(printed.contains("body = \"16KiB\"\n"), "{printed}");
    let again = read(&printed, &[], &[]).unwrap().value;
    let plain = |service: &Service| toml::to_string(service).unwrap();
    assert_eq!(plain(&again), plain(&loaded.value));
}

#[test]
fn a_check_tells_the_ranges_it_knows() {
    let mut problems = Problems::default();
    Service::default().check(&mut problems);
    assert!(problems.is_empty());
    let ranges: Vec<_> =
        problems.ranges().iter().map(|(key, [low, high])| format!("{key} {low} {high}")).collect();
    assert_eq!(ranges, ["listen.patience 1s 60s", "listen.port 1024 65535"]);
}

#[test]
fn a_key_of_a_file_is_no_path() {
    // A list would be filled up to that number.
    for key in ["hosts[4000000000]", "listen.port", "a b", "hosts[-1]"] {
        let found = problems(&format!("{key:?} = 1\n"), &[], &[]);
        assert_eq!(found.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), [key]);
    }
}

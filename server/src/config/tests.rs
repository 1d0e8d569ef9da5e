use std::fs;

use super::*;

fn set(flags: &[&str]) -> Sources {
    Sources { set: flags.iter().map(|flag| (*flag).to_owned()).collect(), ..Sources::default() }
}

fn problems(sources: Sources) -> Vec<String> {
    load(sources).map(|_| ()).unwrap_err().iter().map(|problem| problem.key.clone()).collect()
}

#[test]
fn the_defaults_can_be_used_and_lie_in_one_folder() {
    let config = load(Sources::default()).unwrap().value;
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:7700");
    assert_eq!(config.auth.store.path, Path::new("parlor-data/auth.db"));
    let config = load(set(&["server.data=/srv/parlor"])).unwrap().value;
    assert_eq!(
        Stores::of(&config.server.data).all().map(|path| path.parent()),
        [Some(Path::new("/srv/parlor")); 5]
    );
    assert_eq!(config.auth.store.path, Path::new("/srv/parlor/auth.db"));
    assert_eq!(config.auth.keys.path, Path::new("/srv/parlor/auth-keys.json"));
}

#[test]
fn the_later_source_wins_and_the_data_folder_has_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let data = format!("server.data={}", folder.path().display());
    let own = folder.path().join("parlor.toml");
    fs::write(&own, "[server]\nmax_connections = 5\nstop_within = \"2s\"\n[log]\nfilter = \"warn\"\n")
        .unwrap();
    let mut sources = set(&[&data, "server.stop_within=3s"]);
    sources.env.push(("PARLOR_LOG__FILTER".to_owned(), "debug".to_owned()));
    let config = load(sources.clone()).unwrap().value;
    assert_eq!(config.server.max_connections, 5, "from the folder's file");
    assert_eq!(config.log.filter, "debug", "the environment is stronger than the file");
    assert_eq!(config.server.stop_within, Duration::from_secs(3), "a flag is stronger than both");

    let other = folder.path().join("other.toml");
    fs::write(&other, "[server]\nmax_connections = 6\n").unwrap();
    sources.file = Some(other);
    let config = load(sources).unwrap().value;
    assert_eq!(config.server.max_connections, 6, "a named file stands in the place of the folder's");
}

#[test]
fn the_folder_may_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("parlor.toml"), "[server]\nmax_connections = 7\n").unwrap();
    let path = folder.path().display().to_string();
    let sources = Sources { env: vec![("PARLOR_SERVER__DATA".to_owned(), path)], ..Sources::default() };
    let config = load(sources).unwrap().value;
    assert_eq!((config.server.max_connections, config.server.data.as_path()), (7, folder.path()));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = [
        "server.listen=nowhere",
        "server.max_connections=0",
        "server.allowed_origins=[\"example.org\"]",
        "server.keepalive_interval=1ms",
        "server.unknown=1",
        "auth.store.path=/elsewhere/auth.db",
        "chat.max_group_members=1",
        "presence.watches=0",
        "media.max_file_bytes=0",
        "log.format=xml",
        "nothing=1",
    ];
    let keys: Vec<_> = wrong.iter().map(|flag| flag.split_once('=').unwrap().0).collect();
    let found = problems(set(&wrong));
    for key in keys {
        assert!(found.iter().any(|found| found == key), "{key} is not among {found:?}");
    }
    assert_eq!(found.len(), wrong.len(), "{found:?}");
}

#[test]
fn what_is_printed_loads_to_the_same() {
    let loaded =
        load(set(&["server.data=/srv/parlor", "server.allowed_origins=[\"https://a.example\"]"])).unwrap();
    let printed = loaded.to_toml().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("printed.toml");
    fs::write(&file, &printed).unwrap();
    let again = load(Sources { file: Some(file), ..Sources::default() }).unwrap();
    assert_eq!(format!("{:?}", again.value), format!("{:?}", loaded.value));
}

#[test]
fn reflection_is_for_the_loopback_interface_unless_told_otherwise() {
    let reflects = |flags: &[&str]| load(set(flags)).unwrap().value.server.reflects();
    assert!(reflects(&[]));
    assert!(!reflects(&["server.listen=0.0.0.0:7700"]));
    assert!(reflects(&["server.listen=0.0.0.0:7700", "server.reflection=on"]));
    assert!(!reflects(&["server.reflection=off"]));
}

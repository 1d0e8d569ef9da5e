use std::fs;

use super::*;
use crate::program::{AUTH_SVC, CHAT_SVC};

fn load_all(sources: Sources) -> Result<Loaded<Config>, Problems> {
    load(&PARLOR_SERVER, sources)
}

fn set(flags: &[&str]) -> Sources {
    Sources { set: flags.iter().map(|flag| (*flag).to_owned()).collect(), ..Sources::default() }
}

fn problems(sources: Sources) -> Vec<String> {
    load_all(sources).map(|_| ()).unwrap_err().iter().map(|problem| problem.key.clone()).collect()
}

#[test]
fn the_defaults_can_be_used_and_lie_in_one_folder() {
    let config = load_all(Sources::default()).unwrap().value;
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:7700");
    assert_eq!(config.auth.store.path, Path::new("parlor-data/auth.db"));
    let config = load_all(set(&["server.data=/srv/parlor"])).unwrap().value;
    assert_eq!(
        Stores::of(&config.server.data)
            .all(&PARLOR_SERVER)
            .iter()
            .map(|path| path.parent())
            .collect::<Vec<_>>(),
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
    let config = load_all(sources.clone()).unwrap().value;
    assert_eq!(config.server.max_connections, 5, "from the folder's file");
    assert_eq!(config.log.filter, "debug", "the environment is stronger than the file");
    assert_eq!(config.server.stop_within, Duration::from_secs(3), "a flag is stronger than both");

    let other = folder.path().join("other.toml");
    fs::write(&other, "[server]\nmax_connections = 6\n").unwrap();
    sources.file = Some(other);
    let config = load_all(sources).unwrap().value;
    assert_eq!(config.server.max_connections, 6, "a named file stands in the place of the folder's");
}

#[test]
fn the_folder_may_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("parlor.toml"), "[server]\nmax_connections = 7\n").unwrap();
    let path = folder.path().display().to_string();
    let sources = Sources { env: vec![("PARLOR_SERVER__DATA".to_owned(), path)], ..Sources::default() };
    let config = load_all(sources).unwrap().value;
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
        "internal.chat=somewhere",
        "internal.account=me",
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
        load_all(set(&["server.data=/srv/parlor", "server.allowed_origins=[\"https://a.example\"]"]))
            .unwrap();
    let printed = loaded.to_toml().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("printed.toml");
    fs::write(&file, &printed).unwrap();
    let again = load_all(Sources { file: Some(file), ..Sources::default() }).unwrap();
    assert_eq!(format!("{:?}", again.value), format!("{:?}", loaded.value));
}

#[test]
fn reflection_is_for_the_loopback_interface_unless_told_otherwise() {
    let reflects = |flags: &[&str]| load_all(set(flags)).unwrap().value.server.reflects();
    assert!(reflects(&[]));
    let open = ["server.listen=0.0.0.0:7700", "server.allow_plaintext=true"];
    assert!(!reflects(&open));
    assert!(reflects(&[&open[..], &["server.reflection=on"]].concat()));
    assert!(!reflects(&["server.reflection=off"]));
}

#[test]
fn each_program_has_addresses_of_its_own_unless_told_otherwise() {
    let of = |program, flags: &[&str]| {
        let config = load(program, set(flags)).unwrap().value;
        (config.server.listen.to_string(), config.internal.listen.to_string())
    };
    let address = |text: &str| text.to_owned();
    assert_eq!(of(&CHAT_SVC, &[]), (address("127.0.0.1:7702"), address("127.0.0.1:7712")));
    assert_eq!(of(&AUTH_SVC, &[]), (address("127.0.0.1:7701"), address("127.0.0.1:7711")));
    let told = of(&CHAT_SVC, &["server.listen=127.0.0.1:1", "internal.listen=127.0.0.1:2"]);
    assert_eq!(told, (address("127.0.0.1:1"), address("127.0.0.1:2")));
}

#[test]
fn a_service_that_calls_others_needs_an_account_for_it() {
    let credential = |flags: &[&str]| {
        let config = load(&CHAT_SVC, set(flags)).unwrap().value;
        config
            .internal
            .credential(&CHAT_SVC)
            .map(|(account, secret)| (account.to_string(), secret.expose().to_owned()))
    };
    let account = "internal.account=0f0e1c3e-7d0c-4b5f-9a51-0a4f6d1c2b3a";
    let refused = credential(&[account]).unwrap_err();
    assert!(refused.code == crate::Code::Usage && refused.message.contains("internal.secret"), "{refused}");
    let (_, secret) = credential(&[account, "internal.secret=sesame"]).unwrap();
    assert_eq!(secret, "sesame");
}

#[test]
fn clear_text_is_for_this_machine_unless_allowed() {
    let keys = |flags: &[&str]| load_all(set(flags)).map(|_| ()).map_err(|_| problems(set(flags)));
    assert_eq!(keys(&["server.listen=0.0.0.0:7700"]), Err(vec!["server.listen".to_owned()]));
    assert_eq!(keys(&["server.listen=0.0.0.0:7700", "server.allow_plaintext=true"]), Ok(()));
    let files = ["server.tls_cert=a.pem", "server.tls_key=a.key"];
    assert_eq!(keys(&[&files[..], &["server.listen=0.0.0.0:7700"]].concat()), Ok(()));
    assert_eq!(keys(&["internal.listen=10.0.0.7:1"]), Err(vec!["internal.listen".to_owned()]));
}

#[test]
fn what_belongs_together_is_set_together() {
    assert_eq!(problems(set(&["server.tls_cert=a.pem"])), ["server.tls_key"]);
    assert_eq!(problems(set(&["server.proxy_protocol=true"])), ["server.proxy_protocol"]);
    assert_eq!(problems(set(&["server.trusted_proxies=[\"everybody\"]"])), ["server.trusted_proxies"]);
    let between = ["internal.tls_cert=a.pem", "internal.tls_key=a.key", "internal.tls_ca=ca.pem"];
    load_all(set(&between)).unwrap();
    assert_eq!(
        problems(set(&[&between[..], &["internal.chat=http://10.0.0.7:1"]].concat())),
        ["internal.chat"]
    );
    assert_eq!(problems(set(&["internal.chat=https://10.0.0.7:1"])), ["internal.chat"]);
}

//! The configuration of every program: `[server]` and `[internal]` here, `[auth]`, `[chat]`, `[presence]`, `[media]` and
//! `[log]` from those whose they are.
//!
//! One file may configure several programs: what a program makes no use of is checked and otherwise left alone.

mod internal;
mod tls;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use parlor_grpc_kit::ServeOptions;
use parlor_runtime::config::{self, ENV_PREFIX, Loaded, Problems, Sources, Validate, duration};
use parlor_runtime::telemetry::Telemetry;
use serde::{Deserialize, Serialize};

use crate::files::{self, Stores};
use crate::program::{PARLOR_SERVER, Program};

pub use internal::InternalConfig;

/// The key that the place of the configuration file depends on.
const DATA_KEY: &str = "server.data";

/// Everything an operator may change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The process and its address.
    pub server: ServerConfig,
    /// How services that run apart reach each other.
    pub internal: InternalConfig,
    /// Accounts and sessions. The paths in it are not free here: all files lie in `server.data`.
    pub auth: auth_svc::Config,
    /// Conversations.
    pub chat: chat_svc::Config,
    /// Who is there.
    pub presence: presence_svc::Config,
    /// Files that people send.
    pub media: media_svc::Config,
    /// Logs, on standard error.
    pub log: Telemetry,
}

/// The process and its address.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The folder that holds everything. Services that run apart may share one; each service has one process at a time.
    pub data: PathBuf,
    /// Where to listen; port 0 takes any that is free. Off the loopback interface with TLS, unless `allow_plaintext`. The
    /// default is that of parlor-server: auth-svc, chat-svc, presence-svc and media-svc have 7701 to 7704.
    pub listen: SocketAddr,
    /// The certificate in PEM, and those between it and the authority; empty for no TLS. When the file changes, new
    /// connections get the new one.
    pub tls_cert: PathBuf,
    /// Its private key in PEM.
    pub tls_key: PathBuf,
    /// Listen in clear text where others can reach it: because something else ends TLS, or all of the network is trusted.
    pub allow_plaintext: bool,
    /// Whether tools may ask which services there are.
    pub reflection: Reflection,
    /// Origins of web pages that may call, such as `https://chat.example.org`; `*` allows all.
    pub allowed_origins: Vec<String>,
    /// Open connections in all.
    pub max_connections: usize,
    /// Open connections from one network address (IPv6: one subnet of 64 bits). Those of `trusted_proxies` that speak for
    /// themselves are not limited so.
    pub max_connections_per_address: usize,
    /// Connections that have yet to shake hands (TLS, PROXY protocol); those who come meanwhile wait.
    pub max_handshakes: usize,
    /// Networks such as `10.0.0.0/8` whose proxies are believed when they say whom they speak for: with
    /// `x-forwarded-for`, and if `proxy_protocol` is set with that.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections from `trusted_proxies` begin with a header of the PROXY protocol, version 2.
    pub proxy_protocol: bool,
    /// A ping is sent on a connection that has been silent this long.
    #[serde(with = "duration")]
    pub keepalive_interval: Duration,
    /// A connection whose ping is not answered within this is cut.
    #[serde(with = "duration")]
    pub keepalive_timeout: Duration,
    /// Once asked to stop, the process cuts what clients still have of it after this, and ends some seconds later.
    #[serde(with = "duration")]
    pub stop_within: Duration,
}

/// Whether reflection (`grpc.reflection`) is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reflection {
    /// While listening on the loopback interface.
    Loopback,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let serve = ServeOptions::default();
        Self {
            data: PathBuf::from("parlor-data"),
            listen: PARLOR_SERVER.listen,
            tls_cert: PathBuf::new(),
            tls_key: PathBuf::new(),
            allow_plaintext: false,
            reflection: Reflection::Loopback,
            allowed_origins: serve.allowed_origins,
            max_connections: serve.max_connections,
            max_connections_per_address: serve.max_connections_per_address,
            max_handshakes: serve.max_handshakes,
            trusted_proxies: serve.trusted_proxies,
            proxy_protocol: serve.proxy_protocol,
            keepalive_interval: serve.keepalive_interval,
            keepalive_timeout: serve.keepalive_timeout,
            stop_within: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// Puts all files into the data folder.
    pub(crate) fn settle(&mut self) {
        let stores = Stores::of(&self.server.data);
        self.auth.store.path = stores.auth;
        self.auth.keys.path = stores.keys;
    }
}

impl ServerConfig {
    pub(crate) fn options(&self) -> ServeOptions {
        ServeOptions {
            max_connections_per_address: self.max_connections_per_address,
            max_connections: self.max_connections,
            max_handshakes: self.max_handshakes,
            trusted_proxies: self.trusted_proxies.clone(),
            proxy_protocol: self.proxy_protocol,
            keepalive_interval: self.keepalive_interval,
            keepalive_timeout: self.keepalive_timeout,
            allowed_origins: self.allowed_origins.clone(),
        }
    }

    pub(crate) fn reflects(&self) -> bool {
        match self.reflection {
            Reflection::Loopback => self.listen.ip().is_loopback(),
            Reflection::On => true,
            Reflection::Off => false,
        }
    }
}

impl Validate for Config {
    fn check(&self, problems: &mut Problems) {
        problems.within("server", &self.server);
        problems.within("internal", &self.internal);
        problems.within("auth", &self.auth);
        problems.within("chat", &self.chat);
        problems.within("presence", &self.presence);
        problems.within("media", &self.media);
        problems.within("log", &self.log);
        let (default, here) = (auth_svc::Config::default(), Stores::of(&self.server.data));
        let paths = [
            ("auth.store.path", &self.auth.store.path, &default.store.path, &here.auth),
            ("auth.keys.path", &self.auth.keys.path, &default.keys.path, &here.keys),
        ];
        for (key, set, default, here) in paths {
            if set != default && set != here {
                problems.add(key, format!("cannot be set here: all files lie in the folder {DATA_KEY}"));
            }
        }
    }
}

impl Validate for ServerConfig {
    fn check(&self, problems: &mut Problems) {
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        problems.range("max_connections", &self.max_connections, 1..=1_000_000);
        problems.range("max_connections_per_address", &self.max_connections_per_address, 1..=1_000_000);
        problems.range("max_handshakes", &self.max_handshakes, 1..=1_000_000);
        tls::check_files(problems, &[("tls_cert", &self.tls_cert), ("tls_key", &self.tls_key)]);
        tls::check_plaintext(problems, self.listen.ip(), &self.tls_cert, self.allow_plaintext);
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            problems
                .add("proxy_protocol", "is set, and no network is trusted to use it: set trusted_proxies");
        }
        problems.range("keepalive_interval", &self.keepalive_interval, s(1)..=s(3600));
        problems.range("keepalive_timeout", &self.keepalive_timeout, s(1)..=s(600));
        problems.range("stop_within", &self.stop_within, ms(100)..=s(600));
        for origin in &self.allowed_origins {
            let is_origin =
                ["http://", "https://"].iter().filter_map(|scheme| origin.strip_prefix(scheme)).any(|host| {
                    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
                });
            if !is_origin && origin != "*" {
                problems
                    .add("allowed_origins", format!("{origin:?} is neither * nor like https://example.org"));
            }
        }
    }
}

/// Reads the configuration of `program`. If `sources` names no file, `parlor.toml` in the data folder is one, where it is there.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(program: &Program, mut sources: Sources) -> Result<Loaded<Config>, Problems> {
    let data = data_folder(&sources);
    let own = data.join(files::CONFIG);
    let is_own = sources.file.is_none() && own.exists();
    if is_own {
        sources.file = Some(own);
    }
    let mut loaded = config::load::<Config>(&sources)?;
    if is_own && loaded.value.server.data != data {
        let mut problems = Problems::default();
        let message = format!("the {} of a data folder cannot name another folder", files::CONFIG);
        problems.add(DATA_KEY, message);
        return Err(problems);
    }
    if loaded.is_default("server.listen") {
        loaded.value.server.listen = program.listen;
    }
    if let Some(usual) = program.internal.filter(|_| loaded.is_default("internal.listen")) {
        loaded.value.internal.listen = usual;
    }
    loaded.value.settle();
    Ok(loaded)
}

/// The folder as far as it is known before any file has been read.
fn data_folder(sources: &Sources) -> PathBuf {
    let variable = format!("{ENV_PREFIX}{}", DATA_KEY.to_ascii_uppercase().replace('.', "__"));
    let flags = sources.set.iter().rev().filter_map(|flag| flag.split_once('='));
    let flag = flags.filter(|(key, _)| key.trim() == DATA_KEY).map(|(_, value)| value).next();
    let env = sources.env.iter().find(|(name, _)| *name == variable).map(|(_, value)| value.as_str());
    flag.or(env).map_or_else(|| ServerConfig::default().data, |path| Path::new(path).to_owned())
}

#[cfg(test)]
mod tests;

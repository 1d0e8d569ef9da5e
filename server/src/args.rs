//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use parlor_runtime::config::{Loaded, Problems, Sources};

use crate::commands::parse_name;
use crate::config::{self, Config};
use crate::program::{Program, Service};

/// What [`Server`](crate::Server) starts its own program with, so that it looks at one upload and does nothing else.
pub const INSPECT_MEDIA: &str = "inspect-media";

const AFTER_HELP: &str = "\
Configuration: defaults, then the file, then the environment (PARLOR_SERVER__LISTEN sets server.listen), then flags; the
later wins. --print-config shows every key with its value.

Exit codes:
    0  done, or stopped when asked to
   64  the command line or the configuration cannot be used
   65  what was read is damaged, or not what it should be
   69  the data folder or an address is in use
   70  a part of the program failed
   74  something could not be read or written
  130  a second signal came while stopping";

/// The command line of each [`Program`].
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub struct Args {
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where configuration comes from.
    #[command(flatten)]
    pub settings: Settings,
    /// Check the configuration and end
    #[arg(long)]
    pub check_config: bool,
    /// Print the configuration as it is in effect, with where each key comes from, and end
    #[arg(long)]
    pub print_config: bool,
    /// Serve from a folder of its own that is deleted at the end: nothing is kept
    #[arg(long, conflicts_with = "data")]
    pub temporary: bool,
    /// Stop when standard input ends, too, as it does when the program at its other end does
    #[arg(long)]
    pub stop_with_input: bool,
}

/// Where configuration comes from.
#[derive(Debug, Default, ClapArgs)]
pub struct Settings {
    /// Configuration file [default: parlor.toml in the data folder, if it is there]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Folder that holds everything [default: parlor-data]
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Address to listen on; port 0 takes any that is free
    #[arg(long, value_name = "ADDR", global = true)]
    pub listen: Option<SocketAddr>,
    /// Address to listen on for the other services; port 0 takes any that is free
    #[arg(long, value_name = "ADDR", global = true)]
    pub listen_internal: Option<SocketAddr>,
    /// Certificate in PEM; followed when it changes. Without one only this machine is listened to
    #[arg(long, value_name = "FILE", global = true)]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM
    #[arg(long, value_name = "FILE", global = true)]
    pub tls_key: Option<PathBuf>,
    /// Listen in clear text where others can reach it
    #[arg(long, global = true)]
    pub allow_plaintext: bool,
    /// Set any key, such as chat.max_group_members=50; may be repeated
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until SIGTERM or Ctrl-C
    Serve,
    /// Copy all data into DIR, while the server runs or not
    Backup {
        /// A folder that is not there, or empty
        dir: PathBuf,
    },
    /// Look through all data for damage, while the server runs or not
    Check,
    /// Make a data folder out of a backup. Clients notice and sync afresh; what they had not yet sent is kept
    Restore {
        /// The backup
        dir: PathBuf,
    },
    /// Add people who come with password hashes; the server must be stopped
    ///
    /// Each line of FILE is a JSON object: {"username": "ada", "password_hash": "$argon2id$..."}, and if wanted
    /// "user_id" (a UUID), "display_name" and "email" (an address that is known to be theirs: it counts as proved). If a
    /// line is bad, nothing is imported. Names, ids and addresses that are taken are left as they are and named, so
    /// importing the same file again changes nothing.
    ImportUsers {
        /// The lines; `-` is standard input
        file: PathBuf,
    },
    /// Make certificates for a try in DIR: an authority, and certificates of it for the server and between services
    DevCerts {
        /// A folder; what is in it stays
        dir: PathBuf,
        /// A host name or address besides those of this machine; may be repeated
        #[arg(long, value_name = "NAME", value_parser = parse_name)]
        name: Vec<String>,
    },
    /// Accounts of bots and of other services; the server must be stopped
    #[command(subcommand)]
    ServiceAccount(ServiceAccount),
}

/// What can be done with service accounts.
#[derive(Debug, Subcommand)]
pub enum ServiceAccount {
    /// Make one, and print its id and secret: the secret is shown this once
    Create {
        /// Its user name
        name: String,
        /// For another service of the deployment: it may call what only services may call, and nothing else
        #[arg(long)]
        internal: bool,
    },
}

impl Args {
    /// The arguments of this process, which is `program`.
    ///
    /// # Errors
    /// They cannot be used, or ask for help.
    pub fn of_process(program: &'static Program) -> Result<Self, clap::Error> {
        let mut matches = command(program).try_get_matches()?;
        Self::from_arg_matches_mut(&mut matches)
    }
}

/// What of the command line `program` has: accounts are for who keeps them.
fn command(program: &'static Program) -> clap::Command {
    let default =
        format!("Address to listen on; port 0 takes any that is free [default: {}]", program.listen);
    let mut command = Args::command().name(program.name).about(program.about);
    command = command.mut_arg("listen", |arg| arg.help(default));
    command = match program.internal {
        Some(usual) => command.mut_arg("listen_internal", |arg| {
            let free = "port 0 takes any that is free";
            arg.help(format!("Address to listen on for the other services; {free} [default: {usual}]"))
        }),
        None => command.mut_arg("listen_internal", |arg| arg.hide(true)),
    };
    if !program.runs(Service::Auth) {
        for name in ["import-users", "service-account"] {
            command = command.mut_subcommand(name, |subcommand| subcommand.hide(true));
        }
    }
    command
}

impl Settings {
    /// The flags that set one key: the flag, the key, and the value if the flag was given.
    #[must_use]
    pub fn keys(&self) -> [(&'static str, &'static str, Option<String>); 6] {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let address = |address: Option<SocketAddr>| address.map(|address| address.to_string());
        [
            ("--data", "server.data", path(&self.data)),
            ("--listen", "server.listen", address(self.listen)),
            ("--tls-cert", "server.tls_cert", path(&self.tls_cert)),
            ("--tls-key", "server.tls_key", path(&self.tls_key)),
            ("--allow-plaintext", "server.allow_plaintext", self.allow_plaintext.then(|| "true".to_owned())),
            ("--listen-internal", "internal.listen", address(self.listen_internal)),
        ]
    }

    /// Reads the configuration that these flags and the process environment amount to, for `program`.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(self, program: &Program) -> Result<Loaded<Config>, Problems> {
        let flags = self.keys().into_iter();
        let flags = flags.filter_map(|(_, key, value)| value.map(|value| format!("{key}={value}")));
        let set = self.set.iter().cloned().chain(flags).collect();
        config::load(program, Sources::of_process(self.config, set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{AUTH_SVC, CHAT_SVC, PARLOR_SERVER};

    #[test]
    fn the_command_lines_are_consistent() {
        for program in [&PARLOR_SERVER, &AUTH_SVC, &CHAT_SVC] {
            command(program).debug_assert();
        }
    }

    #[test]
    fn every_flag_sets_the_key_it_stands_for() {
        let given = ["--data=d", "--listen=127.0.0.1:1", "--tls-cert=c", "--tls-key=k", "--allow-plaintext"];
        let given = [&["parlor-server"], &given[..], &["--listen-internal=127.0.0.1:2"]].concat();
        let args = Args::try_parse_from(given).expect("they are flags");
        let values =
            args.settings.keys().map(|(flag, _, value)| value.unwrap_or_else(|| panic!("{flag} is lost")));
        assert_eq!(values, ["d", "127.0.0.1:1", "c", "k", "true", "127.0.0.1:2"]);
        let others = [
            "config",
            "set",
            "temporary",
            "stop_with_input",
            "check_config",
            "print_config",
            "help",
            "version",
        ];
        let command = Args::command();
        let known = Settings::default().keys().map(|(flag, ..)| flag.trim_start_matches("--"));
        let missing = |arg: &&clap::Arg| {
            !others.contains(&arg.get_id().as_str()) && !known.iter().any(|flag| arg.get_long() == Some(flag))
        };
        assert_eq!(command.get_arguments().find(missing), None, "it sets a key that keys() does not tell");
    }

    #[test]
    fn help_tells_what_the_program_has() {
        let help = |program| command(program).render_help().to_string();
        let (all, chat) = (help(&PARLOR_SERVER), help(&CHAT_SVC));
        assert!(all.contains("import-users") && all.contains("127.0.0.1:7700"), "{all}");
        assert!(!all.contains("listen-internal"), "{all}");
        assert!(!chat.contains("import-users") && chat.contains("127.0.0.1:7702"), "{chat}");
        assert!(chat.contains("listen-internal") && chat.contains("127.0.0.1:7712"), "{chat}");
    }
}

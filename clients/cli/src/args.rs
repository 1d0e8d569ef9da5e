//! The command line: every command, every option, every exit code.

mod files;
mod people;
mod set;

use std::path::PathBuf;

use clap::{ArgAction, Args as Group, Parser, Subcommand, ValueEnum};

pub use files::{Avatar, Download, Form, Pictures, Send, What};
pub use people::{Appearance, Audience, Contacts, Privacy, Status, Switch};
pub use set::{Set, Term};

const AFTER_HELP: &str = "\
People are named by @username or user id, groups by name (if it is the only one) or id.

With --json every result is one JSON object per line on standard output. Notices and failures are JSON objects on
standard error: {\"notice\": ...} and {\"error\": ..., \"message\": ..., \"code\": ...}.

Exit codes:
  0  done
  1  refused by the server, or failed here; `check-history`: a guarantee is broken
  2  wrong usage; `check-history`: a file is no history
  3  not logged in, or the session has ended
  4  the server cannot be reached
  5  not delivered yet: kept in the outbox, sent before the next message or by `tail`; a message whose files are
     not all uploaded, by the same command again or by `tail`";

/// A terminal client for Parlor.
#[derive(Debug, Parser)]
#[command(name = "parlor", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    /// Without one: the full screen
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that stand before or after any command.
#[derive(Debug, Group)]
pub struct Global {
    /// The server [default: where this profile last logged in, or http://127.0.0.1:7700]. Where its services are reached apart:
    /// that of chat-svc, and behind it `,auth=URL,presence=URL,media=URL`
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Certificates in PEM: the authorities that may vouch for the server, and no others. The profile keeps them [default:
    /// those that this machine trusts]
    #[arg(long, global = true, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Folder of the account [default: $PARLOR_PROFILE, or `parlor` in the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// How long to keep trying when the server is away or busy, in seconds; `tail` never gives up [default: 5; with files
    /// 120 after the last byte]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub wait: Option<u64>,
    /// Write down in this file what `check-history` needs: ids, places in the log, times and digests of what is sent, answered
    /// and taken in, and nothing of what is said; what is there already stays [default: $PARLOR_RECORD, or nowhere]
    #[arg(long, global = true, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// One JSON object per line
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Chat on the full screen; F1 or ? shows the keys
    Chat(Chat),
    /// Look around: a server in a temporary folder and three people who talk; all of it is gone afterwards
    Demo(Chat),
    /// Make an account and log in
    Register {
        /// 3 to 32 of a-z, 0-9, "_" and "."
        username: String,
        /// How you want to be called [default: the user name]
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
        #[command(flatten)]
        password: Password,
    },
    /// Log in; what was kept for another user is deleted
    Login {
        /// The user name
        username: String,
        #[command(flatten)]
        password: Password,
    },
    /// Show who is logged in
    Whoami,
    /// End the session and delete all that was kept
    Logout {
        /// Also if messages wait to be delivered: they are lost
        #[arg(long)]
        force: bool,
    },
    /// List or end sessions
    Sessions {
        #[command(subcommand)]
        action: Option<Sessions>,
    },
    /// Change the password and end all other sessions
    Password {
        /// Read the present and the new password from two lines of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show somebody's profile, or show and change your own
    Profile {
        /// Whose [default: your own]
        person: Option<String>,
        /// How you want to be called
        #[arg(long, conflicts_with = "person")]
        name: Option<String>,
        /// A few words about yourself
        #[arg(long, conflicts_with = "person")]
        bio: Option<String>,
    },
    /// Send a message, files or a place, and wait until it is stored
    Send(Send),
    /// Upload a file and print its id; the same command again goes on where it stopped
    Upload {
        /// Which
        file: PathBuf,
        /// What it is [default: pictures and MP4 videos are shown, all else are files]
        #[arg(long = "as", value_name = "WHAT")]
        what: Option<What>,
    },
    /// Get a file; the same command again goes on where it stopped
    Download(Download),
    /// Show a picture in the terminal
    Show {
        /// Its id, as `history` shows it
        id: String,
        /// How the terminal shows pictures
        #[arg(long, value_name = "HOW", default_value = "auto")]
        pictures: Pictures,
    },
    /// Show how much room your files take up
    Usage,
    /// Change your picture, or a group's
    Avatar {
        #[command(subcommand)]
        action: Avatar,
    },
    /// Send on what an entry says, with its files; nothing is uploaded
    Forward {
        /// A person or a group: where the entry is
        conversation: String,
        /// Its seq
        seq: u64,
        /// A person or a group: where to
        to: String,
    },
    /// Give a message of yours another text
    Edit {
        /// A person or a group
        conversation: String,
        /// Which message
        #[arg(value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
        seq: u64,
        /// What it says from now on; of a file or picture, the text under it
        text: String,
    },
    /// Take a message away from everybody
    Delete {
        /// A person or a group
        conversation: String,
        /// Which message
        #[arg(value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
        seq: u64,
    },
    /// Follow what happens: each entry once, in order, until interrupted
    Tail(Tail),
    /// Print the log of a conversation, oldest first
    History {
        /// A person or a group
        #[arg(long)]
        to: String,
        /// The newest so many entries
        #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "all")]
        limit: u64,
        /// Only entries below this seq
        #[arg(long, value_name = "SEQ")]
        before: Option<u64>,
        /// The whole readable log
        #[arg(long)]
        all: bool,
        /// Show pictures; how, if the terminal does not say
        #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
        pictures: Option<Pictures>,
    },
    /// List conversations as the server has them, latest activity first
    Conversations,
    /// The chat list as you want to have it: pinned first; what is saved if the server is away
    ///
    /// Signs: * unread by your own mark, ^ pinned, - muted; "3 @1" means three unread, one of which calls you by name.
    Chats {
        /// The archive, and what is hidden, too
        #[arg(long)]
        all: bool,
    },
    /// Mark a conversation as read
    Read {
        /// A person or a group
        conversation: String,
        /// Only up to this seq [default: all of it]
        #[arg(long, value_name = "SEQ")]
        up_to: Option<u64>,
    },
    /// Say how you want to have a conversation: mute, pin, archive, hide, draft, name
    Set {
        /// A person or a group
        conversation: String,
        #[command(flatten)]
        set: Set,
    },
    /// Who has received and read a message
    Receipts {
        /// A person or a group
        conversation: String,
        /// Its seq
        seq: u64,
    },
    /// Make and change groups
    Group {
        #[command(subcommand)]
        action: GroupAction,
    },
    /// Find people by the beginning of their user name or display name
    People {
        /// What it begins with
        prefix: String,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// List, add, accept and remove contacts
    Contacts {
        #[command(subcommand)]
        action: Option<Contacts>,
    },
    /// Block somebody: what they send is withheld, and they see nothing of you
    Block {
        /// Whom
        person: String,
    },
    /// End a block
    Unblock {
        /// Whose
        person: String,
    },
    /// Show or change who may see and do what
    Privacy(Privacy),
    /// Show or change how you appear to others
    Status(Status),
    /// Follow who is there, until interrupted
    Watch {
        /// At most 200 people
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Hold what clients wrote down (see --record) against the guarantees, without a server
    CheckHistory(CheckHistory),
}

/// Files of all clients that were there, held against the guarantees together.
#[derive(Debug, Group)]
pub struct CheckHistory {
    /// Histories, one for each client or one for several
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Show at most so many violations of each guarantee
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub most: usize,
}

/// How a password comes in; never as an argument, which others could read.
#[derive(Debug, Group)]
pub struct Password {
    /// Read the password from the first line of standard input instead of asking for it
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Sessions {
    /// List the account's sessions, last used first
    List,
    /// End one
    End {
        /// Its id
        id: String,
    },
    /// End all but this one
    EndOthers,
}

/// The full screen.
#[derive(Debug, Default, Group)]
pub struct Chat {
    /// How the terminal shows pictures
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub pictures: Pictures,
}

#[derive(Debug, Group)]
pub struct Tail {
    /// Only this person or group
    #[arg(long)]
    pub to: Option<String>,
    /// Begin after this seq [default: after what this profile has already taken in]
    #[arg(long, value_name = "SEQ", requires = "to")]
    pub since: Option<u64>,
    /// First print the newest N entries of each conversation
    #[arg(long, value_name = "N", conflicts_with = "since")]
    pub history: Option<u64>,
    /// Tell the others that what is printed has been read
    #[arg(long, action = ArgAction::SetTrue)]
    pub mark_read: bool,
    /// Also tell who types, and who has received and read; with --json as objects with an `event`
    #[arg(long)]
    pub activity: bool,
    /// Show pictures; how, if the terminal does not say
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    pub pictures: Option<Pictures>,
}

#[derive(Debug, Subcommand)]
pub enum GroupAction {
    /// Make a group; you become its owner
    Create {
        /// Its name, 1 to 100 characters
        name: String,
        /// Members besides you
        members: Vec<String>,
        /// What those who join later may read
        #[arg(long)]
        history: Option<History>,
    },
    /// Add people
    Add {
        group: String,
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Remove members
    Remove {
        group: String,
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Leave the group
    Leave { group: String },
    /// Give the group another name
    Rename { group: String, name: String },
    /// Give a member another role
    Role { group: String, member: String, role: Role },
    /// Change what holds for the whole group
    Settings {
        group: String,
        /// What those who join later may read
        #[arg(long)]
        history: History,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Role {
    Member,
    Admin,
    Owner,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum History {
    /// From the entry that added them on
    FromJoin,
    /// Everything
    All,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Args, ErrorKind> {
        Args::try_parse_from(line.split(' ')).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn global_options_stand_anywhere() {
        let args =
            parse("parlor send --to @ben hello --json --profile /p --server http://s:1 --wait 0").unwrap();
        assert!(args.global.json && args.global.wait == Some(0));
        assert_eq!(args.global.server.as_deref(), Some("http://s:1"));
        assert!(
            matches!(args.command, Some(Command::Send(Send { to, text: Some(text), reply_to: 0, .. })) if to == "@ben" && text == "hello")
        );
        assert!(parse("parlor --json tail --to Tea --since 4").is_ok());
        assert!(parse("parlor send --to Tea -").is_ok());
        assert!(parse("parlor send --to @ben --file a.jpg --file b.jpg --as image look").is_ok());
        assert!(parse("parlor send --to @ben --location -33.9,18.4 --name Cape").is_ok());
        assert!(parse("parlor history --to @ben --pictures --limit 3").is_ok());
        assert!(parse("parlor avatar clear --group Tea").is_ok());
        assert!(parse("parlor edit Tea 5 tea").is_ok() && parse("parlor delete @ben 7").is_ok());
        assert!(parse("parlor set @ben --mute 8h --pin --unarchive --nick Ben").is_ok());
        assert!(parse("parlor contacts").is_ok() && parse("parlor contacts add @ben --note hi").is_ok());
        assert!(parse("parlor privacy --read-receipts off --online nobody").is_ok());
        assert!(parse("parlor status --appear do-not-disturb --for 2h").is_ok());
        assert!(parse("parlor check-history ada.jsonl ben.jsonl").is_ok());
    }

    #[test]
    fn wrong_usage_is_refused() {
        for line in [
            "parlor send hello",
            "parlor send --to @ben",
            "parlor send --to @ben --as image hello",
            "parlor send --to @ben --location 99,0",
            "parlor send --to @ben --location 9,0 hello",
            "parlor avatar",
            "parlor check-history",
            "parlor forward @ben 3",
            "parlor show",
            "parlor edit Tea 0 tea",
            "parlor delete Tea last",
            "parlor tail --since 3",
            "parlor tail --to Tea --since 3 --history 4",
            "parlor history",
            "parlor history --to Tea --all --limit 3",
            "parlor group add Tea",
            "parlor group role Tea @ben king",
            "parlor login ada secret",
            "parlor profile @ben --bio x",
            "parlor set @ben",
            "parlor set @ben --mute soon",
            "parlor set @ben --pin --unpin",
            "parlor set @ben --reply-to 4",
            "parlor receipts @ben",
            "parlor privacy --online friends",
            "parlor status --clear --text x",
            "parlor watch",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

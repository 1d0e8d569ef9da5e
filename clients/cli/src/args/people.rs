//! Options of what is about people: contacts, privacy, status.

use clap::{Args as Group, Subcommand, ValueEnum};

use super::set::{Term, term};

#[derive(Debug, Clone, Subcommand)]
pub enum Contacts {
    /// List contacts, requests and blocked people
    List,
    /// Ask somebody; accepts if they have asked already
    Add {
        /// Whom
        person: String,
        /// A few words with it, at most 200 characters
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Accept a request
    Accept {
        /// Whose
        person: String,
    },
    /// Remove a contact, decline a request, or withdraw your own
    Remove {
        /// With whom
        person: String,
    },
}

/// Who may do and see what; without options it is shown.
#[derive(Debug, Group)]
pub struct Privacy {
    /// Let others see what you have read, and see it of them
    #[arg(long, value_name = "ON|OFF")]
    pub read_receipts: Option<Switch>,
    /// Who sees you online; with `nobody` you see nobody
    #[arg(long, value_name = "WHO")]
    pub online: Option<Audience>,
    /// Who sees when you were last there; with `nobody` you see it of nobody
    #[arg(long, value_name = "WHO")]
    pub last_seen: Option<Audience>,
    /// Who may begin a conversation with you
    #[arg(long, value_name = "WHO")]
    pub direct: Option<Audience>,
    /// Who may add you to groups
    #[arg(long, value_name = "WHO")]
    pub groups: Option<Audience>,
}

/// What others see of you; without options it is shown.
#[derive(Debug, Group)]
pub struct Status {
    /// How to appear
    #[arg(long, value_name = "HOW")]
    pub appear: Option<Appearance>,
    /// A few words, at most 100 characters; "" for none
    #[arg(long)]
    pub text: Option<String>,
    /// Back to the default after so long: 30m, 8h, 7d, 2w, or `forever`
    #[arg(long = "for", value_name = "TIME", value_parser = term)]
    pub term: Option<Term>,
    /// Back to the default now
    #[arg(long, conflicts_with_all = ["appear", "text", "term"])]
    pub clear: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Audience {
    Everyone,
    /// Contacts; where it is about being seen, also those you share a conversation with
    Contacts,
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Appearance {
    /// As you are
    Online,
    Away,
    DoNotDisturb,
    /// Offline to everybody else
    Invisible,
}

//! Options of `set`, and lengths of time.

use std::time::Duration;

use clap::Args as Group;

/// How you want to have a conversation. Nobody else sees it.
#[derive(Debug, Group)]
#[group(id = "changes", required = true, multiple = true)]
pub struct Set {
    /// No notifications for so long: 30m, 8h, 7d, 2w, or `forever`
    #[arg(long, value_name = "TIME", value_parser = term, conflicts_with = "unmute")]
    pub mute: Option<Term>,
    /// Notifications again
    #[arg(long)]
    pub unmute: bool,
    /// To the top of the list
    #[arg(long, conflicts_with = "unpin")]
    pub pin: bool,
    /// No longer at the top
    #[arg(long)]
    pub unpin: bool,
    /// Into the archive, until a message comes (if it is muted: also then)
    #[arg(long, conflicts_with = "unarchive")]
    pub archive: bool,
    /// Out of the archive
    #[arg(long)]
    pub unarchive: bool,
    /// Out of the list, until a message comes
    #[arg(long, conflicts_with = "unhide")]
    pub hide: bool,
    /// Back into the list
    #[arg(long)]
    pub unhide: bool,
    /// Show it as unread, to come back to it; `parlor read` ends that
    #[arg(long)]
    pub unread: bool,
    /// Keep a text begun and not sent; "" removes it
    #[arg(long, value_name = "TEXT")]
    pub draft: Option<String>,
    /// Seq of the entry the draft answers
    #[arg(long, value_name = "SEQ", requires = "draft", default_value_t = 0)]
    pub reply_to: u64,
    /// What to call it; "" for its own name
    #[arg(long, value_name = "NAME")]
    pub nick: Option<String>,
}

/// How long something lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    For(Duration),
    Forever,
}

/// Reads 45s, 30m, 8h, 7d, 2w or `forever`.
pub fn term(text: &str) -> Result<Term, String> {
    if text == "forever" {
        return Ok(Term::Forever);
    }
    let wrong = || format!("{text:?} is not a time such as 30m, 8h, 7d, 2w or forever");
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= LONGEST)
        .map(|s| Term::For(Duration::from_secs(s)))
        .ok_or_else(wrong)
}

/// A hundred years: what is meant to be longer is meant to be for ever.
const LONGEST: u64 = 100 * 365 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_number_and_a_unit() {
        let of = |seconds| Ok(Term::For(Duration::from_secs(seconds)));
        assert_eq!(term("45s"), of(45));
        assert_eq!(term("8h"), of(8 * 3600));
        assert_eq!(term("2w"), of(14 * 86_400));
        assert_eq!(term("forever"), Ok(Term::Forever));
        for wrong in ["", "8", "h", "8x", "-1h", "8 h", "99999999999w", "8é"] {
            assert!(term(wrong).is_err(), "{wrong}");
        }
    }
}

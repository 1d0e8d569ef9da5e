//! What is promised of connections, held against what was seen of them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ledger::{End, Seen, Side};

/// From this long a silence on the server pings: the default of `keepalive_interval`.
pub const SERVER_PINGS_AFTER: Duration = Duration::from_secs(20);
/// A client does from this one on.
pub const CLIENT_PINGS_AFTER: Duration = Duration::from_secs(30);
/// Either waits so long for an answer.
pub const PONG_WITHIN: Duration = Duration::from_secs(10);
/// What a run may measure late: time goes on in ticks, and ends are seen a tick later.
pub const LATE: Duration = Duration::from_secs(1);
/// What counts as one moment.
const MOMENT: Duration = Duration::from_millis(50);
/// Clients of a crowd: fewer come in one moment by chance.
const CROWD: usize = 16;

/// A connection that somebody still holds though nothing has been heard on it for longer than keep-alive allows.
pub fn held_in_silence(seen: &[Seen], now: Duration) -> Option<String> {
    let silent = seen.iter().filter(|seen| seen.ended.is_none()).find_map(|seen| {
        let pings_after = match seen.side {
            Side::Server => SERVER_PINGS_AFTER,
            Side::Client(_) => CLIENT_PINGS_AFTER,
        };
        let silent_for = now - seen.heard;
        (silent_for > pings_after + PONG_WITHIN + LATE).then_some((seen, silent_for))
    })?;
    let (Seen { side, .. }, silent_for) = silent;
    Some(format!("keep-alive: {side:?} holds a connection on which nothing came for {silent_for:?}"))
}

/// A connection that the server ended since then with a call under way, and not a word before; not of clients whose network
/// has been at fault since it was opened: since when it has not, by client.
pub fn ended_without_a_word(seen: &[Seen], since: Duration, calm: &[Option<Duration>]) -> Option<String> {
    let cut = seen.iter().find(|seen| {
        let Side::Client(client) = seen.side else { return false };
        let is_of_now = matches!(seen.ended, Some((at, End::Told)) if at >= since);
        let is_calm = calm[client].is_some_and(|calm| calm <= seen.opened);
        is_of_now && is_calm && !seen.goaway && !seen.calls.is_empty()
    })?;
    Some(format!("goodbye: {:?} lost calls {:?} when the server was asked to stop", cut.side, cut.calls))
}

/// A moment in which more than half of a crowd came.
pub fn came_at_once(begun: &[(Duration, usize)], clients: usize) -> Option<String> {
    if clients < CROWD {
        return None;
    }
    begun.iter().enumerate().find_map(|(first, (at, _))| {
        let moment = begun[first..].iter().take_while(|(later, _)| *later <= *at + MOMENT);
        let who: BTreeSet<_> = moment.map(|(_, client)| client).collect();
        let many = who.len();
        (many > clients / 2)
            .then(|| format!("jitter: {many} of {clients} clients came within {MOMENT:?} at {at:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_seen_where_it_comes_in_one_moment() {
        let at = |millis: u64, client| (Duration::from_millis(millis), client);
        let spread: Vec<_> = (0..CROWD).map(|client| at(client as u64 * 30, client)).collect();
        assert_eq!(came_at_once(&spread, CROWD), None);
        let crowd: Vec<_> = (0..CROWD).map(|client| at(500 + client as u64, client)).collect();
        assert!(came_at_once(&crowd, CROWD).is_some());
        let same: Vec<_> = (0..CROWD).map(|_| at(500, 3)).collect();
        assert_eq!(came_at_once(&same, CROWD), None, "one that comes often is no crowd");
    }
}

//! Faults put in by hand, to see that a run finds them: each in the network or in how the server is run, and no line of
//! the product is changed.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// The server sends no pings: peers that are gone are held for good.
    ServerNeverPings,
    /// Something near the clients answers their pings in the server's name: they do not learn that it is gone.
    PingsAnsweredNearby,
    /// The server stops without a word to those it serves.
    StopsWithoutAWord,
    /// Clients do not open connections but at one moment every five seconds.
    ComeAtOnce,
}

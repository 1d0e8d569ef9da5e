//! Faults put in by hand at the seams of chat-svc, to see that a simulation finds them.
//!
//! Each is what a bug would look like from outside, made by a wrapper around something that chat-svc stands on or speaks
//! through: its [`router`], its [`store`], its [`wire`]. No line of the product is changed.

pub mod router;
pub mod store;
pub mod wire;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// The store says that it has stored what a crash takes away: up to a second of it. (G1)
    NeverSynced,
    /// The store answers before it syncs: a crash takes away up to 200 ms of it. (G1)
    AcksEarly,
    /// A batch that failed, though the store could not say so, is said to be stored. (G1)
    AcksTheUncertain,
    /// No retry finds itself in what the store tells of its ops. (G2)
    ForgetsOps,
    /// Appends that were sent before their client knew of a refusal pass for ones sent after it. (G4)
    IgnoresLanes,
    /// One delivery in ten is dropped. (G5)
    DropsDeliveries,
    /// Heads, told where there is no room for entries, are dropped. (G5)
    DropsHeads,
    /// A stream gets what is published from 250 ms after it was registered on: as if it were registered after it read. (G5)
    KnowsLate,
    /// A cursor covers some commits more than were told. (G5)
    CursorAhead,
    /// A restored store goes by the name of the life before. (G5)
    SameGeneration,
    /// Nobody is sent the row of what may be stored without having been told. (G5)
    NeverRetells,
    /// What one device has read is not told to the others of its user. (G6)
    OwnMarksUntold,
    /// Of marks, every third answer tells earlier ones. (G6)
    MarksGoBack,
    /// What has left for a device counts as received by it. (G6)
    SentIsReceived,
    /// Whoever was removed goes on getting entries. (G7)
    GoesOnAfterRemoval,
    /// Nobody at chat-svc hears that a session has ended. (G7)
    EndedSessionsGoOn,
}

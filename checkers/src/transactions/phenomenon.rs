//! The phenomena that isolation levels forbid, by the names of the field.

use super::graph::{Kind, Kinds};

/// A phenomenon: what happened that a level forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phenomenon {
    /// A read of a value that nobody wrote.
    Garbage,
    /// A read with one element twice.
    DuplicateElements,
    /// Reads of one key that have no common order.
    IncompatibleOrder,
    /// A committed write over one that was aborted.
    DirtyUpdate,
    /// A read of an aborted write.
    G1a,
    /// A read of another's write before its last to that key.
    G1b,
    /// A read of what its own transaction writes only later.
    FutureRead,
    /// A read that disagrees with its own transaction.
    Internal,
    /// A read that misses an append of a transaction that was read from.
    FracturedRead,
    /// A read that misses a write of whom its transaction had come after before.
    GMonotonic,
    /// A read that misses an append of a transaction that was seen by one that was seen.
    CausalityViolation,
    /// A write over what was read, though another's came in between (P4).
    LostUpdate,
    /// A cycle of dependencies.
    Cycle(Cycle, Scope),
}

/// Kinds of cycles, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cycle {
    /// Of writes alone.
    G0,
    /// Of writes and reads from them.
    G1c,
    /// With exactly one anti-dependency.
    GSingle,
    /// With several anti-dependencies, no two of which are adjacent.
    GNonadjacent,
    /// With adjacent anti-dependencies.
    G2Item,
}

/// What a cycle leans on beside the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Nothing.
    Data,
    /// The order in which a session ran its transactions.
    Session,
    /// Real time.
    RealTime,
}

impl Cycle {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] =
        [Self::G0, Self::G1c, Self::GSingle, Self::GNonadjacent, Self::G2Item];
}

impl Scope {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Data, Self::Session, Self::RealTime];

    /// The edges that it adds to those of the data.
    pub fn kinds(self) -> Kinds {
        match self {
            Scope::Data => Kinds::NONE,
            Scope::Session => Kinds::NONE.with(Kind::Session),
            Scope::RealTime => Kinds::NONE.with(Kind::Session).with(Kind::RealTime),
        }
    }
}

impl Phenomenon {
    /// Every phenomenon, by how bad it is.
    pub fn all() -> impl Iterator<Item = Self> {
        let single = [
            Self::Garbage,
            Self::DuplicateElements,
            Self::IncompatibleOrder,
            Self::DirtyUpdate,
            Self::G1a,
            Self::G1b,
            Self::FutureRead,
            Self::Internal,
            Self::FracturedRead,
            Self::GMonotonic,
            Self::CausalityViolation,
            Self::LostUpdate,
        ];
        let cycle = |cycle| Scope::ALL.map(|scope| Self::Cycle(cycle, scope));
        single.into_iter().chain(Cycle::ALL.into_iter().flat_map(cycle))
    }

    /// Its name: `G1a`, `G-single-realtime`.
    pub fn name(self) -> &'static str {
        use Cycle::{G0, G1c, G2Item, GNonadjacent, GSingle};
        use Scope::{Data, RealTime, Session};
        match self {
            Self::Garbage => "garbage-read",
            Self::DuplicateElements => "duplicate-elements",
            Self::IncompatibleOrder => "incompatible-order",
            Self::DirtyUpdate => "dirty-update",
            Self::G1a => "G1a",
            Self::G1b => "G1b",
            Self::FutureRead => "future-read",
            Self::Internal => "internal",
            Self::FracturedRead => "fractured-read",
            Self::GMonotonic => "G-monotonic",
            Self::CausalityViolation => "causality-violation",
            Self::LostUpdate => "lost-update",
            Self::Cycle(G0, Data) => "G0",
            Self::Cycle(G0, Session) => "G0-process",
            Self::Cycle(G0, RealTime) => "G0-realtime",
            Self::Cycle(G1c, Data) => "G1c",
            Self::Cycle(G1c, Session) => "G1c-process",
            Self::Cycle(G1c, RealTime) => "G1c-realtime",
            Self::Cycle(GSingle, Data) => "G-single",
            Self::Cycle(GSingle, Session) => "G-single-process",
            Self::Cycle(GSingle, RealTime) => "G-single-realtime",
            Self::Cycle(GNonadjacent, Data) => "G-nonadjacent",
            Self::Cycle(GNonadjacent, Session) => "G-nonadjacent-process",
            Self::Cycle(GNonadjacent, RealTime) => "G-nonadjacent-realtime",
            Self::Cycle(G2Item, Data) => "G2-item",
            Self::Cycle(G2Item, Session) => "G2-item-process",
            Self::Cycle(G2Item, RealTime) => "G2-item-realtime",
        }
    }
}

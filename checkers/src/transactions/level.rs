//! Isolation levels, which of them imply which, and what each forbids.
//!
//! After Adya, "Weak Consistency" (1999); Cerone, Bernardi and Gotsman, "A Framework for
//! Transactional Consistency Models with Atomic Visibility" (CONCUR 2015); and Elle. Levels are
//! judged by the keys that transactions name; there are no predicates here.

use std::fmt;
use std::str::FromStr;

use super::phenomenon::{Cycle, Phenomenon, Scope};

/// An isolation level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// PL-1: writes of different transactions have an order.
    ReadUncommitted,
    /// PL-2: only what was committed is read.
    ReadCommitted,
    /// PL-CS: no update is lost.
    CursorStability,
    /// PL-2L: once something of a transaction is seen, nothing before it is missed.
    MonotonicView,
    /// Atomic view: of a transaction all is seen or nothing.
    ReadAtomic,
    /// Whatever is seen is seen with all that caused it.
    Causal,
    /// PL-2+: no cycle with one anti-dependency.
    ConsistentView,
    /// Snapshots that need no common order (long forks happen). By the theorem of Cerone, Gotsman and
    /// Yang ("Transaction Chopping for Parallel Snapshot Isolation", DISC 2015): no cycle with fewer than
    /// two anti-dependencies, and whatever a transaction reads twice is the same.
    ParallelSnapshotIsolation,
    /// A snapshot for each transaction, in one order of all.
    SnapshotIsolation,
    /// PL-2.99: serializable but for predicates.
    RepeatableRead,
    /// PL-3: as if one after the other.
    Serializable,
    /// Snapshot isolation in the order of each session.
    StrongSessionSnapshotIsolation,
    /// Serializable in the order of each session.
    StrongSessionSerializable,
    /// Snapshot isolation in real time.
    StrongSnapshotIsolation,
    /// Serializable in real time.
    StrictSerializable,
}

use Level::*;

impl Level {
    /// All of them; none implies one after it.
    pub const ALL: [Self; 15] = [
        ReadUncommitted,
        ReadCommitted,
        CursorStability,
        MonotonicView,
        ReadAtomic,
        Causal,
        ConsistentView,
        ParallelSnapshotIsolation,
        SnapshotIsolation,
        RepeatableRead,
        Serializable,
        StrongSessionSnapshotIsolation,
        StrongSessionSerializable,
        StrongSnapshotIsolation,
        StrictSerializable,
    ];

    const SLICE: &'static [Self] = &Self::ALL;

    /// Its name on the command line and in verdicts.
    pub fn name(self) -> &'static str {
        match self {
            ReadUncommitted => "read-uncommitted",
            ReadCommitted => "read-committed",
            CursorStability => "cursor-stability",
            MonotonicView => "monotonic-view",
            ReadAtomic => "read-atomic",
            Causal => "causal",
            ConsistentView => "consistent-view",
            ParallelSnapshotIsolation => "parallel-snapshot-isolation",
            SnapshotIsolation => "snapshot-isolation",
            RepeatableRead => "repeatable-read",
            Serializable => "serializable",
            StrongSessionSnapshotIsolation => "strong-session-snapshot-isolation",
            StrongSessionSerializable => "strong-session-serializable",
            StrongSnapshotIsolation => "strong-snapshot-isolation",
            StrictSerializable => "strict-serializable",
        }
    }

    /// It, and no other.
    fn alone(self) -> &'static [Self] {
        let place = Self::ALL.iter().position(|&level| level == self).expect("one of all");
        &Self::SLICE[place..=place]
    }

    /// The strongest levels that are weaker.
    fn weaker(self) -> &'static [Self] {
        match self {
            ReadUncommitted => &[],
            ReadCommitted => &[ReadUncommitted],
            CursorStability | MonotonicView | ReadAtomic => &[ReadCommitted],
            // Not of monotonic view, which counts who overwrote whom as seen (PL-2L, by Adya).
            Causal => &[ReadAtomic],
            ConsistentView => &[CursorStability, MonotonicView],
            ParallelSnapshotIsolation => &[Causal, ConsistentView],
            SnapshotIsolation => &[ParallelSnapshotIsolation],
            RepeatableRead => &[ReadAtomic, ConsistentView],
            Serializable => &[SnapshotIsolation, RepeatableRead],
            StrongSessionSnapshotIsolation => &[SnapshotIsolation],
            StrongSessionSerializable => &[StrongSessionSnapshotIsolation, Serializable],
            StrongSnapshotIsolation => &[StrongSessionSnapshotIsolation],
            StrictSerializable => &[StrongSnapshotIsolation, StrongSessionSerializable],
        }
    }

    /// Whether every history that keeps this level keeps the other.
    pub fn implies(self, other: Self) -> bool {
        self == other || self.weaker().iter().any(|weaker| weaker.implies(other))
    }

    /// Whether it is told only from the levels around it: what breaks it is some of the cycles
    /// with one anti-dependency, and which of them is not looked into. `looked`: whether it was
    /// asked who missed what they saw.
    pub(super) fn is_implied_only(self, looked: bool) -> bool {
        matches!(self, ReadAtomic | Causal | MonotonicView) && !looked
    }

    /// Whether a phenomenon breaks this level.
    pub fn forbids(self, phenomenon: Phenomenon) -> bool {
        weakest(phenomenon).iter().any(|&level| self.implies(level))
    }
}

/// The weakest levels that forbid a phenomenon.
pub fn weakest(phenomenon: Phenomenon) -> &'static [Level] {
    match phenomenon {
        // By Adya, a cycle of the data with anti-dependencies is a G2-item, adjacent or not; and
        // without adjacent ones no snapshots give it either.
        Phenomenon::Cycle(Cycle::GNonadjacent, Scope::Data) => &[SnapshotIsolation, RepeatableRead],
        _ => weakest_one(phenomenon).alone(),
    }
}

fn weakest_one(phenomenon: Phenomenon) -> Level {
    match phenomenon {
        Phenomenon::DuplicateElements => ReadUncommitted,
        Phenomenon::Garbage
        | Phenomenon::IncompatibleOrder
        | Phenomenon::DirtyUpdate
        | Phenomenon::G1a
        | Phenomenon::G1b
        | Phenomenon::FutureRead => ReadCommitted,
        Phenomenon::Internal | Phenomenon::FracturedRead => ReadAtomic,
        Phenomenon::GMonotonic => MonotonicView,
        Phenomenon::CausalityViolation => Causal,
        Phenomenon::LostUpdate => CursorStability,
        Phenomenon::Cycle(cycle, Scope::Data) => match cycle {
            Cycle::G0 => ReadUncommitted,
            Cycle::G1c => ReadCommitted,
            Cycle::GSingle => ConsistentView,
            Cycle::GNonadjacent => SnapshotIsolation,
            Cycle::G2Item => RepeatableRead,
        },
        Phenomenon::Cycle(Cycle::G2Item, Scope::Session) => StrongSessionSerializable,
        Phenomenon::Cycle(_, Scope::Session) => StrongSessionSnapshotIsolation,
        Phenomenon::Cycle(Cycle::G2Item, Scope::RealTime) => StrictSerializable,
        Phenomenon::Cycle(_, Scope::RealTime) => StrongSnapshotIsolation,
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|level| level.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|level| level.name()).collect();
            format!("`{name}` is no isolation level; the levels are {}", known.join(", "))
        })
    }
}

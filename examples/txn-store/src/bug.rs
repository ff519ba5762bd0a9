//! Every bug that this database can have. All of them are in [`Bug::view`], which
//! says how the reads of a transaction read; the rest of the store does as it is told.

use crate::clock::{Clock, wall_clock};
use crate::horizons::Horizons;
use crate::message::View;
use crate::versions::Snapshot;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bug {
    /// Nothing: it is strictly serializable.
    None,
    /// Reads take no locks, and see what open transactions have written and may take back
    /// (VoltDB 6.3's reads saw writes that were aborted afterwards: Jepsen, 2016).
    DirtyRead,
    /// A read's lock is let go when the read is done, so that somebody else's write
    /// comes between it and the write that rests on it (P4: Berenson et al., "A
    /// Critique of ANSI SQL Isolation Levels", SIGMOD 1995; Galera let it happen by default).
    LostUpdate,
    /// Reads are from a snapshot, and of two writers of a key the first wins: snapshot
    /// isolation, sold as serializable (Oracle's SERIALIZABLE; PostgreSQL's until 9.1).
    WriteSkew,
    /// The snapshot has what this node has heard of each other node's commits, and
    /// each node hears of them in an order of its own: parallel snapshot isolation (Sovran et al.,
    /// "Transactional storage for geo-replicated systems", SOSP 2011; RDS for
    /// PostgreSQL across zones: Jepsen, 2025).
    LongFork,
    /// Transactions that only read take no locks, but a snapshot at the time on the
    /// coordinator's wall clock, without waiting until that time is over everywhere
    /// (Corbett et al., "Spanner", OSDI 2012, do wait; YugaByte DB 1.1.9 under skewed
    /// clocks: Jepsen, 2019).
    ClockSnapshot,
}

impl Bug {
    /// How a transaction that begins now reads.
    pub fn view(self, reads_only: bool, clock: &Clock, horizons: &Horizons) -> View {
        match self {
            Bug::DirtyRead => View::Dirty,
            Bug::LostUpdate => View::Briefly,
            Bug::WriteSkew => View::Snapshot(Snapshot::At(clock.tick())),
            Bug::LongFork => View::Snapshot(Snapshot::Heard(horizons.known(clock.tick()))),
            Bug::ClockSnapshot if reads_only => View::Snapshot(Snapshot::At(wall_clock())),
            Bug::ClockSnapshot | Bug::None => View::Locked,
        }
    }
}

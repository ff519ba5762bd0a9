//! What the store may be guilty of. Where each bug is, the code says `Bug::` and nothing else does.

/// One difference from the correct store, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bug {
    /// Correct.
    None,
    /// The leader answers everything from its own state while it believes in its lease, and
    /// replicates afterwards. It measures the lease by renewals that failed, not by time that
    /// passed: a pause costs none of it, so a leader that was paused wakes up and goes on beside its
    /// successor. HBase's servers had to be taught to end after a long garbage collection, and
    /// MongoDB's primaries answered reads when they were primaries no longer (SERVER-17975).
    PausedLeader,
    /// The leader measures its lease by the wall clock. One that stands, runs slow or jumps back
    /// extends it beyond what was granted: a leader that is cut off goes on answering reads. It is
    /// what etcd's raft library warns of where it offers reads by lease (`ReadOnlyLeaseBased`).
    WallClockLease,
    /// Replicas do as they are told by whoever says that it leads, whatever term they have promised
    /// since. A leader whose lease ended while it was paused has its writes acknowledged by them all
    /// the same: a lock without a fencing token (Kleppmann, "How to do distributed locking", 2016;
    /// HBase had that bug).
    NoFencing,
    /// Nothing is synced: what a majority says that it keeps may be in its memory alone, and a power
    /// failure of all nodes takes it back. Kafka and Redis acknowledge so unless they are told
    /// otherwise.
    NoSync,
}

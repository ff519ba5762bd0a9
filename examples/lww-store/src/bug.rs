//! What the store may be guilty of. Where each bug is, the code says `Bug::` and nothing else does.

/// One difference from the correct store, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bug {
    /// Correct: a hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", OPODIS 2014)
    /// stamps the writes. It is the wall clock, but always later than the newest stamp seen. Their
    /// logical counter lives in the nanoseconds here, one a tick.
    None,
    /// The coordinator's wall clock alone stamps the writes, as in Cassandra. A coordinator whose
    /// clock runs behind stamps its write older than the value it means to replace: the write is
    /// acknowledged, and lost.
    WallClock,
    /// Of two writes with the same time a replica keeps the one that came first, so that replicas
    /// that heard of them in different orders differ from then on. Cassandra showed how often times
    /// collide (Kingsbury, "Call me maybe: Cassandra", 2013), and has to look at the values then.
    Tie,
    /// A replica forgets after a moment that a key was deleted, whether or not the others have heard
    /// of it. One that has not still shows the old value, which nothing is newer than any more: it is
    /// back, and read repair spreads it. It is what Cassandra does when an outage is longer than
    /// `gc_grace_seconds`, and Riak with `delete_mode`.
    Tombstone,
    /// Reads leave the newest value where they found it: one read finds it, and a later one, of
    /// another majority, does not. Cassandra does the same on tables with `read_repair = 'NONE'`.
    NoReadRepair,
}

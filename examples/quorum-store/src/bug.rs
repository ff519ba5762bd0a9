//! What the store may be guilty of. Where each bug is, the code says `Bug::` and nothing else does.

/// One difference from the correct store, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bug {
    /// Correct.
    None,
    /// A read answers the newest value that a majority shows and leaves it where it is. A write that
    /// only one replica has so far is seen by one read and missed by the next: the new-old inversion
    /// that the second phase of Attiya, Bar-Noy and Dolev's reads is there to rule out. Cassandra
    /// does the same on tables with `read_repair = 'NONE'`, and did before its read repairs were
    /// waited for.
    NoWriteBack,
    /// A node that keeps something for a replica out of reach counts towards the majority. It is
    /// none of the key's replicas, so two such majorities need not meet: Dynamo's sloppy quorum
    /// (DeCandia et al., SOSP 2007), and Riak's by default.
    SloppyQuorum,
    /// A majority is half of the replicas, rounded down, so that two of them need not meet. The
    /// arithmetic was left to operators by Elasticsearch (`minimum_master_nodes`, 1 by default),
    /// which split its brain where they got it wrong.
    SmallMajority,
    /// All replicas must answer. Nothing that is answered is ever wrong, and one dead node is enough for
    /// nothing to be answered any more: safe, and not live. Read-one-write-all, and `acks=all` without
    /// a way to shrink who "all" are.
    WaitForAll,
}

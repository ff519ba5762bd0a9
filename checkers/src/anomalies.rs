//! What a verdict's anomalies are called, and what each means, for whoever reads one for the first time.
//!
//! It judges nothing. The phenomena of transactions have examples and levels of their own
//! ([`transactions::Phenomenon`](crate::transactions::Phenomenon)); those of objects are here.

use crate::transactions::{self, Phenomenon};

/// An anomaly of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// As verdicts name it.
    pub name: &'static str,
    /// Which kind of promise it breaks.
    pub of: &'static str,
    /// What happened, in a sentence or two.
    pub meaning: &'static str,
}

const fn means(name: &'static str, of: &'static str, meaning: &'static str) -> Meaning {
    Meaning { name, of, meaning }
}

/// All of them, by the promise that they break.
pub const MEANINGS: [Meaning; 37] = [
    means(
        "nonlinearizable",
        "any object",
        "No order of the calls explains what they answered, if each took effect at one moment between its \
         invocation and its answer. The sentence names the calls that contradict each other.",
    ),
    means(
        "not-live",
        "any database that says how fast it recovers",
        "Calls went on having no answer for longer after the last fault than the database says of itself.",
    ),
    means(
        "non-monotonic-read",
        "registers in transactions, at read-committed",
        "A transaction had read from another one, and then read of a key that this one wrote something older: by \
         the axioms of Biswas and Enea no order of all commits explains that. `r(y)=1 r(x)=nothing`, where \
         one transaction wrote 1 to x and 1 to y.",
    ),
    means("read-your-writes", "sessions", "A session wrote a value and then read an older one."),
    means(
        "monotonic-reads",
        "sessions",
        "A session read a value and later an older one: it went back in time.",
    ),
    means(
        "monotonic-writes",
        "sessions",
        "Two writes of a session took effect in the contrary order.",
    ),
    means(
        "writes-follow-reads",
        "sessions",
        "A session wrote after it had read a value, and its write took effect before that value's.",
    ),
    means(
        "lost-write",
        "last write wins",
        "An acknowledged write is gone for good, and what is read instead is older.",
    ),
    means(
        "diverged",
        "last write wins",
        "Replicas answered different values for good, after the last fault and without a write.",
    ),
    means(
        "aborted-read",
        "sessions, last write wins, `long-fork`, `causal-reverse`, `monotonic`",
        "A read showed a write that had failed for certain.",
    ),
    means(
        "thin-air-read",
        "sessions, last write wins, `long-fork`, `monotonic`",
        "A read showed a value that nobody wrote, or had not yet; a counter grew by more than anybody added.",
    ),
    means(
        "lost-element",
        "sets",
        "An element was acknowledged or seen, and no read since shows it.",
    ),
    means(
        "stale-element",
        "sets",
        "An element was missing from a read that began after it was acknowledged, and is there again later.",
    ),
    means("duplicated-element", "sets", "A read shows an element more than once."),
    means(
        "unexpected-element",
        "sets",
        "A read shows an element that nobody added, or had not yet.",
    ),
    means(
        "lost-value",
        "queues",
        "A value was acknowledged as put in, and had never come out when the queue was empty.",
    ),
    means("duplicated-value", "queues", "A value that was put in once came out more than once."),
    means("unexpected-value", "queues", "A value came out that nobody put in."),
    means(
        "never-seen",
        "logs",
        "An append was acknowledged, and no consumer ever saw it, though one polled to the end.",
    ),
    means(
        "missed-change",
        "watches",
        "A change was acknowledged, and a watcher that watched to the end was not told of it.",
    ),
    means(
        "split-brain",
        "leaders",
        "Two nodes both held themselves leader at one moment, by answers that leave no other reading.",
    ),
    means(
        "dual-acknowledgement",
        "leaders",
        "A leader acknowledged a call after a later one had acknowledged some: a deposed leader went on.",
    ),
    means(
        "two-leaders-in-one-term",
        "leaders",
        "Two nodes held themselves leader of the same term, whenever that was.",
    ),
    means(
        "committed-entry-changed",
        "leaders",
        "A node showed an entry as committed and later another one at the same index.",
    ),
    means(
        "committed-logs-differ",
        "leaders",
        "Two nodes showed different entries as committed at one index.",
    ),
    means(
        "lease-overlap",
        "leases",
        "A lease was granted while another client's could not have run out.",
    ),
    means("same-token", "leases", "Two grants came with one fencing token."),
    means("token-order", "leases", "A later grant came with a fencing token that is no higher."),
    means(
        "stale-renewal",
        "leases",
        "A lease was renewed for a client after another one's had been granted.",
    ),
    means(
        "stale-write",
        "leases",
        "A store took a write under a token older than one that it had seen.",
    ),
    means("wrong-total", "banks", "A read shows accounts whose sum is not the bank's."),
    means("negative-balance", "banks", "A read shows an account below zero."),
    means("wrong-accounts", "banks", "A read shows other accounts than the bank has."),
    means(
        "long-fork",
        "snapshots",
        "Two reads saw two writes in contrary order: each saw one and missed the other.",
    ),
    means(
        "causal-reverse",
        "strictly serializable transactions",
        "A read saw a write and missed another one that had been acknowledged before that began.",
    ),
    means(
        "not-monotonic",
        "counters that only grow",
        "States of counters have no order: each shows less of a counter than the next, and the last than the \
         first.",
    ),
    means(
        "G2",
        "serializable transactions",
        "Two transactions each saw that a row was missing, and both inserted one: write skew (Adya).",
    ),
];

/// Whether a verdict of ours may name it.
pub fn is_known(name: &str) -> bool {
    Phenomenon::named(name).is_some() || meaning(name).is_some() || name == WEAK
}

/// What read committed alone forbids, in histories too large to be told more precisely.
const WEAK: &str = "non-monotonic-read";

/// The anomaly of objects of that name.
pub fn meaning(name: &str) -> Option<&'static Meaning> {
    MEANINGS.iter().find(|known| known.name == name)
}

impl Meaning {
    /// What `tribunal explain` prints.
    pub fn explanation(&self) -> String {
        format!("{}: {}\n  judged of: {}\n", self.name, self.meaning, self.of)
    }
}

/// Every anomaly, as the page `docs/anomalies.md`.
pub fn page() -> String {
    let mut page = transactions::page();
    page += "\n# What objects may not do\n\n| anomaly | judged of | |\n|---|---|---|\n";
    for Meaning { name, of, meaning } in MEANINGS {
        page += &format!("| `{name}` | {of} | {meaning} |\n");
    }
    page
}

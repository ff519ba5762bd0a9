//! Split brain: two nodes that held themselves leader at once.
//!
//! A probe asks a node who it thinks it is. Its answer was true at *some*
//! instant between the probe's two events, so from one probe nothing follows
//! about any single moment; but a node that led a term early and late led it in
//! between, and two such holds may be shown to overlap however the instants
//! are placed. Only those overlaps accuse ([`claim`], [`overlap`]).
//!
//! - `two-leaders-in-one-term`: never allowed, whatever the time.
//! - `split-brain`: leaders of two terms at once. Raft allows it for a while, a
//!   lease store promises that it cannot be; see [`Leader::exclusive`].
//! - `dual-acknowledgement`: a leader acknowledged a write that began after a
//!   newer leader had already acknowledged one ([`acknowledgement`]).
//! - `committed-logs-differ`, `committed-entry-changed`: two nodes, or one and the same,
//!   showed different entries as committed at one index ([`committed`]).

mod acknowledgement;
mod claim;
mod committed;
mod explanation;
mod overlap;
mod report;

use serde_json::{Value, json};
use tribunal_history::{Fault, History, Operation, ValueRef};

use crate::{Anomaly, Checker, Verdict};
use acknowledgement::Acknowledgements;
use claim::Claims;
use committed::Committed;

/// Finds leaders that should not have been two. Reads `probe`s; `write`s and
/// `read`s whose ok tells in `ext` which `node` served them in which `term`; and
/// `committed`, whose ok is what a node's committed log holds:
/// `{"node": n, "log": [[index, term, value], ..]}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leader {
    /// Whether leaders of different terms must never overlap either (leases).
    pub exclusive: bool,
}

/// A list of facts holds at most this many; their number is always exact.
const LISTED: usize = 100;

impl Checker for Leader {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let faults = history.faults();
        let mut tally = Tally::default();
        let mut anomalies = Vec::new();
        for group in groups(history) {
            anomalies.extend(self.judge(&group, &faults, &mut tally));
        }
        tally.verdict(Verdict::of(anomalies))
    }
}

/// The calls on one group of nodes that elects one leader.
struct Group<'h> {
    key: Option<ValueRef<'h>>,
    probes: Vec<Operation<'h>>,
    served: Vec<Operation<'h>>,
    committed: Vec<Operation<'h>>,
}

/// Probes (or committed logs) with keys mean a leader for each key (a shard, a partition);
/// without keys they mean one leader of all.
fn groups(history: &History) -> Vec<Group<'_>> {
    let of_nodes = |op: &Operation| matches!(op.f(), "probe" | "committed");
    let keyed = !history.keys().is_empty()
        && history.operations().any(|op| of_nodes(&op) && op.key().is_some());
    let mut groups: Vec<Group> = Vec::new();
    let mut places = vec![None; history.keys().len() + 1];
    for op in history.operations().filter(Operation::is_ok) {
        let key = history.key_place(&op).filter(|_| keyed);
        let place = *places[key.map_or(0, |place| place + 1)].get_or_insert_with(|| {
            let key = op.key().filter(|_| keyed);
            let (probes, served, committed) = Default::default();
            groups.push(Group { key, probes, served, committed });
            groups.len() - 1
        });
        match op.f() {
            "probe" => groups[place].probes.push(op),
            "write" | "read" => groups[place].served.push(op),
            "committed" => groups[place].committed.push(op),
            _ => {}
        }
    }
    groups
}

impl Leader {
    fn judge(&self, group: &Group, faults: &[Fault], tally: &mut Tally) -> Vec<Anomaly> {
        let claims = Claims::of(&group.probes);
        let report = report::Report { key: group.key, claims: &claims.all, faults };
        let mut anomalies: Vec<Anomaly> =
            overlap::same_term(&claims.all).iter().map(|nodes| report.same_term(nodes)).collect();
        let definite = overlap::definite(&claims.all);
        let overlaps = definite.first.iter().map(|overlap| report.overlap(overlap));
        if self.exclusive {
            anomalies.extend(overlaps);
        } else {
            tally.definite.extend(overlaps.map(|anomaly| anomaly.message));
        }
        let possible = overlap::possible(&claims.all);
        tally.possible.extend(possible.first.iter().map(|overlap| report.possible(overlap)));
        let dual = Acknowledgements::of(&group.served);
        anomalies.extend(dual.writes.iter().map(|dual| report.dual(dual)));
        if self.exclusive {
            anomalies.extend(dual.reads.iter().map(|dual| report.dual(dual)));
        }
        let committed = Committed::of(&group.committed);
        anomalies.extend(committed.forks.iter().map(|fork| report.fork(fork)));
        tally.committed_reads += committed.reads;
        tally.committed_entries += committed.entries;
        tally.unreadable_logs += committed.unreadable;
        tally.probes += group.probes.len();
        tally.unreadable += claims.unreadable;
        tally.definite_count += definite.count;
        tally.possible_count += possible.count;
        tally.resumed += claims.resumed;
        tally.served += dual.served;
        tally.stale_reads += dual.reads.iter().map(|dual| dual.count).sum::<usize>();
        tally.claims += claims.all.len();
        let listed = claims.all.iter().take(LISTED.saturating_sub(tally.leaders.len()));
        tally.leaders.extend(listed.map(|claim| report.claim(claim)));
        anomalies
    }
}

/// What was seen, for the facts.
#[derive(Default)]
struct Tally {
    probes: usize,
    unreadable: usize,
    committed_reads: usize,
    committed_entries: usize,
    unreadable_logs: usize,
    served: usize,
    resumed: usize,
    stale_reads: usize,
    definite_count: usize,
    possible_count: usize,
    definite: Vec<String>,
    possible: Vec<String>,
    claims: usize,
    /// The first of them.
    leaders: Vec<Value>,
}

impl Tally {
    fn verdict(mut self, mut verdict: Verdict) -> Verdict {
        if self.leaders.is_empty() && self.served == 0 && self.committed_entries == 0 {
            verdict.doubt(format!("no leader was ever seen, in {} probes", self.probes));
        }
        if self.unreadable > 0 {
            verdict.doubt(format!(
                "{} of {} probes name no node, or a leader without a whole number for its term",
                self.unreadable, self.probes
            ));
        }
        if self.unreadable_logs > 0 {
            verdict.doubt(format!(
                "{} of {} committed logs name no node, or are no list of [index, term, value]",
                self.unreadable_logs, self.committed_reads
            ));
        }
        self.definite.truncate(LISTED);
        self.possible.truncate(LISTED);
        verdict
            .fact("probes", self.probes)
            .fact("leaders", json!({"count": self.claims, "first": self.leaders}))
            .fact("served_with_term", self.served)
            .fact("committed_logs_read", self.committed_reads)
            .fact("committed_entries_read", self.committed_entries)
            .fact("terms_resumed", self.resumed)
            .fact("reads_by_deposed_leaders", self.stale_reads)
            .fact(
                "definite_overlaps",
                json!({"count": self.definite_count, "first": self.definite}),
            )
            .fact(
                "possible_overlaps",
                json!({"count": self.possible_count, "first": self.possible}),
            )
    }
}

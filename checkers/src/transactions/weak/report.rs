//! What breaks a weak level, in sentences.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::drawing::Drawing;
use super::super::level::Level;
use super::super::phenomenon::{Cycle, Phenomenon, Scope};
use super::super::transaction::{Action, KeyId, NEVER, Transactions, TxnId};
use super::super::words;
use super::Rule;
use super::saturation::Learned;
use super::table::Table;
use super::witness::{Hop, Why, through};
use crate::blame::list;
use crate::transactions::register::reads::Fault;
use crate::{Anomaly, Verdict};

/// Witnesses of one kind; further ones are counted.
const WITNESSES: usize = 8;

/// What breaks the rule of read committed.
const NON_MONOTONIC_READ: &str = "non-monotonic-read";

/// Collects what was found.
pub struct Report<'a, 'h> {
    transactions: &'a Transactions<'h>,
    table: &'a Table,
    rule: Rule,
    anomalies: Vec<Anomaly>,
    counts: BTreeMap<String, usize>,
}

impl<'a, 'h> Report<'a, 'h> {
    /// Nothing yet.
    pub fn new(transactions: &'a Transactions<'h>, table: &'a Table, rule: Rule) -> Self {
        Self { transactions, table, rule, anomalies: Vec::new(), counts: BTreeMap::new() }
    }

    /// The verdict on all that was found.
    pub fn verdict(mut self) -> Verdict {
        for (name, count) in self.counts {
            let last = self.anomalies.iter_mut().rfind(|anomaly| anomaly.name == name);
            if let (Some(last), Some(hidden @ 1..)) = (last, count.checked_sub(WITNESSES)) {
                last.message += &format!(" ({hidden} more of this kind.)");
            }
        }
        let count = self.transactions.len();
        Verdict::of(self.anomalies).fact("transactions", count)
    }

    /// The weakest of the three levels that is known to be broken.
    pub fn weakest_broken(&self) -> Option<Level> {
        self.anomalies.iter().map(|anomaly| self.level(&anomaly.name)).min()
    }

    /// The weakest of the three levels that an anomaly breaks: by a rule the rule's own, without the
    /// weakest.
    fn level(&self, name: &str) -> Level {
        if name == self.broken() { self.rule.level() } else { Level::ReadCommitted }
    }

    fn add(&mut self, name: &str, anomaly: impl FnOnce(&Self) -> Anomaly) {
        let count = self.counts.entry(name.to_owned()).or_default();
        *count += 1;
        if *count <= WITNESSES {
            let anomaly = anomaly(self);
            self.anomalies.push(anomaly);
        }
    }

    /// A read that no order explains.
    pub fn fault(&mut self, fault: &Fault) {
        let name = fault.phenomenon().name();
        self.add(name, |report| {
            let op = report.transactions.all_ops()[fault.at as usize];
            let sentence = fault.sentence(report.transactions);
            report.anomaly(name, &fault.txns(), Some(op.key), sentence, Map::new())
        });
    }

    /// Somebody who saw a writer of a key, and found what was there before all writes.
    pub fn missed(&mut self, it: &Learned) {
        self.add(self.broken(), |report| {
            let (sight, mut txns) = report.sight(it);
            txns.extend([it.before, it.reader]);
            txns.sort_unstable();
            txns.dedup();
            let before = words::introduced(report.transactions, it.before);
            let reader = words::introduced(report.transactions, it.reader);
            let key = report.transactions.key(it.key);
            let message = format!(
                "{sight}, where {before} is a writer of {key}; and yet {reader} read nothing of {key}."
            );
            report.anomaly(report.broken(), &txns, Some(it.key), message, Map::new())
        });
    }

    /// A cycle.
    pub fn cycle(&mut self, hops: &[Hop]) {
        let ruled = hops.iter().any(|hop| matches!(hop.why, Why::Rule(_)));
        let session = hops.iter().any(|hop| matches!(hop.why, Why::Session));
        let scope = if session { Scope::Session } else { Scope::Data };
        let name = match ruled {
            true => self.broken(),
            false => Phenomenon::Cycle(Cycle::G1c, scope).name(),
        };
        self.add(name, |report| {
            let mut txns: Vec<TxnId> = hops.iter().map(|hop| hop.from).collect();
            let who: Vec<String> =
                txns.iter().map(|&txn| words::introduced(report.transactions, txn)).collect();
            let mut steps = Vec::new();
            let mut reasons = Vec::new();
            for hop in hops {
                let (why, others) = report.why(hop);
                txns.extend(others);
                steps.push(report.step(hop, &why));
                reasons.push(why);
            }
            let mut seen = rustc_hash::FxHashSet::default();
            txns.retain(|&txn| seen.insert(txn));
            let message =
                format!("{} cannot be put in any order: {}.", list(&who), reasons.join("; "));
            let drawn = hops.iter().map(|hop| (hop.from, hop.to, short(hop.why)));
            let drawing = Drawing::of_steps(report.transactions, drawn, &reasons);
            let mut details = Map::from_iter([("cycle".to_owned(), Value::from(steps))]);
            details.extend([
                ("dot".to_owned(), drawing.dot().into()),
                ("svg".to_owned(), drawing.svg().into()),
            ]);
            report.anomaly(name, &txns, None, message, details)
        });
    }

    fn step(&self, hop: &Hop, why: &str) -> Value {
        json!({
            "from": self.transactions.get(hop.from).start,
            "to": self.transactions.get(hop.to).start,
            "kind": short(hop.why),
            "why": why,
        })
    }

    /// What the rule is called where it is broken.
    fn broken(&self) -> &'static str {
        match self.rule {
            Rule::Committed => NON_MONOTONIC_READ,
            Rule::Atomic => Phenomenon::FracturedRead.name(),
            Rule::Causal => Phenomenon::CausalityViolation.name(),
        }
    }

    /// Why one step of a cycle is so, and who else is named in it.
    fn why(&self, hop: &Hop) -> (String, Vec<TxnId>) {
        let name = |txn| words::name(self.transactions, txn);
        match hop.why {
            Why::Session => {
                let process = self.transactions.operation(hop.to).process();
                (format!("{process} ran {} before {}", name(hop.from), name(hop.to)), Vec::new())
            }
            Why::Read => {
                let read = self.table.reads(hop.to).iter().find(|read| read.writer == hop.from);
                let key = read.map_or(String::new(), |read| self.read(hop.to, read.key, hop.from));
                (format!("{} {key}, which {} wrote", name(hop.to), name(hop.from)), Vec::new())
            }
            Why::Rule(it) => {
                let (sight, mut others) = self.sight(&it);
                others.push(it.reader);
                let key = self.transactions.key(it.key);
                let read = self.read(it.reader, it.key, it.after);
                let [before, after, reader] = [it.before, it.after, it.reader].map(name);
                let why = format!(
                    "{before}, a writer of {key}, comes before {after}: {sight}, and yet {reader} \
                     {read}, which {after} wrote"
                );
                (why, others)
            }
        }
    }

    /// "read 5 of x": what a transaction read of a key that another wrote.
    fn read(&self, reader: TxnId, key: KeyId, writer: TxnId) -> String {
        let mut wrote = self.transactions.ops(writer).iter();
        let last = wrote.rfind(|op| op.key == key && op.action == Action::Write);
        let reads = self.transactions.ops(reader).iter();
        let mut reads = reads.filter(|op| op.key == key && op.action == Action::Read);
        let found = last.and_then(|last| reads.find(|op| op.value == last.value));
        found.map_or(String::new(), |op| words::read(self.transactions, op))
    }

    /// How the reader saw the one that came first, and through whom.
    fn sight(&self, it: &Learned) -> (String, Vec<TxnId>) {
        let name = |txn| words::name(self.transactions, txn);
        let (reader, seen) = (name(it.reader), name(it.before));
        let read = self.table.reads(it.reader).iter().any(|read| read.writer == it.before);
        if read {
            return (format!("{reader} read from {seen}"), Vec::new());
        }
        let [before, by] = [it.before, it.reader].map(|txn| self.transactions.get(txn));
        if before.session == by.session && before.end != NEVER {
            let process = self.transactions.operation(it.reader).process();
            return (format!("{process} ran {seen} before {reader}"), Vec::new());
        }
        let others = through(self.table, it.before, it.reader);
        let names: Vec<String> = others.iter().map(|&txn| name(txn)).collect();
        (format!("{reader} saw {seen} through {}", list(&names)), others)
    }

    fn anomaly(
        &self,
        name: &str,
        txns: &[TxnId],
        key: Option<KeyId>,
        message: String,
        mut details: Map<String, Value>,
    ) -> Anomaly {
        details.insert("weakest_level_broken".into(), self.level(name).name().into());
        let calls = || txns.iter().map(|&txn| self.transactions.operation(txn));
        let from = calls().map(|call| call.invoked_at()).min();
        let until = calls().map(|call| call.completed_at().unwrap_or(call.invoked_at())).max();
        let timed = self.transactions.history().has_real_time();
        Anomaly {
            name: name.to_owned(),
            message,
            key: key.map(|key| self.transactions.key(key).to_value()),
            ops: calls().map(|call| call.start()).collect(),
            window: from.zip(until).filter(|_| timed),
            details,
        }
    }
}

/// Why one comes before another, in two letters.
fn short(why: Why) -> &'static str {
    match why {
        Why::Session => "so",
        Why::Read => "wr",
        Why::Rule(_) => "co",
    }
}

//! Phenomena as anomalies: in one or two sentences, with every step of a cycle and its reason.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::append::{Fault, Lists, What};
use super::cycles::{Found, Hop};
use super::graph::Kind;
use super::level::{Level, weakest};
use super::phenomenon::Phenomenon;
use super::transaction::{Transactions, TxnId};
use super::{drawing, words};
use crate::Anomaly;
use crate::linearizability::told;

/// Witnesses of one phenomenon; further ones are counted.
const WITNESSES: usize = 8;

/// Collects what was found.
pub struct Report<'a, 'h> {
    transactions: &'a Transactions<'h>,
    lists: &'a Lists<'a, 'h>,
    anomalies: BTreeMap<Phenomenon, Vec<Anomaly>>,
    counts: BTreeMap<Phenomenon, usize>,
}

impl<'a, 'h> Report<'a, 'h> {
    /// Nothing yet.
    pub fn new(transactions: &'a Transactions<'h>, lists: &'a Lists<'a, 'h>) -> Self {
        Self { transactions, lists, anomalies: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// What was found of any kind.
    pub fn phenomena(&self) -> Vec<Phenomenon> {
        self.anomalies.keys().copied().collect()
    }

    /// The anomalies that a level forbids, the worst first.
    pub fn anomalies(self, level: Level) -> Vec<Anomaly> {
        let Self { anomalies, counts, .. } = self;
        let forbidden = anomalies.into_iter().filter(|&(it, _)| level.forbids(it));
        let counted = forbidden.flat_map(|(phenomenon, mut anomalies)| {
            if let (Some(hidden @ 1..), Some(last)) =
                (counts[&phenomenon].checked_sub(anomalies.len()), anomalies.last_mut())
            {
                last.message += &format!(" ({} more of this kind.)", hidden);
            }
            anomalies
        });
        counted.collect()
    }

    fn add(&mut self, phenomenon: Phenomenon, anomaly: impl FnOnce(&Self) -> Anomaly) {
        *self.counts.entry(phenomenon).or_default() += 1;
        if self.counts[&phenomenon] <= WITNESSES {
            let anomaly = anomaly(self);
            self.anomalies.entry(phenomenon).or_default().push(anomaly);
        }
    }

    /// A fault of one key.
    pub fn fault(&mut self, fault: &Fault) {
        let (phenomenon, other) = match fault.what {
            What::Garbage(_) => (Phenomenon::Garbage, None),
            What::Aborted(_, writer) => (Phenomenon::G1a, Some(writer)),
            What::Intermediate(_, writer) => (Phenomenon::G1b, Some(writer)),
            What::Internal => (Phenomenon::Internal, None),
            What::Duplicate(_) => (Phenomenon::DuplicateElements, None),
            What::Incompatible(other) => (Phenomenon::IncompatibleOrder, Some(other)),
            What::DirtyUpdate(aborted) => (Phenomenon::DirtyUpdate, Some(aborted)),
            What::LostUpdate(other) => (Phenomenon::LostUpdate, Some(other)),
        };
        self.add(phenomenon, |report| {
            let txns: Vec<TxnId> = [fault.txn].into_iter().chain(other).collect();
            let key = report.transactions.key(fault.key);
            Anomaly {
                key: Some(key.to_value()),
                ..report.anomaly(phenomenon, &txns, report.sentence(fault), Map::new())
            }
        });
    }

    fn sentence(&self, fault: &Fault) -> String {
        let name = |txn| words::introduced(self.transactions, txn);
        let value = |datum| self.transactions.value(datum);
        let key = words::key(self.transactions, fault.key);
        let who = name(fault.txn);
        let read = words::read(self.transactions, &self.transactions.all_ops()[fault.at as usize]);
        match fault.what {
            What::Garbage(element) => {
                format!("{who} {read}, but nobody ever appended {} to it.", value(element))
            }
            What::Aborted(element, writer) => format!(
                "{who} {read}, but {}, which appended {}, was aborted.",
                name(writer),
                value(element)
            ),
            What::Intermediate(element, writer) => format!(
                "{who} {read}, which ends with {}; {} appended more to it in the same transaction.",
                value(element),
                name(writer)
            ),
            What::Internal => format!(
                "{who} {read}, which is not what it had read and appended itself: {}.",
                self.transactions
                    .operation(fault.txn)
                    .result()
                    .unwrap_or_else(|| { self.transactions.operation(fault.txn).argument() })
            ),
            What::Duplicate(element) => {
                format!("{who} {read}, which holds {} twice.", value(element))
            }
            What::Incompatible(other) => format!(
                "{who} {read}, but {} {}; neither is a beginning of the other, and a list only \
                 grows.",
                name(other),
                self.longest(fault)
            ),
            What::DirtyUpdate(aborted) => format!(
                "{who} appended to {key} after {}, which was aborted; both are in the order that \
                 was read: {}.",
                name(aborted),
                self.longest(fault)
            ),
            What::LostUpdate(other) => format!(
                "{who} {read} and appended to it, but {} appended to {key} in between: the update \
                 was made from a state that was gone.",
                name(other)
            ),
        }
    }

    fn longest(&self, fault: &Fault) -> String {
        self.lists.longest(fault.key)
    }

    /// A cycle.
    pub fn cycle(&mut self, found: &Found) {
        self.add(found.phenomenon, |report| {
            let txns: Vec<TxnId> = found.hops.iter().map(|hop| hop.from).collect();
            let reasons: Vec<String> = found.hops.iter().map(|hop| report.why(hop)).collect();
            let steps = found.hops.iter().zip(&reasons).map(|(hop, why)| {
                json!({
                    "from": report.transactions.get(hop.from).start,
                    "to": report.transactions.get(hop.to).start,
                    "kind": hop.kind.short(),
                    "why": why,
                })
            });
            let steps: Vec<Value> = steps.collect();
            let mut details = Map::new();
            details.insert("cycle".into(), steps.into());
            details.insert("dot".into(), drawing::dot(report.transactions, found, &reasons).into());
            let who: Vec<String> =
                txns.iter().map(|&txn| words::introduced(report.transactions, txn)).collect();
            let message =
                format!("{} cannot be put in any order: {}.", list(&who), reasons.join("; "));
            report.anomaly(found.phenomenon, &txns, message, details)
        });
    }

    /// Why one step of a cycle is so.
    fn why(&self, hop: &Hop) -> String {
        let name = |txn| words::name(self.transactions, txn);
        let call = |txn| self.transactions.operation(txn);
        match hop.kind {
            Kind::Session => {
                let process = call(hop.to).process();
                format!("{process} ran {} before {}", name(hop.from), name(hop.to))
            }
            Kind::RealTime => {
                let over = told::seconds(call(hop.from).completed_at().unwrap_or(0));
                let begun = told::seconds(call(hop.to).invoked_at());
                format!(
                    "{} was over at {over}, before {} began at {begun}",
                    name(hop.from),
                    name(hop.to)
                )
            }
            kind => self.lists.why(hop.from, hop.to, kind).expect("every edge has its reason"),
        }
    }

    fn anomaly(
        &self,
        phenomenon: Phenomenon,
        txns: &[TxnId],
        message: String,
        mut details: Map<String, Value>,
    ) -> Anomaly {
        details.insert("weakest_level_broken".into(), weakest(phenomenon).name().into());
        let calls = || txns.iter().map(|&txn| self.transactions.operation(txn));
        let from = calls().map(|call| call.invoked_at()).min();
        let until = calls().map(|call| call.completed_at().unwrap_or(call.invoked_at())).max();
        Anomaly {
            name: phenomenon.name().to_owned(),
            message,
            key: None,
            ops: calls().map(|call| call.start()).collect(),
            window: from.zip(until),
            details,
        }
    }
}

/// "a, b and c".
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

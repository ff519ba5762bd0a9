//! Phenomena as anomalies: in one or two sentences, with every step of a cycle and its reason.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::cycles::{Found, Hop};
use super::drawing::Drawing;
use super::graph::Kind;
use super::level::{Level, weakest};
use super::phenomenon::Phenomenon;
use super::transaction::{KeyId, Transactions, TxnId};
use super::words;
use crate::Anomaly;
use crate::blame::list;
use crate::times;

/// Witnesses of one phenomenon; further ones are counted.
const WITNESSES: usize = 8;

/// Why one transaction must come before another.
pub trait Reasons {
    /// The reason of an edge by the data, in words. `None` where there is none of that kind.
    fn why(&self, from: TxnId, to: TxnId, kind: Kind) -> Option<String>;
}

/// Collects what was found.
pub struct Report<'a, 'h> {
    /// What was judged.
    pub(super) transactions: &'a Transactions<'h>,
    reasons: &'a dyn Reasons,
    anomalies: BTreeMap<Phenomenon, Vec<Anomaly>>,
    counts: BTreeMap<Phenomenon, usize>,
}

impl<'a, 'h> Report<'a, 'h> {
    /// Nothing yet.
    pub fn new(transactions: &'a Transactions<'h>, reasons: &'a dyn Reasons) -> Self {
        Self { transactions, reasons, anomalies: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// What was found of any kind.
    pub fn phenomena(&self) -> Vec<Phenomenon> {
        self.anomalies.keys().copied().collect()
    }

    /// The anomalies that a level forbids, the worst first.
    pub fn anomalies(&self, level: Level) -> Vec<Anomaly> {
        let forbidden = self.anomalies.iter().filter(|&(&it, _)| level.forbids(it));
        let counted = forbidden.flat_map(|(phenomenon, anomalies)| {
            let mut anomalies = anomalies.clone();
            if let (Some(hidden @ 1..), Some(last)) =
                (self.counts[phenomenon].checked_sub(anomalies.len()), anomalies.last_mut())
            {
                last.message += &format!(" ({} more of this kind.)", hidden);
            }
            anomalies
        });
        counted.collect()
    }

    /// Adds an anomaly; of many of one kind only the first are made and told.
    pub(super) fn add(&mut self, phenomenon: Phenomenon, anomaly: impl FnOnce(&Self) -> Anomaly) {
        *self.counts.entry(phenomenon).or_default() += 1;
        if self.counts[&phenomenon] <= WITNESSES {
            let anomaly = anomaly(self);
            self.anomalies.entry(phenomenon).or_default().push(anomaly);
        }
    }

    /// A fault of one key, which no cycle is needed for.
    pub fn fault(
        &mut self,
        phenomenon: Phenomenon,
        key: KeyId,
        txns: &[TxnId],
        sentence: impl FnOnce() -> String,
    ) {
        self.add(phenomenon, |report| Anomaly {
            key: Some(report.transactions.key(key).to_value()),
            ..report.anomaly(phenomenon, txns, sentence(), Map::new())
        });
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
            let drawing = Drawing::of(report.transactions, found, &reasons);
            details.insert("dot".into(), drawing.dot().into());
            details.insert("svg".into(), drawing.svg().into());
            let who: Vec<String> =
                txns.iter().map(|&txn| words::introduced(report.transactions, txn)).collect();
            let message =
                format!("{} cannot be put in any order: {}.", list(&who), reasons.join("; "));
            report.anomaly(found.phenomenon, &txns, message, details)
        });
    }

    /// Why one step of a cycle is so.
    pub(super) fn why(&self, hop: &Hop) -> String {
        let name = |txn| words::name(self.transactions, txn);
        let call = |txn| self.transactions.operation(txn);
        match hop.kind {
            Kind::Session => {
                let process = call(hop.to).process();
                format!("{process} ran {} before {}", name(hop.from), name(hop.to))
            }
            Kind::RealTime => {
                let over = times::seconds(call(hop.from).completed_at().unwrap_or(0));
                let begun = times::seconds(call(hop.to).invoked_at());
                format!(
                    "{} was over at {over}, before {} began at {begun}",
                    name(hop.from),
                    name(hop.to)
                )
            }
            kind => self.reasons.why(hop.from, hop.to, kind).expect("every edge has its reason"),
        }
    }

    /// An anomaly of some transactions.
    pub(super) fn anomaly(
        &self,
        phenomenon: Phenomenon,
        txns: &[TxnId],
        message: String,
        mut details: Map<String, Value>,
    ) -> Anomaly {
        let levels: Vec<&str> = weakest(phenomenon).iter().map(|level| level.name()).collect();
        details.insert("weakest_level_broken".into(), levels[0].into());
        details.insert("weakest_levels_broken".into(), levels.clone().into());
        let levels = levels.join(" and ");
        let calls = || txns.iter().map(|&txn| self.transactions.operation(txn));
        let from = calls().map(|call| call.invoked_at()).min();
        let until = calls().map(|call| call.completed_at().unwrap_or(call.invoked_at())).max();
        Anomaly {
            name: phenomenon.name().to_owned(),
            message: format!("{message} This breaks {levels}."),
            key: None,
            ops: calls().map(|call| call.start()).collect(),
            window: from.zip(until),
            details,
        }
    }
}

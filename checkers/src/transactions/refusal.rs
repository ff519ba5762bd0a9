//! Why no order of blind writes will do, in words: what goes in a circle, if one is first, and what
//! else, if the other is.

use serde_json::{Map, Value, json};

use super::blind::Refusal;
use super::cycles::{Found, Hop, phenomenon};
use super::drawing::Drawing;
use super::report::Report;
use super::solver::{Chain, Step, Way};
use super::transaction::{Transactions, TxnId};
use super::words::{introduced, name};
use crate::blame::list;

/// Ways that are told in the message, and in the details; further ones are counted.
const WAYS: usize = 6;
const LISTED: usize = 64;

/// Transactions that are introduced.
const NAMES: usize = 12;

impl Report<'_, '_> {
    /// A history that no order of its blind writes explains; `chosen` says what a step means whose
    /// order was chosen.
    pub fn refusal(&mut self, refusal: &Refusal, chosen: impl Fn(&Step, &[Chain; 2]) -> String) {
        self.add(refusal.phenomenon, |report| {
            let why = |step: &Step| match &step.choice {
                Some(chains) => chosen(step, chains),
                None => report.why(&step.hop),
            };
            let listed = &refusal.ways[..refusal.ways.len().min(LISTED)];
            let told: Vec<Told> =
                listed.iter().map(|way| Told::of(report.transactions, way, why)).collect();
            let txns = transactions_of(listed);
            let message = message(report.transactions, &txns, &told, refusal.ways.len());
            let mut details = details(report.transactions, listed, &told);
            details.insert("ways_in_all".into(), refusal.ways.len().into());
            let (dot, svg) = drawn(report.transactions, refusal, &told);
            details.extend([("dot".into(), dot.into()), ("svg".into(), svg.into())]);
            report.anomaly(refusal.phenomenon, &txns, message, details)
        });
    }
}

/// A way in words.
struct Told {
    /// What it takes for granted.
    orders: Vec<String>,
    /// Why each of its steps is so.
    reasons: Vec<String>,
}

impl Told {
    fn of(transactions: &Transactions, way: &Way, why: impl Fn(&Step) -> String) -> Self {
        let mut orders: Vec<String> = Vec::new();
        for [one, other] in way.iter().filter_map(|step| step.choice) {
            let [first, then] = [one, other].map(|chain| name(transactions, chain.head));
            let order = format!("{first} wrote {} before {then}", transactions.key(one.key));
            if !orders.contains(&order) {
                orders.push(order);
            }
        }
        Self { orders, reasons: way.iter().map(why).collect() }
    }

    fn sentence(&self) -> String {
        let reasons = self.reasons.join("; ");
        match self.orders.is_empty() {
            true => format!("In any order {reasons}."),
            false => format!("If {}: {reasons}.", self.orders.join(" and ")),
        }
    }
}

fn message(transactions: &Transactions, txns: &[TxnId], told: &[Told], ways: usize) -> String {
    let mut who: Vec<String> =
        txns.iter().take(NAMES).map(|&txn| introduced(transactions, txn)).collect();
    if let Some(hidden @ 1..) = txns.len().checked_sub(NAMES) {
        who.push(format!("{hidden} more"));
    }
    let first: Vec<String> = told.iter().take(WAYS).map(Told::sentence).collect();
    let hidden = match ways.checked_sub(WAYS) {
        Some(hidden @ 1..) => format!(" ({hidden} more such cases.)"),
        _ => String::new(),
    };
    format!(
        "{} cannot be put in any order, whichever blind write is taken to be the first. {}{hidden}",
        list(&who),
        first.join(" ")
    )
}

/// The transactions of all ways, each once, as they come.
fn transactions_of(ways: &[Way]) -> Vec<TxnId> {
    let mut txns: Vec<TxnId> = Vec::new();
    for step in ways.iter().flatten() {
        if !txns.contains(&step.hop.from) {
            txns.push(step.hop.from);
        }
    }
    txns
}

fn details(transactions: &Transactions, ways: &[Way], told: &[Told]) -> Map<String, Value> {
    let start = |txn: TxnId| transactions.get(txn).start;
    let way = |(way, told): (&Way, &Told)| {
        let steps = way.iter().zip(&told.reasons).map(|(step, why)| {
            let mut told = json!({
                "from": start(step.hop.from),
                "to": start(step.hop.to),
                "kind": step.hop.kind.short(),
                "why": why,
            });
            if let Some([one, other]) = step.choice {
                let key = transactions.key(one.key).to_value();
                told["if"] =
                    json!({"key": key, "first": start(one.head), "then": start(other.head)});
            }
            told
        });
        let hops: Vec<Hop> = way.iter().map(|step| step.hop).collect();
        json!({
            "name": phenomenon(&hops).name(),
            "orders": told.orders,
            "cycle": steps.collect::<Vec<Value>>(),
        })
    };
    let ways: Vec<Value> = ways.iter().zip(told).map(way).collect();
    Map::from_iter([("ways".to_owned(), ways.into())])
}

/// The first ways as one drawing: in DOT, and as an SVG.
fn drawn(transactions: &Transactions, refusal: &Refusal, told: &[Told]) -> (String, String) {
    let (mut hops, mut reasons) = (Vec::new(), Vec::new());
    for (way, told) in refusal.ways.iter().zip(told).take(WAYS) {
        for (step, why) in way.iter().zip(&told.reasons) {
            if !hops.contains(&step.hop) {
                hops.push(step.hop);
                reasons.push(why.clone());
            }
        }
    }
    let found = Found { phenomenon: refusal.phenomenon, hops };
    let drawing = Drawing::of(transactions, &found, &reasons);
    (drawing.dot(), drawing.svg())
}

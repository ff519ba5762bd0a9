//! What breaks a weak level, in sentences.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::append::Lists;
use super::super::drawing::Drawing;
use super::super::graph::Kind;
use super::super::level::Level;
use super::super::phenomenon::{Cycle, Phenomenon, Scope};
use super::super::report::Reasons;
use super::super::transaction::{KeyId, MicroOp, NEVER, Transactions, TxnId};
use super::super::words;
use super::Rule;
use super::saturation::{Learned, Source};
use super::table::Table;
use super::witness::{Hop, Why, through};
use crate::blame::list;
use crate::{Anomaly, Verdict};

/// Witnesses of one kind; further ones are counted.
const WITNESSES: usize = 8;

/// What breaks the rule of read committed.
const NON_MONOTONIC_READ: &str = "non-monotonic-read";

/// A step of a cycle in words.
struct Step {
    from: TxnId,
    to: TxnId,
    /// Two letters.
    kind: &'static str,
    why: String,
}

/// Collects what was found.
pub struct Report<'a, 'h> {
    transactions: &'a Transactions<'h>,
    table: &'a Table,
    rule: Rule,
    /// For each micro-operation of all whom it read.
    from: &'a [TxnId],
    /// Where they are lists, what these say.
    lists: Option<&'a Lists<'a, 'h>>,
    anomalies: Vec<Anomaly>,
    broken: Option<Level>,
    counts: BTreeMap<String, usize>,
}

impl<'a, 'h> Report<'a, 'h> {
    /// Nothing yet.
    pub fn new(
        transactions: &'a Transactions<'h>,
        table: &'a Table,
        rule: Rule,
        from: &'a [TxnId],
    ) -> Self {
        let (anomalies, counts) = (Vec::new(), BTreeMap::new());
        Self { transactions, table, rule, from, lists: None, anomalies, broken: None, counts }
    }

    /// The same in the words of lists.
    pub fn of_lists(self, lists: &'a Lists<'a, 'h>) -> Self {
        Self { lists: Some(lists), ..self }
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

    /// The weakest level that is known to be broken.
    pub fn weakest_broken(&self) -> Option<Level> {
        self.broken
    }

    /// Adds an anomaly, and the weakest level that it breaks.
    fn add(&mut self, name: &str, level: Level, anomaly: impl FnOnce(&Self) -> Anomaly) {
        self.broken = Some(self.broken.map_or(level, |broken| broken.min(level)));
        let count = self.counts.entry(name.to_owned()).or_default();
        *count += 1;
        if *count <= WITNESSES {
            let mut anomaly = anomaly(self);
            anomaly.details.insert("weakest_level_broken".into(), level.name().into());
            self.anomalies.push(anomaly);
        }
    }

    /// A step that no order explains, which breaks this level.
    pub fn fault(
        &mut self,
        phenomenon: Phenomenon,
        level: Level,
        at: u32,
        txns: &[TxnId],
        sentence: impl FnOnce() -> String,
    ) {
        self.add(phenomenon.name(), level, |report| {
            let op = report.transactions.all_ops()[at as usize];
            report.anomaly(phenomenon.name(), txns, Some(op.key), sentence(), Map::new())
        });
    }

    /// What of that which was learned the versions of lists contradict by themselves: somebody saw an
    /// append, and read a list without it.
    pub fn against_versions(&self, learned: &[Learned]) -> Vec<Learned> {
        let Some(lists) = self.lists else { return Vec::new() };
        let ruled = learned.iter().filter(|it| it.source == Source::Rule);
        let contrary = ruled.filter(|it| {
            let read = self.step(it.reader, it.key, it.after);
            read.is_some_and(|read| lists.lacks(it.reader, read, it.before).is_some())
        });
        contrary.copied().collect()
    }

    /// Somebody who saw a writer of a key, and found what was there before that.
    pub fn missed(&mut self, it: &Learned) {
        self.add(self.broken(), self.rule.level(), |report| {
            let (sight, mut txns) = report.sight(it);
            txns.extend([it.before, it.reader]);
            txns.sort_unstable();
            txns.dedup();
            let before = words::introduced(report.transactions, it.before);
            let reader = words::introduced(report.transactions, it.reader);
            let (wrote, found) = report.missing(it);
            let message = format!("{sight}, where {before} {wrote}; and yet {reader} {found}.");
            let mut steps = report.seeing(it);
            let [reader, writer] =
                [it.reader, it.before].map(|txn| words::name(report.transactions, txn));
            let why = format!("{reader} {found}, and so did not see that {writer} {wrote}");
            steps.push(Step { from: it.reader, to: it.before, kind: "rw", why });
            let details = report.drawn(&steps);
            report.anomaly(report.broken(), &txns, Some(it.key), message, details)
        });
    }

    /// A cycle.
    pub fn cycle(&mut self, hops: &[Hop]) {
        let ruled = hops.iter().any(|hop| matches!(hop.why, Why::Rule(_)));
        let session = hops.iter().any(|hop| matches!(hop.why, Why::Session));
        let scope = if session { Scope::Session } else { Scope::Data };
        let read = hops.iter().any(|hop| matches!(hop.why, Why::Read));
        let kind = if read { Cycle::G1c } else { Cycle::G0 };
        let name = if ruled { self.broken() } else { Phenomenon::Cycle(kind, scope).name() };
        // Of lists only causal consistency has the order of the sessions in it.
        let level = match (self.lists, session, kind) {
            _ if ruled => self.rule.level(),
            (Some(_), true, _) => self.rule.level(),
            (Some(_), false, Cycle::G0) => Level::ReadUncommitted,
            _ => Level::ReadCommitted,
        };
        self.add(name, level, |report| {
            let mut txns: Vec<TxnId> = hops.iter().map(|hop| hop.from).collect();
            let who: Vec<String> =
                txns.iter().map(|&txn| words::introduced(report.transactions, txn)).collect();
            let mut steps = Vec::new();
            for &Hop { from, to, why: kind } in hops {
                let (why, others) = report.why(from, to, kind);
                txns.extend(others);
                steps.push(Step { from, to, kind: short(kind), why });
            }
            let mut seen = rustc_hash::FxHashSet::default();
            txns.retain(|&txn| seen.insert(txn));
            let reasons: Vec<&str> = steps.iter().map(|step| step.why.as_str()).collect();
            let message =
                format!("{} cannot be put in any order: {}.", list(&who), reasons.join("; "));
            report.anomaly(name, &txns, None, message, report.drawn(&steps))
        });
    }

    /// How a reader saw the writer that it missed, step by step.
    fn seeing(&self, it: &Learned) -> Vec<Step> {
        let (_, others) = self.sight(it);
        let chain: Vec<TxnId> = [it.before].into_iter().chain(others).chain([it.reader]).collect();
        let step = |two: &[TxnId]| {
            let (from, to) = (two[0], two[1]);
            let read = self.table.reads(to).iter().any(|read| read.writer == from);
            let kind = if read { Why::Read } else { Why::Session };
            let (why, _) = self.why(from, to, kind);
            Step { from, to, kind: short(kind), why }
        };
        chain.windows(2).map(step).collect()
    }

    /// A cycle as data and in pictures.
    fn drawn(&self, steps: &[Step]) -> Map<String, Value> {
        let told = |step: &Step| {
            json!({
                "from": self.transactions.get(step.from).start,
                "to": self.transactions.get(step.to).start,
                "kind": step.kind,
                "why": step.why,
            })
        };
        let reasons: Vec<String> = steps.iter().map(|step| step.why.clone()).collect();
        let drawn = steps.iter().map(|step| (step.from, step.to, step.kind));
        let drawing = Drawing::of_steps(self.transactions, drawn, &reasons);
        Map::from_iter([
            ("cycle".to_owned(), steps.iter().map(told).collect()),
            ("dot".to_owned(), drawing.dot().into()),
            ("svg".to_owned(), drawing.svg().into()),
        ])
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
    fn why(&self, from: TxnId, to: TxnId, why: Why) -> (String, Vec<TxnId>) {
        let name = |txn| words::name(self.transactions, txn);
        match why {
            Why::Session => {
                let process = self.transactions.operation(to).process();
                (format!("{process} ran {} before {}", name(from), name(to)), Vec::new())
            }
            Why::Read => {
                let read = self.table.reads(to).iter().find(|read| read.writer == from);
                let why = read.map(|read| self.read(to, read.key, from));
                (why.unwrap_or_default(), Vec::new())
            }
            Why::Versions => {
                let lists = self.lists.expect("only the versions of lists are known");
                let why = lists.why(from, to, Kind::WriteWrite);
                (why.unwrap_or_default(), Vec::new())
            }
            Why::Rule(it) => {
                let (sight, mut others) = self.sight(&it);
                others.push(it.reader);
                let key = self.transactions.key(it.key);
                let read = self.read(it.reader, it.key, it.after);
                let [before, after] = [it.before, it.after].map(name);
                let why = format!(
                    "{before}, a writer of {key}, comes before {after}: {sight}, and yet {read}"
                );
                (why, others)
            }
        }
    }

    /// The step that read a key, and from whom.
    fn step(&self, reader: TxnId, key: KeyId, writer: TxnId) -> Option<&MicroOp> {
        let ops = self.transactions.all_ops();
        let mut steps = self.transactions.range(reader);
        steps.find(|&at| ops[at].key == key && self.from[at] == writer).map(|at| &ops[at])
    }

    /// "appended 2 to x", "read [1] of x": what was missed, and what was read instead.
    fn missing(&self, it: &Learned) -> (String, String) {
        let key = self.transactions.key(it.key);
        let read = self.step(it.reader, it.key, it.after);
        match self.lists.zip(read).and_then(|(lists, read)| {
            lists.lacks(it.reader, read, it.before).map(|append| (append, read))
        }) {
            Some((append, read)) => {
                (words::appended(self.transactions, append), words::read(self.transactions, read))
            }
            None => (format!("is a writer of {key}"), format!("read nothing of {key}")),
        }
    }

    /// "T3 read 5 of x, which T2 wrote": what a transaction read of a key that another wrote.
    fn read(&self, reader: TxnId, key: KeyId, writer: TxnId) -> String {
        let Some(op) = self.step(reader, key, writer) else { return String::new() };
        let name = |txn| words::name(self.transactions, txn);
        match self.lists {
            Some(lists) => lists.read_from(writer, reader, op).unwrap_or_default(),
            None => {
                let read = words::read(self.transactions, op);
                format!("{} {read}, which {} wrote", name(reader), name(writer))
            }
        }
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
        details: Map<String, Value>,
    ) -> Anomaly {
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
        Why::Versions => "ww",
    }
}

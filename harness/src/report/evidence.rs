//! The evidence of work: how many calls there were, how they ended and how
//! long they took, so that a pass that tested nothing is seen to be one.

use std::collections::BTreeMap;

use serde::Serialize;
use tribunal_history::{Fault, History, Kind, Name, Nanos, Operation};

use super::words;
use crate::clocks::ClockRange;

/// Nodes whose clocks are told one by one.
const CLOCKS: usize = 12;

/// How many calls ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub ok: usize,
    pub fail: usize,
    pub info: usize,
    /// How many of them were made because an earlier one had failed.
    pub retries: usize,
}

impl Tally {
    /// Of all calls of a history.
    pub fn of(history: &History) -> Self {
        let mut tally = Self::default();
        for op in history.operations() {
            tally.add(op.kind());
            tally.retries += usize::from(op.invocation().ext("retry").is_some());
        }
        tally
    }

    /// One more call.
    pub fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Ok => self.ok += 1,
            Kind::Fail => self.fail += 1,
            Kind::Info | Kind::Invoke => self.info += 1,
        }
    }

    /// All of them.
    pub fn calls(self) -> usize {
        self.ok + self.fail + self.info
    }

    /// `84,311 calls: 80,000 ok, 4,000 fail, 311 info`, and how many were retries, if any were.
    pub fn in_words(self) -> String {
        let [ok, fail, info] = [self.ok, self.fail, self.info].map(words::count);
        let calls = words::counted(self.calls(), "call");
        let retries = match self.retries {
            0 => String::new(),
            some => format!("; {} of them retries", words::count(some)),
        };
        format!("{calls}: {ok} ok, {fail} fail, {info} info{retries}")
    }
}

/// One line of a table of calls: a function, a node.
#[derive(Serialize)]
pub(super) struct Row {
    name: String,
    ok: String,
    fail: String,
    info: String,
    median: String,
    p95: String,
    p99: String,
    max: String,
}

/// The calls of a history, grouped by what `name` says of each.
pub(super) fn table<'h>(
    history: &'h History,
    name: impl Fn(&Operation<'h>) -> &'h str,
) -> Vec<Row> {
    let mut groups: BTreeMap<&str, (Tally, Vec<Nanos>)> = BTreeMap::new();
    for op in history.operations() {
        let (tally, latencies) = groups.entry(name(&op)).or_default();
        tally.add(op.kind());
        if let Some(end) = op.completion().filter(|end| end.kind() == Kind::Ok) {
            latencies.push(end.time() - op.invoked_at());
        }
    }
    groups.into_iter().map(|(name, (tally, latencies))| row(name, tally, latencies)).collect()
}

fn row(name: &str, tally: Tally, mut latencies: Vec<Nanos>) -> Row {
    latencies.sort_unstable();
    let at = |quantile: f64| {
        let last = latencies.len().checked_sub(1)?;
        Some(latencies[(last as f64 * quantile).round() as usize])
    };
    let told = |quantile| at(quantile).map_or_else(|| "–".to_owned(), words::duration);
    Row {
        name: words::clip(name, 60),
        ok: words::count(tally.ok),
        fail: words::count(tally.fail),
        info: words::count(tally.info),
        median: told(0.5),
        p95: told(0.95),
        p99: told(0.99),
        max: told(1.0),
    }
}

/// `5 of 6 faults observed (clock-jump 2, partition 4)`; of a run without faults, `no faults`.
pub(super) fn faults_in_words(faults: &[Fault]) -> String {
    let observed = faults.iter().filter(|fault| fault.effect.observed).count();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    faults.iter().for_each(|fault| *kinds.entry(&fault.name).or_default() += 1);
    let kinds = kinds.iter().map(|(name, count)| format!("{} {count}", words::clip(name, 30)));
    let kinds: Vec<String> = kinds.take(12).collect();
    match faults.len() {
        0 => "no faults".to_owned(),
        all => format!(
            "{} of {} observed ({})",
            words::count(observed),
            words::counted(all, "fault"),
            kinds.join(", ")
        ),
    }
}

/// `clocks: n1 n2 within ±0.21 ms, n3 up to 19.2 s ahead`; `None` where nobody measured.
pub(super) fn clocks_in_words(clocks: &BTreeMap<Name, ClockRange>) -> Option<String> {
    let off = |range: &ClockRange| range.ahead_ns > 0 || range.behind_ns > 0;
    let (wrong, right): (Vec<_>, Vec<_>) = clocks.iter().partition(|(_, range)| off(range));
    let mut told = Vec::new();
    if let Some(within) = right.iter().map(|(_, range)| range.within_ns).max() {
        let names: Vec<String> = right.iter().map(|(node, _)| words::clip(node, 30)).collect();
        let within = words::duration(within.unsigned_abs());
        told.push(format!("{} within ±{within}", names.join(" ")));
    }
    told.extend(wrong.iter().take(CLOCKS).map(|(node, range)| one_clock(node, range)));
    if wrong.len() > CLOCKS {
        told.push(format!("{} others off", words::count(wrong.len() - CLOCKS)));
    }
    (!told.is_empty()).then(|| format!("clocks: {}", told.join(", ")))
}

fn one_clock(node: &str, range: &ClockRange) -> String {
    let sides = [(range.ahead_ns, "ahead"), (range.behind_ns, "behind")];
    let sides: Vec<String> = sides
        .into_iter()
        .filter(|&(far, _)| far > 0)
        .map(|(far, side)| format!("{} {side}", words::duration(far.unsigned_abs())))
        .collect();
    format!("{} up to {}", words::clip(node, 30), sides.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_right_are_told_together_and_the_others_each() {
        let range = |ahead_ns, behind_ns, within_ns| ClockRange {
            readings: 60,
            ahead_ns,
            behind_ns,
            within_ns,
        };
        let mut clocks = BTreeMap::new();
        assert_eq!(clocks_in_words(&clocks), None);
        clocks.insert("n1".into(), range(0, 0, 180_000));
        clocks.insert("n2".into(), range(0, 0, 210_000));
        clocks.insert("n3".into(), range(19_200_000_000, 0, 19_200_400_000));
        clocks.insert("n4".into(), range(3_100_000, 5_000_000_000, 5_000_100_000));
        assert_eq!(
            clocks_in_words(&clocks).unwrap(),
            "clocks: n1 n2 within ±210 µs, n3 up to 19.2 s ahead, \
             n4 up to 3.10 ms ahead and 5.00 s behind"
        );
    }
}

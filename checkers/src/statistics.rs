//! What a run did, in numbers: how its calls ended, how long they took, how
//! many were open at once. It judges nothing and is always `valid`.

use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use tribunal_history::{History, Kind, Nanos, Operation};

use crate::{Checker, Verdict};

/// Counts and latencies as the facts of a verdict.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics;

/// How calls ended.
#[derive(Clone, Copy, Default)]
struct Outcomes {
    ok: u64,
    fail: u64,
    info: u64,
}

impl Outcomes {
    fn add(&mut self, op: &Operation) {
        match op.kind() {
            Kind::Ok => self.ok += 1,
            Kind::Fail => self.fail += 1,
            Kind::Info | Kind::Invoke => self.info += 1,
        }
    }

    fn json(self) -> Value {
        json!({"ok": self.ok, "fail": self.fail, "info": self.info})
    }
}

impl Checker for Statistics {
    fn check(&self, history: &History) -> Verdict {
        let mut all = Outcomes::default();
        let mut functions: FxHashMap<&str, (Outcomes, Vec<Nanos>)> = FxHashMap::default();
        let mut nodes: FxHashMap<&str, Outcomes> = FxHashMap::default();
        let mut retries: u64 = 0;
        for op in history.operations() {
            all.add(&op);
            retries += u64::from(op.invocation().ext("retry").is_some());
            let (outcomes, latencies) = functions.entry(op.f()).or_default();
            outcomes.add(&op);
            latencies.extend(latency(&op));
            if let Some(node) = op.node() {
                nodes.entry(node).or_default().add(&op);
            }
        }
        let functions = functions.into_iter().map(|(f, (outcomes, latencies))| {
            let mut facts = outcomes.json();
            facts["latency_ns"] = quantiles(latencies);
            (f.to_owned(), facts)
        });
        let nodes = nodes.into_iter().map(|(node, outcomes)| (node.to_owned(), outcomes.json()));
        let verdict = match retries {
            0 => Verdict::valid(),
            retries => Verdict::valid().fact("retries", retries),
        };
        verdict
            .fact("calls", all.json())
            .fact("functions", Value::Object(functions.collect()))
            .fact("nodes", Value::Object(nodes.collect()))
            .fact("concurrency", concurrency(history))
            .fact("duration_ns", history.duration())
            .fact("ok_per_second", rate(all.ok, history.duration()))
    }
}

/// How long an acknowledged call took.
fn latency(op: &Operation) -> Option<Nanos> {
    let end = op.completion().filter(|_| op.is_ok())?;
    Some(end.time() - op.invoked_at())
}

/// Nearest-rank quantiles; null where nothing was acknowledged.
fn quantiles(mut latencies: Vec<Nanos>) -> Value {
    latencies.sort_unstable();
    let Some(&max) = latencies.last() else { return Value::Null };
    let rank = |per_mille: usize| {
        let rank = (latencies.len() * per_mille).div_ceil(1000);
        latencies[rank.max(1) - 1]
    };
    json!({"p50": rank(500), "p90": rank(900), "p99": rank(990), "p999": rank(999), "max": max})
}

/// The most calls that were open at once. A call that ended as `info` was given
/// up then: nobody waited for it any longer.
fn concurrency(history: &History) -> u64 {
    let (mut open, mut most) = (0_u64, 0);
    for event in history.events().filter(|event| event.process().is_client()) {
        match event.kind() {
            Kind::Invoke => open += 1,
            Kind::Ok | Kind::Fail | Kind::Info => open -= 1,
        }
        most = most.max(open);
    }
    most
}

fn rate(count: u64, duration: Nanos) -> f64 {
    if duration == 0 { 0.0 } else { (count as f64 * 1e10 / duration as f64).round() / 10.0 }
}

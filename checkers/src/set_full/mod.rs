//! What became of every element of a set that only grows: the semantics of Jepsen's `set-full`.
//!
//! An element is *known* from the moment its `add` is acknowledged or a read that saw it ends. The last
//! read to begin that saw it and the last that did not, of those that ended after the `add` began, decide:
//!
//! - *stable*: it was seen last; *stale* if a read that began after it was known had missed it;
//! - *lost*: it was known, and the last read did not see it;
//! - *never read*: no read says enough.
//!
//! A history is invalid if elements are lost, or seen that were never added, or twice in one read; stale
//! elements are allowed unless [`SetFull::linearizable`] is asked for. It is
//! unknown if not one element was stable. Whether a whole order exists that explains all reads is another
//! question, of the [`GrowOnlySet`](crate::linearizability::set::GrowOnlySet).

mod element;
mod losses;
mod report;

use serde_json::{Map, Value, json};
use tribunal_history::{History, Nanos, Operation};

use crate::{Checker, Verdict, keys};
use element::{Element, Outcome, Tally};

/// Follows every element of grow-only sets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetFull {
    /// Whether a read may miss no element that was known before it began.
    pub linearizable: bool,
}

/// The most anomalies of one kind that are told, a set; and the most elements listed in a fact.
const TOLD: usize = 16;
/// The most of the worst stale elements that are listed.
const WORST: usize = 8;

impl Checker for SetFull {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let sets = match keys::each(history, Tally::of) {
            Ok(sets) => sets,
            Err(problem) => return Verdict::objected(problem),
        };
        let anomalies = |tally: &Tally| report::anomalies(tally, self.linearizable);
        let mut verdict = Verdict::of(keys::wrong(&sets, anomalies));
        let tallies: Vec<&Tally> = sets.iter().map(|(_, tally)| tally).collect();
        verdict.facts = facts(&tallies);
        losses::sum_up(&mut verdict.anomalies, &tallies, history);
        if verdict.facts["stable"] == 0 {
            verdict
                .doubt("no element was read back for good: the reads say nothing of what was lost");
        }
        verdict
    }
}

fn facts(tallies: &[&Tally]) -> Map<String, Value> {
    let elements = || tallies.iter().flat_map(|tally| &tally.elements);
    let of = |outcome: Outcome| elements().filter(move |element| element.outcome() == outcome);
    let stale = || elements().filter(|element| element.stale());
    let listed = |all: &mut dyn Iterator<Item = &Element>| -> Value {
        all.take(TOLD).map(|element| element.value.to_value()).collect()
    };
    let mut worst: Vec<&Element> = stale().collect();
    worst.sort_by_key(|element| std::cmp::Reverse(element.stale_for()));
    worst.truncate(WORST);
    let facts = json!({
        "attempts": elements().count(),
        "acknowledged": elements().filter(|element| element.acknowledged).count(),
        "stable": of(Outcome::Stable).count(),
        "stale": stale().count(),
        "lost": of(Outcome::Lost).count(),
        "never_read": of(Outcome::NeverRead).count(),
        "duplicated": tallies.iter().map(|tally| tally.duplicated.len()).sum::<usize>(),
        "unexpected": tallies.iter().map(|tally| tally.unexpected.len()).sum::<usize>(),
        "lost_elements": listed(&mut of(Outcome::Lost)),
        "never_read_elements": listed(&mut of(Outcome::NeverRead)),
        "worst_stale": worst.iter().map(|element| report::stale(element)).collect::<Value>(),
        "stable_latency_ns": quantiles(of(Outcome::Stable).map(Element::stale_for).collect()),
        "lost_latency_ns": quantiles(of(Outcome::Lost).map(Element::lost_after).collect()),
    });
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}

/// Nearest-rank quantiles; null where there is nothing.
fn quantiles(mut latencies: Vec<Nanos>) -> Value {
    latencies.sort_unstable();
    let Some(&max) = latencies.last() else { return Value::Null };
    let rank = |per_cent: usize| latencies[(latencies.len() * per_cent).div_ceil(100).max(1) - 1];
    json!({"min": latencies[0], "p50": rank(50), "p95": rank(95), "p99": rank(99), "max": max})
}

/// When a call that was answered ended.
fn ended(call: &Operation) -> Nanos {
    call.completed_at().unwrap_or_else(|| call.invoked_at())
}

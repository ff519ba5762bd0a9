//! Anomalies, faults and checkers as the page's tables tell them.

use serde::Serialize;
use tribunal_checkers::{Anomaly, Validity, Verdict};
use tribunal_history::{Fault, Map, Nanos, Operation, Value};

use super::selection::{DETAIL, LABEL, Selection, Witness, last_seen};
use super::{terminal, words};

/// Calls of a witness that are listed for the first anomalies; a cycle rarely has ten.
const FULL: usize = 24;
/// Calls that are listed for the others.
const SHORT: usize = 8;
/// How many anomalies are the first.
const FIRST: usize = 5;
/// Faults that are named as acting at one time.
const ACTING: usize = 6;
/// Characters of a message.
pub(super) const MESSAGE: usize = 2_000;

/// The verdict as one word.
pub(super) fn word(validity: Validity) -> &'static str {
    match validity {
        Validity::Valid => "valid",
        Validity::Unknown => "unknown",
        Validity::Invalid => "invalid",
    }
}

/// The first sentences, each of bounded length.
pub(super) fn clipped(sentences: &[String], most: usize) -> Vec<String> {
    sentences.iter().take(most).map(|it| words::clip(it, MESSAGE)).collect()
}

/// A broken promise.
#[derive(Serialize)]
pub(super) struct Broken {
    name: String,
    message: String,
    key: Option<String>,
    window: String,
    faults: Vec<String>,
    steps: Vec<Step>,
    more_steps: usize,
    details: Vec<(String, String)>,
}

/// A call of a witness.
#[derive(Serialize)]
struct Step {
    index: u64,
    from: String,
    took: String,
    process: String,
    node: String,
    call: String,
    outcome: &'static str,
    detail: String,
    faults: Vec<String>,
}

/// The anomalies that are shown.
pub(super) fn anomalies(verdict: &Verdict, selection: &Selection, faults: &[Fault]) -> Vec<Broken> {
    let witnesses = verdict.anomalies.iter().zip(&selection.witnesses);
    let steps = [FULL; FIRST].into_iter().chain(std::iter::repeat(SHORT));
    let told = witnesses.zip(steps);
    told.map(|((anomaly, witness), steps)| broken(anomaly, witness, &selection.ops, faults, steps))
        .collect()
}

fn broken(
    anomaly: &Anomaly,
    witness: &Witness,
    ops: &[Operation],
    faults: &[Fault],
    steps: usize,
) -> Broken {
    Broken {
        name: words::clip(&anomaly.name, LABEL),
        message: words::clip(&anomaly.message, MESSAGE),
        key: anomaly.key.as_ref().map(|key| words::value(key, LABEL)),
        window: interval(witness.window.0, Some(witness.window.1)),
        faults: acting(faults, witness.window, None),
        steps: witness.ops.iter().take(steps).map(|&at| step(&ops[at], faults)).collect(),
        more_steps: witness.ops.len().saturating_sub(steps),
        details: facts(&anomaly.details),
    }
}

fn step(op: &Operation, faults: &[Fault]) -> Step {
    let took = op.completion.map(|end| words::duration(end.time - op.invocation.time));
    Step {
        index: op.start(),
        from: words::time(op.invocation.time),
        took: took.unwrap_or_else(|| "never ended".to_owned()),
        process: op.process().to_string(),
        node: words::clip(op.node().unwrap_or("–"), LABEL),
        call: words::call(op, DETAIL),
        outcome: words::outcome(op.kind()),
        detail: words::detail(op, DETAIL),
        faults: acting(faults, (op.invocation.time, last_seen(op)), op.node()),
    }
}

/// The faults that may have acted in a window, on one node or on any.
fn acting(faults: &[Fault], (from, until): (Nanos, Nanos), node: Option<&str>) -> Vec<String> {
    let there = |fault: &Fault| {
        let names = &fault.nodes;
        names.is_empty() || node.is_none_or(|node| names.iter().any(|name| &**name == node))
    };
    let acting = faults.iter().filter(|&fault| fault.may_overlap(from, until) && there(fault));
    let told = acting.clone().take(ACTING).map(|fault| {
        let doubt = if fault.effect.observed { "" } else { " (not observed)" };
        words::clip(&terminal::fault_in_words(fault), 120) + doubt
    });
    let more = acting.count().saturating_sub(ACTING);
    told.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

fn interval(from: Nanos, until: Option<Nanos>) -> String {
    let end = until.map_or_else(|| "the end".to_owned(), words::time);
    match until {
        Some(until) if until == from => words::time(from),
        Some(until) => {
            format!("{:.3} – {end} ({})", from as f64 / 1e9, words::duration(until - from))
        }
        None => format!("{} – {end}", words::time(from)),
    }
}

/// A fault.
#[derive(Serialize)]
pub(super) struct Harm {
    id: u64,
    name: String,
    summary: String,
    nodes: String,
    interval: String,
    observed: bool,
    evidence: Vec<String>,
    error: Option<String>,
    healed: bool,
}

/// A fault's row.
pub(super) fn fault(fault: &Fault) -> Harm {
    Harm {
        id: fault.id,
        name: words::clip(&fault.name, LABEL),
        summary: words::clip(&fault.summary, DETAIL),
        nodes: words::clip(&fault.nodes.join(" "), DETAIL),
        interval: interval(fault.from, fault.until),
        observed: fault.effect.observed,
        evidence: clipped(&fault.effect.evidence, 20),
        error: fault.error.as_ref().map(|error| words::clip(error, MESSAGE)),
        healed: fault.until.is_some(),
    }
}

/// A checker's verdict.
#[derive(Serialize)]
pub(super) struct Part {
    name: String,
    validity: &'static str,
    unknowns: Vec<String>,
    facts: Vec<(String, String)>,
}

/// The parts of a verdict; a verdict without parts is its own only one.
pub(super) fn checkers(verdict: &Verdict) -> Vec<Part> {
    let part = |name: &str, verdict: &Verdict| Part {
        name: words::clip(name, LABEL),
        validity: word(verdict.validity),
        unknowns: clipped(&verdict.unknowns, 10),
        facts: facts(&verdict.facts),
    };
    let whole = part("whole history", verdict);
    let parts = verdict.checkers.iter().map(|(name, verdict)| part(name, verdict));
    let alone = verdict.checkers.is_empty() || !verdict.facts.is_empty();
    parts.chain(alone.then_some(whole)).collect()
}

fn facts(facts: &Map<String, Value>) -> Vec<(String, String)> {
    let told =
        facts.iter().map(|(name, fact)| (words::clip(name, LABEL), words::value(fact, DETAIL)));
    told.take(40).collect()
}

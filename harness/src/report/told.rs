//! Anomalies, faults and checkers as the page's tables tell them.

use base64::Engine;
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

/// The details that are drawings: no text for a page.
const DRAWINGS: [&str; 2] = ["dot", "svg"];
/// Anomalies whose drawings a page holds, and bytes of each of these.
const DRAWN: usize = 12;
const DRAWING: usize = 60_000;

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
    sentences.iter().take(most).map(|it| words::clip_lines(it, MESSAGE)).collect()
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
    details: Facts,
    /// The drawing, as an address that holds it whole.
    drawing: Option<String>,
}

/// A line of an anomaly's story.
#[derive(Serialize)]
#[serde(untagged)]
enum Step {
    /// A call of the witness.
    Call(Box<Called>),
    /// A fault that begins or ends.
    Harm { at: String, harm: String },
}

/// A call of a witness.
#[derive(Serialize)]
struct Called {
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
    let told = told
        .map(|((anomaly, witness), steps)| broken(anomaly, witness, &selection.ops, faults, steps));
    let mut told: Vec<Broken> = told.collect();
    told.iter_mut().skip(DRAWN).for_each(|broken| broken.drawing = None);
    told
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
        message: words::clip(&words::message(anomaly), MESSAGE),
        key: anomaly.key.as_ref().map(|key| words::value(key, LABEL)),
        window: interval(witness.window.0, Some(witness.window.1)),
        faults: acting(faults, witness.window, None),
        steps: story(witness, ops, faults, steps),
        more_steps: witness.ops.len().saturating_sub(steps),
        details: facts(&anomaly.details),
        drawing: drawing(anomaly),
    }
}

/// An anomaly's drawing, as the address of an image: whatever is in it, it is an image and runs nothing.
fn drawing(anomaly: &Anomaly) -> Option<String> {
    let svg = anomaly.details.get("svg")?.as_str().filter(|svg| svg.len() <= DRAWING)?;
    let bytes = base64::engine::general_purpose::STANDARD.encode(svg);
    Some(format!("data:image/svg+xml;base64,{bytes}"))
}

/// The witness's calls, and the beginnings and ends of the faults in its
/// window, in the order in which they happened.
fn story(witness: &Witness, ops: &[Operation], faults: &[Fault], most: usize) -> Vec<Step> {
    let calls = witness.ops.iter().take(most).map(|&at| &ops[at]);
    let mut told: Vec<(Nanos, Step)> =
        calls.map(|op| (op.invoked_at(), Step::Call(Box::new(called(op, faults))))).collect();
    let (from, until) = witness.window;
    for fault in faults.iter().filter(|fault| fault.may_overlap(from, until)).take(ACTING) {
        let name = words::clip(&terminal::fault_in_words(fault), 120);
        let mut harm = |at, what| {
            let harm = format!("{name} {what}");
            told.push((at, Step::Harm { at: words::time(at), harm }));
        };
        harm(fault.from, "begins");
        if let Some(until) = fault.until {
            harm(until, "is over");
        }
    }
    told.sort_by_key(|(at, _)| *at);
    told.into_iter().map(|(_, step)| step).collect()
}

fn called(op: &Operation, faults: &[Fault]) -> Called {
    let took = op.completion().map(|end| words::duration(end.time() - op.invoked_at()));
    Called {
        index: op.start(),
        from: words::time(op.invoked_at()),
        took: took.unwrap_or_else(|| "never ended".to_owned()),
        process: op.process().to_string(),
        node: words::clip(op.node().unwrap_or("–"), LABEL),
        call: words::call(op, DETAIL),
        outcome: words::outcome(op.kind()),
        detail: words::detail(op, DETAIL),
        faults: acting(faults, (op.invoked_at(), last_seen(op)), op.node()),
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
        evidence: clipped(&by_node(&fault.effect.evidence), 20),
        error: fault.error.as_ref().map(|error| words::clip(error, MESSAGE)),
        healed: fault.until.is_some(),
    }
}

/// What was seen of a fault, a line a node: `n1: 11, then 56 packets dropped`
/// instead of a line when it was injected and one when it was healed.
fn by_node(evidence: &[String]) -> Vec<String> {
    let mut lines: Vec<(&str, Vec<&str>)> = Vec::new();
    for seen in evidence {
        let (node, what) = seen.split_once(": ").unwrap_or(("", seen));
        match lines.iter_mut().find(|(known, _)| *known == node) {
            Some((_, seen)) => seen.push(what),
            None => lines.push((node, vec![what])),
        }
    }
    let line = |(node, seen): (&str, Vec<&str>)| match node {
        "" => then(&seen),
        node => format!("{node}: {}", then(&seen)),
    };
    lines.into_iter().map(line).collect()
}

/// Sentences that differ only in the number they begin with share their words.
fn then(seen: &[&str]) -> String {
    let counted: Vec<_> = seen.iter().filter_map(|what| what.split_once(' ')).collect();
    let number = |(number, _): &(&str, &str)| number.parse::<u64>().is_ok();
    let same = counted.windows(2).all(|pair| pair[0].1 == pair[1].1);
    if seen.len() > 1 && counted.len() == seen.len() && counted.iter().all(number) && same {
        let numbers: Vec<&str> = counted.iter().map(|(number, _)| *number).collect();
        return format!("{} {}", numbers.join(", then "), counted[0].1);
    }
    seen.join("; then ")
}

/// Every fault of one name, in a few words: what was tried, and what was measured of it.
#[derive(Serialize)]
pub(super) struct Tried {
    name: String,
    times: String,
    observed: bool,
    measured: String,
}

/// The kinds of faults of a run.
pub(super) fn tried(faults: &[Fault]) -> Vec<Tried> {
    let mut names: Vec<&str> = Vec::new();
    for fault in faults {
        if !names.contains(&&*fault.name) {
            names.push(&fault.name);
        }
    }
    let of = |name: &&str| faults.iter().filter(|fault| &*fault.name == *name).collect::<Vec<_>>();
    names.iter().map(|name| tried_as(name, &of(name))).collect()
}

fn tried_as(name: &str, faults: &[&Fault]) -> Tried {
    let seen = faults.iter().filter(|fault| fault.effect.observed).count();
    let acted = faults.iter().filter_map(|fault| Some(fault.heal?.saturating_sub(fault.injected?)));
    let acted = words::duration(acted.fold(0, Nanos::saturating_add));
    let times = match (faults.len(), seen) {
        (1, 1) => format!("once, for {acted}"),
        (all, seen) if seen == all => format!("{all} times, {acted} in all"),
        (all, seen) => format!("{seen} of {all} observed"),
    };
    let evidence = faults.iter().flat_map(|fault| fault.effect.evidence.first()).next();
    Tried {
        name: words::clip(name, LABEL),
        times,
        observed: seen > 0,
        measured: evidence.map_or_else(String::new, |it| words::clip(it, LABEL + LABEL)),
    }
}

/// A checker's verdict.
#[derive(Serialize)]
pub(super) struct Part {
    name: String,
    validity: &'static str,
    unknowns: Vec<String>,
    facts: Facts,
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

/// What was measured: the numbers that a person reads, and what lies deeper.
#[derive(Serialize)]
struct Facts {
    plain: Vec<(String, String)>,
    deep: Vec<(String, String)>,
}

fn facts(facts: &Map<String, Value>) -> Facts {
    let nested = |it: &Value| match it {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(|item| item.is_object() || item.is_array()),
        _ => false,
    };
    let shown = facts.iter().filter(|(name, _)| !DRAWINGS.contains(&name.as_str())).take(40);
    let (deep, plain): (Vec<_>, Vec<_>) = shown.partition(|(_, it)| nested(it));
    let told = |facts: Vec<(&String, &Value)>| {
        facts.into_iter().map(|(name, it)| words::fact(name, it, DETAIL)).collect()
    };
    Facts { plain: told(plain), deep: told(deep) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_twice_of_a_node_is_one_line() {
        let seen =
            |lines: &[&str]| by_node(&lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            seen(&["n1: 11 packets dropped", "n2: 9 packets dropped", "n1: 56 packets dropped"]),
            ["n1: 11, then 56 packets dropped", "n2: 9 packets dropped"]
        );
        assert_eq!(
            seen(&["n1: 4 of 4 threads stopped", "n1: 4 of 4 threads go on"]),
            ["n1: 4 of 4 threads stopped; then 4 of 4 threads go on"]
        );
        assert_eq!(seen(&["nothing that names a node"]), ["nothing that names a node"]);
    }
}

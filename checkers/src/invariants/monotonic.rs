//! `monotonic`: counters that only grow are seen in one order by all (Jepsen's `monotonic` and
//! `sequential`).
//!
//! Calls: `inc` k -> {k: n}, or {} where the count is not told; `read` [k, …] -> {k: n, …}. Each acknowledged
//! answer is a state of some counters, and an `inc` is the step from n - 1 to n. There must be one order of all,
//! in which every counter grows by one `inc` at a time, and which is that of each session. So
//!
//! - no session sees a counter fall (`monotonic-reads`, `read-your-writes`, ..);
//! - no two `inc` of a counter answer the same count (`lost-update`);
//! - a counter does not grow by more than the calls of `inc` that may have happened (`thin-air-read`);
//! - no two states each show more of one counter than the other, nor does a longer chain come round
//!   (`not-monotonic`).
//!
//! Real time is not asked for, nor with what a counter begins. A null says nothing.

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_history::{History, Kind as Outcome, Operation, Process, ValueRef};

use super::{anomaly, first_of_each, no_answer, no_call, who};
use crate::transactions::graph::{
    Builder, Components, Edge, Graph, Kind, Kinds, Node, Quest, residue, shortest,
};
use crate::{Anomaly, Checker, Verdict};

const CALLS: &str = "inc k -> {k: n} and read [k, …] -> {k: n, …}";

/// Judges states of counters by whether they have an order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

/// An answer: what it shows of each counter.
struct State<'h> {
    call: Operation<'h>,
    shown: Vec<(&'h str, Count)>,
}

/// A number of a counter. The step to it comes before whoever sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Count {
    number: i64,
    /// Whether it was seen; else it was the step to it.
    seen: bool,
}

/// What was called on a counter.
#[derive(Default)]
struct Incs<'h> {
    /// Those that answered a count.
    told: Vec<(i64, Operation<'h>)>,
    /// Those that happened or may have, and did not.
    untold: u64,
    /// Those that failed.
    failed: u64,
}

impl Checker for Monotonic {
    fn check(&self, history: &History) -> Verdict {
        let (states, incs) = match read(history) {
            Ok(read) => read,
            Err(problem) => return Verdict::objected(problem),
        };
        let mut anomalies = falls(&states);
        let has_fallen = !anomalies.is_empty();
        anomalies.extend(repeated(&incs));
        let unexplained = unexplained(&states, &incs);
        // Where nobody is seen to increment anything, whoever does is not in the history.
        let is_half = incs.is_empty() && !unexplained.is_empty();
        anomalies.extend(unexplained.into_iter().filter(|_| !is_half));
        // A counter that fell in a session comes round, too: once told is enough.
        anomalies.extend(unordered(&states, !has_fallen));
        let mut verdict = Verdict::of(first_of_each(anomalies)).fact("states", states.len());
        if states.is_empty() {
            verdict.doubt("no answer showed a counter: nothing is known of them");
        }
        if is_half {
            verdict.doubt(
                "counters grew, and no call of `inc` is in the history: whether anybody added what they \
                 show is not known",
            );
        }
        verdict
    }
}

/// The states that answers show, and what was called on each counter.
fn read(history: &History) -> Result<(Vec<State<'_>>, FxHashMap<String, Incs<'_>>), String> {
    let mut states = Vec::new();
    let mut incs: FxHashMap<String, Incs> = FxHashMap::default();
    for call in history.operations() {
        let shown = shown(&call)?;
        if call.f() == "inc" {
            let key = name(call.argument());
            let told = shown.iter().find(|(name, _)| *name == key).map(|(_, count)| count.number);
            let incs = incs.entry(key).or_default();
            match (told, call.kind()) {
                (Some(number), _) => incs.told.push((number, call)),
                (None, Outcome::Fail) => incs.failed += 1,
                (None, _) => incs.untold += 1,
            }
        }
        if !shown.is_empty() {
            states.push(State { call, shown });
        }
    }
    Ok((states, incs))
}

/// What the answer of a call shows.
fn shown<'h>(call: &Operation<'h>) -> Result<Vec<(&'h str, Count)>, String> {
    let is_inc = match call.f() {
        "inc" => true,
        "read" => false,
        _ => return Err(no_call(call, "monotonic", CALLS)),
    };
    let wrong = || no_answer(call, "monotonic", CALLS);
    let asked = asked(call.argument(), is_inc);
    let mut shown = Vec::new();
    let Some(answer) = call.result() else { return Ok(shown) };
    for (name, value) in answer.entries().ok_or_else(wrong)? {
        if asked.as_ref().is_some_and(|asked| !asked.contains(name)) {
            return Err(wrong());
        }
        if !value.is_null() {
            let number = value.as_i64().ok_or_else(wrong)?;
            shown.push((name, Count { number, seen: !is_inc }));
        }
    }
    Ok(shown)
}

/// The counters that a call asks for, where it says so.
fn asked(argument: ValueRef, is_inc: bool) -> Option<FxHashSet<String>> {
    match (argument.elements(), argument.entries()) {
        _ if is_inc => Some(FxHashSet::from_iter([name(argument)])),
        (Some(names), _) => Some(names.map(name).collect()),
        (_, Some(entries)) => Some(entries.map(|(name, _)| name.to_owned()).collect()),
        _ => None,
    }
}

/// A counter as the answers name it, where every name is a text.
fn name(counter: ValueRef) -> String {
    counter.as_str().map_or_else(|| counter.to_string(), str::to_owned)
}

/// Counters that a session saw fall.
fn falls(states: &[State]) -> Vec<Anomaly> {
    let mut most: FxHashMap<(Process, &str), (Count, &State)> = FxHashMap::default();
    let mut anomalies = Vec::new();
    for state in states {
        for &(name, count) in &state.shown {
            match most.get(&(state.call.process(), name)) {
                Some(&(before, earlier)) if count < before => {
                    anomalies.push(fell(name, (earlier, before), (state, count)));
                }
                _ => {
                    most.insert((state.call.process(), name), (count, state));
                }
            }
        }
    }
    anomalies
}

fn fell(
    name: &str,
    (earlier, before): (&State, Count),
    (later, count): (&State, Count),
) -> Anomaly {
    let kind = match (before.seen, count.seen) {
        (true, true) => "monotonic-reads",
        (true, false) => "writes-follow-reads",
        (false, true) => "read-your-writes",
        (false, false) => "monotonic-writes",
    };
    let did = |count: Count| if count.seen { "saw" } else { "counted" };
    let message = format!(
        "{} {} {name} = {}, and then {} {name} = {} ({}): a counter that only grows has fallen.",
        who(&earlier.call),
        did(before),
        before.number,
        did(count),
        count.number,
        crate::times::span(&later.call)
    );
    anomaly(kind, &[earlier.call, later.call], message)
}

/// Counts to which two increments came.
fn repeated(incs: &FxHashMap<String, Incs>) -> Vec<Anomaly> {
    let mut repeated: Vec<(u64, Anomaly)> = Vec::new();
    for (name, Incs { told, .. }) in incs {
        let mut sorted: Vec<&(i64, Operation)> = told.iter().collect();
        sorted.sort_by_key(|(number, call)| (*number, call.start()));
        for same in sorted.chunk_by(|one, other| one.0 == other.0).filter(|same| same.len() > 1) {
            let calls: Vec<Operation> = same.iter().map(|(_, call)| *call).take(8).collect();
            let counters: Vec<String> = calls.iter().map(who).collect();
            let message = format!(
                "{} each counted {name} = {}: only one increment can have come to it, so another \
                 one is lost.",
                counters.join(" and "),
                same[0].0
            );
            repeated.push((calls[0].start(), anomaly("lost-update", &calls, message)));
        }
    }
    repeated.sort_by_key(|&(start, _)| start);
    repeated.into_iter().map(|(_, anomaly)| anomaly).collect()
}

/// Counters that grew by more than anybody added.
fn unexplained(states: &[State], incs: &FxHashMap<String, Incs>) -> Vec<Anomaly> {
    // What each counter held at the least, and at the most, and who saw it.
    let mut held: FxHashMap<&str, [(i128, &State); 2]> = FxHashMap::default();
    for state in states {
        for &(name, count) in &state.shown {
            let number = i128::from(count.number);
            // An increment was the step from the number before.
            let from = if count.seen { number } else { number - 1 };
            let [least, most] = held.entry(name).or_insert([(from, state), (number, state)]);
            if from < least.0 {
                *least = (from, state);
            }
            if number > most.0 {
                *most = (number, state);
            }
        }
    }
    let none = Incs::default();
    let mut anomalies: Vec<(u64, Anomaly)> = held
        .into_iter()
        .filter_map(|(name, [least, most])| {
            let incs = incs.get(name).unwrap_or(&none);
            let numbers: FxHashSet<i64> = incs.told.iter().map(|&(number, _)| number).collect();
            let missing = most.0 - least.0 - numbers.len() as i128;
            if missing <= i128::from(incs.untold) {
                return None;
            }
            let anomaly = sprung(name, [least, most], (incs, missing));
            Some((most.1.call.start(), anomaly))
        })
        .collect();
    anomalies.sort_by_key(|&(start, _)| start);
    anomalies.into_iter().map(|(_, anomaly)| anomaly).collect()
}

fn sprung(
    name: &str,
    [least, most]: [(i128, &State); 2],
    (incs, missing): (&Incs, i128),
) -> Anomaly {
    let possible = incs.told.len() as u64 + incs.untold;
    let failed = match incs.failed {
        0 => String::new(),
        count => format!("; {count} more failed"),
    };
    let message = format!(
        "{name} grew from {} ({}) to {} ({}), by {}, of which its increments can have added at most \
         {possible}{failed}.",
        least.0,
        who(&least.1.call),
        most.0,
        who(&most.1.call),
        most.0 - least.0,
    );
    let explained = missing <= i128::from(incs.untold + incs.failed);
    let kind = if explained { "aborted-read" } else { "thin-air-read" };
    anomaly(kind, &[least.1.call, most.1.call], message)
}

/// A chain of states that comes round, if there is any; where there is none, one that does with the order of
/// sessions, if that is asked for.
fn unordered(states: &[State], by_sessions: bool) -> Option<Anomaly> {
    let round = |by_sessions| {
        let graph = order(states, by_sessions);
        let left = residue(&graph);
        let nodes = cycle(&graph.part(&left))?;
        let states = nodes.iter().filter_map(|&node| states.get(left[node as usize] as usize));
        Some(told(&states.collect::<Vec<_>>()))
    };
    round(false).or_else(|| by_sessions.then(|| round(true)).flatten())
}

/// From each state to whatever shows more of a counter, and to the session's next. For every count of a counter
/// there is a helper between those that show it and those that show more, so edges are linear in
/// number.
fn order(states: &[State], by_sessions: bool) -> Graph {
    let mut shown: FxHashMap<&str, Vec<(Count, Node)>> = FxHashMap::default();
    let mut last: FxHashMap<Process, Node> = FxHashMap::default();
    let mut edges = Builder::default();
    for (node, state) in (0..).zip(states) {
        for &(name, count) in &state.shown {
            shown.entry(name).or_default().push((count, node));
        }
        let before = last.insert(state.call.process(), node);
        if let Some(before) = before.filter(|_| by_sessions) {
            edges.add(before, node, Kind::Session);
        }
    }
    let mut next = states.len() as Node;
    for list in shown.values_mut() {
        list.sort_unstable();
        for (nth, same) in list.chunk_by(|one, other| one.0 == other.0).enumerate() {
            for &(_, node) in same {
                edges.add(node, next, Kind::WriteWrite);
                if nth > 0 {
                    edges.add(next - 1, node, Kind::Onward);
                }
            }
            if nth > 0 {
                edges.add(next - 1, next, Kind::Onward);
            }
            next += 1;
        }
    }
    Graph::new(next as usize, &[edges])
}

/// The nodes of a short cycle.
fn cycle(graph: &Graph) -> Option<Vec<Node>> {
    let components = Components::within(graph, Kinds::ALL);
    let inside = components.cyclic().into_iter().min_by_key(Vec::len)?;
    let component = components.get(inside[0]);
    let mut quest = Quest { budget: u64::MAX };
    let step = |_, edge: Edge| (components.get(edge.to) == component).then_some(0);
    let around = inside.iter().take(16).filter_map(|&node| {
        shortest(graph, &mut quest, (node, 0), step, |state| state == (node, 0))
    });
    around.min_by_key(Vec::len).map(|path| path.iter().map(|edge| edge.from).collect())
}

/// Which counter shows that one state is before another.
fn grown<'s>(one: &'s State, other: &State) -> Option<&'s str> {
    let more = |&&(name, count): &&(&str, Count)| {
        other.shown.iter().any(|&(its, later)| its == name && count < later)
    };
    one.shown.iter().find(more).map(|&(name, _)| name)
}

fn told(states: &[&State]) -> Anomaly {
    let shown = |state: &&State| {
        let count = |&(name, count): &(&str, Count)| format!("{name} = {}", count.number);
        let counters: Vec<String> = state.shown.iter().map(count).collect();
        let did = if state.shown.iter().all(|(_, count)| count.seen) { "saw" } else { "counted" };
        format!("{} {did} {}", who(&state.call), counters.join(", "))
    };
    let said: Vec<String> = states.iter().map(shown).collect();
    let calls: Vec<Operation> = states.iter().map(|state| state.call).collect();
    let next = states.iter().cycle().skip(1);
    let by_counters = states.iter().zip(next).all(|(one, other)| grown(one, other).is_some());
    let why = match by_counters {
        true => "each shows less of a counter than the next, and the last less than the first",
        false => {
            "each comes before the next, by a counter or in its session, and the last before the first"
        }
    };
    let message = format!("{}: {why}, though counters only grow.", said.join("; "));
    anomaly("not-monotonic", &calls, message)
}

//! Conflicts as sentences that a person can check by eye.
//!
//! Times are in seconds of the run, as the controller's clock recorded them.

use serde_json::{Map, Value, json};
use tribunal_history::{Nanos, Operation};

use super::blocks::{Conflict, Span};
use super::register::{Action, Object, ValueId};
use super::search::{Outcome, Stuck};
use crate::Anomaly;

/// What the anomalies of this checker are called.
const NAME: &str = "nonlinearizable";

/// The most calls or values listed in a sentence.
const LISTED: usize = 6;

impl Object<'_> {
    /// The anomaly that a conflict between blocks is.
    pub(super) fn explain(&self, conflict: &Conflict) -> Anomaly {
        let (kind, message, calls) = match conflict {
            Conflict::Unwritten { observer } => self.unwritten(*observer),
            Conflict::TwoSwaps { first, second } => self.two_swaps(*first, *second),
            Conflict::SwapCycle(calls) => self.swap_cycle(calls),
            Conflict::OutOfOrder { early, late, links } => self.out_of_order(*early, *late, links),
            Conflict::Interleaved(one, other) => self.interleaved(one, other),
        };
        let details = json!({"algorithm": "blocks", "kind": kind});
        self.anomaly(message, calls, details)
    }

    /// The anomaly that a search without an order is.
    pub(super) fn explain_stuck(&self, stuck: &Stuck) -> Anomaly {
        let last = self.call(stuck.call);
        let mut message = format!(
            "{}, but no order of the calls explains it: {} before it had returned, and in every \
             order they allow, ",
            did(&last),
            count(stuck.returned, "call"),
        );
        message.push_str(&self.held(&stuck.held, &stuck.pending));
        let mut calls = vec![stuck.call];
        calls.extend(self.recent_producers(stuck));
        calls.extend(stuck.pending.iter().take(LISTED));
        let held: Vec<Value> = stuck.held.iter().map(|&id| self.shown(id).clone()).collect();
        let details = json!({
            "algorithm": "search",
            "kind": "stuck",
            "returned": stuck.returned,
            "held": held,
            "since": self.call(stuck.since).start(),
        });
        let mut anomaly = self.anomaly(message, calls, details);
        if let Some((from, _)) = &mut anomaly.window {
            *from = (*from).min(self.call(stuck.since).invocation.time);
        }
        anomaly
    }

    /// Why a search came to no end, as a sentence.
    pub(super) fn explain_doubt(&self, outcome: &Outcome) -> String {
        let subject = self.subject();
        match outcome {
            Outcome::Exhausted { returned, call } => format!(
                "{subject}the search ran out of its budget after {} of {}, at {}; all before it \
                 is linearizable. Rotate keys sooner, write unique values, or raise the budget",
                returned,
                count(self.ops.iter().filter(|op| !op.crashed()).count(), "answered call"),
                did(&self.call(*call)),
            ),
            Outcome::TooWide { call } => format!(
                "{subject}too many calls were open at once for the search when {} began; use \
                 fewer clients a key, or unique values",
                noun(&self.call(*call)),
            ),
            Outcome::Linearizable { .. } | Outcome::Stuck(_) => format!("{subject}decided"),
        }
    }

    fn unwritten(&self, observer: u32) -> (&'static str, String, Vec<u32>) {
        let op = self.ops.iter().find(|op| op.call == observer);
        let value = op.and_then(|op| op.action.observes()).unwrap_or_default();
        let failed = self.failed.iter().find(|op| op.action.produces() == Some(value));
        let (call, shown) = (self.call(observer), self.shown(value));
        let saw = match op.is_some_and(|op| op.crashed()) {
            true => format!("{} must have taken effect, for its value was seen", noun(&call)),
            false => did(&call),
        };
        let Some(failed) = failed else {
            let message = format!("{saw}, but no call ever set {shown}");
            return ("unwritten", message, vec![observer]);
        };
        let source = self.call(failed.call);
        let message = format!(
            "{saw}, a value that was never set: {} had failed{}, and no other call set {shown}",
            noun(&source),
            ended(&source).map_or(String::new(), |at| format!(" at {}", seconds(at))),
        );
        ("aborted-read", message, vec![failed.call, observer])
    }

    fn two_swaps(&self, first: u32, second: u32) -> (&'static str, String, Vec<u32>) {
        let value = self.action(first).and_then(Action::observes).unwrap_or_default();
        let mut calls = vec![first, second];
        let set = match self.producer(value) {
            Some(producer) => {
                calls.push(producer);
                format!("set only once, by {}", noun_at(&self.call(producer)))
            }
            None => "the initial value and never set again".to_owned(),
        };
        let message = format!(
            "{} and {} both took effect, although {} was {set}: one swap was lost",
            noun_at(&self.call(first)),
            noun_at(&self.call(second)),
            self.shown(value),
        );
        ("two-swaps", message, calls)
    }

    fn swap_cycle(&self, calls: &[u32]) -> (&'static str, String, Vec<u32>) {
        let listed: Vec<String> =
            calls.iter().take(LISTED).map(|&call| noun_at(&self.call(call))).collect();
        let more = if calls.len() > LISTED { ", and so on" } else { "" };
        let message = format!(
            "{}{more} all took effect, but each found a value that only another of them had set: \
             none can have been the first",
            listed.join(", "),
        );
        ("swap-cycle", message, calls.to_vec())
    }

    fn out_of_order(
        &self,
        early: u32,
        late: u32,
        links: &[u32],
    ) -> (&'static str, String, Vec<u32>) {
        let (first, then) = (self.call(early), self.call(late));
        let (seen, set) = (self.value_of(early), self.value_of(late));
        let mut calls = vec![late, early];
        if seen == set && self.producer(set) == Some(late) {
            let message = format!(
                "{}, {} before the only call to set {}, {}, began at {}",
                did(&first),
                gap(&first, &then),
                self.shown(set),
                noun(&then),
                seconds(then.invocation.time),
            );
            return ("read-from-the-future", message, calls);
        }
        let after = format!(
            "{}, although {} had {} at {}, {} before it began",
            did(&then),
            noun(&first),
            returned(&first),
            ended(&first).map_or_else(String::new, seconds),
            gap(&first, &then),
        );
        let mut why = String::new();
        if seen != set && !links.is_empty() {
            let listed = links.iter().take(LISTED).map(|&call| noun(&self.call(call)));
            let listed: Vec<String> = listed.collect();
            let (new, old) = (self.shown(seen), self.shown(set));
            why = format!(", and {new} came after {old} by {}", listed.join(", "));
        }
        calls.extend(links.iter().take(LISTED - 2));
        ("stale", after + &why, calls)
    }

    fn interleaved(&self, one: &Span, other: &Span) -> (&'static str, String, Vec<u32>) {
        // The chain that came back: of both contradictions, the later is the one to tell.
        // The initial value was there first, so if it is one of them, it is the one.
        let order = |span: &Span| {
            (span.first_end.is_none(), span.last_start.map(|call| self.call(call).start()))
        };
        let (back, between) = if order(one) > order(other) { (one, other) } else { (other, one) };
        let mut calls: Vec<u32> = [back.last_start, between.first_end].into_iter().flatten().collect();
        let late = self.call(calls[0]);
        let ack = self.call(calls[1]);
        let (old, new) = (self.value_of(calls[0]), self.value_of(calls[1]));
        let mut message = format!(
            "{}, although {} had {} at {}, {} before it began, ",
            did(&late),
            noun(&ack),
            returned(&ack),
            ended(&ack).map_or_else(String::new, seconds),
            gap(&ack, &late),
        );
        message.push_str(&self.precedes(back, between, old, new));
        calls.extend([back.first_end, between.last_start, back.root, between.root].iter().flatten());
        ("stale", message, calls)
    }

    /// Why the chain of `old` came before the one of `new`.
    fn precedes(&self, before: &Span, after: &Span, old: ValueId, new: ValueId) -> String {
        let old = match before.root {
            Some(root) if self.value_of(root) != old => {
                let begun = self.shown(self.value_of(root));
                format!("{} (swapped from {begun} without a break)", self.shown(old))
            }
            _ => self.shown(old).to_string(),
        };
        let new = match after.root {
            Some(root) if self.value_of(root) != new => {
                let begun = self.shown(self.value_of(root));
                format!("{} (swapped from {begun} without a break)", self.shown(new))
            }
            _ => self.shown(new).to_string(),
        };
        match (before.first_end, after.last_start) {
            (Some(end), Some(start)) => {
                let (end, start) = (self.call(end), self.call(start));
                format!(
                    "and {old} came before {new}: {} had {} at {}, before {} began at {}",
                    noun(&end),
                    returned(&end),
                    ended(&end).map_or_else(String::new, seconds),
                    noun(&start),
                    seconds(start.invocation.time),
                )
            }
            _ => format!("and {old} is there from the beginning, before {new}"),
        }
    }

    /// "the register held 1 or 3, and neither of …".
    fn held(&self, held: &[ValueId], pending: &[u32]) -> String {
        let listed: Vec<String> =
            held.iter().take(LISTED).map(|&id| self.shown(id).to_string()).collect();
        let held = match (held.len(), listed.is_empty()) {
            (_, true) => "the register held a value that nobody saw".to_owned(),
            (all, _) if all > LISTED => format!("the register held {} or others", listed.join(", ")),
            _ => format!("the register held {}", listed.join(" or ")),
        };
        let open: Vec<String> =
            pending.iter().take(LISTED).map(|&call| noun(&self.call(call))).collect();
        match (open.len(), pending.len()) {
            (0, _) => format!("{held}, and no other call was open"),
            (some, all) if some < all => {
                format!("{held}, whichever of the {all} open calls took effect first, such as {}",
                    open.join(", "))
            }
            _ => format!("{held}, whichever of the open calls took effect first: {}", open.join(", ")),
        }
    }

    /// The last calls before a failure to set what it needed, and what was there instead.
    fn recent_producers(&self, stuck: &Stuck) -> Vec<u32> {
        let last = self.call(stuck.call).start();
        let needed = self.action(stuck.call).and_then(Action::observes);
        let wanted = needed.into_iter().chain(stuck.held.iter().take(2).copied());
        let producer = |value| {
            let before = self.ops.iter().rev().skip_while(|op| u64::from(op.start) > last);
            before.filter(|op| op.action.produces() == Some(value)).map(|op| op.call).next()
        };
        wanted.filter_map(producer).collect()
    }

    fn anomaly(&self, message: String, mut calls: Vec<u32>, details: Value) -> Anomaly {
        calls.sort_unstable();
        calls.dedup();
        let calls: Vec<Operation> = calls.iter().map(|&call| self.call(call)).collect();
        let from = calls.iter().map(|call| call.invocation.time).min();
        let until = calls.iter().map(|call| ended(call).unwrap_or(call.invocation.time)).max();
        let details = details.as_object().cloned().unwrap_or_else(Map::new);
        Anomaly {
            name: NAME.to_owned(),
            message: self.subject() + &message,
            key: self.key.cloned(),
            ops: calls.iter().map(Operation::start).collect(),
            window: from.zip(until),
            details,
        }
    }

    fn subject(&self) -> String {
        self.key.map_or(String::new(), |key| format!("key {key}: "))
    }

    fn call(&self, call: u32) -> Operation<'_> {
        self.calls[call as usize]
    }

    fn action(&self, call: u32) -> Option<Action> {
        let at = self.ops.binary_search_by_key(&call, |op| op.call).ok()?;
        Some(self.ops[at].action)
    }

    /// The value that a call set or saw.
    fn value_of(&self, call: u32) -> ValueId {
        let action = self.action(call);
        action.and_then(|action| action.produces().or(action.observes())).unwrap_or_default()
    }

    fn producer(&self, value: ValueId) -> Option<u32> {
        let sets = |op: &&super::register::Op| op.action.produces() == Some(value);
        self.ops.iter().find(sets).map(|op| op.call)
    }

    fn shown(&self, value: ValueId) -> &Value {
        self.values[value as usize]
    }
}

/// "p12 read 41 on n3 (31.198–31.204 s)".
fn did(call: &Operation) -> String {
    let what = match (call.f(), call.result()) {
        ("read", Some(value)) => format!("read {value}"),
        ("cas", Some(_)) if unswapped(call) => match call.ext("found") {
            Some(found) => format!("found {found} in a cas{}", swap(call, " of ", " to ")),
            None => format!("found another value in a cas{}", swap(call, " of ", " to ")),
        },
        ("cas", _) => format!("swapped{}", swap(call, " ", " for ")),
        (_, _) => format!("wrote {}", call.argument()),
    };
    format!("{} {what}{} ({})", call.process(), on_node(call), span(call))
}

/// "p3's write of 42 on n1".
fn noun(call: &Operation) -> String {
    let what = match (call.f(), call.result()) {
        ("read", Some(value)) => format!("read of {value}"),
        ("cas", Some(_)) if unswapped(call) => match call.ext("found") {
            Some(found) => format!("cas{} that found {found}", swap(call, " of ", " to ")),
            None => format!("cas{} that found another value", swap(call, " of ", " to ")),
        },
        ("cas", _) => format!("cas{}", swap(call, " of ", " to ")),
        (f, _) => format!("{f} of {}", call.argument()),
    };
    format!("{}'s {what}{}", call.process(), on_node(call))
}

/// "p3's write of 42 on n1 (29.300–29.310 s)".
fn noun_at(call: &Operation) -> String {
    format!("{} ({})", noun(call), span(call))
}

fn unswapped(call: &Operation) -> bool {
    call.ext("swapped") == Some(&Value::Bool(false))
}

fn swap(call: &Operation, before: &str, between: &str) -> String {
    let argument = call.argument();
    format!("{before}{}{between}{}", argument[0], argument[1])
}

fn on_node(call: &Operation) -> String {
    call.node().map_or(String::new(), |node| format!(" on {node}"))
}

fn returned(call: &Operation) -> &'static str {
    if call.f() == "read" { "returned" } else { "been acknowledged" }
}

/// When a call certainly was over: never, if nobody knows what became of it.
fn ended(call: &Operation) -> Option<Nanos> {
    use tribunal_history::Kind;
    let answered = matches!(call.kind(), Kind::Ok | Kind::Fail);
    call.completion.filter(|_| answered).map(|event| event.time)
}

fn span(call: &Operation) -> String {
    let from = call.invocation.time;
    match ended(call) {
        Some(until) => format!("{}–{}", decimal(from), seconds(until)),
        None => format!("from {}, outcome unknown", seconds(from)),
    }
}

/// From the end of one call to the beginning of a later one.
fn gap(first: &Operation, then: &Operation) -> String {
    let end = ended(first).unwrap_or(first.invocation.time);
    match then.invocation.time.saturating_sub(end) {
        nanos @ 1_000_000.. => seconds(nanos),
        nanos @ 1_000.. => format!("{} µs", nanos / 1_000),
        nanos => format!("{nanos} ns"),
    }
}

fn seconds(time: Nanos) -> String {
    format!("{} s", decimal(time))
}

fn decimal(time: Nanos) -> String {
    format!("{}.{:03}", time / 1_000_000_000, time / 1_000_000 % 1_000)
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

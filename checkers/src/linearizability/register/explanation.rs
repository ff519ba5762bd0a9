//! Conflicts as anomalies: sentences that a person can check by eye, and their witnesses.

use serde_json::{Map, Value, json};
use tribunal_history::Operation;

use super::blocks::{Conflict, Span};
use super::object::Object;
use super::op::{Action, INITIAL, Op, ValueId};
use super::reduction::observed;
use crate::Anomaly;
use crate::linearizability::wording::{did, gap, noun, noun_at, returned};
use crate::times::{ended, seconds};

/// What the anomalies of this checker are called.
const NAME: &str = "nonlinearizable";

/// The most calls or values listed in a sentence.
pub(super) const LISTED: usize = 6;

/// What a conflict is called in the details, how it is told, and by which calls.
pub(super) struct Finding {
    pub(super) kind: &'static str,
    pub(super) message: String,
    pub(super) calls: Vec<u32>,
}

impl Object<'_> {
    /// The anomaly that a conflict between blocks is.
    pub(super) fn explain(&self, conflict: &Conflict) -> Anomaly {
        let Finding { kind, mut message, mut calls } = match conflict {
            Conflict::Unwritten { observer } => self.unwritten(*observer),
            Conflict::TwoSwaps { first, second } => self.two_swaps(*first, *second),
            Conflict::SwapCycle(calls) => self.swap_cycle(calls),
            Conflict::OutOfOrder { early, late, links } => self.out_of_order(*early, *late, links),
            Conflict::Interleaved(one, other) => self.interleaved(one, other),
            Conflict::Denied { negative, first, last, setter } => {
                self.denied(*negative, *first, *last, *setter)
            }
        };
        message.push_str(&self.add_observers(&mut calls));
        let details = json!({"algorithm": "blocks", "kind": kind});
        self.anomaly(message, calls, details)
    }

    /// A call that saw a value that no other call set: `unwritten`, or `aborted-read` if one failed to.
    pub(super) fn unwritten(&self, observer: u32) -> Finding {
        let op = self.ops.iter().find(|op| op.call == observer);
        let value = op.and_then(|op| op.action.observes()).unwrap_or_default();
        let failed = self.failed(value);
        let (call, shown) = (self.call(observer), self.shown(value));
        let saw = match op.is_some_and(|op| op.crashed()) {
            true => format!("{} must have taken effect, for its value was seen", noun(&call)),
            false => did(&call),
        };
        let Some(failed) = failed else {
            let message = format!("{saw}, but no call ever set {shown}");
            return Finding { kind: "unwritten", message, calls: vec![observer] };
        };
        let source = self.call(failed);
        let message = format!(
            "{saw}, a value that was never set: {} had failed{}, and no other call set {shown}",
            noun(&source),
            ended(&source).map_or(String::new(), |at| format!(" at {}", seconds(at))),
        );
        Finding { kind: "aborted-read", message, calls: vec![failed, observer] }
    }

    fn two_swaps(&self, first: u32, second: u32) -> Finding {
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
        Finding { kind: "two-swaps", message, calls }
    }

    fn swap_cycle(&self, calls: &[u32]) -> Finding {
        let listed: Vec<String> =
            calls.iter().take(LISTED).map(|&call| noun_at(&self.call(call))).collect();
        let more = if calls.len() > LISTED { ", and so on" } else { "" };
        let message = format!(
            "{}{more} all took effect, but each found a value that only another of them had set: \
             none can have been the first",
            listed.join(", "),
        );
        Finding { kind: "swap-cycle", message, calls: calls.to_vec() }
    }

    fn out_of_order(&self, early: u32, late: u32, links: &[u32]) -> Finding {
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
                seconds(then.invoked_at()),
            );
            return Finding { kind: "read-from-the-future", message, calls };
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
        Finding { kind: "stale", message: after + &why, calls }
    }

    fn interleaved(&self, one: &Span, other: &Span) -> Finding {
        // The chain that came back: of both contradictions, the later is the one to tell.
        // The initial value was there first, so if it is one of them, it is the one.
        let order = |span: &Span| {
            (span.first_end.is_none(), span.last_start.map(|call| self.call(call).start()))
        };
        let (back, between) = if order(one) > order(other) { (one, other) } else { (other, one) };
        let mut calls: Vec<u32> =
            [back.last_start, between.first_end].into_iter().flatten().collect();
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
        calls
            .extend([back.first_end, between.last_start, back.root, between.root].iter().flatten());
        Finding { kind: "stale", message, calls }
    }

    fn denied(&self, negative: u32, first: Option<u32>, last: u32, setter: Option<u32>) -> Finding {
        let (call, then) = (self.call(negative), self.call(last));
        let value = self.action(last).and_then(Action::observes).unwrap_or_default();
        let since = match first.map(|first| self.call(first)) {
            Some(first) => format!(
                "{} had {} at {}",
                noun(&first),
                returned(&first),
                ended(&first).map_or_else(String::new, seconds),
            ),
            None => "it is there from the beginning".to_owned(),
        };
        let message = format!(
            "{}, although the register held {} all the while: {since}, and {} began at {} and \
             found it there still",
            did(&call),
            self.shown(value),
            noun(&then),
            seconds(then.invoked_at()),
        );
        let calls = [Some(negative), first, Some(last), setter].into_iter().flatten().collect();
        Finding { kind: "denied", message, calls }
    }

    /// Why the chain of `old` came before the one of `new`.
    fn precedes(&self, before: &Span, after: &Span, old: ValueId, new: ValueId) -> String {
        let (old, new) = (self.with_root(old, before.root), self.with_root(new, after.root));
        let (Some(end), Some(start)) = (before.first_end, after.last_start) else {
            return format!("and {old} is there from the beginning, before {new}");
        };
        let (end, start) = (self.call(end), self.call(start));
        format!(
            "and {old} came before {new}: {} had {} at {}, before {} began at {}",
            noun(&end),
            returned(&end),
            ended(&end).map_or_else(String::new, seconds),
            noun(&start),
            seconds(start.invoked_at()),
        )
    }

    /// A value, and the one from which it came if that is another.
    fn with_root(&self, value: ValueId, root: Option<u32>) -> String {
        let root = root.map_or(INITIAL, |root| self.value_of(root));
        match root == value {
            true => self.shown(value).to_string(),
            false => {
                format!("{} (swapped from {} without a break)", self.shown(value), self.shown(root))
            }
        }
    }

    /// Adds to a witness what shows that its crashed calls took effect, and says so.
    fn add_observers(&self, calls: &mut Vec<u32>) -> String {
        let observed = observed(&self.ops, self.values);
        let happened =
            |op: &&Op| !op.crashed() || op.action.produces().is_some_and(|v| observed[v as usize]);
        let (mut told, mut at) = (String::new(), 0);
        while let Some(&call) = calls.get(at) {
            at += 1;
            let crashed = self.op(call).filter(|op| op.crashed());
            let Some(value) = crashed.and_then(|op| op.action.produces()) else { continue };
            let saw = |op: &Op| op.action.observes() == Some(value);
            if calls.iter().filter_map(|&call| self.op(call)).any(|op| saw(&op)) {
                continue;
            }
            let observers = self.ops.iter().filter(|op| saw(op)).filter(happened);
            if let Some(observer) = observers.min_by_key(|op| op.end) {
                calls.push(observer.call);
                let (effect, by) = (noun(&self.call(call)), noun_at(&self.call(observer.call)));
                told.push_str(&format!("; {effect} did take effect, as {by} shows"));
            }
        }
        told
    }

    pub(super) fn anomaly(&self, message: String, mut calls: Vec<u32>, details: Value) -> Anomaly {
        calls.sort_unstable();
        calls.dedup();
        let calls: Vec<Operation> = calls.iter().map(|&call| self.call(call)).collect();
        let from = calls.iter().map(|call| call.invoked_at()).min();
        let until = calls.iter().map(|call| ended(call).unwrap_or(call.invoked_at())).max();
        let details = details.as_object().cloned().unwrap_or_else(Map::new);
        Anomaly {
            name: NAME.to_owned(),
            message: self.subject() + &message,
            key: self.key.map(Value::from),
            ops: calls.iter().map(Operation::start).collect(),
            window: from.zip(until),
            details,
        }
    }

    pub(super) fn subject(&self) -> String {
        self.key.map_or(String::new(), |key| format!("key {key}: "))
    }

    pub(super) fn op(&self, call: u32) -> Option<Op> {
        let at = self.ops.binary_search_by_key(&call, |op| op.call).ok()?;
        Some(self.ops[at])
    }

    pub(super) fn action(&self, call: u32) -> Option<Action> {
        self.op(call).map(|op| op.action)
    }

    /// The value that a call set or saw.
    fn value_of(&self, call: u32) -> ValueId {
        let action = self.action(call);
        action.and_then(|action| action.produces().or(action.observes())).unwrap_or_default()
    }

    fn producer(&self, value: ValueId) -> Option<u32> {
        let sets = |op: &&Op| op.action.produces() == Some(value);
        self.ops.iter().find(sets).map(|op| op.call)
    }
}

//! The checker for any model: every object by itself, all cores at once.
//!
//! Objects are told apart by their keys. A model that can decide an object
//! does; all else goes to the [`engine`](super::engine), within a budget. The verdict's
//! facts say which judge decided how many keys.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::{Value, json};
use tribunal_history::{History, Kind, Operation, ValueRef};

use super::engine::{self, Budget, Outcome, Stuck, Witness};
use super::model::{Conflict, Decision, Model, NEVER, Object, Op, Point};
use super::told::{did, noun};
use crate::keys::ByKey;
use crate::times::{count, ended, seconds};
use crate::{Anomaly, Checker, Verdict};

/// Judges whether each object of a history is linearizable, as a model has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judge<M> {
    /// What the objects are.
    pub model: M,
    /// What a search may take for one of them. Searches that run at the same time share the memory.
    pub budget: Budget,
    /// The calls that are the objects', where the history has others, too; `None`: all are.
    pub among: Option<&'static [&'static str]>,
}

impl<M> Judge<M> {
    /// With the usual budget.
    pub fn new(model: M) -> Self {
        Self { model, budget: Budget::default(), among: None }
    }

    /// Judges these calls alone, for histories in which others are another object's.
    pub fn among(mut self, calls: &'static [&'static str]) -> Self {
        self.among = Some(calls);
        self
    }
}

/// What the anomalies of this checker are called.
const NAME: &str = "nonlinearizable";

/// The most calls or states listed in a sentence.
const LISTED: usize = 6;

/// What is known of one object.
struct Ruling {
    judge: &'static str,
    calls: usize,
    steps: u64,
    anomaly: Option<Anomaly>,
    doubt: Option<String>,
}

impl<M: Model> Checker for Judge<M> {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let objects =
            ByKey::of(history, |call| self.among.is_none_or(|calls| calls.contains(&call.f())));
        let sharing = objects.len().min(rayon::current_num_threads()).max(1);
        let budget = Budget { bytes: self.budget.bytes / sharing, ..self.budget };
        let judge = |numbers: &[u32]| {
            parse(&self.model, history, numbers).map(|object| judge(&self.model, &object, &budget))
        };
        let rulings: Vec<Result<Ruling, BadCall>> = objects.par_iter().map(judge).collect();
        if let Some(bad) = rulings.iter().filter_map(|ruling| ruling.as_ref().err()).min() {
            return Verdict::objected(bad.to_string());
        }
        summarize(rulings.into_iter().flatten())
    }
}

fn summarize(rulings: impl Iterator<Item = Ruling>) -> Verdict {
    let (mut anomalies, mut doubts): (Vec<Anomaly>, Vec<String>) = Default::default();
    let (mut keys, mut calls, mut steps) = (0, 0, 0);
    let mut judges: BTreeMap<&'static str, u64> = BTreeMap::new();
    for ruling in rulings {
        keys += 1;
        calls += ruling.calls;
        steps += ruling.steps;
        *judges.entry(ruling.judge).or_default() += 1;
        anomalies.extend(ruling.anomaly);
        doubts.extend(ruling.doubt);
    }
    let mut verdict =
        Verdict::of(anomalies).fact("keys", keys).fact("calls", calls).fact("search_steps", steps);
    for (judge, keys) in judges {
        verdict = verdict.fact(&format!("keys_judged_by_{judge}"), keys);
    }
    doubts.into_iter().for_each(|doubt| verdict.doubt(doubt));
    verdict
}

/// A call that is none of the object's. The first in the history is the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("event {index}: {problem}")]
struct BadCall {
    index: u64,
    problem: String,
}

/// Reads the calls on one object.
fn parse<'h, M: Model>(
    model: &M,
    history: &'h History,
    numbers: &[u32],
) -> Result<Object<'h, M::Call>, BadCall> {
    let key = numbers.first().and_then(|&number| history.operation(number).key());
    let mut object = Object { history, key, ops: Vec::new(), failed: Vec::new() };
    for &number in numbers {
        let operation = history.operation(number);
        if operation.kind() == Kind::Fail {
            object.failed.push(number);
            continue;
        }
        let call = model.call(&operation);
        let bad = |problem| BadCall { index: operation.start(), problem };
        if let Some(call) = call.map_err(bad)? {
            let end = operation.end().map_or(NEVER, |index| index as Point + 1);
            object.ops.push(Op { call, start: operation.start() as Point + 1, end, number });
        }
    }
    object.ops = model.expand(object.ops);
    Ok(object)
}

fn judge<M: Model>(model: &M, object: &Object<M::Call>, budget: &Budget) -> Ruling {
    let calls = object.ops.len() + object.failed.len();
    let ruling = |judge| Ruling { judge, calls, steps: 0, anomaly: None, doubt: None };
    if let Some(Decision { judge, conflict }) = model.decide(object) {
        let anomaly = conflict.map(|conflict| conflicting(object, judge, &conflict));
        return Ruling { anomaly, ..ruling(judge) };
    }
    let searched = ruling("search");
    match engine::search(model, &object.ops, budget) {
        Outcome::Linearizable { steps } => Ruling { steps, ..searched },
        Outcome::Stuck(stuck) => {
            let anomaly = Some(no_way_on(model, object, &stuck));
            Ruling { steps: stuck.steps, anomaly, ..searched }
        }
        other => Ruling { doubt: Some(doubt(object, &other)), ..searched },
    }
}

/// The anomaly that a model's own judge found.
fn conflicting<C>(object: &Object<C>, judge: &str, conflict: &Conflict) -> Anomaly {
    let details = json!({"algorithm": judge, "kind": conflict.kind});
    anomaly(object, &conflict.message, &conflict.calls, details)
}

/// The anomaly that a search without an order is.
fn no_way_on<M: Model>(model: &M, object: &Object<M::Call>, stuck: &Stuck<M::State>) -> Anomaly {
    let call = |at: usize| object.operation(object.ops[at].number);
    let shown = |state: &M::State| model.shown(state, object.history);
    let held: Vec<String> = stuck.held.iter().map(shown).collect();
    let mut message = format!(
        "{}, but no order of the calls explains it: {} before it had returned, and in every order \
         they allow, the object held {}",
        did(&call(stuck.call)),
        count(stuck.returned, "call"),
        either(&held, stuck.ways),
    );
    let open: Vec<String> = stuck.pending.iter().take(LISTED).map(|&at| noun(&call(at))).collect();
    message.push_str(&match (open.len(), stuck.pending.len()) {
        (0, _) => ", and no other call was open".to_owned(),
        (some, all) if some < all => format!(
            ", whichever of the {all} open calls took effect first, such as {}",
            open.join(", ")
        ),
        _ => format!(", whichever of the open calls took effect first: {}", open.join(", ")),
    });
    let witness = stuck.witness.as_ref();
    let lone = || std::iter::once(stuck.call).chain(stuck.pending.iter().copied()).collect();
    let mut calls: Vec<usize> = witness.map_or_else(lone, |witness| witness.calls.clone());
    let states = witness.and_then(|witness| witness.before.as_ref());
    let before: Option<Vec<String>> = states.map(|states| states.iter().map(shown).collect());
    if let Some(witness) = witness {
        message.push_str(&told(object, witness, before.as_deref()));
        calls.extend(&witness.helpers);
    }
    let details = json!({
        "algorithm": "search",
        "kind": "stuck",
        "returned": stuck.returned,
        "held": held,
        "held_before_witness": before,
    });
    let numbers: Vec<u32> = calls.iter().map(|&at| object.ops[at].number).collect();
    anomaly(object, &message, &numbers, details)
}

/// How many calls show it, and from where on.
fn told<C, S>(object: &Object<C>, witness: &Witness<S>, before: Option<&[String]>) -> String {
    let (mut told, alone) = match witness.calls.len() {
        1 => (". 1 call shows it".to_owned(), " by itself"),
        calls => (format!(". {} show it", count(calls, "call")), " by themselves"),
    };
    match before {
        None => told.push_str(alone),
        Some(states) => {
            let since = object.history.event(u64::from(witness.since) - 1).time();
            let held = either(states, states.len());
            told.push_str(&format!(", given that at {} the object held {held}", seconds(since)));
        }
    }
    match witness.helpers.len() {
        0 => {}
        1 => told.push_str("; 1 more might have helped, and does not"),
        more => told.push_str(&format!("; {more} more might have helped, and do not")),
    }
    told
}

/// "1 or 2", "1, 2, 3 or one of 40 others".
fn either(states: &[String], all: usize) -> String {
    match states {
        [] => "nothing that could be".to_owned(),
        [only] if all == 1 => only.clone(),
        _ if all > LISTED.min(states.len()) => {
            let listed = states.len().min(LISTED);
            format!("{} or one of {} others", states[..listed].join(", "), all - listed)
        }
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// Why a search came to no end, as a sentence.
fn doubt<C, S>(object: &Object<C>, outcome: &Outcome<S>) -> String {
    let (subject, call) = (subject(object), |at: usize| object.operation(object.ops[at].number));
    match outcome {
        &Outcome::Exhausted { returned, call: at } => format!(
            "{subject}the search ran out of its budget after {returned} of {}, at {}; all before \
             it is linearizable. Rotate keys sooner, use unique values, or raise the budget",
            count(object.ops.iter().filter(|op| !op.crashed()).count(), "answered call"),
            noun(&call(at)),
        ),
        &Outcome::TooWide { call: at } => format!(
            "{subject}more than {} calls were open at once when {} began, too many for the \
             search; use fewer clients a key",
            engine::WIDEST,
            noun(&call(at)),
        ),
        Outcome::Linearizable { .. } | Outcome::Stuck(_) => format!("{subject}decided"),
    }
}

fn anomaly<C>(object: &Object<C>, message: &str, numbers: &[u32], details: Value) -> Anomaly {
    let mut calls: Vec<Operation> = numbers.iter().map(|&at| object.operation(at)).collect();
    calls.sort_unstable_by_key(Operation::start);
    calls.dedup_by_key(|call| call.start());
    let from = calls.first().map(Operation::invoked_at);
    let until = calls.iter().map(|call| ended(call).unwrap_or(call.invoked_at())).max();
    Anomaly {
        name: NAME.to_owned(),
        message: subject(object) + message,
        key: object.key.map(ValueRef::to_value),
        ops: calls.iter().map(Operation::start).collect(),
        window: from.zip(until),
        details: details.as_object().cloned().unwrap_or_default(),
    }
}

fn subject<C>(object: &Object<C>) -> String {
    object.key.map_or(String::new(), |key| format!("key {key}: "))
}

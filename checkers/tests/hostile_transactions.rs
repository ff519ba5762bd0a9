//! Hostile transactions: whatever calls, keys and values a history holds, the judges of transactions end
//! with a verdict; and none is valid that has a call which is no transaction, writes one value twice, or
//! reads what nobody wrote.
//!
//! ```text
//! ORACLE_HISTORIES=1000000 cargo test --release -p tribunal-checkers --test hostile_transactions -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test hostile_transactions
//! ```

mod oracle;

use oracle::{Draw, seeds};
use rayon::prelude::*;
use serde_json::{Value, json};
use tribunal_checkers::transactions::{Level, ListAppend, RwRegister, Weak};
use tribunal_checkers::{Checker, Validity};
use tribunal_history::{Call, Event, History, Kind, Process};

/// What is drawn now and then in the place of a key, a value or a micro-operation.
fn odd(draw: &mut Draw) -> Value {
    let all = [
        Value::Null,
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(0.5),
        json!(true),
        json!(""),
        json!("r"),
        json!("x".repeat(300)),
        json!([]),
        json!([[1], [null]]),
        json!({"r": [1, 2]}),
        json!([["r", 1, null]]),
    ];
    all[draw.below(all.len() as u64) as usize].clone()
}

/// One in so many places of a history is odd.
struct Shape {
    lists: bool,
    odd: u64,
}

fn value(draw: &mut Draw, shape: &Shape, most: u64) -> Value {
    match draw.one_in(shape.odd) {
        true => odd(draw),
        false => json!(draw.below(most)),
    }
}

/// A micro-operation, or something that is none.
fn step(draw: &mut Draw, shape: &Shape) -> Value {
    if draw.one_in(4 * shape.odd) {
        return odd(draw);
    }
    let key = value(draw, shape, 3);
    let found = match (draw.below(4), shape.lists) {
        (0, _) => Value::Null,
        (_, true) => (0..draw.below(3)).map(|_| value(draw, shape, 40)).collect(),
        (_, false) => value(draw, shape, 40),
    };
    match draw.below(2) {
        0 => json!(["r", key, found]),
        _ if shape.lists => json!(["append", key, value(draw, shape, 40)]),
        _ => json!(["w", key, value(draw, shape, 40)]),
    }
}

fn events(draw: &mut Draw, shape: &Shape) -> Vec<Event> {
    let mut events = Vec::new();
    for process in 0..1 + draw.below(6) {
        let steps = match draw.one_in(6 * shape.odd) {
            true => odd(draw),
            false => (0..draw.below(4)).map(|_| step(draw, shape)).collect(),
        };
        let function = if draw.one_in(8 * shape.odd) { "read" } else { "txn" };
        let call = Call::new(function).value(steps);
        let kind = match draw.below(8) {
            0 => Kind::Fail,
            1 => Kind::Info,
            _ => Kind::Ok,
        };
        for kind in [Kind::Invoke, kind] {
            events.push(Event::of(&call, events.len() as u64, Process::Client(process), kind));
        }
    }
    events
}

/// What a history says, as simply as can be.
#[derive(Default)]
struct Said {
    /// Something that is no transaction.
    nonsense: bool,
    /// What was written to which key.
    writes: Vec<(Value, Value)>,
    /// Something that was written to a key twice, by transactions that were not aborted.
    twice: bool,
    /// What was read of which key by those that were acknowledged.
    reads: Vec<(Value, Value)>,
}

fn said(events: &[Event], lists: bool) -> Said {
    let mut said = Said::default();
    let word = if lists { "append" } else { "w" };
    let mut counted: Vec<(Value, Value)> = Vec::new();
    for event in events.iter().filter(|event| event.kind != Kind::Invoke) {
        said.nonsense |= &*event.f != "txn" || !event.value.is_array();
        for step in event.value.as_array().into_iter().flatten() {
            match step.as_array().map(Vec::as_slice) {
                Some([name, key, found]) if name == "r" => {
                    said.nonsense |= lists && !found.is_null() && !found.is_array();
                    let found =
                        if lists { found.as_array().cloned() } else { Some(vec![found.clone()]) };
                    let found = found.into_iter().flatten().filter(|it| lists || !it.is_null());
                    if event.kind == Kind::Ok {
                        said.reads.extend(found.map(|found| (key.clone(), found)));
                    }
                }
                Some([name, key, value]) if name == word && !value.is_null() => {
                    let write = (key.clone(), value.clone());
                    if event.kind != Kind::Fail {
                        said.twice |= counted.contains(&write);
                        counted.push(write.clone());
                    }
                    said.writes.push(write);
                }
                _ => said.nonsense = true,
            }
        }
    }
    said
}

impl Said {
    /// Whether nobody may call it valid.
    fn is_bad(&self) -> bool {
        let garbage = self.reads.iter().any(|read| !self.writes.contains(read));
        self.nonsense || self.twice || garbage
    }
}

fn judges(lists: bool) -> Vec<Box<dyn Checker>> {
    let weak = [Level::ReadCommitted, Level::ReadAtomic, Level::Causal];
    match lists {
        true => vec![
            Box::new(ListAppend::default()),
            Box::new(ListAppend { level: Level::ReadCommitted }),
            Box::new(ListAppend { level: Level::Causal }),
        ],
        false => [Box::new(RwRegister::default()) as Box<dyn Checker>]
            .into_iter()
            .chain(weak.map(|level| Box::new(Weak::of(level).expect("a weak level")) as _))
            .collect(),
    }
}

#[test]
fn a_verdict_whatever_the_history_and_never_valid_in_silence() {
    let judge = |seed: u64| {
        let draw = &mut Draw(seed);
        let shape = Shape { lists: seed.is_multiple_of(2), odd: 8 << draw.below(6) };
        let events = events(draw, &shape);
        let said = said(&events, shape.lists);
        let history = History::new(events).expect("well formed");
        judges(shape.lists)
            .iter()
            .map(|judge| {
                let verdict = judge.check(&history);
                let valid = verdict.validity == Validity::Valid;
                assert!(!(valid && said.is_bad()), "seed {seed}: {history:#?} {verdict:#?}");
                let refused = said.nonsense || said.twice;
                assert_eq!(
                    verdict.objection.is_some(),
                    refused,
                    "seed {seed}: {history:#?} {verdict:#?}"
                );
                [valid, said.is_bad()]
            })
            .collect::<Vec<_>>()
    };
    let all: Vec<[bool; 2]> = seeds().into_par_iter().flat_map_iter(judge).collect();
    let count = |which: fn(&[bool; 2]) -> bool| all.iter().filter(|it| which(it)).count();
    let (valid, bad) = (count(|it| it[0]), count(|it| it[1]));
    println!(
        "{} verdicts: {valid} valid, {bad} on histories that nobody may call valid",
        all.len()
    );
    assert!(seeds().count() == 1 || valid > all.len() / 50 && bad > all.len() / 4);
}

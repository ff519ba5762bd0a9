//! Transactions on lists against brute force, on random small histories, level by level.
//!
//! ```text
//! ORACLE_HISTORIES=500000 cargo test --release -p tribunal-checkers --test list_append_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test list_append_oracle
//! ```

mod isolation;
mod oracle;

use isolation::{Order, State, Step, Txn, serializable, snapshot_isolated, whole};
use oracle::{Draw, Outcome, processes, seeds, slots};
use rayon::prelude::*;
use serde_json::{Value, json};
use tribunal_checkers::transactions::{Level, ListAppend};
use tribunal_checkers::{Checker, Verdict};
use tribunal_history::{Call, Event, History, Kind, Process};

/// What a random history may hold.
#[derive(Clone, Copy, Debug)]
struct Shape {
    txns: u64,
    steps: u64,
    keys: u64,
    /// Of twelve transactions, how many have an unknown outcome.
    crashed: u64,
    /// One in so many reads an old state of all keys, or of one.
    stale: u64,
    /// One in so many aborted transactions leaves its appends behind, and one read in so many is
    /// nonsense.
    leaks: u64,
}

const SHAPES: [Shape; 4] = [
    Shape { txns: 5, steps: 3, keys: 2, crashed: 1, stale: 2, leaks: 30 },
    Shape { txns: 6, steps: 2, keys: 2, crashed: 0, stale: 1, leaks: 1_000_000 },
    Shape { txns: 5, steps: 3, keys: 3, crashed: 4, stale: 1, leaks: 1_000_000 },
    Shape { txns: 6, steps: 3, keys: 3, crashed: 1, stale: 1, leaks: 1_000_000 },
];

/// A transaction as it is drawn.
struct Drawn {
    txn: Txn,
    outcome: Outcome,
    /// Place of its completion, whatever it says.
    end: u32,
}

fn drawn(draw: &mut Draw, shape: Shape) -> Vec<Drawn> {
    let slots = slots(draw, shape.txns, shape.crashed);
    let processes = processes(draw, &slots);
    let mut states = vec![State::new()];
    let mut element = 0;
    let mut drawn = Vec::new();
    for (slot, process) in slots.into_iter().zip(processes) {
        let now = states[states.len() - 1].clone();
        let mut view = now.clone();
        if draw.one_in(shape.stale) {
            view = states[draw.below(states.len() as u64) as usize].clone();
        }
        if draw.one_in(2 * shape.stale) {
            let old = &states[draw.below(states.len() as u64) as usize];
            let key = draw.below(shape.keys);
            view.insert(key, old.get(&key).cloned().unwrap_or_default());
        }
        let mut after = now;
        let mut steps = Vec::new();
        for _ in 0..1 + draw.below(shape.steps) {
            let key = draw.below(shape.keys);
            if draw.one_in(2) {
                element += 1;
                view.entry(key).or_default().push(element);
                after.entry(key).or_default().push(element);
                steps.push(Step::Append(key, element));
                continue;
            }
            let mut found = view.get(&key).cloned().unwrap_or_default();
            if draw.one_in(shape.leaks) {
                let by = 1.min(found.len());
                found.rotate_left(by);
            }
            if draw.one_in(shape.leaks) {
                found.pop();
            }
            steps.push(Step::Read(key, found));
        }
        let happens = match slot.outcome {
            Outcome::Ok => true,
            Outcome::Fail => draw.one_in(shape.leaks),
            Outcome::Info | Outcome::Open => draw.one_in(2),
        };
        if happens {
            // Now and then it is the old state that is written back.
            states.push(if draw.one_in(3 * shape.stale) { view } else { after });
        }
        let txn = Txn { steps, process, start: slot.start, end: slot.deadline() };
        drawn.push(Drawn { txn, outcome: slot.outcome, end: slot.end });
    }
    drawn
}

fn history(drawn: &[Drawn]) -> History {
    let mut events: Vec<(u32, Event)> = Vec::new();
    for Drawn { txn, outcome, end } in drawn {
        let value = |told: bool| -> Value {
            let step = |step: &Step| match step {
                Step::Read(key, found) => json!(["r", key, told.then_some(found)]),
                Step::Append(key, element) => json!(["append", key, element]),
            };
            txn.steps.iter().map(step).collect()
        };
        let kind = match outcome {
            Outcome::Ok => Kind::Ok,
            Outcome::Fail => Kind::Fail,
            Outcome::Info | Outcome::Open => Kind::Info,
        };
        let event = |time: u32, kind, value: Value| {
            let call = Call::new("txn").value(value);
            Event::of(&call, u64::from(time), Process::Client(txn.process), kind)
        };
        events.push((txn.start, event(txn.start, Kind::Invoke, value(false))));
        if *outcome != Outcome::Open {
            events.push((*end, event(*end, kind, value(*outcome == Outcome::Ok))));
        }
    }
    events.sort_by_key(|&(at, _)| at);
    History::new(events.into_iter().map(|(_, event)| event).collect()).expect("drawn well")
}

/// The levels that have a definition by brute force.
const LEVELS: [(Level, bool, Order); 6] = [
    (Level::SnapshotIsolation, true, Order::Any),
    (Level::StrongSessionSnapshotIsolation, true, Order::Session),
    (Level::StrongSnapshotIsolation, true, Order::RealTime),
    (Level::Serializable, false, Order::Any),
    (Level::StrongSessionSerializable, false, Order::Session),
    (Level::StrictSerializable, false, Order::RealTime),
];

/// Whether a verdict says that a level is broken, or is kept; neither where it is open.
fn says(
    verdict: &Verdict,
    fact: &str,
    level: Level,
    implied: impl Fn(Level, Level) -> bool,
) -> bool {
    let named = verdict.facts[fact].as_array().expect("a list of levels");
    let named = named.iter().map(|name| name.as_str().and_then(|name| name.parse().ok()));
    named.into_iter().any(|named: Option<Level>| implied(named.expect("a level"), level))
}

#[test]
fn levels_agree_with_brute_force() {
    let counts: Vec<[u64; 3]> = seeds()
        .into_par_iter()
        .map(|seed| {
            let shape = SHAPES[seed as usize % SHAPES.len()];
            let drawn = drawn(&mut Draw(seed), shape);
            let verdict = ListAppend::default().check(&history(&drawn));
            assert_eq!(verdict.objection, None, "seed {seed}");
            let txns: Vec<Txn> = drawn
                .iter()
                .filter(|drawn| drawn.outcome != Outcome::Fail)
                .map(|drawn| drawn.txn.clone())
                .collect();
            let mut counts = [0; 3];
            for (level, snapshot, order) in LEVELS {
                let truth = match snapshot {
                    true => snapshot_isolated(&txns, order, whole),
                    false => serializable(&txns, order, whole),
                };
                let broken = says(&verdict, "levels_broken", level, |it, level| level.implies(it));
                let kept = says(&verdict, "levels_kept", level, |it, level| it.implies(level));
                let complaint =
                    || format!("seed {seed}: {level} is {truth}: {txns:#?} {verdict:#?}");
                assert!(!(broken && truth) && !(kept && !truth), "{}", complaint());
                assert!(!(broken && kept), "{}", complaint());
                counts[usize::from(truth)] += 1;
                counts[2] += u64::from(!broken && !kept);
            }
            counts
        })
        .collect();
    let sum = |at: usize| counts.iter().map(|counts| counts[at]).sum::<u64>();
    println!(
        "{} histories: levels kept {}, broken {}, open {}",
        counts.len(),
        sum(1),
        sum(0),
        sum(2)
    );
    assert!(seeds().count() < 1_000 || (sum(0) > 0 && sum(1) > 0));
}

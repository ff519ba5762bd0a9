//! Random small histories of transactions, and what a verdict on one says of the levels.

use rayon::prelude::*;
use serde_json::{Value, json};
use tribunal_checkers::transactions::Level;
use tribunal_checkers::{Checker, Validity, Verdict};
use tribunal_history::{Call, Event, History, Kind, Process};

use super::ways;
use super::{Look, Order, State, Step, Txn, serializable, snapshot_isolated, visible};
use crate::oracle::{Draw, Outcome, processes, seeds, slots};

/// What a random history may hold.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub txns: u64,
    pub steps: u64,
    pub keys: u64,
    /// Of twelve transactions, how many have an unknown outcome.
    pub crashed: u64,
    /// One in so many reads an old state of all keys, or of one.
    pub stale: u64,
    /// One in so many aborted transactions leaves its appends behind, and one read in so many is
    /// nonsense.
    pub leaks: u64,
    /// One write in so many is of a key that was not read; the others read it first.
    pub blind: u64,
    /// Whether keys hold lists, rather than one value.
    pub lists: bool,
}

impl Shape {
    /// What a read returns.
    pub fn look(self) -> Look {
        if self.lists { super::whole } else { super::last }
    }
}

/// A transaction as it is drawn.
struct Drawn {
    pub txn: Txn,
    pub outcome: Outcome,
    /// Place of its completion, whatever it says.
    end: u32,
}

/// Draws a history.
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
                if !draw.one_in(shape.blind) {
                    steps.push(Step::Read(
                        key,
                        shape.look()(view.get(&key).map_or(&[], Vec::as_slice)),
                    ));
                }
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
            if shape.lists && found.len() > 1 && draw.one_in(shape.leaks) {
                let at = draw.below(found.len() as u64 - 1) as usize;
                found.swap(at, at + 1);
            }
            steps.push(Step::Read(key, shape.look()(&found)));
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

/// The same as a history.
fn history(drawn: &[Drawn], shape: Shape) -> History {
    let mut events: Vec<(u32, Event)> = Vec::new();
    for Drawn { txn, outcome, end } in drawn {
        let value = |told: bool| -> Value {
            let step = |step: &Step| match step {
                Step::Read(key, _) if !told => json!(["r", key, null]),
                Step::Read(key, found) if shape.lists => json!(["r", key, found]),
                Step::Read(key, found) => json!(["r", key, found.last()]),
                Step::Append(key, element) if shape.lists => json!(["append", key, element]),
                Step::Append(key, value) => json!(["w", key, value]),
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

/// The levels that have a definition by brute force, the strongest and the weakest first: whether
/// snapshots will do, and which order is kept.
pub const LEVELS: [(Level, bool, Order); 6] = [
    (Level::StrictSerializable, false, Order::RealTime),
    (Level::SnapshotIsolation, true, Order::Any),
    (Level::StrongSnapshotIsolation, true, Order::RealTime),
    (Level::StrongSessionSnapshotIsolation, true, Order::Session),
    (Level::Serializable, false, Order::Any),
    (Level::StrongSessionSerializable, false, Order::Session),
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

/// Judgements on levels: how many were broken, kept, and left open.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    broken: u64,
    kept: u64,
    open: u64,
    /// Histories of which the solver was asked, and that it refused.
    asked: u64,
    refused: u64,
    /// Of read atomic and causal: how often they were broken, and kept where no stronger one was.
    weak_broken: u64,
    weak_alone: u64,
}

/// Which levels are kept, by brute force. A serial order is one of snapshots, and what keeps real time
/// keeps the order of sessions: what follows from that is not searched again.
fn truths(txns: &[Txn], look: Look) -> Vec<(Level, bool)> {
    let mut known: Vec<(bool, Order, bool)> = Vec::new();
    let mut truths = Vec::new();
    for (level, snapshot, order) in LEVELS {
        let follows = known.iter().find(|&&(other, strict, kept)| match kept {
            true => other <= snapshot && strict >= order,
            false => other >= snapshot && strict <= order,
        });
        let kept = match (follows, snapshot) {
            (Some(&(.., kept)), _) => kept,
            (None, true) => snapshot_isolated(txns, order, look),
            (None, false) => serializable(txns, order, look),
        };
        known.push((snapshot, order, kept));
        truths.push((level, kept));
    }
    truths
}

/// Compares a verdict with brute force, level by level.
fn compare(seed: u64, drawn: &[Drawn], shape: Shape, verdict: &Verdict) -> Counts {
    assert_eq!(verdict.objection, None, "seed {seed}");
    ways::hold(verdict).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}: {verdict:#?}"));
    let happened = drawn.iter().filter(|drawn| drawn.outcome != Outcome::Fail);
    let txns: Vec<Txn> = happened.map(|drawn| drawn.txn.clone()).collect();
    let mut counts = Counts {
        asked: u64::from(verdict.facts.contains_key("orders_searched")),
        refused: u64::from(verdict.anomalies.iter().any(|it| it.details.contains_key("ways"))),
        ..Counts::default()
    };
    let mut truths = truths(&txns, shape.look());
    // Snapshots are visible in every sense; that is seldom asked, because the answer takes long.
    let snapshots = truths.contains(&(Level::SnapshotIsolation, true));
    if shape.lists && snapshots && !seed.is_multiple_of(16) {
        truths.extend([(Level::ReadAtomic, true), (Level::Causal, true)]);
    } else if shape.lists {
        let levels = [(Level::ReadAtomic, false), (Level::Causal, true)];
        truths.extend(levels.map(|(level, transitive)| (level, visible::keeps(&txns, transitive))));
    }
    for (level, truth) in truths {
        let broken = says(verdict, "levels_broken", level, |it, level| level.implies(it));
        let kept = says(verdict, "levels_kept", level, |it, level| it.implies(level));
        let right = if truth { !broken } else { !kept };
        assert!(
            right && !(broken && kept),
            "seed {seed}: {level} is {truth}: {txns:#?} {verdict:#?}"
        );
        match (broken, kept) {
            (true, _) => counts.broken += 1,
            (_, true) => counts.kept += 1,
            // Of registers a solver is asked, whose budget is far beyond so few.
            _ if !shape.lists => panic!("seed {seed}: {level} is open, {truth}: {verdict:#?}"),
            _ => counts.open += 1,
        }
        let weak = matches!(level, Level::ReadAtomic | Level::Causal);
        assert!(!weak || broken || kept, "seed {seed}: {level} is open: {txns:#?} {verdict:#?}");
        counts.weak_broken += u64::from(weak && broken);
        let alone =
            says(verdict, "levels_kept", Level::ConsistentView, |it, level| it.implies(level));
        counts.weak_alone += u64::from(weak && kept && !alone);
    }
    counts
}

/// Compares a checker with brute force on all seeds, and prints the counts.
pub fn agree(checker: impl Checker, shapes: &[Shape]) {
    let judge = |seed: u64| {
        let shape = shapes[seed as usize % shapes.len()];
        let drawn = drawn(&mut Draw(seed), shape);
        compare(seed, &drawn, shape, &checker.check(&history(&drawn, shape)))
    };
    let all: Vec<Counts> = seeds().into_par_iter().map(judge).collect();
    let sum = |of: fn(&Counts) -> u64| all.iter().map(of).sum();
    let total = Counts {
        broken: sum(|it| it.broken),
        kept: sum(|it| it.kept),
        open: sum(|it| it.open),
        asked: sum(|it| it.asked),
        refused: sum(|it| it.refused),
        weak_broken: sum(|it| it.weak_broken),
        weak_alone: sum(|it| it.weak_alone),
    };
    println!("{} histories: {total:?}", all.len());
    assert!(all.len() < 1_000 || (total.kept > 0 && total.broken > 0));
}

/// Compares a checker of causal consistency with brute force on all seeds, sessions and all.
pub fn agree_on_sessions(checker: impl Checker, shapes: &[Shape]) {
    let judge = |seed: u64| {
        let shape = shapes[seed as usize % shapes.len()];
        let drawn = drawn(&mut Draw(seed), shape);
        let verdict = checker.check(&history(&drawn, shape));
        let happened = drawn.iter().filter(|drawn| drawn.outcome != Outcome::Fail);
        let txns: Vec<Txn> = happened.map(|drawn| drawn.txn.clone()).collect();
        let kept = visible::keeps_in_sessions(&txns);
        let expected = if kept { Validity::Valid } else { Validity::Invalid };
        assert_eq!(verdict.validity, expected, "seed {seed}: {txns:#?} {verdict:#?}");
        assert_eq!(verdict.anomalies.is_empty(), kept, "seed {seed}: {verdict:#?}");
        // What the order of the sessions alone breaks.
        let data = !kept && visible::keeps(&txns, true);
        [kept, !kept, data].map(u64::from)
    };
    let all: Vec<[u64; 3]> = seeds().into_par_iter().map(judge).collect();
    let [kept, broken, sessions] = [0, 1, 2].map(|what| all.iter().map(|it| it[what]).sum::<u64>());
    println!("{} histories: kept {kept}, broken {broken}, by sessions alone {sessions}", all.len());
    assert!(all.len() < 1_000 || (kept > 0 && broken > 0 && sessions > 0));
}

/// Compares two ways to judge causal consistency on larger histories, each transaction of which is of a process
/// of its own, so that sessions say nothing: where it is asked for, by an order of all; and among the levels kept and
/// broken, reader by reader.
pub fn two_ways_agree(asked: impl Checker, among_all: impl Checker, shapes: &[Shape]) {
    let judge = |seed: u64| {
        let shape = shapes[seed as usize % shapes.len()];
        let mut drawn = drawn(&mut Draw(seed), shape);
        for (process, drawn) in (0..).zip(&mut drawn) {
            drawn.txn.process = process;
        }
        let history = history(&drawn, shape);
        let (one, other) = (asked.check(&history), among_all.check(&history));
        let valid = one.validity == Validity::Valid;
        let broken = says(&other, "levels_broken", Level::Causal, |it, level| level.implies(it));
        let kept = says(&other, "levels_kept", Level::Causal, |it, level| it.implies(level));
        assert!(
            one.validity != Validity::Unknown && broken != kept && kept == valid,
            "seed {seed}: {one:#?} {other:#?}"
        );
        [valid, !valid].map(u64::from)
    };
    let all: Vec<[u64; 2]> = seeds().into_par_iter().map(judge).collect();
    let [kept, broken] = [0, 1].map(|what| all.iter().map(|it| it[what]).sum::<u64>());
    println!("{} larger histories: kept {kept}, broken {broken}", all.len());
    assert!(all.len() < 1_000 || (kept > 0 && broken > 0));
}

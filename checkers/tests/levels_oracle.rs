//! The levels of lists and registers below snapshots against their definitions, on random small histories whose
//! transactions read a key several times, and may find something else each time.
//!
//! The truth is by Adya, "Weak Consistency" (1999): whether some order of every key's appends, to which
//! no read is contrary, has none of the phenomena that a level forbids. All orders are tried. What is visible
//! to whom (read atomic, causal, parallel snapshot isolation) is by Cerone, Bernardi and Gotsman.
//!
//! ```text
//! ORACLE_HISTORIES=500000 cargo test --release -p tribunal-checkers --test levels_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test levels_oracle
//! ```

mod isolation;
mod oracle;

use isolation::{Step, Txn, visible};
use oracle::{Draw, NEVER, seeds};
use rayon::prelude::*;
use serde_json::{Value, json};
use tribunal_checkers::transactions::{Level, ListAppend, RwRegister};
use tribunal_checkers::{Checker, Verdict};
use tribunal_history::{Call, Event, History, Kind, Process};

/// Transactions that overlap, each of a process of its own: only the data orders them.
fn drawn(draw: &mut Draw) -> Vec<Txn> {
    let (count, keys) = (2 + draw.below(3), 1 + draw.below(2));
    let (restless, odd) = (1 + draw.below(6), 3 + draw.below(12));
    let mut steps: Vec<Vec<Step>> = Vec::new();
    let mut orders: Vec<Vec<(usize, u64)>> = vec![Vec::new(); keys as usize];
    for txn in 0..count as usize {
        let mut mine = Vec::new();
        for _ in 0..1 + draw.below(4) {
            let key = draw.below(keys);
            let order = &mut orders[key as usize];
            if order.len() < 4 && draw.one_in(2) {
                let element = order.len() as u64 + 1;
                let last_own = order.iter().rposition(|&(by, _)| by == txn).map_or(0, |at| at + 1);
                let at = if draw.one_in(odd) { last_own } else { order.len() };
                let at = if last_own > 0 && !draw.one_in(odd) { last_own } else { at };
                order.insert(at, (txn, element));
                mine.push(Step::Append(key, element));
            } else {
                mine.push(Step::Read(key, Vec::new()));
            }
        }
        steps.push(mine);
    }
    for steps in &mut steps {
        // How far it sees of every key, for now.
        let mut view: Vec<u64> = orders.iter().map(|it| draw.below(it.len() as u64 + 1)).collect();
        let mut own = vec![0_usize; keys as usize];
        for step in steps.iter_mut() {
            if draw.one_in(restless) {
                let key = draw.below(keys) as usize;
                view[key] = draw.below(orders[key].len() as u64 + 1);
            }
            match step {
                Step::Append(key, element) => {
                    let order = &orders[*key as usize];
                    own[*key as usize] =
                        1 + order.iter().position(|&(_, it)| it == *element).expect("it is there");
                }
                Step::Read(key, found) => {
                    let key = *key as usize;
                    let mine = own[key] > 0 && !draw.one_in(odd);
                    let shown = if mine { own[key] } else { view[key] as usize };
                    found.extend(orders[key][..shown].iter().map(|&(_, element)| element));
                }
            }
        }
    }
    let txn = |(process, steps)| {
        let end = if draw.one_in(12) { NEVER } else { 100 + process };
        Txn { steps, process: u64::from(process), start: process, end }
    };
    (0..).zip(steps).map(txn).collect()
}

fn history(txns: &[Txn], lists: bool) -> History {
    let event = |txn: &Txn, at: u32, kind, told: bool| {
        let step = |step: &Step| match step {
            Step::Read(key, _) if !told => json!(["r", key, null]),
            Step::Read(key, found) if lists => json!(["r", key, found]),
            Step::Read(key, found) => json!(["r", key, found.last()]),
            Step::Append(key, element) if lists => json!(["append", key, element]),
            Step::Append(key, element) => json!(["w", key, element]),
        };
        let call = Call::new("txn").value(txn.steps.iter().map(step).collect::<Value>());
        Event::of(&call, u64::from(at), Process::Client(txn.process), kind)
    };
    let begun = txns.iter().map(|txn| event(txn, txn.start, Kind::Invoke, false));
    let over = txns.iter().filter(|txn| txn.end != NEVER);
    let over = over.map(|txn| event(txn, txn.end, Kind::Ok, true));
    History::new(begun.chain(over).collect()).expect("drawn well")
}

/// An element by its transaction.
type Order = Vec<(usize, u64)>;

/// All orders of a key's elements that its reads, of lists, and its transactions allow.
fn orders(txns: &[Txn], happened: &[usize], key: u64, lists: bool) -> Vec<Order> {
    let (mut elements, mut longest): (Order, Vec<u64>) = (Vec::new(), Vec::new());
    for &at in happened {
        for step in &txns[at].steps {
            match step {
                Step::Append(it, element) if *it == key => elements.push((at, *element)),
                Step::Read(it, found)
                    if lists
                        && *it == key
                        && txns[at].end != NEVER
                        && found.len() > longest.len() =>
                {
                    longest.clone_from(found);
                }
                _ => {}
            }
        }
    }
    let mut all = Vec::new();
    extend(&elements, &longest, &mut Vec::new(), &mut all);
    all
}

fn extend(elements: &Order, longest: &[u64], order: &mut Order, all: &mut Vec<Order>) {
    if order.len() == elements.len() {
        all.push(order.clone());
    }
    for &(txn, element) in elements {
        if order.contains(&(txn, element)) {
            continue;
        }
        let first = elements.iter().find(|it| it.0 == txn && !order.contains(it)).copied();
        let read = longest.get(order.len()).is_none_or(|&it| it == element);
        if read && first == Some((txn, element)) {
            order.push((txn, element));
            extend(elements, longest, order, all);
            order.pop();
        }
    }
}

/// A dependency: from whom, to whom, whether it is an anti-dependency, whether one of writes alone, and of the
/// steps of the first and the second the places.
#[derive(Clone, Copy, Debug)]
struct Edge {
    from: usize,
    to: usize,
    anti: bool,
    writes: bool,
    places: [usize; 2],
}

/// What the definitions need to know of an order.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    g0: bool,
    g1: bool,
    lost: bool,
    monotonic: bool,
    single: bool,
    cyclic: bool,
    internal: bool,
    future: bool,
}

impl Found {
    fn forbidden(self, level: Level) -> bool {
        let committed = self.g0 || self.g1 || self.future;
        match level {
            Level::ReadUncommitted => self.g0,
            Level::ReadCommitted => committed,
            Level::CursorStability => committed || self.lost,
            Level::MonotonicView => committed || self.monotonic,
            Level::ConsistentView => committed || self.single,
            Level::RepeatableRead => committed || self.cyclic || self.internal,
            _ => unreachable!("not by Adya"),
        }
    }
}

fn place(order: &Order, element: u64) -> usize {
    order.iter().position(|&(_, it)| it == element).expect("an element of the key")
}

/// What is there in one order of each key.
fn found(txns: &[Txn], happened: &[usize], orders: &[&Order]) -> Found {
    let mut it = Found::default();
    let mut edges: Vec<Edge> = Vec::new();
    for &at in happened {
        let txn = &txns[at];
        let last = |txn: usize, key: u64| {
            let write = |step: &Step| matches!(step, Step::Append(own, _) if *own == key);
            txns[txn].steps.iter().rposition(write).expect("it wrote there")
        };
        // By key the last read, if nothing was appended since; and the one before.
        let (mut fresh, mut before) = ([None; 2], [None; 2]);
        for (here, step) in txn.steps.iter().enumerate() {
            match step {
                Step::Append(key, element) => {
                    let order = orders[*key as usize];
                    let own = place(order, *element);
                    if let (Some(seen), true) = (fresh[*key as usize].take(), txn.end != NEVER) {
                        it.lost |= (seen..own).any(|between| order[between].0 != at);
                    }
                    let earlier = own.checked_sub(1).map(|earlier| order[earlier].0);
                    edges.extend(earlier.filter(|&from| from != at).map(|from| Edge {
                        from,
                        to: at,
                        anti: false,
                        writes: true,
                        places: [last(from, *key), last(at, *key)],
                    }));
                }
                Step::Read(key, found) if txn.end != NEVER => {
                    let order = orders[*key as usize];
                    let own = txn.steps[..here].iter().filter_map(|step| match step {
                        Step::Append(it, element) if it == key => Some(*element),
                        _ => None,
                    });
                    let own: Vec<u64> = own.collect();
                    let is_own = |&&element: &&u64| order[place(order, element)].0 == at;
                    let own_at_end = found.iter().rev().take_while(is_own).count();
                    let others = found.len() - own_at_end;
                    let future = found.iter().any(|it| is_own(&it) && !own.contains(it));
                    it.future |= future;
                    it.internal |= future || !found.ends_with(&own);
                    it.internal |=
                        before[*key as usize].replace(others).is_some_and(|it| it != others);
                    fresh[*key as usize] = Some(found.len());
                    if let Some(from) = found.len().checked_sub(1).map(|last| order[last].0)
                        && from != at
                    {
                        let rest = &order[found.len()..];
                        it.g1 |= rest.iter().any(|&(by, _)| by == from);
                        let places = [last(from, *key), here];
                        edges.push(Edge { from, to: at, anti: false, writes: false, places });
                    }
                    // G1b below what it appended itself.
                    if own_at_end > 0 && others > 0 {
                        let from = order[others - 1].0;
                        it.g1 |= order[others..].iter().any(|&(by, _)| by == from);
                    }
                    if let Some(&(to, _)) = order.get(found.len()).filter(|&&(to, _)| to != at) {
                        let places = [here, last(to, *key)];
                        edges.push(Edge { from: at, to, anti: true, writes: false, places });
                    }
                }
                Step::Read(..) => {}
            }
        }
    }
    // Whom each leads to, by writes, by dependencies, by all.
    let reach = |part: &dyn Fn(&Edge) -> bool| {
        let mut reach = vec![vec![false; txns.len()]; txns.len()];
        edges.iter().filter(|edge| part(edge)).for_each(|edge| reach[edge.from][edge.to] = true);
        for via in 0..txns.len() {
            for from in 0..txns.len() {
                for to in 0..txns.len() {
                    reach[from][to] |= reach[from][via] && reach[via][to];
                }
            }
        }
        reach
    };
    let circle = |reach: &[Vec<bool>]| (0..txns.len()).any(|at| reach[at][at]);
    let depends = reach(&|edge| !edge.anti);
    it.g0 = circle(&reach(&|edge| edge.writes));
    it.g1 |= circle(&depends);
    it.cyclic = circle(&reach(&|_| true));
    for anti in edges.iter().filter(|edge| edge.anti) {
        it.single |= depends[anti.to][anti.from];
        // Whatever came to the reader before that read.
        let came = edges
            .iter()
            .filter(|edge| !edge.anti && edge.to == anti.from && edge.places[1] < anti.places[0]);
        it.monotonic |= came.into_iter().any(|it| it.from == anti.to || depends[anti.to][it.from]);
    }
    it
}

const BY_ADYA: [Level; 6] = [
    Level::ReadUncommitted,
    Level::ReadCommitted,
    Level::CursorStability,
    Level::MonotonicView,
    Level::ConsistentView,
    Level::RepeatableRead,
];

/// The transactions whose reads of registers show all that was there in an order.
fn in_full(txns: &[Txn], orders: &[&Order]) -> Vec<Txn> {
    let mut txns = txns.to_vec();
    let told = txns.iter_mut().filter(|txn| txn.end != NEVER);
    for step in told.flat_map(|txn| &mut txn.steps) {
        if let Step::Read(key, found) = step {
            let order = orders[*key as usize];
            let shown = found.last().map_or(0, |&last| 1 + place(order, last));
            *found = order[..shown].iter().map(|&(_, element)| element).collect();
        }
    }
    txns
}

/// Which levels are kept. Of registers not those that have sessions in them.
fn truths(txns: &[Txn], lists: bool) -> Vec<(Level, bool)> {
    let seen = |at: usize| {
        let own = |step: &Step| match step {
            Step::Append(key, element) => Some((*key, *element)),
            Step::Read(..) => None,
        };
        let shows = |step: &Step| match step {
            Step::Read(key, found) => {
                let shown = if lists { 0 } else { found.len().saturating_sub(1) };
                let mut own = txns[at].steps.iter().filter_map(own);
                own.any(|(it, element)| it == *key && found[shown..].contains(&element))
            }
            Step::Append(..) => false,
        };
        txns.iter().filter(|txn| txn.end != NEVER).any(|txn| txn.steps.iter().any(shows))
    };
    let happened: Vec<usize> =
        (0..txns.len()).filter(|&at| txns[at].end != NEVER || seen(at)).collect();
    let [first, second] = [0, 1].map(|key| orders(txns, &happened, key, lists));
    let mut kept = [false; BY_ADYA.len()];
    for one in &first {
        for other in &second {
            let orders = [one, other];
            let full = if lists { None } else { Some(in_full(txns, &orders)) };
            let found = found(full.as_deref().unwrap_or(txns), &happened, &orders);
            for (kept, level) in kept.iter_mut().zip(BY_ADYA) {
                *kept |= !found.forbidden(level);
            }
        }
    }
    let by_adya = BY_ADYA.into_iter().zip(kept);
    if !lists {
        return by_adya.filter(|&(level, _)| level != Level::ReadCommitted).collect();
    }
    let visible = [
        (Level::ReadAtomic, visible::keeps(txns, false)),
        (Level::Causal, visible::keeps(txns, true)),
        (Level::ParallelSnapshotIsolation, visible::keeps_without_conflict(txns)),
    ];
    by_adya.chain(visible).collect()
}

fn named(verdict: &Verdict, fact: &str) -> Vec<Level> {
    let named = verdict.facts[fact].as_array().expect("a list of levels");
    named.iter().map(|name| name.as_str().expect("a name").parse().expect("a level")).collect()
}

/// Whether several transactions appended to a key what no read shows.
fn has_unordered(txns: &[Txn]) -> bool {
    (0..2).any(|key| {
        let read = |element: &u64| {
            let steps = txns.iter().filter(|txn| txn.end != NEVER).flat_map(|txn| &txn.steps);
            steps.into_iter().any(
                |step| matches!(step, Step::Read(it, found) if *it == key && found.contains(element)),
            )
        };
        let unread = txns.iter().filter(|txn| {
            txn.steps.iter().any(
                |step| matches!(step, Step::Append(it, element) if *it == key && !read(element)),
            )
        });
        unread.count() > 1
    })
}

/// Compares with the definitions on all seeds, and prints the counts.
fn agree(checker: impl Checker, lists: bool) {
    let counts: Vec<Vec<(Level, [u64; 4])>> = seeds()
        .into_par_iter()
        .map(|seed| {
            let txns = drawn(&mut Draw(seed));
            let verdict = checker.check(&history(&txns, lists));
            assert_eq!(verdict.objection, None, "seed {seed}");
            let (broken, kept) = (named(&verdict, "levels_broken"), named(&verdict, "levels_kept"));
            let judged = |(level, truth): (Level, bool)| {
                let broken = broken.iter().any(|&it| level.implies(it));
                let kept = kept.iter().any(|it| it.implies(level));
                let right = if truth { !broken } else { !kept };
                assert!(
                    right && !(broken && kept),
                    "seed {seed}: {level} is {truth}: {txns:#?} {verdict:#?}"
                );
                assert!(
                    broken || kept || !lists || has_unordered(&txns),
                    "seed {seed}: {level} is open, {truth}: {txns:#?} {verdict:#?}"
                );
                let open = !broken && !kept;
                (level, [!truth, truth, open && truth, open && !truth].map(u64::from))
            };
            truths(&txns, lists).into_iter().map(judged).collect()
        })
        .collect();
    for at in 0..counts[0].len() {
        let sum = |what: usize| counts.iter().map(|counts| counts[at].1[what]).sum::<u64>();
        let level = counts[0][at].0;
        let [broken, kept, open, missed] = [0, 1, 2, 3].map(sum);
        println!(
            "{level}: broken {broken}, kept {kept}; open {open} of those kept, {missed} of those broken"
        );
        // The writes of registers have an order always.
        let one_sided = level == Level::ReadUncommitted && !lists;
        assert!(counts.len() < 1_000 || one_sided || (broken > 0 && kept > 0), "{level}");
    }
}

#[test]
fn levels_of_lists_agree_with_their_definitions() {
    agree(ListAppend::default(), true);
}

#[test]
fn levels_of_registers_agree_with_their_definitions() {
    agree(RwRegister::default(), false);
}

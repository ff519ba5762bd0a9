//! Session guarantees against their definitions, on random small histories of registers that forget.
//!
//! The truth is in the words of Terry et al. ("Session Guarantees for Weakly Consistent Replicated
//! Data", PDIS 1994): there is one order of the writes, and each read is of some server that has some
//! of them and returns the last one that it has. All orders and all sets of writes are tried. What is
//! not Terry's is the checker's own promise: a guarantee is asked for together with monotonic writes, a
//! swap is after what it found, and where values cannot be told apart nothing is known.
//!
//! A value that nobody set and somebody read is told by itself, once. A witness must convict by itself, and
//! no part of it may. This says nothing of real time between
//! sessions, nor of several registers together: session guarantees do not either, as they are judged here.
//!
//! ```text
//! ORACLE_HISTORIES=1000000 cargo test --release -p tribunal-checkers --test guarantees_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test guarantees_oracle
//! ```

mod oracle;
mod slotted;

use std::collections::{BTreeMap, BTreeSet};

use oracle::{Draw, Outcome, Slot, few_processes, seeds, slots};
use rayon::prelude::*;
use serde_json::{Value, json};
use slotted::{Entry, history};
use tribunal_checkers::{Anomaly, Checker, SessionGuarantees, Validity};
use tribunal_history::Call;

/// What a history may hold.
struct Shape {
    name: &'static str,
    keys: u64,
    /// One call in so many is a swap; 0 is none.
    swaps: u64,
    /// One history in so many has values that were written before, or failed, or never were; 0 is none.
    astray: u64,
}

const SHAPES: [Shape; 4] = [
    Shape { name: "reads and writes", keys: 1, swaps: 0, astray: 0 },
    Shape { name: "swaps", keys: 1, swaps: 3, astray: 0 },
    Shape { name: "two keys", keys: 2, swaps: 8, astray: 0 },
    Shape { name: "values astray", keys: 2, swaps: 4, astray: 2 },
];

/// The most calls of a history, and the most of them that set a value: all orders of those are tried.
const CALLS: u64 = 10;
const SETTERS: usize = 5;

/// A call as it is drawn. Value 0 is what the register holds at first.
#[derive(Clone, Copy, Debug)]
enum What {
    Read(u64),
    Write(u64),
    Swap(u64, u64),
    /// A swap that found another value than the one it was given, and perhaps told it.
    Refused(u64, u64, Option<u64>),
}

#[derive(Clone, Copy, Debug)]
struct Drawn {
    slot: Slot,
    process: u64,
    key: u64,
    what: What,
}

/// Calls on registers whose reads are often old.
fn drawn(draw: &mut Draw, shape: &Shape) -> Vec<Drawn> {
    let crashed = draw.below(4);
    let slots = slots(draw, CALLS, crashed);
    let processes = few_processes(draw, &slots);
    let depth = 1 + draw.below(5);
    let astray = shape.astray > 0 && draw.one_in(shape.astray);
    let mut seen: Vec<Vec<u64>> = vec![vec![0]; shape.keys as usize];
    let (mut fresh, mut setters) = (0, 0);
    let mut calls = Vec::new();
    for (slot, process) in slots.into_iter().zip(processes) {
        let key = draw.below(shape.keys);
        let held = &mut seen[key as usize];
        let mut found = held[held.len() - 1 - draw.below(depth.min(held.len() as u64)) as usize];
        if draw.one_in(10) && setters + 2 < SETTERS {
            // Perhaps one that is set later.
            found = 1 + draw.below(fresh + 3);
        }
        let mut new = fresh + 1;
        if astray && draw.one_in(6) {
            (found, new) = (draw.below(12), 1 + draw.below(6));
        }
        let what = match draw.below(9) {
            _ if setters == SETTERS => What::Read(found),
            0..=3 => What::Read(found),
            other if shape.swaps > 0 && other % shape.swaps == 0 => swap(draw, found, new, astray),
            _ => What::Write(new),
        };
        if let What::Write(new) | What::Swap(_, new) = what {
            setters += 1;
            fresh = fresh.max(new);
            let happens = match slot.outcome {
                Outcome::Ok => true,
                Outcome::Fail => astray && draw.one_in(4),
                Outcome::Info | Outcome::Open => draw.one_in(2),
            };
            held.extend(happens.then_some(new));
        }
        calls.push(Drawn { slot, process, key, what });
    }
    calls.sort_by_key(|call| call.slot.start);
    calls
}

fn swap(draw: &mut Draw, found: u64, new: u64, astray: bool) -> What {
    if !draw.one_in(4) {
        return What::Swap(found, new);
    }
    let tells = !(astray && draw.one_in(4));
    What::Refused(found + 1, new, tells.then_some(found))
}

fn shown(value: u64) -> Value {
    if value == 0 { Value::Null } else { json!(value) }
}

fn entry(drawn: &Drawn) -> Entry {
    let call = match drawn.what {
        What::Read(_) => Call::new("read"),
        What::Write(new) => Call::new("write").value(new),
        What::Swap(old, new) | What::Refused(old, new, _) => {
            Call::new("cas").value(json!([shown(old), shown(new)]))
        }
    };
    let call = call.key(drawn.key);
    let answer = match drawn.what {
        What::Read(found) => call.clone().value(shown(found)),
        What::Refused(.., found) => {
            let refused = call.clone().mark("swapped", false);
            found.map_or(refused.clone(), |found| refused.mark("found", shown(found)))
        }
        What::Write(_) | What::Swap(..) => call.clone(),
    };
    Entry { slot: drawn.slot, process: drawn.process, call, answer }
}

// The definitions.

impl Drawn {
    fn answered(&self) -> bool {
        self.slot.outcome == Outcome::Ok
    }

    /// The value it sets, if it happens.
    fn sets(&self) -> Option<u64> {
        match self.what {
            What::Write(new) => Some(new),
            What::Swap(old, new) => (old != new).then_some(new),
            What::Read(_) => None,
            // When nobody heard that it was refused, it may have swapped.
            What::Refused(old, new, _) => (!self.answered() && old != new).then_some(new),
        }
    }

    /// The value it found, if it happened.
    fn found(&self) -> Option<u64> {
        match self.what {
            What::Read(found) => self.answered().then_some(found),
            What::Swap(old, _) => Some(old),
            What::Write(_) => None,
            What::Refused(.., found) if self.answered() => found,
            What::Refused(old, ..) => Some(old),
        }
    }

    /// Whether a session has made this call, and knows that it did, before it makes the other. Of a call that
    /// nobody answered it knows nothing, and that may yet happen after all others.
    fn is_before(&self, other: &Self) -> bool {
        self.process == other.process && self.answered() && self.slot.start < other.slot.start
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Guarantee {
    ReadYourWrites,
    MonotonicReads,
    MonotonicWrites,
    WritesFollowReads,
}

use Guarantee::{MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads};

const GUARANTEES: [(Guarantee, &str); 4] = [
    (ReadYourWrites, "read-your-writes"),
    (MonotonicReads, "monotonic-reads"),
    (MonotonicWrites, "monotonic-writes"),
    (WritesFollowReads, "writes-follow-reads"),
];

/// Some of the writes on a register, a bit each.
type Writes = u32;

/// The calls on one register that happened. Each write is known by its place among the writes.
struct Register {
    calls: Vec<Drawn>,
    writes: Vec<Drawn>,
}

impl Register {
    /// `None` where values do not tell which write a call found.
    fn of(calls: &[Drawn]) -> Option<Self> {
        let mut happened: Vec<bool> = calls.iter().map(Drawn::answered).collect();
        // Nobody knows of a call without an answer, unless its value is found. If what nobody found is
        // left out, no order is lost.
        while let Some(next) = (0..calls.len()).find(|&one| {
            let found = |other: usize| happened[other] && calls[other].found() == calls[one].sets();
            let may_be = calls[one].slot.outcome != Outcome::Fail && calls[one].sets().is_some();
            !happened[one] && may_be && (0..calls.len()).any(found)
        }) {
            happened[next] = true;
        }
        let calls: Vec<Drawn> =
            calls.iter().zip(happened).filter_map(|(call, it)| it.then_some(*call)).collect();
        let writes: Vec<Drawn> = calls.iter().filter(|it| it.sets().is_some()).copied().collect();
        let values: BTreeSet<u64> = writes.iter().filter_map(Drawn::sets).collect();
        let silent = |call: &Drawn| matches!(call.what, What::Refused(.., None)) && call.answered();
        let known = values.len() == writes.len()
            && !values.contains(&0)
            && calls.iter().filter_map(Drawn::found).all(|it| it == 0 || values.contains(&it))
            && !calls.iter().any(silent);
        known.then_some(Self { calls, writes })
    }

    /// The write that set this value; none for the first one.
    fn write_of(&self, value: u64) -> Option<usize> {
        self.writes.iter().position(|write| write.sets() == Some(value))
    }

    /// The writes among the calls that a session made before one.
    fn own_writes(&self, call: &Drawn) -> Writes {
        let own = |&write: &usize| self.writes[write].is_before(call);
        (0..self.writes.len()).filter(own).fold(0, |all, write| all | 1 << write)
    }

    /// What the reads found that a session made before a call.
    fn own_reads(&self, call: &Drawn) -> Writes {
        let before = self.calls.iter().filter(|read| read.is_before(call));
        let found = before.filter_map(|read| self.write_of(read.found()?));
        found.fold(0, |all, write| all | 1 << write)
    }

    /// By write, those that come before it in the order, and that a server has if it has this one.
    fn needs(&self, guarantee: Guarantee) -> Vec<Writes> {
        let of = |write: &Drawn| match guarantee {
            WritesFollowReads => self.own_writes(write) | self.own_reads(write),
            _ => self.own_writes(write),
        };
        self.writes.iter().map(of).collect()
    }

    /// By read, the last write of the server that answered it, and those that this server must have.
    fn answers(&self, guarantee: Guarantee) -> Vec<(Option<usize>, Writes)> {
        let must = |call: &Drawn| match guarantee {
            ReadYourWrites => self.own_writes(call),
            MonotonicReads => self.own_reads(call),
            MonotonicWrites | WritesFollowReads => 0,
        };
        let answer = |call: &Drawn| Some((self.write_of(call.found()?), must(call)));
        self.calls.iter().filter_map(answer).collect()
    }

    /// Whether some order of the writes gives every session the guarantee.
    fn has(&self, guarantee: Guarantee) -> bool {
        let (needs, answers) = (self.needs(guarantee), self.answers(guarantee));
        let found = |write: &Drawn| write.found().and_then(|old| self.write_of(old));
        let swapped = self.writes.iter().map(|write| found(write).map_or(0, |old| 1 << old));
        let before: Vec<Writes> = needs.iter().zip(swapped).map(|(one, old)| one | old).collect();
        some_order(&before, 0, &mut Vec::new(), &|order| {
            let served = |&(last, must): &_| is_served(order, last, must, &needs);
            answers.iter().all(served)
        })
    }

    /// The guarantees that are broken, as they are to be told: where the writes of a session are out of order
    /// the others are not asked for.
    fn broken(&self) -> BTreeSet<Guarantee> {
        if !self.has(MonotonicWrites) {
            return BTreeSet::from([MonotonicWrites]);
        }
        GUARANTEES.into_iter().map(|(it, _)| it).filter(|&it| !self.has(it)).collect()
    }
}

/// Whether there may be a server, some of the writes, that has these, and of which this is the last.
fn is_served(order: &[usize], last: Option<usize>, must: Writes, needs: &[Writes]) -> bool {
    (0..1 << order.len()).any(|server: Writes| {
        let has = |write: &usize| server & 1 << write != 0;
        let whole = |write: usize| needs[write] & !server == 0;
        must & !server == 0
            && order.iter().rev().copied().find(has) == last
            && order.iter().copied().filter(has).all(whole)
    })
}

/// Whether some order in which each write comes after those `before` it will do.
fn some_order(
    before: &[Writes],
    taken: Writes,
    order: &mut Vec<usize>,
    will_do: &impl Fn(&[usize]) -> bool,
) -> bool {
    if order.len() == before.len() {
        return will_do(order);
    }
    (0..before.len()).any(|next| {
        if taken & 1 << next != 0 || before[next] & !taken != 0 {
            return false;
        }
        order.push(next);
        let found = some_order(before, taken | 1 << next, order, will_do);
        order.pop();
        found
    })
}

/// Whether these calls break a guarantee.
fn convicts(calls: &[Drawn], guarantee: Guarantee) -> bool {
    Register::of(calls).is_some_and(|register| register.broken().contains(&guarantee))
}

/// The values of a register that an answered call found and no call set, each with what that is called.
fn strays(calls: &[Drawn]) -> BTreeSet<(u64, &'static str)> {
    let found = calls.iter().filter(|call| call.answered()).filter_map(Drawn::found);
    let may_happen = |call: &&Drawn| call.slot.outcome != Outcome::Fail;
    let set: BTreeSet<u64> = calls.iter().filter(may_happen).filter_map(Drawn::sets).collect();
    let would_set = |call: &Drawn| match call.what {
        What::Write(new) => Some(new),
        What::Swap(old, new) | What::Refused(old, new, _) => (old != new).then_some(new),
        What::Read(_) => None,
    };
    let failed: BTreeSet<u64> =
        calls.iter().filter(|call| !may_happen(call)).filter_map(would_set).collect();
    found
        .filter(|value| *value != 0 && !set.contains(value))
        .map(|value| (value, if failed.contains(&value) { ABORTED } else { THIN_AIR }))
        .collect()
}

const ABORTED: &str = "aborted-read";
const THIN_AIR: &str = "thin-air-read";

/// What an anomaly says of a stray value: the key, the value that its last call found, and its name.
fn told_stray(calls: &[Indexed], anomaly: &Anomaly) -> Option<(u64, u64, &'static str)> {
    let name = [ABORTED, THIN_AIR].into_iter().find(|&name| anomaly.name == name)?;
    let reader = anomaly.ops.last()?;
    let (_, reader) = calls.iter().find(|(start, _)| start == reader)?;
    Some((reader.key, reader.found()?, name))
}

/// A call, and the index of its invocation.
type Indexed = (u64, Drawn);

/// What is wrong with the witness of an anomaly, if it does not convict, or a part of it does too.
fn objection(calls: &[Indexed], anomaly: &Anomaly, guarantee: Guarantee) -> Option<String> {
    let of = |index: &u64| calls.iter().find(|(start, _)| start == index).map(|&(_, call)| call);
    let witness: Vec<Drawn> = anomaly.ops.iter().filter_map(of).collect();
    let of_the_key = |call: &Drawn| anomaly.key == Some(json!(call.key));
    if !witness.iter().all(of_the_key) || !convicts(&witness, guarantee) {
        return Some(format!("{:?} prove nothing", anomaly.ops));
    }
    let parts = (0..(1_u32 << witness.len()) - 1).map(|part| {
        let kept = (0..witness.len()).filter(move |at| part & 1 << at != 0);
        kept.map(|at| witness[at]).collect::<Vec<_>>()
    });
    let fewer = parts.into_iter().find(|part| convicts(part, guarantee))?;
    Some(format!("of {:?} these are enough: {fewer:#?}", anomaly.ops))
}

/// How often each was found: kept, not known, and each guarantee broken.
type Counts = BTreeMap<&'static str, u64>;

fn judge(seed: u64, shape: &Shape) -> Vec<&'static str> {
    let calls = drawn(&mut Draw(seed), shape);
    let history = history(calls.iter().map(entry));
    let verdict = SessionGuarantees::default().check(&history);
    let indexed: Vec<Indexed> =
        history.operations().map(|it| it.start()).zip(calls.iter().copied()).collect();
    let (mut expected, mut unknown) = (BTreeSet::new(), false);
    let mut astray = BTreeSet::new();
    for key in 0..shape.keys {
        let own: Vec<Drawn> = calls.iter().filter(|call| call.key == key).copied().collect();
        astray.extend(strays(&own).into_iter().map(|(value, name)| (key, value, name)));
        match Register::of(&own) {
            Some(register) => expected.extend(register.broken().into_iter().map(|it| (key, it))),
            None => unknown = true,
        }
    }
    let context = || format!("{}, seed {seed}: {calls:#?} {verdict:#?}", shape.name);
    let (mut found, mut found_astray) = (BTreeSet::new(), BTreeSet::new());
    for anomaly in &verdict.anomalies {
        if let Some(stray) = told_stray(&indexed, anomaly) {
            assert!(found_astray.insert(stray), "told twice: {}", context());
            continue;
        }
        let name = GUARANTEES.iter().find(|(_, name)| *name == anomaly.name);
        let (guarantee, _) = *name.unwrap_or_else(|| panic!("{}", context()));
        let key = anomaly.key.as_ref().and_then(Value::as_u64).expect("a key");
        assert!(found.insert((key, guarantee)), "told twice: {}", context());
        let objection = objection(&indexed, anomaly, guarantee);
        assert!(objection.is_none(), "{objection:?}: {}", context());
    }
    assert_eq!(found, expected, "{}", context());
    assert_eq!(found_astray, astray, "{}", context());
    assert_eq!(!verdict.unknowns.is_empty(), unknown, "{}", context());
    let validity = match (expected.is_empty() && astray.is_empty(), unknown) {
        (false, _) => Validity::Invalid,
        (true, true) => Validity::Unknown,
        (true, false) => Validity::Valid,
    };
    assert_eq!(verdict.validity, validity, "{}", context());
    let mut told = vec![match validity {
        Validity::Valid => "valid",
        Validity::Unknown => "unknown",
        Validity::Invalid => "invalid",
    }];
    let name = |it: Guarantee| GUARANTEES.iter().find(|(one, _)| *one == it).expect("all").1;
    told.extend(expected.into_iter().map(|(_, it)| name(it)));
    told.extend(astray.into_iter().map(|(.., name)| name));
    told
}

#[test]
fn guarantees_agree_with_their_definitions() {
    for shape in &SHAPES {
        let counts = seeds()
            .into_par_iter()
            .map(|seed| judge(seed, shape))
            .fold(Counts::new, |mut counts, told| {
                told.into_iter().for_each(|it| *counts.entry(it).or_default() += 1);
                counts
            })
            .reduce(Counts::new, |mut counts, more| {
                more.into_iter().for_each(|(it, times)| *counts.entry(it).or_default() += times);
                counts
            });
        let of = |it: &str| counts.get(it).copied().unwrap_or(0);
        let (valid, invalid, unknown) = (of("valid"), of("invalid"), of("unknown"));
        let all = valid + invalid + unknown;
        println!(
            "{}: {all} histories, {valid} valid, {invalid} invalid, {unknown} unknown, 0 mismatches; \
             broken: {}, {ABORTED} {}, {THIN_AIR} {}",
            shape.name,
            GUARANTEES.map(|(_, name)| format!("{name} {}", of(name))).join(", "),
            of(ABORTED),
            of(THIN_AIR),
        );
        if all > 1_000 {
            assert!(valid > all / 10 && invalid > all / 10, "{} is one-sided", shape.name);
            assert!(shape.astray == 0 || unknown > all / 100, "{}: {unknown} unknown", shape.name);
            let strays = [ABORTED, THIN_AIR].map(of);
            assert!(shape.astray == 0 || strays.iter().all(|&it| it > all / 100), "{counts:?}");
            // Without swaps, the writes of all sessions have an order.
            let can_break = |it: Guarantee| it != MonotonicWrites || shape.swaps > 0;
            let often = |&(it, name): &_| of(name) > all / 5_000 || !can_break(it);
            assert!(GUARANTEES.iter().all(often), "{}: {counts:?}", shape.name);
        }
    }
}

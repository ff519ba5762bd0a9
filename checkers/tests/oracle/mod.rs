//! Brute force: whether calls that overlap have any order at all, and cheap
//! chance to draw such calls with.
//!
//! The search tries every order that real time allows (Wing and Gong, "Testing
//! and verifying concurrent objects", 1993). It shares nothing with what it
//! judges, and is for histories of about ten calls.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// The end of a call of which nobody knows whether it happened.
pub const NEVER: u32 = u32::MAX;

/// How many random histories a test judges: ORACLE_HISTORIES, or 20,000.
pub fn histories() -> u64 {
    asked_or(20_000)
}

fn asked_or(quick: u64) -> u64 {
    let asked = std::env::var("ORACLE_HISTORIES").ok();
    asked.map_or(quick, |text| text.parse().expect("ORACLE_HISTORIES is a number"))
}

/// The first seed: ORACLE_FIRST, or 0. Runs whose seeds follow on each other add up to one long run.
pub fn first() -> u64 {
    let asked = std::env::var("ORACLE_FIRST").ok();
    asked.map_or(0, |text| text.parse().expect("ORACLE_FIRST is a number"))
}

/// The seeds to judge: all, or the one of ORACLE_SEED, to replay it.
pub fn seeds() -> std::ops::Range<u64> {
    seeds_of(histories())
}

/// The same for a test whose histories are dear: a tenth, where no number was asked for.
pub fn few_seeds() -> std::ops::Range<u64> {
    seeds_of(asked_or(2_000))
}

/// The same for a test whose histories are cheap: at least so many, whatever was asked for.
pub fn seeds_of_at_least(least: u64) -> std::ops::Range<u64> {
    seeds_of(histories().max(least))
}

fn seeds_of(histories: u64) -> std::ops::Range<u64> {
    match std::env::var("ORACLE_SEED").ok() {
        Some(text) => {
            let seed: u64 = text.parse().expect("ORACLE_SEED is a number");
            seed..seed + 1
        }
        None => first()..first() + histories,
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub struct Draw(pub u64);

impl Draw {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `bound` times.
    pub fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// How a drawn call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened, and its answer is known.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows whether it happened; an `info` says so.
    Info,
    /// The history ends before it does.
    Open,
}

/// When a drawn call begins and ends. Slots come in an order in which the calls
/// could have taken effect one by one.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Place of its invocation in the log, distinct from every other place.
    pub start: u32,
    /// Place of its completion, whatever it says. [`Outcome::Open`] calls have none that counts.
    pub end: u32,
    /// How it ends.
    pub outcome: Outcome,
}

impl Slot {
    /// Where the call's effect must have happened at the latest.
    pub fn deadline(&self) -> u32 {
        if self.outcome == Outcome::Ok { self.end } else { NEVER }
    }
}

/// Draws when up to `most` calls begin and end, at least two; of twelve, `crashed` have an unknown outcome.
pub fn slots(draw: &mut Draw, most: u64, crashed: u64) -> Vec<Slot> {
    let calls = 2 + draw.below(most - 1);
    let width = 1 + draw.below(4);
    let mut places: Vec<(u64, usize, bool)> = Vec::new();
    for call in 0..calls {
        let middle = (call + 1) * 1_000;
        let before = middle.saturating_sub(1 + draw.below(width * 1_000));
        let after = middle + 1 + draw.below(width * 1_000);
        places.push((before, call as usize, false));
        places.push((after, call as usize, true));
    }
    places.sort_unstable();
    let mut slots = vec![Slot { start: 0, end: 0, outcome: Outcome::Ok }; calls as usize];
    for (place, (_, call, ends)) in (1..).zip(places) {
        match ends {
            true => slots[call].end = place,
            false => slots[call].start = place,
        }
    }
    for slot in &mut slots {
        slot.outcome = match draw.below(12) {
            drawn if drawn < crashed && draw.one_in(2) => Outcome::Info,
            drawn if drawn < crashed => Outcome::Open,
            11 => Outcome::Fail,
            _ => Outcome::Ok,
        };
    }
    slots
}

/// Who makes each call: a process makes one at a time, and most stop after one of unknown outcome.
pub fn processes(draw: &mut Draw, slots: &[Slot]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by_key(|&at| slots[at].start);
    let mut free: HashMap<u64, u32> = HashMap::new();
    let mut processes = vec![0; slots.len()];
    let mut fresh = 10;
    let goes_on = draw.one_in(8);
    for at in order {
        let slot = slots[at];
        let mut process = draw.below(3);
        if free.get(&process).is_some_and(|&until| until > slot.start) {
            process = fresh;
            fresh += 1;
        }
        let until = match slot.outcome {
            Outcome::Open => u32::MAX,
            Outcome::Info if !goes_on => u32::MAX,
            _ => slot.end,
        };
        free.insert(process, until);
        processes[at] = process;
    }
    processes
}

/// The same with hardly more processes than the calls need, so that each makes many.
pub fn few_processes(draw: &mut Draw, slots: &[Slot]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by_key(|&at| slots[at].start);
    let mut free = vec![0; 1 + draw.below(3) as usize];
    let mut processes = vec![0; slots.len()];
    let goes_on = draw.one_in(8);
    for at in order {
        let slot = slots[at];
        let idle: Vec<usize> = (0..free.len()).filter(|&it| free[it] < slot.start).collect();
        let process = match idle.len() {
            0 => free.len(),
            several => idle[draw.below(several as u64) as usize],
        };
        free.resize(free.len().max(process + 1), 0);
        free[process] = match slot.outcome {
            Outcome::Open => u32::MAX,
            Outcome::Info if !goes_on => u32::MAX,
            _ => slot.end,
        };
        processes[at] = process as u64;
    }
    processes
}

/// A call, and when it must have taken effect. [`NEVER`] as its end: at any time after its start, or not at all.
#[derive(Clone, Debug)]
pub struct Timed<C> {
    /// The call, with its answer where there is one.
    pub call: C,
    /// When it began.
    pub start: u32,
    /// When it ended.
    pub end: u32,
}

/// Whether some order of the calls, of those without an end any selection, is one of the object.
pub fn linearizable<C, S: Clone + Eq + Hash>(
    calls: &[Timed<C>],
    init: S,
    step: &impl Fn(&S, &C) -> Vec<S>,
) -> bool {
    let must = (0..calls.len()).filter(|&i| calls[i].end != NEVER).fold(0, |set, i| set | 1 << i);
    extends(calls, must, 0, init, step, &mut HashSet::new())
}

fn extends<C, S: Clone + Eq + Hash>(
    calls: &[Timed<C>],
    must: u32,
    taken: u32,
    state: S,
    step: &impl Fn(&S, &C) -> Vec<S>,
    dead: &mut HashSet<(u32, S)>,
) -> bool {
    if taken & must == must {
        return true;
    }
    let here = (taken, state);
    if dead.contains(&here) {
        return false;
    }
    let left = || (0..calls.len()).filter(|&i| taken & 1 << i == 0);
    let first_end = left().map(|i| calls[i].end).min().unwrap_or(NEVER);
    for i in left().filter(|&i| calls[i].start < first_end) {
        for after in step(&here.1, &calls[i].call) {
            if extends(calls, must, taken | 1 << i, after, step, dead) {
                return true;
            }
        }
    }
    dead.insert(here);
    false
}

//! Which faults explain that an old leader went on beside a new one.

use tribunal_history::{Fault, Nanos};

use super::claim::Claim;
use crate::blame::{self, Window};
use crate::times::seconds;

/// The faults behind two leaders, and the end of the sentence that tells of them.
pub(super) struct Explanation<'a> {
    pub faults: Vec<&'a Fault>,
    pub sentence: String,
}

/// Explains an overlap that lasted until `to`.
pub(super) fn explain<'a>(
    older: &Claim,
    newer: &Claim,
    to: Nanos,
    faults: &'a [Fault],
) -> Explanation<'a> {
    let seen =
        format!("{} was first seen as leader at {}", newer.node, seconds(newer.began.time()));
    // What made the newer leader was in force when it was elected, or just before.
    let election = newer.earliest.time().min(newer.began.time())..=newer.began.time();
    let pauses = || faults.iter().rev().filter(|fault| is_pause_of(fault, older, newer));
    let asleep = pauses().find(|fault| blame::overlaps(fault, &election));
    let apart = in_force(faults, &election, |fault| {
        blame::is_partition(fault) && parts(fault, older.node, newer.node)
    });
    let earlier = pauses().next().filter(|_| apart.is_empty());
    if let Some(pause) = asleep.or(earlier) {
        return Explanation { faults: vec![pause], sentence: paused(pause, older, &seen, to) };
    }
    let clocks = in_force(faults, &(older.earliest.time().min(to)..=to), |fault| {
        [older.node, newer.node].iter().any(|node| blame::clock_offset(fault, node) != 0)
    });
    let found = if apart.is_empty() { clocks } else { apart };
    let sentence = match found.as_slice() {
        [] => format!("{seen}, and no fault of this run explains it"),
        found => {
            let named: Vec<String> = found.iter().map(|fault| blame::named(fault)).collect();
            let was = if found.len() == 1 { "was" } else { "were" };
            format!("{} {was} in force, {seen}", blame::list(&named))
        }
    };
    Explanation { faults: found, sentence }
}

fn in_force<'a>(
    faults: &'a [Fault],
    window: &Window,
    is_kind: impl Fn(&Fault) -> bool,
) -> Vec<&'a Fault> {
    faults.iter().filter(|fault| is_kind(fault) && blame::overlaps(fault, window)).collect()
}

/// A pause of the older leader, begun while it led and before the newer one was seen.
fn is_pause_of(fault: &Fault, older: &Claim, newer: &Claim) -> bool {
    blame::is_pause(fault)
        && blame::touches(fault, older.node)
        && fault.from <= newer.began.time()
        && fault.from >= older.earliest.time()
        && fault.from <= older.lasted.time()
}

fn paused(pause: &Fault, older: &Claim, seen: &str, to: Nanos) -> String {
    let woke = pause.until.or(pause.heal).is_some_and(|woken| woken <= to);
    let then = if woke { ", and {} went on as leader when it woke" } else { "" };
    let then = then.replace("{}", older.node);
    let comma = if woke { "," } else { " and" };
    format!("{} was paused {}{comma} {seen}{then}", older.node, blame::when(pause))
}

/// Whether the partition keeps packets of one of the two from the other.
fn parts(fault: &Fault, one: &str, other: &str) -> bool {
    let drops = |dropper: &str, source: &str| {
        let sources = fault.plan.get("cuts").and_then(|cuts| cuts.get(dropper)?.as_array());
        sources.is_some_and(|sources| sources.iter().any(|name| name.as_str() == Some(source)))
    };
    if fault.plan.contains_key("cuts") {
        return drops(one, other) || drops(other, one);
    }
    blame::touches(fault, one) || blame::touches(fault, other)
}

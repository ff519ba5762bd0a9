//! Pairs of claims that were, or may have been, true at once.
//!
//! By the block lemma pairs are enough: if the claims cannot be laid out in time
//! without an overlap, two of them overlap in every layout.

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_history::Nanos;

use super::claim::Claim;

/// Two claims and the time they share.
pub(super) struct Overlap {
    /// The claim of the lower term.
    pub older: usize,
    /// The claim of the higher term.
    pub newer: usize,
    pub from: Nanos,
    pub to: Nanos,
    /// Whether it lasted at least from `from` to `to`; otherwise it was at some
    /// instant between them.
    pub throughout: bool,
}

/// Overlaps: the first ones, and how many there are.
#[derive(Default)]
pub(super) struct Overlaps {
    pub first: Vec<Overlap>,
    pub count: usize,
}

/// Overlaps kept with their claims.
const KEPT: usize = 1000;

impl Overlaps {
    fn add(&mut self, overlap: Overlap) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(overlap);
        }
    }
}

/// Terms that more than one node led: a claim of each node, in order.
pub(super) fn same_term(claims: &[Claim]) -> Vec<Vec<usize>> {
    let mut terms: FxHashMap<i64, Vec<usize>> = FxHashMap::default();
    let mut seen = FxHashSet::default();
    for (at, claim) in claims.iter().enumerate() {
        if seen.insert((claim.node, claim.term)) {
            terms.entry(claim.term).or_default().push(at);
        }
    }
    let mut shared: Vec<_> = terms.into_values().filter(|nodes| nodes.len() > 1).collect();
    shared.sort_unstable();
    shared
}

/// Overlaps of different terms' leaders that happened however the instants of
/// the probes are placed.
pub(super) fn definite(claims: &[Claim]) -> Overlaps {
    let mut overlaps = Overlaps::default();
    sweep(claims, core, |one, other| {
        if rivals(&claims[one], &claims[other]) && claims[one].overlaps(&claims[other]) {
            overlaps.add(shared(claims, one, other));
        }
    });
    overlaps
}

/// Overlaps that may have happened and are not definite.
pub(super) fn possible(claims: &[Claim]) -> Overlaps {
    let mut overlaps = Overlaps::default();
    sweep(claims, hull, |one, other| {
        if rivals(&claims[one], &claims[other]) && !claims[one].overlaps(&claims[other]) {
            let (one_hull, other_hull) = (hull(&claims[one]), hull(&claims[other]));
            let (older, newer) = by_term(claims, one, other);
            overlaps.add(Overlap {
                older,
                newer,
                from: one_hull.0.1.max(other_hull.0.1),
                to: one_hull.1.1.min(other_hull.1.1),
                throughout: false,
            });
        }
    });
    overlaps
}

/// Calls back for each two claims whose cores intersect.
pub(super) fn cores<'c, 'h>(
    claims: &'c [Claim<'h>],
    mut meet: impl FnMut(&'c Claim<'h>, &'c Claim<'h>),
) {
    sweep(claims, core, |one, other| meet(&claims[one], &claims[other]));
}

fn rivals(one: &Claim, other: &Claim) -> bool {
    one.node != other.node && one.term != other.term
}

/// An event's index and time.
type Point = (u64, Nanos);

/// From the certain beginning to the certain end, or the other way round.
fn core(claim: &Claim) -> (Point, Point) {
    let began = (claim.began.index(), claim.began.time());
    let lasted = (claim.lasted.index(), claim.lasted.time());
    (began.min(lasted), began.max(lasted))
}

/// All the time in which anything was seen of it.
fn hull(claim: &Claim) -> (Point, Point) {
    let (earliest, latest) = (claim.earliest, claim.latest);
    ((earliest.index(), earliest.time()), (latest.index(), latest.time()))
}

/// Calls back for each two claims whose stretches intersect.
fn sweep(
    claims: &[Claim],
    stretch: impl Fn(&Claim) -> (Point, Point),
    mut meet: impl FnMut(usize, usize),
) {
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by_key(|&at| stretch(&claims[at]).0);
    let mut open: Vec<usize> = Vec::new();
    for at in order {
        let from = stretch(&claims[at]).0;
        open.retain(|&other| stretch(&claims[other]).1 > from);
        open.iter().for_each(|&other| meet(other, at));
        open.push(at);
    }
}

fn shared(claims: &[Claim], one: usize, other: usize) -> Overlap {
    let (one_core, other_core) = (core(&claims[one]), core(&claims[other]));
    let (older, newer) = by_term(claims, one, other);
    Overlap {
        older,
        newer,
        from: one_core.0.max(other_core.0).1,
        to: one_core.1.min(other_core.1).1,
        throughout: claims[one].is_hold() && claims[other].is_hold(),
    }
}

fn by_term(claims: &[Claim], one: usize, other: usize) -> (usize, usize) {
    if claims[one].term < claims[other].term { (one, other) } else { (other, one) }
}

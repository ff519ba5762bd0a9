//! Which values of a register are in each other's way: what is apart in time can be ordered apart.
//!
//! The *zone* of a value that is seen after it must have been set lasts from its deadline to the start of
//! the last call that sees it; zones that overlap are one *stretch*. A value without a zone can be set at
//! any moment between its start, or that of the last call to see it, and its deadline: if one of these
//! moments lies in no stretch, it is in nobody's way there, and is left out. All others are set within
//! a stretch: at its first point at the earliest, because waiting for the next deadline never hurts, and
//! no deadline is behind its last. There nothing that was set before is still looked for. So the values
//! can be ordered if those of each stretch can. For ages of two and without swaps these are the chunks of
//! Golab, Hurwitz and Li, "On the k-atomicity-verification problem" (ICDCS 2013).
//!
//! A value and what was swapped for it are always in one stretch.

use super::op::Point;

/// When a value was set and seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// When the call that set it began.
    pub(super) start: Point,
    /// When it must have been set at the latest, its deadline: when the first call ended that set it,
    /// saw it, or set what came of it.
    pub(super) end: Point,
    /// When the last call began that saw it; 0 if none did.
    pub(super) seen: Point,
    /// The place of the value that it was swapped for.
    pub(super) before: Option<usize>,
}

type Zone = (Point, Point);

/// The stretches of values that are given by deadline, what was swapped behind what it was swapped for.
pub(super) fn stretches(lives: &[Life]) -> Vec<Vec<Life>> {
    let zones = zones(lives);
    let merged = merged(&zones);
    let mut stretches: Vec<Vec<usize>> = vec![Vec::new(); merged.len()];
    for (place, (life, zone)) in lives.iter().zip(&zones).enumerate() {
        let from = zone.map_or(life.start.max(life.seen), |zone| zone.0);
        let after = merged.partition_point(|stretch| stretch.0 <= from);
        if after > 0 && life.end <= merged[after - 1].1 {
            stretches[after - 1].push(place);
        }
    }
    stretches.into_iter().map(|places| apart(lives, &places)).collect()
}

fn zones(lives: &[Life]) -> Vec<Option<Zone>> {
    let zone = |life: &Life| (life.end <= life.seen).then_some((life.end, life.seen));
    let mut zones: Vec<Option<Zone>> = lives.iter().map(zone).collect();
    for (place, life) in lives.iter().enumerate() {
        let Some(before) = life.before else { continue };
        let seen = life.end.max(lives[before].seen).max(zones[before].map_or(0, |zone| zone.1));
        zones[before] = Some((lives[before].end, seen));
        zones[place] = zones[place].or(Some((life.end, life.end)));
    }
    zones
}

fn merged(zones: &[Option<Zone>]) -> Vec<Zone> {
    let mut sorted: Vec<Zone> = zones.iter().flatten().copied().collect();
    sorted.sort_unstable();
    let mut merged: Vec<Zone> = Vec::new();
    for (from, until) in sorted {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// Some of the values by themselves. What they were swapped for is among them.
fn apart(lives: &[Life], places: &[usize]) -> Vec<Life> {
    let at = |before: usize| places.binary_search(&before).ok();
    let life = |&place: &usize| Life { before: lives[place].before.and_then(at), ..lives[place] };
    places.iter().map(life).collect()
}

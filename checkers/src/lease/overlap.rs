//! Pairs of holds that overlapped, or may have.

use tribunal_history::Nanos;

use super::hold::Hold;

/// Pairs of holds: the first ones, as positions, and how many there are.
#[derive(Default)]
pub(super) struct Overlaps {
    pub first: Vec<(usize, usize)>,
    pub count: usize,
}

/// Pairs kept.
const KEPT: usize = 1_000;

/// Pairs that overlapped however the instants of the calls are placed.
pub(super) fn definite(holds: &[Hold]) -> Overlaps {
    let core = |hold: &Hold| (hold.granted.min(hold.until), hold.granted.max(hold.until));
    sweep(holds, core, |one, other| one.overlaps(other))
}

/// Pairs that may have overlapped, and may not.
pub(super) fn possible(holds: &[Hold]) -> Overlaps {
    let hull = |hold: &Hold| (hold.earliest, hold.latest);
    sweep(holds, hull, |one, other| !one.overlaps(other))
}

/// Counts the pairs of two processes whose stretches intersect and that `matter`.
fn sweep(
    holds: &[Hold],
    stretch: impl Fn(&Hold) -> (Nanos, Nanos),
    matter: impl Fn(&Hold, &Hold) -> bool,
) -> Overlaps {
    let mut order: Vec<(Nanos, u32)> =
        (0..).zip(holds).map(|(at, hold)| (stretch(hold).0, at)).collect();
    order.sort_unstable();
    let mut overlaps = Overlaps::default();
    let mut open: Vec<(Nanos, usize)> = Vec::new();
    for (from, at) in order {
        let (at, hold) = (at as usize, &holds[at as usize]);
        open.retain(|&(to, _)| to > from);
        for &(_, other) in &open {
            let rival = &holds[other];
            if rival.process != hold.process && matter(rival, hold) {
                overlaps.count += 1;
                if overlaps.first.len() < KEPT {
                    overlaps.first.push((other, at));
                }
            }
        }
        open.push((stretch(hold).1, at));
    }
    overlaps
}

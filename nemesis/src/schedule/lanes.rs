//! Faults that are drawn: lanes that act side by side, each with one fault after the other.

use tribunal_generator::{Rng, Seed};
use tribunal_history::Nanos;

use super::down::Limit;
use super::{FaultSpec, MOST, Planned, Rhythm, ScheduleError, Timing, nanos};
use crate::faults::{self, Fault, Options};

/// A kind that was asked for, with its stream of chance.
pub(super) type Kind<'s> = (&'static dyn Fault, &'s Options, Rng);

/// The kinds of each lane: one family, or several where there are more families than lanes.
pub(super) fn of<'s>(
    seed: Seed,
    faults: &'s [FaultSpec],
    limit: Limit,
    at_once: usize,
) -> Result<Vec<Vec<Kind<'s>>>, ScheduleError> {
    let mut families = Vec::new();
    let mut lanes: Vec<Vec<Kind>> = Vec::new();
    for spec in faults {
        let fault = faults::find(&spec.name)?;
        limit.admit(fault)?;
        let family = fault.family();
        let place = families.iter().position(|&it| it == family).unwrap_or_else(|| {
            families.push(family);
            families.len() - 1
        });
        let lane = place % at_once.max(1);
        lanes.resize_with(lanes.len().max(lane + 1), Vec::new);
        lanes[lane].push((fault, &spec.options, seed.stream(&format!("fault/{}", spec.name))));
    }
    Ok(lanes)
}

/// Draws the faults of one lane, one after the other.
pub(super) fn draw(
    seed: Seed,
    lane: usize,
    mut kinds: Vec<Kind>,
    limit: Limit,
    timing: Timing,
    planned: &mut Vec<Planned>,
) -> Result<(), ScheduleError> {
    let (count, gaps) = (kinds.len() as u32, kinds.len().saturating_sub(1) as u32);
    let ends = timing.first + timing.duration * count + timing.interval * gaps;
    if ends > timing.until {
        return Err(ScheduleError::NoTime { faults: kinds.len(), ends, timing });
    }
    // The first lane's streams have the plain names.
    let stream = |what: &str| match lane {
        0 => seed.stream(&format!("fault/{what}")),
        _ => seed.stream(&format!("fault/{what}/{lane}")),
    };
    let (mut starts, mut order) = (starts(stream("times"), timing), stream("order"));
    loop {
        let mut round: Vec<usize> = (0..kinds.len()).collect();
        if timing.rhythm != Rhythm::Interval {
            order.shuffle(&mut round);
        }
        for kind in round {
            let Some(inject) = starts.next() else { return Ok(()) };
            if planned.len() == MOST {
                return Err(ScheduleError::TooMany);
            }
            let (fault, options, rng) = &mut kinds[kind];
            let (name, heal) = (Fault::name(*fault).into(), inject + nanos(timing.duration));
            let draw = || limit.draw(*fault, options, rng, planned, inject);
            // Where it does not fit beside the others, it is left out this time.
            if let Some(plan) = limit.fitting(planned, (&name, inject, heal), draw)? {
                planned.push(Planned { id: 0, name, inject, heal, plan });
            }
        }
        if timing.rhythm == Rhythm::Once {
            return Ok(());
        }
    }
}

/// When each fault begins, as long as one fits.
fn starts(mut rng: Rng, timing: Timing) -> impl Iterator<Item = Nanos> {
    let (first, duration) = (nanos(timing.first), nanos(timing.duration));
    let (interval, until) = (nanos(timing.interval), nanos(timing.until));
    let mut slots = 0..;
    std::iter::from_fn(move || {
        let slot: u64 = slots.next()?;
        let earliest = first + slot * (duration + interval).max(1);
        let latest = until.checked_sub(duration)?;
        let room = latest.checked_sub(earliest)?.min(interval / 2);
        let late = if timing.rhythm == Rhythm::Interval { 0 } else { rng.between(0, room) };
        Some(earliest + late)
    })
}

//! Calls that found nothing: each needs a moment at which nothing need have been inside.
//!
//! A value is certainly inside from the end of its put to the start of its take.
//! In a queue, a bag and a stack alike, a history that is right without its empty
//! answers is right with them iff each of them spans a moment outside all those
//! stays: at such a moment everything can be arranged to be out.
//!
//! Calls without an answer may have taken out what nobody else did. Then it is a
//! matter of counting, after Hall's theorem on matchings: at moment `m` all values that were
//! inside by then and were never seen again must have been taken by calls that began by then, and
//! whatever deadlines come later must be met by the calls left over. Whether `m`
//! can be empty does not depend on the other empty moments, because the demands are
//! nested in time: the last one asks for the most.

use super::Call;
use super::clash::Clash;
use super::deadlines::Deadlines;
use super::life::{At, Life, by_put_end};
use super::lives::Lives;
use crate::linearizability::model::{Op, Point};

/// A stretch, between two points, at every moment of which some value is inside.
type Stretch = (Point, Point);

/// Whether every empty answer has its moment, if only answered calls took anything.
pub(in crate::linearizability) fn settled(ops: &[Op<Call>], found: &Lives) -> Result<(), Clash> {
    match found.empties.is_empty() {
        true => Ok(()),
        false => check(ops, found, &by_put_end(&found.lives), &Deadlines::default()),
    }
}

/// Whether every empty answer has its moment. `by_end` holds positions among the lives by the end of
/// their puts; `deadlines` are of the values that nobody was seen to take.
pub(super) fn check(
    ops: &[Op<Call>],
    found: &Lives,
    by_end: &[At],
    deadlines: &Deadlines,
) -> Result<(), Clash> {
    if found.empties.is_empty() {
        return Ok(());
    }
    if !found.uncertain() {
        let full = stretches(&found.lives, by_end);
        return match found.empties.iter().find(|&&at| within(&full, &ops[at as usize])) {
            Some(&empty) => Err(never_out(ops, &found.lives, by_end, empty)),
            None => Ok(()),
        };
    }
    let taken = found.taken().lives;
    let taken_by_end = by_put_end(&taken);
    let full = stretches(&taken, &taken_by_end);
    let moments = moments(ops, found, &full);
    let mut possible = vec![0_u32; moments.len() + 1];
    let open = deadlines.possible(&moments);
    for (i, &moment) in moments.iter().enumerate() {
        let outside = !covered(&full, moment, moment + 1);
        possible[i + 1] = possible[i] + u32::from(outside && open[i]);
    }
    for &empty in &found.empties {
        let op = &ops[empty as usize];
        let from = moments.partition_point(|&moment| moment < op.start);
        let until = moments.partition_point(|&moment| moment < op.end);
        if possible[from] == possible[until] {
            return Err(match within(&full, op) {
                true => never_out(ops, &taken, &taken_by_end, empty),
                false => crowded(ops, found, deadlines, empty),
            });
        }
    }
    Ok(())
}

/// The union of the stays, in order.
fn stretches(lives: &[Life], by_end: &[At]) -> Vec<Stretch> {
    let mut full: Vec<Stretch> = Vec::new();
    for life in by_end.iter().map(|&at| &lives[at as usize]).filter(|life| life.stays()) {
        match full.last_mut() {
            Some(last) if life.put_end <= last.1 => last.1 = last.1.max(life.took_start),
            _ => full.push((life.put_end, life.took_start)),
        }
    }
    full
}

fn within(full: &[Stretch], op: &Op<Call>) -> bool {
    covered(full, op.start, op.end)
}

fn covered(full: &[Stretch], start: Point, end: Point) -> bool {
    let next = full.partition_point(|stretch| stretch.0 <= start);
    next > 0 && full[next - 1].1 >= end
}

/// Where it can first become possible to be empty: as an empty call begins, as a call that may have
/// taken something begins, and as a stretch ends. In between it only gets harder.
fn moments(ops: &[Op<Call>], found: &Lives, full: &[Stretch]) -> Vec<Point> {
    let starts = found.empties.iter().chain(&found.takes).map(|&at| ops[at as usize].start);
    let mut moments: Vec<Point> = starts.chain(full.iter().map(|stretch| stretch.1)).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// An empty answer, and values whose stays cover all of it, each begun before the last one ended.
fn never_out(ops: &[Op<Call>], lives: &[Life], by_end: &[At], empty: At) -> Clash {
    let (mut at, end) = (ops[empty as usize].start, ops[empty as usize].end);
    let mut cover: Vec<Life> = Vec::new();
    let mut next = by_end.iter().map(|&at| lives[at as usize]).filter(Life::stays).peekable();
    while at < end {
        let mut best: Option<Life> = None;
        while let Some(life) = next.next_if(|life| life.put_end <= at) {
            if best.is_none_or(|best| best.took_start < life.took_start) {
                best = Some(life);
            }
        }
        let Some(best) = best.filter(|best| best.took_start > at) else { break };
        at = best.took_start;
        cover.push(best);
    }
    Clash::NotEmpty { empty, cover }
}

/// An empty answer that is one demand too many on the calls that nobody heard of.
fn crowded(ops: &[Op<Call>], found: &Lives, deadlines: &Deadlines, empty: At) -> Clash {
    let op = &ops[empty as usize];
    let around = |life: &Life| {
        !life.taken() || life.stays() && life.put_end < op.end && life.took_start > op.start
    };
    let mut lives: Vec<Life> = found.lives.iter().filter(|life| around(life)).copied().collect();
    lives.extend(deadlines.blockers(&found.lives));
    Clash::Crowded { empty, lives, takes: found.takes.clone() }
}

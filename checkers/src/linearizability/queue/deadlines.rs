//! Values that were put in and that nobody was seen to take, and the calls without
//! an answer that may have taken them.
//!
//! In a first-in-first-out queue such a value must be out before any value that was
//! put later is taken: it has a deadline, the end of the first such take. A call without
//! an answer can have taken any one value from its start on. By Hall's theorem there are calls for all
//! values with a deadline iff before every point there began as many calls as there are deadlines up to it
//! (the calls that help with a deadline help with all later ones).

use super::clash::Clash;
use super::life::{At, Life};
use super::lives::Lives;
use crate::linearizability::model::{NEVER, Point};

/// A value that nobody was seen to take.
#[derive(Clone, Copy, Debug)]
struct Leftover {
    /// Its life, as a position among the lives.
    life: At,
    /// Before this it is not certain to be inside.
    put_end: Point,
    /// It must be out by then.
    deadline: Point,
    /// The life that sets the deadline.
    blocker: At,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    /// By deadline.
    leftovers: Vec<Leftover>,
    /// When the calls that may have taken them began, in order.
    takes: Vec<Point>,
}

impl Deadlines {
    /// Of a bag: there are none.
    pub fn none(lives: &[Life], takes: Vec<Point>) -> Self {
        Self::new(lives, takes, |_| (NEVER, 0))
    }

    /// Of a first-in-first-out queue; the lives are in the order of their puts.
    pub fn in_order(lives: &[Life], takes: Vec<Point>) -> Self {
        if lives.iter().all(Life::taken) {
            return Self { leftovers: Vec::new(), takes };
        }
        // Of each life and those put later, the one that was out first.
        let mut first_out: Vec<At> = (0..lives.len() as At).collect();
        for at in (0..lives.len().saturating_sub(1)).rev() {
            let later = first_out[at + 1];
            if lives[later as usize].took_end < lives[at].took_end {
                first_out[at] = later;
            }
        }
        Self::new(lives, takes, |life| {
            let next = lives.partition_point(|other| other.put_start <= life.put_end);
            let first = first_out.get(next).map(|&at| (lives[at as usize].took_end, at));
            first.unwrap_or((NEVER, 0))
        })
    }

    fn new(lives: &[Life], takes: Vec<Point>, due: impl Fn(&Life) -> (Point, At)) -> Self {
        let left = (0..).zip(lives).filter(|(_, life)| !life.taken());
        let mut leftovers: Vec<Leftover> = left
            .map(|(at, life)| {
                let (deadline, blocker) = due(life);
                Leftover { life: at, put_end: life.put_end, deadline, blocker }
            })
            .collect();
        leftovers.sort_unstable_by_key(|left| left.deadline);
        Self { leftovers, takes }
    }

    /// Whether every deadline can be met.
    pub fn check(&self, found: &Lives) -> Result<(), Clash> {
        let lives = &found.lives;
        let mut takes = 0;
        for (before, left) in self.leftovers.iter().enumerate() {
            if left.deadline == NEVER {
                break;
            }
            while self.takes.get(takes).is_some_and(|&start| start < left.deadline) {
                takes += 1;
            }
            if takes <= before {
                let late = self.leftovers[..=before].iter();
                let pair =
                    |left: &Leftover| (lives[left.life as usize], lives[left.blocker as usize]);
                let takes = found.takes[..takes].to_vec();
                return Err(Clash::LeftBehind { late: late.map(pair).collect(), takes });
            }
        }
        Ok(())
    }

    /// The lives that set deadlines.
    pub fn blockers(&self, lives: &[Life]) -> impl Iterator<Item = Life> {
        let due = self.leftovers.iter().take_while(|left| left.deadline != NEVER);
        due.map(|left| lives[left.blocker as usize])
    }

    /// For each of these moments, in order, whether nothing of the leftovers need be inside just after
    /// it, all deadlines being met: whether as many calls had begun as values were inside.
    ///
    /// Deadlines need no second look. Whatever blocks a value that came in after the moment was put after
    /// the values inside by then, too, and blocks them: so those have the earlier deadlines, and what is
    /// left to meet the later ones is what [`Deadlines::check`] counted.
    pub fn possible(&self, moments: &[Point]) -> Vec<bool> {
        let mut put_ends: Vec<Point> = self.leftovers.iter().map(|left| left.put_end).collect();
        put_ends.sort_unstable();
        let inside = |moment: Point| put_ends.partition_point(|&end| end <= moment);
        let begun = |moment: Point| self.takes.partition_point(|&start| start <= moment);
        moments.iter().map(|&moment| inside(moment) <= begun(moment)).collect()
    }
}

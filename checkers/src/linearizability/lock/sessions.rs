//! Sessions: what a process did between taking a lock and giving it back.
//!
//! A process makes one call at a time, so a session's calls are in order, and it certainly
//! holds the lock from the end of its acquire to the start of its release.

use rustc_hash::FxHashMap;

use super::super::model::{NEVER, Op, Point};
use super::Call;

/// A stretch during which one process holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub process: u64,
    /// The outermost acquire, as a position among the ops.
    pub acquire: u32,
    /// The release that ends it, if any was ever called.
    pub release: Option<u32>,
    /// The end of the acquire.
    pub granted: Point,
    /// The start of the release; [`NEVER`] where there is none.
    pub given_back: Point,
}

/// What a process did that no lock allows. Calls are positions among the ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// It acquired a lock that it held as often as it may.
    AcquiredTwice {
        /// The acquire by which it held the lock.
        first: u32,
        /// The one too many.
        second: u32,
    },
    /// It released a lock that it did not hold.
    ReleasedUnheld {
        /// The release.
        release: u32,
        /// The acquire and the release of its session before, if there was one.
        before: Option<(u32, u32)>,
    },
}

impl Misuse {
    /// What kind of conflict it is.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Misuse::AcquiredTwice { .. } => "acquired-twice",
            Misuse::ReleasedUnheld { .. } => "released-unheld",
        }
    }

    /// The calls that show it.
    pub(super) fn calls(&self, ops: &[Op<Call>]) -> Vec<u32> {
        match *self {
            Misuse::ReleasedUnheld { release, before } => {
                let before = before.into_iter().flat_map(|(acquire, given)| [acquire, given]);
                before.chain([release]).collect()
            }
            Misuse::AcquiredTwice { first, second } => {
                let process = ops[first as usize].call.process();
                (first..=second).filter(|&at| ops[at as usize].call.process() == process).collect()
            }
        }
    }
}

/// All sessions, in the order of their acquires.
///
/// `depth` is how often a process may hold the lock at once. `None` where a
/// process goes on after a call of unknown outcome: then nobody knows what it holds.
pub(super) fn sessions(ops: &[Op<Call>], depth: u32) -> Option<Result<Vec<Session>, Misuse>> {
    let mut all = Sessions { depth, ..Sessions::default() };
    let mut misuse = None;
    for (at, op) in (0..).zip(ops) {
        if let Err(found) = all.add(op, at)? {
            misuse = misuse.or(Some(found));
        }
    }
    Some(misuse.map_or(Ok(all.sessions), Err))
}

#[derive(Default)]
struct Sessions {
    depth: u32,
    sessions: Vec<Session>,
    holders: FxHashMap<u64, Holder>,
}

/// A process and what it holds.
#[derive(Default)]
struct Holder {
    depth: u32,
    session: usize,
    /// The last session that it ended.
    ended: Option<(u32, u32)>,
    /// Whether it made a call of unknown outcome.
    crashed: bool,
}

impl Sessions {
    fn add(&mut self, op: &Op<Call>, at: u32) -> Option<Result<(), Misuse>> {
        let holder = self.holders.entry(op.call.process()).or_default();
        if holder.crashed {
            return None;
        }
        holder.crashed = op.crashed();
        Some(match op.call {
            Call::Refused { .. } => Ok(()),
            Call::Acquire { .. } if op.crashed() => Ok(()),
            Call::Acquire { .. } => self.acquire(op, at),
            Call::Release { .. } => self.release(op, at),
        })
    }

    fn acquire(&mut self, op: &Op<Call>, at: u32) -> Result<(), Misuse> {
        let process = op.call.process();
        let holder = self.holders.entry(process).or_default();
        if holder.depth == self.depth {
            let first = self.sessions[holder.session].acquire;
            return Err(Misuse::AcquiredTwice { first, second: at });
        }
        holder.depth += 1;
        if holder.depth == 1 {
            holder.session = self.sessions.len();
            let (granted, given_back) = (op.end, NEVER);
            let session = Session { process, acquire: at, release: None, granted, given_back };
            self.sessions.push(session);
        }
        Ok(())
    }

    fn release(&mut self, op: &Op<Call>, at: u32) -> Result<(), Misuse> {
        let holder = self.holders.entry(op.call.process()).or_default();
        match holder.depth {
            0 if op.crashed() => return Ok(()),
            0 => return Err(Misuse::ReleasedUnheld { release: at, before: holder.ended }),
            1 => {
                let session = &mut self.sessions[holder.session];
                session.release = Some(at);
                session.given_back = op.start;
                holder.ended = Some((session.acquire, at));
            }
            _ => {}
        }
        holder.depth -= 1;
        Ok(())
    }
}

/// Whether every call that found the lock held began or ended while it certainly
/// was, by `sessions` whose holds do not overlap.
///
/// A process that holds a lock itself may be refused it only where it holds it as often as it may.
pub(super) fn explain_refusals(ops: &[Op<Call>], sessions: &[Session], depth: u32) -> bool {
    let refused = |op: &&Op<Call>| matches!(op.call, Call::Refused { .. }) && !op.crashed();
    if !ops.iter().any(|op| refused(&op)) {
        return true;
    }
    let mut holds: Vec<&Session> = sessions.iter().collect();
    holds.sort_unstable_by_key(|hold| hold.granted);
    let mut first = 0;
    ops.iter().filter(refused).all(|op| {
        while holds.get(first).is_some_and(|hold| hold.given_back <= op.start) {
            first += 1;
        }
        let during = holds[first..].iter().take_while(|hold| hold.granted < op.end);
        let mut during = during.filter(|hold| depth == 1 || hold.process != op.call.process());
        during.next().is_some()
    })
}

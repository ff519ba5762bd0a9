//! Locks with owners: only the holder may release, and a reentrant lock may be
//! taken again by who holds it. Exact in linear time.
//!
//! The calls of a session are a block: between a grant and the release that
//! undoes it nobody else has the lock. By the block lemma (see
//! [`blocks`](super::super::blocks)) there is an order unless two sessions each have
//! to come before the other; and as the calls of a session do not overlap, that is where two holds do.
//!
//! A release of unknown outcome may have given the lock back from its start on; an
//! acquire of unknown outcome is left out, for nobody depends on it. Where a process goes on
//! after one, the search decides.

use tribunal_history::{History, Operation};

use super::super::model::{Conflict, Decision, Model, Object, Op};
pub use super::sessions::Misuse;
use super::sessions::{Session, explain_refusals, sessions};
use super::{Call, numbers, wording};

/// A lock that only its holder may release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnedLock {
    /// How often a process may hold it at once: 1, or more where the lock is reentrant.
    pub depth: u32,
}

impl OwnedLock {
    /// A lock that its holder cannot acquire again.
    pub const PLAIN: Self = Self { depth: 1 };
    /// A lock that its holder may acquire again, as often as it likes.
    pub const REENTRANT: Self = Self { depth: u32::MAX };
}

impl Model for OwnedLock {
    type Call = Call;
    /// Who holds it, and how often.
    type State = Option<(u64, u32)>;

    fn init(&self) -> Self::State {
        None
    }

    fn shown(&self, held: &Self::State, _history: &History) -> String {
        match held {
            None => "nobody".to_owned(),
            Some((holder, 1)) => format!("p{holder}"),
            Some((holder, depth)) => format!("p{holder} {depth} times"),
        }
    }

    fn step(&self, held: &Self::State, call: &Call) -> impl IntoIterator<Item = Self::State> {
        match (*held, *call) {
            (None, Call::Acquire { process, .. }) => Some(Some((process, 1))),
            (Some((holder, depth)), Call::Acquire { process, .. }) => {
                (holder == process && depth < self.depth).then_some(Some((holder, depth + 1)))
            }
            (Some((holder, depth)), Call::Refused { process }) => {
                (holder != process || depth == self.depth).then_some(*held)
            }
            (Some((holder, depth)), Call::Release { process }) => (holder == process)
                .then(|| depth.checked_sub(1).filter(|&left| left > 0).map(|left| (holder, left))),
            (None, Call::Refused { .. } | Call::Release { .. }) => None,
        }
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        Call::read(operation)
    }

    fn looks(&self, call: &Call) -> bool {
        matches!(call, Call::Refused { .. })
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        let conflict = check(&object.ops, self.depth)?.err().map(|breach| Conflict {
            kind: breach.kind(),
            message: breach.sentence(object),
            calls: numbers(object, &breach.calls(&object.ops)),
        });
        Some(Decision { judge: "sessions", conflict })
    }
}

/// Why the calls on a lock have no order. Calls are positions among the ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A process did what no lock allows.
    Misuse(Misuse),
    /// A session that was granted during another one.
    TwoHolders {
        /// The acquire and the release of the one that held the lock.
        holder: (u32, Option<u32>),
        /// Those of the other.
        other: (u32, Option<u32>),
    },
}

impl Breach {
    fn sentence(&self, object: &Object<Call>) -> String {
        match *self {
            Breach::Misuse(misuse) => wording::misused(object, misuse),
            Breach::TwoHolders { holder, other } => wording::two_holders(object, holder, other.0),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Breach::Misuse(misuse) => misuse.kind(),
            Breach::TwoHolders { .. } => "two-holders",
        }
    }

    /// The calls that show it.
    pub fn calls(&self, ops: &[Op<Call>]) -> Vec<u32> {
        match *self {
            Breach::Misuse(misuse) => misuse.calls(ops),
            Breach::TwoHolders { holder, other } => {
                let both = [holder, other].into_iter();
                let mut calls: Vec<u32> = both
                    .flat_map(|(acquire, release)| [Some(acquire), release])
                    .flatten()
                    .collect();
                calls.sort_unstable();
                calls
            }
        }
    }
}

/// Judges the calls on a lock, in the order of their starts.
///
/// `None` where a process goes on after a call of unknown outcome, or some found
/// the lock held and no certain hold tells why.
pub fn check(ops: &[Op<Call>], depth: u32) -> Option<Result<(), Breach>> {
    let sessions = match sessions(ops, depth)? {
        Ok(sessions) => sessions,
        Err(misuse) => return Some(Err(Breach::Misuse(misuse))),
    };
    match overlap(&sessions) {
        Some((holder, other)) => {
            let calls = |session: Session| (session.acquire, session.release);
            Some(Err(Breach::TwoHolders { holder: calls(holder), other: calls(other) }))
        }
        None => explain_refusals(ops, &sessions, depth).then_some(Ok(())),
    }
}

/// Two sessions whose holds overlap, the one granted first in front.
fn overlap(sessions: &[Session]) -> Option<(Session, Session)> {
    // One number of both, because such numbers sort fastest.
    let key = |(at, session): (u64, &Session)| u64::from(session.granted) << 32 | at;
    let mut order: Vec<u64> = (0..).zip(sessions).map(key).collect();
    order.sort_unstable();
    let mut order = order.into_iter().map(|key| sessions[key as u32 as usize]);
    let mut holder = order.next()?;
    for session in order {
        if session.granted < holder.given_back {
            return Some((holder, session));
        }
        holder = session;
    }
    None
}

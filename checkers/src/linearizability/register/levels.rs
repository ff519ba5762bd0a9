//! What still holds of a register that is not linearizable.
//!
//! Weaker promises forget real time between clients. What is left is the order of each client's own
//! calls (its *session*: a process; what a client does after a call that crashed does not come after that,
//! which may yet happen after all), and that a read comes after what it saw:
//!
//! - *sequential*: some order of all calls, true to every session, is that of one register (Lamport 1979);
//! - *causal*: no read returns a value that was overwritten in its causal past, which is all that its
//!   session did and saw before, and what the setters of that had done and seen (Bouajjani,
//!   Enea, Guerraoui and Hamza, POPL 2017: CC);
//! - the four session guarantees (Terry et al., PDIS 1994): *read your writes*, *monotonic reads*,
//!   *monotonic writes*, *writes follow reads*.
//!
//! A guarantee holds if there is an order of the values, the initial one first and each swapped value
//! after the one it was swapped for, under which every session has it: that is, if what the
//! sessions demand of this order is free of cycles. Without any order of writes the other three would promise
//! little, so they are judged together with monotonic writes; where those are broken, they are
//! not known. All is said of one register alone:
//! several registers that are each sequential need not be so together.

use super::causal::causal;
use super::graph::Graph;
use super::op::{Action, INITIAL, Op, ValueId};
use super::versions::Versions;

/// Which promises the calls on one register keep; `None` is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// One order of all calls, true to every session.
    pub sequential: Option<bool>,
    /// No value that was overwritten in the causal past.
    pub causal: Option<bool>,
    /// No read of a value older than one that the session wrote before.
    pub read_your_writes: Option<bool>,
    /// No read of a value older than one that the session read before.
    pub monotonic_reads: Option<bool>,
    /// No write is older than one that the session wrote before.
    pub monotonic_writes: Option<bool>,
    /// No write is older than a value that the session read before.
    pub writes_follow_reads: Option<bool>,
}

impl Levels {
    /// Every promise under its name, the strongest first.
    pub(super) fn list(&self) -> [(&'static str, Option<bool>); 6] {
        [
            ("sequential", self.sequential),
            ("causal", self.causal),
            ("read your writes", self.read_your_writes),
            ("monotonic reads", self.monotonic_reads),
            ("monotonic writes", self.monotonic_writes),
            ("writes follow reads", self.writes_follow_reads),
        ]
    }

    /// The promises in the order of [`Levels::list`].
    pub(super) fn from_list(kept: [Option<bool>; 6]) -> Self {
        let [sequential, causal, read_your_writes, monotonic_reads, monotonic_writes, last] = kept;
        Self {
            sequential,
            causal,
            read_your_writes,
            monotonic_reads,
            monotonic_writes,
            writes_follow_reads: last,
        }
    }
}

/// Judges the calls on one register whose values are `0..values`. `sessions` has the session of each.
pub fn levels(ops: &[Op], sessions: &[u32], values: usize) -> Levels {
    let Some(versions) = Versions::of(ops, values) else { return Levels::default() };
    let own = |&place: &u32| sessions[place as usize];
    let sessions = Sessions::new(versions.places.iter().map(own).collect(), &versions.ops);
    let writes = in_turn(demands(&versions), &versions, &sessions, Action::produces);
    let monotonic_writes = writes.is_acyclic();
    let holds = |demands: Graph| monotonic_writes.then(|| demands.is_acyclic());
    Levels {
        sequential: Some(sequential(&versions, &sessions)),
        causal: causal(&versions, &sessions),
        read_your_writes: holds(read_your_writes(writes.clone(), &versions, &sessions)),
        monotonic_reads: holds(in_turn(writes.clone(), &versions, &sessions, Action::observes)),
        monotonic_writes: Some(monotonic_writes),
        writes_follow_reads: holds(writes_follow_reads(writes, &versions, &sessions)),
    }
}

/// The session of each call that took effect, numbered from 0. A crashed call with which its process did
/// not end is a session of its own.
pub(super) struct Sessions {
    /// By call.
    pub(super) of: Vec<u32>,
    /// By call, the session whose calls it comes after: mostly its own.
    pub(super) follows: Vec<u32>,
    /// How many there are.
    pub(super) count: usize,
}

impl Sessions {
    fn new(processes: Vec<u32>, ops: &[Op]) -> Self {
        let mut known = processes.clone();
        known.sort_unstable();
        known.dedup();
        let number = |process| known.binary_search(&process).expect("it is among them") as u32;
        let follows: Vec<u32> = processes.into_iter().map(number).collect();
        let (mut of, mut count) = (follows.clone(), known.len());
        let mut goes_on = vec![false; count];
        for (op, session) in ops.iter().zip(&mut of).rev() {
            if std::mem::replace(&mut goes_on[*session as usize], true) && op.crashed() {
                *session = count as u32;
                count += 1;
            }
        }
        Self { of, follows, count }
    }

    /// Every call with its session's state, in the order of the invocations.
    fn walk<S: Default + Clone>(&self, versions: &Versions, mut visit: impl FnMut(&mut S, Op)) {
        let mut states = vec![S::default(); self.count];
        for ((op, session), follows) in versions.ops.iter().zip(&self.of).zip(&self.follows) {
            let state = &mut states[*follows as usize];
            match session == follows {
                true => visit(state, *op),
                false => visit(&mut state.clone(), *op),
            }
        }
    }
}

/// Where every value is set once, all calls on a chain of swapped values must be together in such
/// an order: the chains can be put in order, and the calls within each, or not.
fn sequential(versions: &Versions, sessions: &Sessions) -> bool {
    let Some(order) = versions.by_swaps() else { return false };
    let values = versions.producer.len();
    let (mut chain, mut depth, mut swapped) =
        (vec![0; values], vec![0; values], vec![false; values]);
    for &value in &order {
        match versions.before(value) {
            None => chain[value as usize] = value,
            Some(old) if std::mem::replace(&mut swapped[old as usize], true) => return false,
            Some(old) => {
                chain[value as usize] = chain[old as usize];
                depth[value as usize] = depth[old as usize] + 1;
            }
        }
    }
    let mut graph = Graph::new(values);
    (1..values as ValueId).for_each(|value| graph.add(INITIAL, chain[value as usize]));
    let mut ordered = true;
    sessions.walk(versions, |last: &mut Option<(ValueId, u32)>, op| {
        let value = op.action.produces().or(op.action.observes()).unwrap_or(INITIAL);
        let level = 2 * depth[value as usize] + u32::from(op.action.produces().is_none());
        let chain = chain[value as usize];
        if let Some((before, passed)) = last.replace((chain, level)) {
            ordered &= before != chain || passed <= level;
            graph.add(before, chain);
        }
    });
    ordered && graph.is_acyclic()
}

/// What every guarantee demands.
fn demands(versions: &Versions) -> Graph {
    let mut graph = Graph::new(versions.producer.len());
    for value in 1..versions.producer.len() as ValueId {
        graph.add(INITIAL, value);
        if let Some(old) = versions.before(value) {
            graph.add(old, value);
        }
    }
    graph
}

/// Of the values that a session reads, or of those it writes: each no older than the one before.
fn in_turn(
    mut graph: Graph,
    versions: &Versions,
    sessions: &Sessions,
    value: impl Fn(Action) -> Option<ValueId>,
) -> Graph {
    sessions.walk(versions, |last: &mut Option<ValueId>, op| {
        if let Some(value) = value(op.action) {
            let before = last.replace(value);
            before.into_iter().for_each(|before| graph.add(before, value));
        }
    });
    graph
}

/// Every value read comes before what the session writes later. The values read
/// so far stand together behind one node.
fn writes_follow_reads(mut graph: Graph, versions: &Versions, sessions: &Sessions) -> Graph {
    sessions.walk(versions, |seen: &mut Option<u32>, op| {
        if let Some(value) = op.action.observes() {
            let more = graph.node();
            graph.add(value, more);
            seen.replace(more).into_iter().for_each(|seen| graph.add(seen, more));
        }
        if let (Some(seen), Some(value)) = (*seen, op.action.produces()) {
            graph.add(seen, value);
        }
    });
    graph
}

/// The last value written, and so all before it, comes before what the session reads next, unless
/// it is that.
fn read_your_writes(mut graph: Graph, versions: &Versions, sessions: &Sessions) -> Graph {
    sessions.walk(versions, |written: &mut Option<ValueId>, op| {
        if let (Some(last), Some(value)) = (*written, op.action.observes()) {
            graph.add(last, value);
        }
        *written = op.action.produces().or(*written);
    });
    graph
}

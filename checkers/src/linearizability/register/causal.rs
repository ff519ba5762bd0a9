//! Whether a register is causally consistent, by the clocks of its sessions.

use super::graph::Graph;
use super::levels::Sessions;
use super::op::INITIAL;
use super::versions::{NONE, Versions};

/// The most entries of all clocks together, for the sake of memory: 64 MB.
const ENTRIES: usize = 1 << 24;

/// Whether no read returns a value that was overwritten in its causal past.
///
/// Every call gets a clock: how many calls of each session it comes after. Of the
/// writes of a session in a read's past only the last one need be looked at: if any of them
/// comes after the write that was read, so does the last.
pub(super) fn causal(versions: &Versions, sessions: &Sessions) -> Option<bool> {
    let (calls, width) = (versions.ops.len(), sessions.count);
    if calls * width > ENTRIES {
        return None;
    }
    let past = Past::of(versions, sessions);
    let mut graph = Graph::new(calls);
    for (at, &before) in (0..).zip(&past.previous) {
        let setter = past.setter(versions, at);
        [before, setter].into_iter().filter(|&it| it != NONE).for_each(|it| graph.add(it, at));
    }
    let order = graph.order();
    if order.len() < calls {
        return Some(false);
    }
    let mut clocks = vec![0_u32; calls * width];
    for at in order {
        for before in [past.previous[at as usize], past.setter(versions, at)] {
            if before == NONE {
                continue;
            }
            for session in 0..width {
                let theirs = clocks[before as usize * width + session];
                let own = &mut clocks[at as usize * width + session];
                *own = (*own).max(theirs);
            }
            let own = &mut clocks[at as usize * width + sessions.of[before as usize] as usize];
            *own = (*own).max(past.nth[before as usize] + 1);
        }
        let clock = |call: u32| &clocks[call as usize * width..][..width];
        let Some(value) = versions.ops[at as usize].action.observes() else { continue };
        let setter = versions.producer[value as usize];
        for (session, &passed) in clock(at).iter().enumerate() {
            let last = match passed {
                0 => continue,
                passed => past.last_write[session][passed as usize - 1],
            };
            let overwritten = last != NONE
                && last != setter
                && (value == INITIAL
                    || clock(last)[sessions.of[setter as usize] as usize]
                        > past.nth[setter as usize]);
            if overwritten {
                return Some(false);
            }
        }
    }
    Some(true)
}

/// What came before each call in the session that it follows.
struct Past {
    /// By call: the one before it.
    previous: Vec<u32>,
    /// By call: how many were before it.
    nth: Vec<u32>,
    /// By session and number of a call: the last one up to there that set a value.
    last_write: Vec<Vec<u32>>,
}

impl Past {
    fn of(versions: &Versions, sessions: &Sessions) -> Self {
        let mut last = vec![NONE; sessions.count];
        let (mut previous, mut nth) = (Vec::new(), Vec::new());
        let mut last_write: Vec<Vec<u32>> = vec![Vec::new(); sessions.count];
        let own = sessions.of.iter().zip(&sessions.follows);
        for ((at, op), (&session, &follows)) in (0..).zip(&versions.ops).zip(own) {
            let writes = &mut last_write[session as usize];
            previous.push(last[follows as usize]);
            last[session as usize] = at;
            nth.push(writes.len() as u32);
            let sets = op.action.produces().is_some();
            let before = writes.last().copied().unwrap_or(NONE);
            writes.push(if sets { at } else { before });
        }
        Self { previous, nth, last_write }
    }

    /// The call that set what a call saw.
    fn setter(&self, versions: &Versions, at: u32) -> u32 {
        let seen = versions.ops[at as usize].action.observes();
        seen.map_or(NONE, |value| versions.producer[value as usize])
    }
}

//! Registers that clients call at the same time, simulated: valid histories of
//! a few values or of unique ones, with calls of unknown outcome.

use tribunal_checkers::linearizability::register::{Action, INITIAL, NEVER, Op, Point};

use super::Draw;

/// What the clients of one register do.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Calls in all.
    pub calls: u64,
    /// Clients, each with one call at a time.
    pub clients: u64,
    /// Values to write; `None` is a new one each time.
    pub values: Option<u64>,
    /// Calls in a thousand whose outcome nobody knows; half of them take effect.
    pub crashed: u64,
}

/// A client's call under way.
#[derive(Clone, Copy)]
struct Open {
    at: usize,
    applied: bool,
}

/// The calls on one register, in the order of their invocations, and how many values they have.
///
/// Reads, writes and compare-and-sets in equal parts. A call begins, takes effect
/// and ends at the whim of chance; a compare-and-set that does not swap is told what it found.
pub fn calls(draw: &mut Draw, shape: Shape) -> (Vec<Op>, usize) {
    let mut ops: Vec<Op> = Vec::with_capacity(shape.calls as usize);
    let mut open: Vec<Option<Open>> = vec![None; shape.clients as usize];
    let (mut held, mut point, mut fresh) = (INITIAL, 0, 0);
    while (ops.len() as u64) < shape.calls || open.iter().any(Option::is_some) {
        let client = &mut open[draw.below(shape.clients) as usize];
        match client {
            None if ops.len() as u64 == shape.calls => {}
            None => {
                point += 1;
                fresh += 1;
                let action = wish(draw, held, fresh, shape.values);
                *client = Some(Open { at: ops.len(), applied: false });
                ops.push(Op { action, start: point, end: NEVER, call: ops.len() as u32 });
            }
            Some(Open { at, applied: false }) => {
                let crashes = draw.below(1_000) < shape.crashed;
                if !crashes || draw.below(2) == 0 {
                    apply(&mut ops[*at].action, &mut held, crashes);
                }
                *client = (!crashes).then_some(Open { at: *at, applied: true });
            }
            Some(Open { at, .. }) => {
                point += 1;
                ops[*at].end = point as Point;
                *client = None;
            }
        }
    }
    ops.retain(|op| !(op.crashed() && matches!(op.action, Action::Read(_))));
    (ops, 1 + shape.values.unwrap_or(fresh) as usize)
}

fn wish(draw: &mut Draw, held: u32, fresh: u64, values: Option<u64>) -> Action {
    let new = values.map_or(fresh, |values| 1 + draw.below(values)) as u32;
    match draw.below(3) {
        0 => Action::Read(held),
        1 => Action::Write(new),
        _ => {
            let old = values.map_or(held, |values| 1 + draw.below(values) as u32);
            if old == new { Action::Read(old) } else { Action::Cas(old, new) }
        }
    }
}

/// Lets a call take effect, and writes down what it found.
fn apply(action: &mut Action, held: &mut u32, crashes: bool) {
    match *action {
        Action::Write(new) => *held = new,
        Action::Cas(old, new) if old == *held => *held = new,
        Action::Cas(..) if crashes => {}
        _ => *action = Action::Read(*held),
    }
}

//! What the final reads of a key prove.
//!
//! A write is *settled* if it had certainly taken effect before the first final
//! read began. Any other may still arrive at any replica at any moment, so a
//! final read that returned one is explained and proves nothing. The settled
//! final reads must all return one value, the *survivor*, and no write that was
//! acknowledged by then may have begun after the survivor had taken effect:
//! such a write comes later in every order, and it is lost.
//!
//! By the block lemma (a cycle of "must precede" has a 2-cycle; Gibbons and
//! Korach 1997) these pairs are all there is: where none is found, an order
//! exists that explains every final read.

use super::register::{Register, Write};

/// A key's final state, judged.
pub(super) struct Judgement {
    /// What settled final reads returned, the one that took effect first in
    /// front; `None` is the initial value. More than one: the replicas diverged.
    pub survivors: Vec<Option<usize>>,
    /// The lost writes in the order of their starts.
    pub lost: Vec<Lost>,
}

impl Judgement {
    /// Whether nothing is lost, and all agree.
    pub fn is_fine(&self) -> bool {
        self.lost.is_empty() && self.survivors.len() < 2
    }
}

/// An acknowledged write that no survivor can have overwritten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub write: usize,
    /// Whether another lost write came entirely after it: had that one stayed,
    /// this one would be legitimately gone.
    pub superseded: bool,
}

/// Judges a key by its final reads, or says why it cannot be judged.
pub(super) fn judge(register: &Register) -> Result<Judgement, String> {
    if let Some(value) = register.ambiguous {
        return Err(format!("more than one write of {value}, so a read of it tells nothing"));
    }
    let starts = register.finals.iter().map(|read| read.op.start());
    let quiet = starts.min().ok_or("no final read was acknowledged")?;
    let survivors = survivors(register, quiet);
    let Some(&last) = survivors.last() else {
        return Err("its final reads returned only writes that may have just arrived".to_owned());
    };
    let floor = effect(register, last);
    Ok(Judgement { lost: lost(register, floor, quiet), survivors })
}

/// When a survivor had taken effect; the initial value before all events.
fn effect(register: &Register, survivor: Option<usize>) -> Option<u64> {
    survivor.and_then(|at| register.writes[at].effect).map(|event| event.index())
}

fn survivors(register: &Register, quiet: u64) -> Vec<Option<usize>> {
    let settled = |writer: &Option<usize>| {
        writer.is_none_or(|at| register.writes[at].took_effect_before(quiet))
    };
    let mut survivors: Vec<_> =
        register.finals.iter().map(|read| read.writer).filter(settled).collect();
    survivors.sort_by_key(|&writer| effect(register, writer));
    survivors.dedup();
    survivors
}

fn lost(register: &Register, floor: Option<u64>, quiet: u64) -> Vec<Lost> {
    let is_lost = |write: &Write| {
        write.op.end().is_some_and(|end| end < quiet) && Some(write.op.start()) > floor
    };
    let all = || (0..register.writes.len()).filter(|&at| is_lost(&register.writes[at]));
    let latest = all().map(|at| register.writes[at].op.start()).max().unwrap_or(0);
    let superseded = |at: usize| register.writes[at].took_effect_before(latest);
    all().map(|write| Lost { write, superseded: superseded(write) }).collect()
}

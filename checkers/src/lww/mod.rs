//! Lost last-write-wins writes, and replicas that never agreed.
//!
//! The promise judged: a register may serve stale reads at any time, but once
//! every fault is healed and the cluster has gone quiet, each key is one
//! register, and it holds the last of the acknowledged writes, in an order that
//! respects real time: whoever began writing after another had finished wrote
//! later. It is decided from the *final* reads, marked `"final": true` in `ext`.
//!
//! Conviction is by the calls alone and certain (a write that never ended may
//! overwrite anything, two writes that overlapped may win either way).
//! Only then the cause is looked for: with the database's own timestamps it is
//! known whether clocks were to blame. Where they are not exposed of both writes,
//! those of others bound how far the clocks were apart; without any, little is said.
//!
//! Not judged here: stale reads while the run goes on (they are counted), and
//! keys without final reads, or on which one value was written twice.

mod bounds;
mod cause;
mod clocks;
mod estimate;
mod judgement;
mod measured;
mod moves;
mod register;
mod report;
mod stray;
mod tally;
mod wording;

use std::sync::OnceLock;

use rayon::prelude::*;
use serde_json::Value;
use tribunal_history::{Fault, History};

use crate::blame::{self, Window};
use crate::keys::ByKey;
use crate::{Checker, Verdict};
use clocks::Clocks;
use judgement::judge;
use register::Register;
use report::Case;
use tally::Tally;

/// Finds lost writes and divergence by final reads. Values are unique per key.
#[derive(Clone, Debug, Default)]
pub struct Lww {
    /// What a key holds before its first write.
    pub initial: Value,
}

impl Checker for Lww {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let (faults, nodes) = (history.faults(), OnceLock::new());
        let clocks = Clocks::new(history, &faults);
        let initial = history.values().find(&self.initial);
        let calls = ByKey::of(history, |call| matches!(call.f(), "write" | "read"));
        let with = |mut tally: Tally, calls: &[u32]| {
            let register = Register::of(history, calls, initial);
            let judgement = judgeable(&register, &faults).and_then(|()| judge(&register));
            tally.count(&register, &judgement);
            if let Some(judgement) = judgement.ok().filter(|judgement| !judgement.is_fine()) {
                // Most histories lose nothing, and need no list of nodes.
                let nodes = nodes.get_or_init(|| register::nodes(history));
                let (register, judgement) = (&register, &judgement);
                let (faults, clocks) = (&faults[..], &clocks);
                tally.accuse(&Case { register, judgement, faults, nodes, clocks });
            }
            tally
        };
        let tally = calls.par_iter().fold(Tally::default, with);
        tally.reduce(Tally::default, Tally::and).verdict()
    }
}

/// Final reads prove something only if nothing kept the replicas apart any more.
fn judgeable(register: &Register, faults: &[Fault]) -> Result<(), String> {
    let Some(window) = final_window(register) else { return Ok(()) };
    let keeps_apart =
        |fault: &&Fault| !blame::moves_clocks(fault) && blame::overlaps(fault, &window);
    match faults.iter().find(keeps_apart) {
        Some(fault) => Err(format!("its final reads were made under {}", blame::named(fault))),
        None => Ok(()),
    }
}

fn final_window(register: &Register) -> Option<Window> {
    let start = register.finals.iter().map(|read| read.op.invoked_at()).min()?;
    let end = register.finals.iter().filter_map(|read| read.op.completion());
    Some(start..=end.map(|event| event.time()).max()?)
}

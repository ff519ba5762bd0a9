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
//! known whether clocks were to blame; without them, little is said.
//!
//! Not judged here: stale reads while the run goes on (they are counted), and
//! keys without final reads, or on which one value was written twice.

mod cause;
mod clocks;
mod judgement;
mod register;
mod report;
mod stray;
mod wording;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::{Map, Value, json};
use tribunal_history::{Fault, History, Kind};

use crate::blame::{self, Window};
use crate::{Checker, Verdict};
use judgement::{Judgement, judge};
use register::Register;

/// Finds lost writes and divergence by final reads. Values are unique per key.
#[derive(Clone, Debug, Default)]
pub struct Lww {
    /// What a key holds before its first write.
    pub initial: Value,
}

/// How many keys a fact or a doubt names before it only counts them.
const NAMED: usize = 5;
/// Of how many keys one may stay in the dark. Some always do, where the last
/// write was never answered.
const ONE_OF: usize = 10;

impl Checker for Lww {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let faults = history.faults();
        let registers = Register::collect(history, &self.initial);
        let judged =
            |register: &Register| judgeable(register, &faults).and_then(|()| judge(register));
        let judgements: Vec<_> = registers.par_iter().map(judged).collect();
        // Most histories lose nothing, and need no list of nodes.
        let mut nodes = None;
        let mut tally = Tally::default();
        let mut lost = Vec::new();
        let mut others = Vec::new();
        for (register, judgement) in registers.iter().zip(judgements) {
            tally.count(register, &judgement);
            others.extend(stray::anomalies(register));
            let Ok(judgement) = judgement else { continue };
            if judgement.is_fine() {
                continue;
            }
            let nodes = nodes.get_or_insert_with(|| register::nodes(history));
            let case = report::Case { register, judgement: &judgement, faults: &faults, nodes };
            lost.extend(case.lost_writes(&mut tally.causes));
            others.extend(case.divergence());
        }
        lost.append(&mut others);
        tally.verdict(Verdict::of(lost))
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

/// What was judged and what was found, for the facts.
#[derive(Default)]
struct Tally {
    keys: usize,
    unjudged: Vec<String>,
    /// For each node, on how many keys it never answered a final read.
    silent: BTreeMap<String, usize>,
    writes: usize,
    final_reads: usize,
    stale_reads: usize,
    lost: usize,
    superseded: usize,
    never_visible: usize,
    diverged: usize,
    causes: Map<String, Value>,
}

impl Tally {
    fn count(&mut self, register: &Register, judgement: &Result<Judgement, String>) {
        self.keys += 1;
        for node in &register.silent {
            *self.silent.entry((*node).to_owned()).or_default() += 1;
        }
        self.writes += register.writes.iter().filter(|write| write.op.kind() == Kind::Ok).count();
        self.final_reads += register.finals.len();
        self.stale_reads += register.stale_reads;
        match judgement {
            Err(why) => self.unjudged.push(format!("{}: {why}", wording::key_name(register.key))),
            Ok(judgement) => {
                let lost = &judgement.lost;
                self.lost += lost.len();
                self.superseded += lost.iter().filter(|lost| lost.superseded).count();
                let unseen = |lost: &&judgement::Lost| !register.writes[lost.write].visible;
                self.never_visible += lost.iter().filter(unseen).count();
                self.diverged += usize::from(judgement.survivors.len() > 1);
            }
        }
    }

    fn verdict(self, mut verdict: Verdict) -> Verdict {
        let (unjudged, keys) = (self.unjudged.len(), self.keys);
        match self.unjudged.first() {
            None if keys == 0 => verdict.doubt("no call on any key: no final read to judge by"),
            Some(first) if unjudged * ONE_OF > keys => {
                verdict.doubt(format!("{unjudged} of {keys} keys could not be judged; {first}"));
            }
            _ => {}
        }
        for (node, silent) in self.silent.iter().filter(|(_, silent)| **silent * ONE_OF > keys) {
            verdict.doubt(format!("{node} answered no final read of {silent} of {keys} keys"));
        }
        let named: Vec<_> = self.unjudged.into_iter().take(NAMED).collect();
        verdict
            .fact("keys", self.keys)
            .fact("keys_judged", self.keys - unjudged)
            .fact("keys_unjudged", json!({"count": unjudged, "first": named}))
            .fact("writes_acknowledged", self.writes)
            .fact("final_reads", self.final_reads)
            .fact("stale_reads", self.stale_reads)
            .fact("lost_writes", self.lost)
            .fact("superseded_by_a_lost_write", self.superseded)
            .fact("lost_and_never_read", self.never_visible)
            .fact("keys_diverged", self.diverged)
            .fact("causes", self.causes)
    }
}

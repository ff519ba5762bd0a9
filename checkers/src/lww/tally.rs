//! What was judged and what was found, key by key, for the verdict. Nothing is
//! judged here.

use std::collections::BTreeMap;

use serde_json::json;
use tribunal_history::Kind;

use super::judgement::{Judgement, Lost};
use super::register::Register;
use super::report::Case;
use super::{stray, wording};
use crate::{Anomaly, Verdict};

/// How many keys a fact or a doubt names before it only counts them.
const NAMED: usize = 5;
/// Of how many keys one may stay in the dark. Some always do, where the last
/// write was never answered.
const ONE_OF: usize = 10;

/// What was judged and what was found, for the facts.
#[derive(Default)]
pub(super) struct Tally {
    lost_writes: Vec<Anomaly>,
    others: Vec<Anomaly>,
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
    causes: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// Counts what a key tells.
    pub fn count(&mut self, register: &Register, judgement: &Result<Judgement, String>) {
        self.others.extend(stray::anomalies(register));
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
                let unseen = |lost: &&Lost| !register.writes[lost.write].visible;
                self.never_visible += lost.iter().filter(unseen).count();
                self.diverged += usize::from(judgement.survivors.len() > 1);
            }
        }
    }

    /// Accuses a key that lost writes, or whose replicas differ.
    pub fn accuse(&mut self, case: &Case) {
        self.lost_writes.extend(case.lost_writes(&mut self.causes));
        self.others.extend(case.divergence());
    }

    /// The same with the keys that come after these.
    pub fn and(mut self, after: Self) -> Self {
        self.lost_writes.extend(after.lost_writes);
        self.others.extend(after.others);
        self.keys += after.keys;
        self.unjudged.extend(after.unjudged);
        after
            .silent
            .into_iter()
            .for_each(|(node, keys)| *self.silent.entry(node).or_default() += keys);
        self.writes += after.writes;
        self.final_reads += after.final_reads;
        self.stale_reads += after.stale_reads;
        self.lost += after.lost;
        self.superseded += after.superseded;
        self.never_visible += after.never_visible;
        self.diverged += after.diverged;
        after
            .causes
            .into_iter()
            .for_each(|(cause, lost)| *self.causes.entry(cause).or_default() += lost);
        self
    }

    /// The verdict on all of them: lost writes come first.
    pub fn verdict(mut self) -> Verdict {
        self.lost_writes.append(&mut self.others);
        let mut verdict = Verdict::of(self.lost_writes);
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
            .fact("causes", json!(self.causes))
    }
}

//! Leases: locks that expire, and that nobody else may get before they do.
//!
//! A lease is granted at *some* instant of its call, for a duration. So on the
//! controller's clock it certainly runs from the end of that call until the duration
//! has passed since its start, shortened by how much faster than the controller's a
//! clock may run ([`Lease::drift`]), or until its holder began to release it. Two such
//! stretches of two holders that overlap however the instants are placed accuse
//! ([`hold`], [`overlap`]); those that only may overlap are counted apart.
//!
//! - `lease-overlap`: two processes certainly held one lease at once.
//! - `same-token`, `token-order`: two grants under one token, or a later grant under a lower one.
//! - `stale-renewal`: a renewal under a token, after a higher one had been granted.
//! - `stale-write`: a write under a token, after the store had taken one under a higher token.
//!
//! The calls: `acquire`, `renew` and `release`, with the lease as their key. An acquire or a
//! renewal answers `{"ttl_ms": 5000}` or `{"duration_ns": 5000000000}` (or has it in its
//! argument), and `"token": n` where there are tokens; the answer `false` means that it was not
//! granted. `write` {"token", "value"} is a write to a store that tokens guard.
//!
//! The holder is the process. A call of unknown outcome proves no hold; it may have shortened one.

mod call;
mod hold;
mod overlap;
mod report;
mod token;

use rayon::prelude::*;
use serde_json::json;
use tribunal_history::{Fault, History, Nanos};

use crate::{Anomaly, Checker, Verdict};
use hold::Holds;
use report::Report;

/// Finds leases that two held at once, and tokens that should have been refused.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// By how much a clock may run faster than the controller's, in parts per million.
    pub drift: u32,
}

impl Default for Lease {
    /// Twice what a time daemon may slew a clock.
    fn default() -> Self {
        Self { drift: 1_000 }
    }
}

/// A list of facts holds at most this many; their number is always exact.
const LISTED: usize = 100;

impl Lease {
    /// The least time on the controller's clock that a clock takes to count `ttl`.
    fn least(&self, ttl: Nanos) -> Nanos {
        scaled(ttl, 1_000_000_u32.saturating_sub(self.drift))
    }

    /// The most.
    fn most(&self, ttl: Nanos) -> Nanos {
        scaled(ttl, 1_000_000_u32.saturating_add(self.drift))
    }
}

fn scaled(ttl: Nanos, millionths: u32) -> Nanos {
    let scaled = u128::from(ttl) * u128::from(millionths) / 1_000_000;
    scaled.try_into().unwrap_or(Nanos::MAX)
}

impl Checker for Lease {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let faults = history.faults();
        let calls = call::sort(history);
        let holds = |calls: &Vec<u32>| Holds::of(history, calls, self);
        let leases: Vec<Holds> = calls.leases.par_iter().map(holds).collect();
        let mut tally = Tally::default();
        let mut anomalies = Vec::new();
        for holds in &leases {
            anomalies.extend(judge(history, holds, &faults, &mut tally));
        }
        anomalies.extend(token::stale_writes(history, &calls.writes));
        tally.writes = calls.writes.len();
        tally.verdict(Verdict::of(anomalies))
    }
}

/// Judges one lease.
fn judge(history: &History, holds: &Holds, faults: &[Fault], tally: &mut Tally) -> Vec<Anomaly> {
    let report = Report { history, key: holds.key, faults };
    let definite = overlap::definite(&holds.all);
    let possible = overlap::possible(&holds.all);
    let mut anomalies: Vec<Anomaly> = definite
        .first
        .iter()
        .map(|&(one, other)| report.overlap(&holds.all[one], &holds.all[other]))
        .collect();
    anomalies.extend(token::disorder(&holds.grants).map(|breach| report.disorder(&breach)));
    let stale = token::stale_renewal(holds);
    anomalies.extend(stale.map(|(grant, renewal)| report.stale_renewal(grant, renewal)));
    tally.leases += 1;
    tally.grants += holds.granted;
    tally.without_ttl += holds.without_ttl;
    tally.definite += definite.count;
    tally.possible += possible.count;
    let told = possible.first.iter().take(LISTED.saturating_sub(tally.listed.len()));
    let told = told.map(|&(one, other)| report.possible(&holds.all[one], &holds.all[other]));
    tally.listed.extend(told);
    anomalies
}

/// What was seen, for the facts.
#[derive(Default)]
struct Tally {
    leases: usize,
    grants: usize,
    without_ttl: usize,
    writes: usize,
    definite: usize,
    possible: usize,
    listed: Vec<String>,
}

impl Tally {
    fn verdict(self, mut verdict: Verdict) -> Verdict {
        if self.grants == 0 && self.writes == 0 {
            verdict.doubt("no lease was ever granted");
        }
        if self.without_ttl > 0 {
            verdict.doubt(format!(
                "{} of {} grants and renewals tell no duration (`ttl_ms` or `duration_ns`)",
                self.without_ttl, self.grants
            ));
        }
        verdict
            .fact("leases", self.leases)
            .fact("grants_and_renewals", self.grants)
            .fact("writes_with_token", self.writes)
            .fact("definite_overlaps", self.definite)
            .fact("possible_overlaps", json!({"count": self.possible, "first": self.listed}))
    }
}

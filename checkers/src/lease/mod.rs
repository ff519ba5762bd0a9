//! Leases: locks that expire, and that nobody else may get before they do.
//!
//! A lease is granted at *some* instant of its call, for a duration. So on the
//! controller's clock it certainly runs from the end of that call until the duration
//! has passed since its start, shortened by how much faster than the controller's a
//! clock may run ([`Lease::drift`]), or until its holder began to release it. Two such
//! stretches of two holders that overlap however the instants are placed accuse
//! ([`hold`], [`overlap`]), and so does one that has no room between several others
//! ([`slide`]); those that only may overlap are counted apart.
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
mod slide;
mod token;

use rayon::prelude::*;
use serde_json::json;
use tribunal_history::{History, Nanos};

use crate::keys::ByKey;
use crate::{Anomaly, Checker, Verdict};
use call::Call;
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
    const MILLION: Nanos = 1_000_000;
    // Durations of hours need no wider numbers, which are slow to divide.
    ttl.checked_mul(millionths.into()).map_or_else(
        || {
            let scaled = u128::from(ttl) * u128::from(millionths) / u128::from(MILLION);
            scaled.try_into().unwrap_or(Nanos::MAX)
        },
        |scaled| scaled / MILLION,
    )
}

impl Checker for Lease {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let faults = history.faults();
        let leases = ByKey::of(history, call::on_lease);
        // In the order of the history: one lease after the other would fetch it all into the cache
        // anew for each.
        let read = |number: u32| Call::of(&history.operation(number));
        let calls: Vec<Option<Call>> =
            (0..history.operations().len() as u32).into_par_iter().map(read).collect();
        let with = |tally: Tally, numbers: &[u32]| {
            let key = history.operation(numbers[0]).key();
            let on_lease = numbers.iter().filter_map(|&number| calls[number as usize]);
            let holds = Holds::of(on_lease, self);
            tally.with(&holds, &Report { history, key, faults: &faults })
        };
        let tally = leases.par_iter().fold(Tally::default, with);
        let mut tally = tally.reduce(Tally::default, Tally::and);
        let writes = ByKey::of(history, call::under_token);
        tally.writes = writes.iter().map(<[u32]>::len).sum();
        tally.anomalies.extend(token::stale_writes(history, &writes));
        tally.verdict()
    }
}

/// What was seen of some leases, in their order.
#[derive(Default)]
struct Tally {
    anomalies: Vec<Anomaly>,
    leases: usize,
    grants: usize,
    without_ttl: usize,
    writes: usize,
    definite: usize,
    possible: usize,
    listed: Vec<String>,
}

impl Tally {
    /// Judges one lease.
    fn with(mut self, holds: &Holds, report: &Report) -> Self {
        let pair = |&(one, other): &(usize, usize)| (&holds.all[one], &holds.all[other]);
        let definite = overlap::definite(&holds.all);
        let overlaps = definite.first.iter().map(pair);
        self.anomalies.extend(overlaps.map(|(one, other)| report.overlap(one, other)));
        let breach = token::disorder(&holds.grants);
        self.anomalies.extend(breach.map(|breach| report.disorder(&breach)));
        let stale = token::stale_renewal(holds);
        self.anomalies.extend(stale.map(|(grant, renewal)| report.stale_renewal(grant, renewal)));
        let possible = overlap::possible(&holds.all);
        if definite.count == 0 && possible.count > 1 {
            let squeezed = slide::squeezed(&holds.all);
            self.definite += squeezed.len();
            self.anomalies.extend(squeezed.iter().map(|squeezed| report.squeezed(squeezed)));
        }
        let told = possible.first.iter().take(LISTED.saturating_sub(self.listed.len())).map(pair);
        self.listed.extend(told.map(|(one, other)| report.possible(one, other)));
        self.leases += 1;
        self.grants += holds.granted;
        self.without_ttl += holds.without_ttl;
        self.definite += definite.count;
        self.possible += possible.count;
        self
    }

    /// The same with the leases that come after these.
    fn and(mut self, after: Self) -> Self {
        self.anomalies.extend(after.anomalies);
        self.leases += after.leases;
        self.grants += after.grants;
        self.without_ttl += after.without_ttl;
        self.writes += after.writes;
        self.definite += after.definite;
        self.possible += after.possible;
        self.listed.extend(after.listed);
        self.listed.truncate(LISTED);
        self
    }

    fn verdict(self) -> Verdict {
        let mut verdict = Verdict::of(self.anomalies);
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

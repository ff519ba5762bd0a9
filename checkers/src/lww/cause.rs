//! Why a write was lost.
//!
//! The loss is certain; the cause has its own certainty. With the database's
//! timestamps of both writes it is known whether last-write-wins kept the wrong
//! one (the clocks were to blame) or did not decide at all (replication lost
//! one). Without them the timestamps of other writes bound the clocks (`measured`).
//! Without those, only the clock jumps of the run do, and what they do not settle
//! stays undetermined.

use serde_json::{Map, Value};
use tribunal_history::{Fault, Nanos};

use super::clocks::{Clocks, because, disagreed, number, phrase};
use super::register::Write;
use crate::blame;
use crate::times::lapse;

/// How a write came to be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The survivor bears the later timestamp: last-write-wins did what it says.
    Skew,
    /// Both bear the same timestamp.
    Tie,
    /// The lost write bears the later timestamp, and should have won.
    NotLww,
    /// Nobody can tell.
    Undetermined,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Skew => "skew",
            Kind::Tie => "tie",
            Kind::NotLww => "not-lww",
            Kind::Undetermined => "undetermined",
        }
    }
}

/// A cause, how sure it is, and which faults are behind it.
pub(super) struct Cause<'a> {
    pub kind: Kind,
    /// `certain`, `likely`, `possible` or `unknown`.
    pub certainty: &'static str,
    /// The faults that explain it.
    pub faults: Vec<&'a Fault>,
    /// How sure it is that those faults are behind it.
    pub faults_certainty: &'static str,
    /// The end of the message: what happened to the write.
    pub sentence: String,
    /// Timestamps, skews and bounds.
    pub numbers: Map<String, Value>,
}

/// A lost write and what was there instead.
pub(super) struct Pair<'a, 'h> {
    pub lost: &'a Write<'h>,
    /// `None` for the initial value.
    pub survivor: Option<&'a Write<'h>>,
    pub faults: &'a [Fault],
    pub clocks: &'a Clocks<'h>,
    /// When the final reads began.
    pub quiet: Nanos,
}

impl<'a, 'h> Pair<'a, 'h> {
    /// The cause, as far as the evidence goes.
    pub fn cause(&self) -> Cause<'a> {
        let Some(survivor) = self.survivor else {
            let why = "A value never loses to none by last write wins.";
            return self.not_lww(why.to_owned());
        };
        let (Some(lost), Some(kept)) = (self.lost.stamp.known(), survivor.stamp.known()) else {
            let measured = self.by_other_writes(survivor);
            return measured.unwrap_or_else(|| self.without_timestamps(survivor));
        };
        let mut cause = match kept - lost {
            1.. => self.skew(survivor, kept - lost),
            0 => self.tie(survivor),
            _ => self.not_lww(format!(
                "By last write wins {} should have stayed: its timestamp is the later one by {}.",
                self.lost.value,
                lapse((lost - kept).try_into().unwrap_or(Nanos::MAX)),
            )),
        };
        cause.numbers.insert("lost_timestamp".into(), number(lost));
        cause.numbers.insert("survivor_timestamp".into(), number(kept));
        cause.numbers.insert("skew_ns".into(), number(kept - lost));
        cause
    }

    fn skew(&self, survivor: &Write, skew: i128) -> Cause<'a> {
        let (faults, faults_certainty, why) = self.blamed_jumps(survivor);
        let by = lapse(skew.try_into().unwrap_or(Nanos::MAX));
        let stamper = survivor.node().unwrap_or("its node");
        Cause {
            kind: Kind::Skew,
            certainty: "certain",
            faults,
            faults_certainty,
            sentence: format!(
                "{stamper} stamped {} as {by} later than {}, {why}. \
                 Last write wins did what it says, and kept the older write.",
                survivor.value, self.lost.value,
            ),
            numbers: self.clock_numbers(survivor),
        }
    }

    /// The clock jumps that explain why the survivor bears the later timestamp, how
    /// sure that is, and both in words.
    pub fn blamed_jumps(&self, survivor: &Write) -> (Vec<&'a Fault>, &'static str, String) {
        let (low, high) = self.jump_bounds(survivor);
        let needed = i128::from(self.gap());
        if high <= 0 || high < needed {
            let clocks = disagreed(survivor, self.lost);
            let why = format!("{clocks}; no clock-jump of this run explains that");
            return (Vec::new(), "unknown", why);
        }
        let jumps = self.jumps(survivor);
        let why = because(survivor, self.lost, &jumps);
        (jumps, if low > 0 && low >= needed { "certain" } else { "possible" }, why)
    }

    fn tie(&self, survivor: &Write) -> Cause<'a> {
        let jumps = self.jumps(survivor);
        Cause {
            kind: Kind::Tie,
            certainty: "certain",
            faults_certainty: if jumps.is_empty() { "unknown" } else { "possible" },
            faults: jumps,
            sentence: format!(
                "Both bear the same timestamp, and the tie was broken for {}, the older write.",
                survivor.value
            ),
            numbers: self.clock_numbers(survivor),
        }
    }

    pub fn not_lww(&self, why: String) -> Cause<'a> {
        let (faults, certainty) = self.replication_faults();
        let blamed = match (faults.is_empty(), certainty) {
            (true, _) => "no fault of this run was in force around it".to_owned(),
            (false, "likely") => format!("{} was in force at the time", phrase(&faults)),
            (false, _) => format!("{} may have had to do with it", phrase(&faults)),
        };
        Cause {
            kind: Kind::NotLww,
            certainty: "certain",
            faults,
            faults_certainty: certainty,
            sentence: format!("{why} Replication lost it: {blamed}."),
            numbers: Map::new(),
        }
    }

    /// The clock jumps alone. Clocks may differ by nature too, so what the
    /// jumps bound is never more than likely.
    fn without_timestamps(&self, survivor: &Write) -> Cause<'a> {
        let (low, high) = self.jump_bounds(survivor);
        let (apart, apart_certainty) = self.replication_faults();
        let span = self.lost.latest().saturating_sub(survivor.op.invoked_at());
        let needed = i128::from(self.gap());
        // The survivor was stamped later, wherever within both calls it was done.
        let surely_inverted = low > i128::from(span);
        let certainty = match (surely_inverted, high > 0 && high >= needed) {
            (true, _) if apart.is_empty() => "likely",
            (true, _) | (false, true) => "possible",
            (false, false) => return self.undetermined(survivor, apart),
        };
        let jumps = self.jumps(survivor);
        let also = match apart.is_empty() {
            true => String::new(),
            false => format!("; {} is another explanation ({apart_certainty})", phrase(&apart)),
        };
        Cause {
            kind: Kind::Skew,
            certainty,
            sentence: format!(
                "No timestamps of both are exposed. A {certainty} cause is that {} bears the later \
                 one, {}{also}.",
                survivor.value,
                because(survivor, self.lost, &jumps),
            ),
            faults: jumps,
            faults_certainty: certainty,
            numbers: self.clock_numbers(survivor),
        }
    }

    fn undetermined(&self, survivor: &Write, apart: Vec<&'a Fault>) -> Cause<'a> {
        let (faults_certainty, seen) = match apart.is_empty() {
            true => ("unknown", String::new()),
            false => ("possible", format!(" {} overlaps it.", phrase(&apart))),
        };
        Cause {
            kind: Kind::Undetermined,
            certainty: "unknown",
            faults: apart,
            faults_certainty,
            sentence: format!("No timestamps of both are exposed: cause not determined.{seen}"),
            numbers: self.clock_numbers(survivor),
        }
    }

    /// Faults other than of clocks that can have kept the write from its
    /// replicas: those that harmed its node while it was written, or else all in
    /// force from its start to the final reads.
    pub fn replication_faults(&self) -> (Vec<&'a Fault>, &'static str) {
        let begun = self.lost.op.invoked_at();
        let apart = || self.faults.iter().filter(|fault| !blame::moves_clocks(fault));
        let during = begun..=self.lost.latest();
        let node = self.lost.node();
        let harmed: Vec<&Fault> = apart()
            .filter(|fault| blame::overlaps(fault, &during))
            .filter(|fault| node.is_some_and(|node| blame::touches(fault, node)))
            .collect();
        if !harmed.is_empty() {
            return (harmed, "likely");
        }
        let since = begun..=self.quiet;
        let later: Vec<&Fault> = apart().filter(|fault| blame::overlaps(fault, &since)).collect();
        let certainty = if later.is_empty() { "unknown" } else { "possible" };
        (later, certainty)
    }
}

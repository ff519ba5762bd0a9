//! Why a write was lost.
//!
//! The loss is certain; the cause has its own certainty. With the database's
//! timestamps of both writes it is known whether last-write-wins kept the wrong
//! one (the clocks were to blame) or did not decide at all (replication lost
//! one). Without them only the clock jumps of the run bound the clocks, and
//! what they do not settle stays undetermined.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};
use tribunal_history::{Fault, Nanos};

use super::register::Write;
use crate::blame::{self, Window};

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
    /// When the final reads began.
    pub quiet: Nanos,
}

impl<'a> Pair<'a, '_> {
    /// The cause, as far as the evidence goes.
    pub fn cause(&self) -> Cause<'a> {
        let Some(survivor) = self.survivor else {
            let why = "A value never loses to none by last write wins.";
            return self.not_lww(why.to_owned());
        };
        let (Some(lost), Some(kept)) = (self.lost.stamp.known(), survivor.stamp.known()) else {
            return self.without_timestamps(survivor);
        };
        let mut cause = match kept - lost {
            1.. => self.skew(survivor, kept - lost),
            0 => self.tie(survivor),
            _ => self.not_lww(format!(
                "By last write wins {} should have stayed: its timestamp is the later one by {}.",
                self.lost.value,
                blame::seconds((lost - kept).try_into().unwrap_or(Nanos::MAX)),
            )),
        };
        cause.numbers.insert("lost_timestamp".into(), number(lost));
        cause.numbers.insert("survivor_timestamp".into(), number(kept));
        cause.numbers.insert("skew_ns".into(), number(kept - lost));
        cause
    }

    /// Time between the survivor's effect and the lost write's start: the least
    /// that the survivor's clock must have been ahead of the lost write's.
    pub fn gap(&self) -> Nanos {
        let effect = self.survivor.map_or(0, Write::latest);
        self.lost.op.invocation.time.saturating_sub(effect)
    }

    fn skew(&self, survivor: &Write, skew: i128) -> Cause<'a> {
        let jumps = self.jumps(survivor);
        let (low, high) = self.jump_bounds(survivor);
        let needed = i128::from(self.gap());
        let by = blame::seconds(skew.try_into().unwrap_or(Nanos::MAX));
        let stamper = survivor.node().unwrap_or("its node");
        let why = if high <= 0 || high < needed {
            format!("{}; no clock-jump of this run explains that", clocks(survivor, self.lost))
        } else {
            because(survivor, self.lost, &jumps)
        };
        let explained = high > 0 && high >= needed;
        Cause {
            kind: Kind::Skew,
            certainty: "certain",
            faults: if explained { jumps } else { Vec::new() },
            faults_certainty: match (explained, low > 0 && low >= needed) {
                (true, true) => "certain",
                (true, false) => "possible",
                (false, _) => "unknown",
            },
            sentence: format!(
                "{stamper} stamped {} as {by} later than {}, {why}. \
                 Last write wins did what it says, and kept the older write.",
                survivor.value, self.lost.value,
            ),
            numbers: self.clock_numbers(survivor),
        }
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

    fn not_lww(&self, why: String) -> Cause<'a> {
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
        let jumps = self.jumps(survivor);
        let (apart, apart_certainty) = self.replication_faults();
        let span = self.lost.latest().saturating_sub(survivor.op.invocation.time);
        let needed = i128::from(self.gap());
        // The survivor was stamped later wherever within both calls it was done.
        let surely_inverted = low > i128::from(span);
        let certainty = match (surely_inverted, high > 0 && high >= needed) {
            (true, _) if apart.is_empty() => "likely",
            (true, _) | (false, true) => "possible",
            (false, false) => "unknown",
        };
        if certainty == "unknown" {
            let seen = match apart.is_empty() {
                true => String::new(),
                false => format!(" {} overlaps it.", phrase(&apart)),
            };
            return Cause {
                kind: Kind::Undetermined,
                certainty,
                faults: apart,
                faults_certainty: if seen.is_empty() { "unknown" } else { "possible" },
                sentence: format!("No timestamps of both are exposed: cause not determined.{seen}"),
                numbers: self.clock_numbers(survivor),
            };
        }
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

    /// When each of the two can have been stamped.
    fn windows(&self, survivor: &Write) -> (Window, Window) {
        let window = |write: &Write| write.op.invocation.time..=write.latest();
        (window(survivor), window(self.lost))
    }

    /// Bounds, by the clock jumps alone, of how far the survivor's clock was
    /// ahead of the lost write's.
    fn jump_bounds(&self, survivor: &Write) -> (i128, i128) {
        let (kept, lost) = self.windows(survivor);
        let bounds = |write: &Write, window: &Window| {
            write.node().map_or((0, 0), |node| blame::clock_bounds(self.faults, node, window))
        };
        let (kept, lost) = (bounds(survivor, &kept), bounds(self.lost, &lost));
        (kept.0 - lost.1, kept.1 - lost.0)
    }

    /// The clock jumps that put the survivor's clock ahead, or the other behind.
    fn jumps(&self, survivor: &Write) -> Vec<&'a Fault> {
        let (kept, lost) = self.windows(survivor);
        let offset = |fault: &Fault, write: &Write, window: &Window| {
            let acting = write.node().filter(|_| blame::overlaps(fault, window));
            acting.map_or(0, |node| blame::clock_offset(fault, node))
        };
        let helps = |fault: &&Fault| {
            offset(fault, survivor, &kept) > 0 || offset(fault, self.lost, &lost) < 0
        };
        self.faults.iter().filter(helps).collect()
    }

    /// Faults other than of clocks that can have kept the write from its
    /// replicas: those that harmed its node while it was written, or else all in
    /// force from its start to the final reads.
    fn replication_faults(&self) -> (Vec<&'a Fault>, &'static str) {
        let begun = self.lost.op.invocation.time;
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

    fn clock_numbers(&self, survivor: &Write) -> Map<String, Value> {
        let mut numbers = Map::new();
        numbers.insert("needed_skew_ns".into(), json!(self.gap()));
        let jumps = self.jump_bounds(survivor);
        if jumps != (0, 0) {
            numbers.insert("jump_skew_ns".into(), json!([number(jumps.0), number(jumps.1)]));
        }
        if let Some(measured) = measured_skew(survivor, self.lost) {
            let (low, high) = measured.into_inner();
            numbers.insert("measured_skew_ns".into(), json!([number(low), number(high)]));
        }
        numbers
    }
}

/// How far the survivor's clock was ahead, from the timestamps alone: each was
/// taken within its call, so `timestamp - time` bounds its clock's offset.
fn measured_skew(survivor: &Write, lost: &Write) -> Option<RangeInclusive<i128>> {
    let offset = |write: &Write| {
        let stamp = write.stamp.known()?;
        let latest = write.effect?.time;
        Some((stamp - i128::from(latest), stamp - i128::from(write.op.invocation.time)))
    };
    let (kept, lost) = (offset(survivor)?, offset(lost)?);
    Some(kept.0 - lost.1..=kept.1 - lost.0)
}

/// `because its clock ran ahead (clock-jump n1 +5.000 s since 10.000 s)`.
fn because(survivor: &Write, lost: &Write, jumps: &[&Fault]) -> String {
    let node = |write: &Write| write.node().map(str::to_owned);
    let clock = match (node(survivor), node(lost)) {
        (Some(one), Some(other)) if one == other => {
            format!("because {one}'s clock went back in between")
        }
        (Some(one), Some(other))
            if jumps.iter().all(|jump| blame::clock_offset(jump, &one) <= 0) =>
        {
            format!("because {other}'s clock ran behind {one}'s")
        }
        (Some(one), _) => format!("because {one}'s clock ran ahead"),
        _ => "because the clocks disagreed".to_owned(),
    };
    format!("{clock} ({})", phrase(jumps))
}

fn clocks(survivor: &Write, lost: &Write) -> String {
    match (survivor.node(), lost.node()) {
        (Some(one), Some(other)) if one == other => {
            format!("because {one}'s clock went back in between")
        }
        (Some(one), Some(other)) => format!("because the clocks of {one} and {other} disagreed"),
        _ => "because the clocks disagreed".to_owned(),
    }
}

fn phrase(faults: &[&Fault]) -> String {
    blame::list(&faults.iter().map(|fault| blame::named(fault)).collect::<Vec<_>>())
}

/// As a JSON number where it fits, and as text where it does not.
pub(super) fn number(value: i128) -> Value {
    let signed = i64::try_from(value).map(Value::from);
    let any = signed.or_else(|_| u64::try_from(value).map(Value::from));
    any.unwrap_or_else(|_| Value::from(value.to_string()))
}

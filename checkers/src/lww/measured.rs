//! Why a write was lost, by what other writes tell of the clocks of the two nodes.
//!
//! It is asked only where the database did not expose the timestamps of both. The
//! one that is not known lies within bounds; where those of the two exclude each
//! other the order of the timestamps is known all the same, and else it is not.

use serde_json::{Map, Value, json};
use tribunal_history::Nanos;

use super::bounds::Bounds;
use super::cause::{Cause, Kind, Pair};
use super::clocks::{number, phrase};
use super::estimate::{Step, offset, stamps};
use super::register::{Stamp, Write};
use crate::blame::Window;
use crate::times::seconds;

/// What is known of a write's timestamp.
struct Stamped {
    stamp: Bounds,
    /// How far its node's clock was off the run's then.
    offset: Bounds,
    /// By how many other writes.
    writes: usize,
    /// Whether no step can have gone unseen.
    enclosed: bool,
}

/// What is known of both.
struct Both<'a, 'h> {
    kept: Stamped,
    lost: Stamped,
    survivor: &'a Write<'h>,
    /// The steps of both clocks, from the one write to the other.
    steps: Vec<(&'h str, Step)>,
}

impl<'a, 'h> Pair<'a, 'h> {
    /// The cause by the clocks as other writes show them, if they show both.
    pub fn by_other_writes(&self, survivor: &'a Write<'h>) -> Option<Cause<'a>> {
        let (kept, lost) = (self.stamped(survivor)?, self.stamped(self.lost)?);
        let both = Both { kept, lost, survivor, steps: self.steps(survivor) };
        let mut cause = match () {
            () if both.kept.stamp.low > both.lost.stamp.high => self.inverted(&both),
            () if both.kept.stamp.high < both.lost.stamp.low => self.in_order(&both),
            () => self.either(&both),
        };
        cause.sentence += &both.steps.iter().map(stepped).collect::<String>();
        cause.numbers.append(&mut both.numbers(self.gap()));
        Some(cause)
    }

    fn stamped(&self, write: &Write<'h>) -> Option<Stamped> {
        let window = write.op.invoked_at()..=write.latest();
        let grain = self.clocks.grain();
        if let Some(stamp) = write.stamp.known() {
            let offset = offset(stamp, grain, &window);
            let stamp = Bounds::exactly(stamp);
            return Some(Stamped { stamp, offset, writes: 0, enclosed: true });
        }
        if write.stamp == Stamp::Disputed {
            return None;
        }
        let estimate = self.clocks.of(write.node()?)?.at(&window)?;
        Some(Stamped {
            stamp: stamps(estimate.offset, grain, &window),
            offset: estimate.offset,
            writes: estimate.writes,
            enclosed: estimate.enclosed,
        })
    }

    fn steps(&self, survivor: &Write<'h>) -> Vec<(&'h str, Step)> {
        let span: Window = survivor.op.invoked_at()..=self.lost.latest();
        let mut nodes: Vec<&str> =
            [survivor.node(), self.lost.node()].into_iter().flatten().collect();
        nodes.dedup();
        let of = |node| self.clocks.of(node).map_or(&[][..], |clock| &clock.steps);
        let near = |step: &&Step| step.after <= *span.end() && step.before >= *span.start();
        let steps = |node| of(node).iter().filter(near).map(move |step| (node, *step));
        nodes.into_iter().flat_map(steps).collect()
    }

    /// The survivor bears the later timestamp.
    fn inverted(&self, both: &Both) -> Cause<'a> {
        let survivor = both.survivor;
        let (faults, faults_certainty, why) = self.blamed_jumps(survivor);
        Cause {
            kind: Kind::Skew,
            certainty: both.certainty(),
            sentence: format!(
                "{}. So {} bears the later one{}, {why}. Last write wins did what it says, and kept \
                 the older write.",
                self.measure(both),
                survivor.value,
                both.unless(),
            ),
            faults,
            faults_certainty,
            numbers: Map::new(),
        }
    }

    /// The lost write bears the later timestamp.
    fn in_order(&self, both: &Both) -> Cause<'a> {
        let why = format!(
            "{}. So {} bears the later one{}, and should \
             have stayed.",
            self.measure(both),
            self.lost.value,
            both.unless(),
        );
        Cause { certainty: both.certainty(), ..self.not_lww(why) }
    }

    /// Either may.
    fn either(&self, both: &Both) -> Cause<'a> {
        let jumps = self.jumps(both.survivor);
        let (apart, apart_certainty) = self.replication_faults();
        let also = match apart.is_empty() {
            true => String::new(),
            false => format!("; {} is another ({apart_certainty})", phrase(&apart)),
        };
        Cause {
            kind: Kind::Skew,
            certainty: "possible",
            sentence: format!("{}. The clocks are a possible cause{also}.", self.measure(both),),
            faults_certainty: if jumps.is_empty() { "unknown" } else { "possible" },
            faults: jumps,
            numbers: Map::new(),
        }
    }

    /// What was measured, and what it takes.
    fn measure(&self, both: &Both) -> String {
        let writes = both.kept.writes + both.lost.writes;
        let plural = if writes == 1 { "" } else { "s" };
        let clocks = match (both.survivor.node(), self.lost.node()) {
            (Some(one), Some(other)) if one == other => {
                format!("{one}'s clock was first {}", ahead(both.skew(), "what it was then"))
            }
            (one, other) => {
                let (one, other) = (one.unwrap_or("one"), other.unwrap_or("the other"));
                format!("{one}'s clock was {}", ahead(both.skew(), &format!("{other}'s")))
            }
        };
        format!(
            "Their timestamps are not both exposed. By those of {writes} other write{plural} \
             {clocks}; it takes {} at least to turn their order round",
            seconds(self.gap()),
        )
    }
}

impl Both<'_, '_> {
    fn skew(&self) -> Bounds {
        self.kept.offset.minus(self.lost.offset)
    }

    fn enclosed(&self) -> bool {
        self.kept.enclosed && self.lost.enclosed
    }

    fn certainty(&self) -> &'static str {
        if self.enclosed() { "certain" } else { "likely" }
    }

    fn unless(&self) -> &'static str {
        if self.enclosed() { "" } else { " unless a clock stepped unseen" }
    }

    fn numbers(&self, needed: Nanos) -> Map<String, Value> {
        let skew = self.skew();
        let step = |(node, step): &(&str, Step)| {
            let by = json!([number(step.by.low), number(step.by.high)]);
            json!({"node": node, "after": step.after, "before": step.before, "by_ns": by})
        };
        let mut numbers = Map::new();
        numbers.insert("needed_skew_ns".into(), json!(needed));
        numbers.insert("measured_skew_ns".into(), json!([number(skew.low), number(skew.high)]));
        numbers.insert("measured_by_writes".into(), json!(self.kept.writes + self.lost.writes));
        numbers.insert("enclosed".into(), json!(self.enclosed()));
        if !self.steps.is_empty() {
            numbers.insert("clock_steps".into(), self.steps.iter().map(step).collect());
        }
        numbers
    }
}

/// `between 4.640 s and 4.742 s ahead of n2's`.
fn ahead(skew: Bounds, of: &str) -> String {
    match skew {
        Bounds { low: 0.., high } => {
            format!("between {} and {} ahead of {of}", time(skew.low), time(high))
        }
        Bounds { low, high: ..=0 } => {
            format!("between {} and {} behind {of}", time(skew.high), time(low))
        }
        Bounds { low, high } => {
            format!("somewhere from {} behind to {} ahead of {of}", time(low), time(high))
        }
    }
}

/// ` n1's clock stepped back by 4.850 s to 4.950 s between 12.000 s and 12.300 s.`
fn stepped((node, step): &(&str, Step)) -> String {
    let (way, least, most) = match step.by.low {
        0.. => ("forward", step.by.low, step.by.high),
        _ => ("back", step.by.high, step.by.low),
    };
    format!(
        " {node}'s clock stepped {way} by {} to {} between {} and {}.",
        time(least),
        time(most),
        seconds(step.after),
        seconds(step.before),
    )
}

/// A stretch of time, either way.
fn time(nanos: i128) -> String {
    seconds(nanos.unsigned_abs().try_into().unwrap_or(Nanos::MAX))
}

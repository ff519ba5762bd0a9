//! `clock-jump`: the database's processes read a wall clock that is off.
//!
//! Amounts are drawn evenly over their magnitudes, from 0.1 s up: systems break
//! at a lease's length, a timeout, a certificate's validity, and nobody knows at
//! which. The machine's own clock is never touched.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};
use tribunal_generator::Rng;
use tribunal_history::{Map, Name};

use super::target::Target;
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError};
use crate::agent::protocol::Harm;
use crate::field::Field;

const SMALLEST_S: f64 = 0.1;
const LARGEST_S: f64 = 60.0;
/// A hundred years; the kernel's own clock reaches not much farther.
const LIMIT_S: f64 = 3.2e9;

/// A wall clock that jumps, and jumps back when it is healed.
pub(super) struct ClockJump;

#[async_trait]
impl Fault for ClockJump {
    fn name(&self) -> &'static str {
        "clock-jump"
    }

    fn doc(&self) -> &'static str {
        "Moves the wall clock of the database's processes, forward or back; the machine's stays."
    }

    fn options(&self) -> &'static [FaultOption] {
        &[
            FaultOption { name: "target", doc: "One, minority or all; by default drawn anew." },
            FaultOption { name: "max_s", doc: "The farthest jump in seconds, by default 60." },
            FaultOption { name: "offset_s", doc: "Just this jump in seconds; negative goes back." },
        ]
    }

    fn needs(&self) -> Needs {
        Needs::Clock
    }

    fn seen(&self) -> &'static str {
        "every process reads its clock, from inside, and is off by just that"
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let target = Target::choose(self.name(), options, &[Target::One, Target::Minority], rng)?;
        if target == Target::Primaries {
            let (option, value, wanted) = ("target", target.name().into(), "one, minority or all");
            return Err(PlanError::BadOption { fault: self.name(), option, value, wanted });
        }
        if nodes.is_empty() {
            return Err(PlanError::TooFewNodes { fault: self.name(), needs: 1, has: 0 });
        }
        let largest = seconds(options, "max_s", SMALLEST_S)?.unwrap_or(LARGEST_S);
        let fixed = seconds(options, "offset_s", -LIMIT_S)?;
        let nodes = target.draw(nodes, rng);
        let mut offsets = BTreeMap::new();
        for node in &nodes {
            let drawn = jump(largest, rng);
            offsets.insert(node.clone(), fixed.map_or(drawn, |s| (s * 1e9).round() as i64));
        }
        let in_words =
            |(node, offset): (&Name, &i64)| format!("{node} {:+.3} s", *offset as f64 / 1e9);
        let summary = offsets.iter().map(in_words).collect::<Vec<_>>().join(", ");
        let data = Map::from_iter([("offsets_ns".to_owned(), json!(offsets))]);
        Ok(Plan { nodes, summary, data })
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let offsets = plan.data.get("offsets_ns").cloned().unwrap_or_default();
        let offsets: BTreeMap<Name, i64> = serde_json::from_value(offsets)
            .map_err(|error| format!("the plan's `offsets_ns` cannot be read: {error}"))?;
        let harm = |(node, offset_ns): (&Name, &i64)| {
            let (pid, offset_ns) = (field.daemon(node)?, *offset_ns);
            Ok((node.clone(), Harm::Clock { pid, offset_ns }))
        };
        let harms = offsets.iter().map(harm).collect::<Result<_, String>>()?;
        let (nodes, summary) = (plan.nodes.clone(), plan.summary.clone());
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }
}

/// A jump of chance in nanoseconds, whole milliseconds, either way. In whole
/// numbers throughout, so that a seed means the same on every machine.
fn jump(largest_s: f64, rng: &mut Rng) -> i64 {
    let smallest_ms = (SMALLEST_S * 1000.0) as u64;
    let largest_ms = (largest_s * 1000.0) as u64;
    let doublings = (largest_ms / smallest_ms).ilog2();
    let low = smallest_ms << rng.below(u64::from(doublings) + 1);
    let magnitude = rng.between(low, (2 * low - 1).min(largest_ms)) as i64 * 1_000_000;
    if rng.below(2) == 0 { magnitude } else { -magnitude }
}

/// A number of seconds of at least `least`, if one was given.
fn seconds(options: &Options, option: &'static str, least: f64) -> Result<Option<f64>, PlanError> {
    let Some(value) = options.get(option) else { return Ok(None) };
    match value.as_f64() {
        Some(seconds) if (least..=LIMIT_S).contains(&seconds) => Ok(Some(seconds)),
        _ => Err(PlanError::BadOption {
            fault: "clock-jump",
            option,
            value: Value::clone(value),
            wanted: "a number of seconds (max_s at least 0.1, and nothing beyond a hundred years)",
        }),
    }
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::super::tests::nodes;
    use super::*;

    #[test]
    fn jumps_go_both_ways_and_no_farther_than_allowed() {
        let mut rng = Seed(1).stream("t");
        let jumps: Vec<i64> = (0..1000).map(|_| jump(5.0, &mut rng)).collect();
        assert!(jumps.iter().all(|jump| (100_000_000..=5_000_000_000).contains(&jump.abs())));
        let forward = jumps.iter().filter(|jump| **jump > 0).count();
        assert!((400..600).contains(&forward), "{forward} of 1000 forward");
    }

    #[test]
    fn a_plan_says_how_far_each_clock_goes() {
        let options = Options::from_iter([
            ("target".to_owned(), "one".into()),
            ("offset_s".to_owned(), 5.into()),
        ]);
        let mut rng = Seed(1).stream("t");
        let plan = ClockJump.draw(&nodes(1), &options, &mut rng).unwrap();
        assert_eq!(plan.summary, "n1 +5.000 s");
        assert_eq!(plan.data["offsets_ns"], json!({"n1": 5_000_000_000_i64}));
        let options = Options::from_iter([("offset_s".to_owned(), "far".into())]);
        assert!(ClockJump.draw(&nodes(1), &options, &mut rng).is_err());
    }
}

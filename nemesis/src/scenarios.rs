//! Outages that have a name: scripts of faults, as they happened to somebody. They are asked for like
//! faults, by name.

use std::time::Duration;

use serde_json::Value;

use crate::faults::Options;
use crate::schedule::{FaultSpec, Scripted};

/// Every scenario there is.
pub static SCENARIOS: &[Scenario] = &[Scenario {
    name: "github-2012",
    doc: "GitHub, 22 December 2012: switches kept packets for two minutes and then delivered them all. \
          All that goes to and from one node is held, and comes at once when the others have long \
          gone on without it.",
    steps: &[Step { fault: "link-held", options: &[("links", "node")], at_s: 15, lasts_s: 120 }],
}];

/// A script with a name.
#[derive(Debug)]
pub struct Scenario {
    /// Its name, as users write it.
    pub name: &'static str,
    /// What happens, and to whom it did.
    pub doc: &'static str,
    steps: &'static [Step],
}

/// One fault of it.
#[derive(Debug)]
struct Step {
    fault: &'static str,
    options: &'static [(&'static str, &'static str)],
    at_s: u64,
    lasts_s: u64,
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

impl Scenario {
    /// Its faults, as a test file's script would have them.
    pub fn script(&self) -> Vec<Scripted> {
        let scripted = |step: &Step| {
            let option = |&(name, value): &(&str, &str)| (name.to_owned(), Value::from(value));
            let options: Options = step.options.iter().map(option).collect();
            Scripted {
                spec: FaultSpec { name: step.fault.to_owned(), options },
                at: Duration::from_secs(step.at_s),
                lasts: Duration::from_secs(step.lasts_s),
            }
        };
        self.steps.iter().map(scripted).collect()
    }

    /// When all of it is over.
    pub fn ends(&self) -> Duration {
        let ends = self.steps.iter().map(|step| step.at_s + step.lasts_s).max();
        Duration::from_secs(ends.unwrap_or(0))
    }

    /// In words, step by step.
    pub fn steps(&self) -> String {
        let told = |step: &Step| {
            let options =
                step.options.iter().map(|(name, value)| format!(", {name} = \"{value}\""));
            let (from, to) = (step.at_s, step.at_s + step.lasts_s);
            format!("`{}`{} from {from} s to {to} s", step.fault, options.collect::<String>())
        };
        self.steps.iter().map(told).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::*;
    use crate::schedule::{Bounds, Schedule, Timing};

    #[test]
    fn every_scenario_is_a_schedule_and_has_a_name_of_its_own() {
        for scenario in SCENARIOS {
            assert!(crate::faults::find(scenario.name).is_err(), "{}", scenario.name);
            let second = Duration::from_secs(1);
            let until = scenario.ends();
            let timing = Timing {
                first: second,
                interval: second,
                duration: second,
                until,
                at_once: 1,
                rhythm: Default::default(),
            };
            let nodes: Vec<_> = (1..=5).map(|number| format!("n{number}").into()).collect();
            let (script, free) = (scenario.script(), Bounds::default());
            let schedule = Schedule::new(Seed(1), &nodes, &[], &script, timing, free).unwrap();
            let last = schedule.faults().iter().map(|fault| fault.heal).max();
            assert_eq!(last, Some(until.as_nanos() as u64));
        }
        let held = &find("github-2012").unwrap().script()[0];
        assert_eq!((held.spec.name.as_str(), held.lasts), ("link-held", Duration::from_secs(120)));
    }
}

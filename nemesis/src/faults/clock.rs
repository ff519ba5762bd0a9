//! What all clock faults share: what the database's processes on some nodes read instead of the
//! machine's clock, which stays as it is. How it is done is the agent's.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tribunal_generator::Rng;
use tribunal_history::{Map, Name};

use super::given::{Drawn, Given};
use super::target::Target;
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError, Toll};
use crate::agent::protocol::Harm;
use crate::field::Field;
use crate::model::{Failures, Synchrony, SystemModel};

/// Whose clocks.
pub const TARGET: FaultOption = FaultOption {
    name: "target",
    doc: "One, minority, all-but-one or all; by default drawn anew.",
};

/// What a clock is set to, relative to the machine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clock {
    /// Ahead, in nanoseconds; negative: behind.
    pub offset_ns: i64,
    /// How much faster it runs, in parts per million.
    pub ppm: i64,
    /// How long it stays so before it goes back, and so forth, in milliseconds; 0: for good.
    pub strobe_ms: u64,
}

/// One way for a clock to be wrong.
pub struct ClockFault {
    /// Its name, as users write it.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// What can be chosen, beside whose clocks.
    pub options: &'static [FaultOption],
    /// One node's clock, and what it is in words.
    pub draw: fn(&Given, &mut Rng) -> Drawn<Clock>,
}

#[async_trait]
impl Fault for ClockFault {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn options(&self) -> &'static [FaultOption] {
        self.options
    }

    fn needs(&self) -> Needs {
        Needs::Clock
    }

    /// Who has the wrong time goes on serving.
    fn toll(&self, _: &Plan) -> Toll {
        Toll::default()
    }

    fn assumes(&self) -> SystemModel {
        SystemModel::new(Synchrony::PartiallySynchronous, Failures::CrashStop)
    }

    fn seen(&self) -> &'static str {
        "every process reads its clock, from inside, and is off by just that"
    }

    fn cost(&self) -> &'static str {
        "each process is stopped once for 0.7-14 ms, and again at every exec; then 2 us a jump; reading the time 12 ns more"
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let target = Target::choose(self.name, options, &[Target::One, Target::Minority], rng)?;
        if target == Target::Primaries {
            let (option, value) = (TARGET.name, target.name().into());
            let wanted = "one, minority, all-but-one or all";
            return Err(PlanError::BadOption { fault: self.name, option, value, wanted });
        }
        if nodes.is_empty() {
            return Err(PlanError::TooFewNodes { fault: self.name, needs: 1, has: 0 });
        }
        let nodes = target.draw(nodes, rng);
        let (mut clocks, mut words) = (BTreeMap::new(), Vec::new());
        for node in &nodes {
            let (clock, what) = (self.draw)(&Given::new(self.name, options), rng)?;
            words.push(format!("{node} {what}"));
            clocks.insert(node.clone(), clock);
        }
        let data = Map::from_iter([("clocks".to_owned(), json!(clocks))]);
        Ok(Plan { nodes, summary: words.join(", "), data })
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let clocks: Value = plan.data.get("clocks").cloned().unwrap_or_default();
        let clocks: BTreeMap<Name, Clock> = serde_json::from_value(clocks)
            .map_err(|error| format!("the plan's `clocks` cannot be read: {error}"))?;
        let harm = |(node, clock): (&Name, &Clock)| {
            let (pid, Clock { offset_ns, ppm, strobe_ms }) = (field.daemon(node)?, *clock);
            Ok((node.clone(), Harm::Clock { pid, offset_ns, ppm, strobe_ms }))
        };
        let harms = clocks.iter().map(harm).collect::<Result<_, String>>()?;
        let (nodes, summary) = (plan.nodes.clone(), plan.summary.clone());
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }
}

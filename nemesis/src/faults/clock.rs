//! What all clock faults share: what the database's processes on some nodes read instead of the
//! machine's clock, which stays as it is; or what the clock of a whole real host shows. How it is
//! done is the agent's.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tribunal_generator::Rng;
use tribunal_history::{Map, Name};

use super::about::{About, LATE};
use super::given::{Drawn, Given};
use super::target::Target;
use super::{Aim, Fault, FaultOption, Needs, Options, Place, Plan, PlanError, Toll};
use crate::agent::protocol::Harm;
use crate::field::Field;

/// Whose clocks.
pub const TARGET: FaultOption = FaultOption {
    name: "target",
    doc: "One, minority, all-but-one, all, a node (\"n2\") or a list of nodes; by default drawn anew.",
};

/// Which clock of a node.
pub const OF: FaultOption = FaultOption {
    name: "of",
    doc: "Processes (the database's alone, as by default), or host: that of a real host with a \
          kernel of its own, where NTP is stopped for as long.",
};

/// Which clock, where it was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// What the database's processes read.
    Processes,
    /// What everybody on the host reads.
    Host,
}

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

impl Clock {
    /// A host's clock is set again every few milliseconds, and runs in between.
    fn stands(&self) -> bool {
        self.ppm <= -1_000_000
    }
}

/// One way for a clock to be wrong.
pub struct ClockFault {
    /// What it tells of itself.
    pub about: About,
    /// One node's clock, and what it is in words.
    pub draw: fn(&Given, &mut Rng) -> Drawn<Clock>,
}

/// What faults of clocks tell alike, with what is each one's own.
pub const fn about(
    name: &'static str,
    doc: &'static str,
    options: &'static [FaultOption],
) -> About {
    About {
        name,
        doc,
        options,
        needs: Needs::Clock,
        assumes: LATE,
        seen: "every process reads its clock, from inside, and is off by just that; a host's against its \
               monotonic one",
        cost: "each process is stopped once for 0.7-14 ms, and again at every exec; then 2 us a jump; reading the time 12 ns more",
    }
}

#[async_trait]
impl Fault for ClockFault {
    fn about(&self) -> &About {
        &self.about
    }

    /// Who has the wrong time goes on serving.
    fn toll(&self, _: &Plan) -> Toll {
        Toll::default()
    }

    fn refuses(&self, options: &Options, place: Place) -> Option<String> {
        let host = options.get(OF.name).is_some_and(|value| value == "host");
        (host && place == Place::Local).then(|| {
            "local nodes share this machine's clock, which is never set: leave `of = \"host\"` out"
                .to_owned()
        })
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let usual = [Target::One, Target::Minority];
        let target = Target::choose(self.about.name, options, &usual, nodes, rng)?;
        if target == Target::Primaries {
            let (option, value) = (TARGET.name, target.name().into());
            let wanted = "one, minority, all-but-one, all, a node, or a list of nodes";
            return Err(PlanError::BadOption { fault: self.about.name, option, value, wanted });
        }
        if nodes.is_empty() {
            return Err(PlanError::TooFewNodes { fault: self.about.name, needs: 1, has: 0 });
        }
        let of = self.of(options)?;
        let nodes = target.draw(nodes, rng);
        let (mut clocks, mut words) = (BTreeMap::new(), Vec::new());
        for node in &nodes {
            let (clock, what) = (self.draw)(&Given::new(self.about.name, options), rng)?;
            if clock.stands() && of == Some(Of::Host) {
                return Err(
                    self.bad_of(options, "processes: a host's clock cannot be made to stand")
                );
            }
            words.push(format!("{node} {what}"));
            clocks.insert(node.clone(), clock);
        }
        let mut data = Map::from_iter([("clocks".to_owned(), json!(clocks))]);
        data.extend(of.map(|of| (OF.name.to_owned(), json!(of))));
        Ok(Plan { nodes, summary: words.join(", "), data })
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let clocks: Value = plan.data.get("clocks").cloned().unwrap_or_default();
        let clocks: BTreeMap<Name, Clock> = serde_json::from_value(clocks)
            .map_err(|error| format!("the plan's `clocks` cannot be read: {error}"))?;
        let of: Option<Of> = match plan.data.get(OF.name) {
            Some(of) => serde_json::from_value(of.clone())
                .map_err(|error| format!("the plan's `of` cannot be read: {error}"))?,
            None => None,
        };
        let harm = |(node, clock): (&Name, &Clock)| {
            let Clock { offset_ns, ppm, strobe_ms } = *clock;
            let controller = match of {
                Some(Of::Host) => Some(field.own_kernel(node)?),
                Some(Of::Processes) | None => None,
            };
            let harm = match controller {
                Some(controller) => Harm::HostClock { controller, offset_ns, ppm, strobe_ms },
                None => Harm::Clock { pid: field.daemon(node)?, offset_ns, ppm, strobe_ms },
            };
            Ok((node.clone(), harm))
        };
        let harms = clocks.iter().map(harm).collect::<Result<_, String>>()?;
        let (nodes, summary) = (plan.nodes.clone(), plan.summary.clone());
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }
}

impl ClockFault {
    fn of(&self, options: &Options) -> Result<Option<Of>, PlanError> {
        let Some(value) = options.get(OF.name) else { return Ok(None) };
        let of = serde_json::from_value(value.clone());
        of.map(Some).map_err(|_| self.bad_of(options, "processes or host"))
    }

    fn bad_of(&self, options: &Options, wanted: &'static str) -> PlanError {
        let value = options.get(OF.name).cloned().unwrap_or_default();
        PlanError::BadOption { fault: self.about.name, option: OF.name, value, wanted }
    }
}

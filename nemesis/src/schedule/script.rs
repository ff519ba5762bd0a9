//! Faults that come when a script says, and what a script may not ask for.

use std::time::Duration;

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::lanes::{Family, family};
use super::{FaultSpec, Planned, ScheduleError, nanos};
use crate::faults;

/// A fault that comes at a time of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Scripted {
    /// Which, and what was chosen about it.
    pub spec: FaultSpec,
    /// When it is injected, since the run began.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Scripted {
    pub(super) fn planned(
        &self,
        nodes: &[Name],
        rng: &mut Rng,
        until: Duration,
    ) -> Result<Planned, ScheduleError> {
        let fault = faults::find(&self.spec.name)?;
        let ends = self.at + self.lasts;
        if ends > until {
            return Err(ScheduleError::TooLate { fault: self.spec.name.clone(), ends, until });
        }
        let plan = faults::plan(fault, nodes, &self.spec.options, rng)?;
        let (inject, heal) = (nanos(self.at), nanos(ends));
        Ok(Planned { id: 0, name: fault.name().into(), inject, heal, plan })
    }
}

/// Refuses two faults of the same processes at the same time: only a script can ask for them.
pub(super) fn check(planned: &[Planned]) -> Result<(), ScheduleError> {
    let harmful: Vec<&Planned> = planned
        .iter()
        .filter(|it| faults::find(&it.name).is_ok_and(|it| family(it) == Family::Processes))
        .collect();
    for (at, one) in harmful.iter().enumerate() {
        for other in harmful[at + 1..].iter().take_while(|other| other.inject < one.heal) {
            // Primaries are nobody in particular until the time has come.
            let (these, those) = (&one.plan.nodes, &other.plan.nodes);
            let anybody = these.is_empty() || those.is_empty();
            if anybody || these.iter().any(|node| those.contains(node)) {
                return Err(ScheduleError::Contradiction(one.to_string(), other.to_string()));
            }
        }
    }
    Ok(())
}

//! Faults that come when a script says, and what a script may not ask for.

use std::time::Duration;

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::down::Limit;
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
    /// Its plan beside those of the script that are `planned` already.
    pub(super) fn planned(
        &self,
        planned: &[Planned],
        limit: Limit,
        rng: &mut Rng,
        until: Duration,
    ) -> Result<Planned, ScheduleError> {
        let fault = faults::find(&self.spec.name)?;
        limit.admit(fault)?;
        let ends = self.at + self.lasts;
        if ends > until {
            return Err(ScheduleError::TooLate { fault: self.spec.name.clone(), ends, until });
        }
        let (inject, heal) = (nanos(self.at), nanos(ends));
        let name: Name = fault.name().into();
        let mut draw = || limit.draw(fault, &self.spec.options, rng, planned, inject);
        if let Some(plan) = limit.fitting(planned, (&name, inject, heal), &mut draw)? {
            return Ok(Planned { id: 0, name, inject, heal, plan });
        }
        let last = Planned { id: 0, name, inject, heal, plan: draw()? };
        let other = limit.clash(planned, &last)?.unwrap_or(&last);
        Err(limit.refusal(other, &last))
    }
}

/// Refuses two faults that harm the same nodes in the same way at the same time, where each would
/// undo or hide the other: only a script can ask for them.
pub(super) fn check(planned: &[Planned]) -> Result<(), ScheduleError> {
    for (at, one) in planned.iter().enumerate() {
        let family = faults::find(&one.name)?.family();
        if family.adds_up() {
            continue;
        }
        for other in planned[at + 1..].iter().take_while(|other| other.inject < one.ends()) {
            // Primaries are nobody in particular until the time has come; who is dead by then is none.
            let (these, those) = (&one.plan.nodes, &other.plan.nodes);
            let anybody = other.inject < one.heal && (these.is_empty() || those.is_empty());
            let same = anybody || these.iter().any(|node| those.contains(node));
            if same && faults::find(&other.name)?.family() == family {
                let (one, other) = (one.to_string(), other.to_string());
                return Err(ScheduleError::Contradiction { what: family.noun(), one, other });
            }
        }
    }
    Ok(())
}

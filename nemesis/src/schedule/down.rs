//! Who is down: how many nodes faults take from a cluster while they act together, and the most that
//! the test allows.
//!
//! A node is **up** if it is one of the largest set of nodes that all run and all hear each other,
//! both ways: that is what a quorum can be made of. All others are down. So a node that is cut off
//! counts like one that is killed, two faults of one node count once, and of a partition in which no
//! three nodes hear each other all but two are down.

use tribunal_generator::Rng;
use tribunal_history::{Name, Nanos};

use super::{Planned, ScheduleError};
use crate::faults::{self, Family, Fault, Options, Plan, PlanError, Toll};
use crate::model::SystemModel;

/// How often a fault is drawn anew because it would take too many down.
const TRIES: usize = 400;
/// How long the largest set is looked for, in steps: a smaller one is on the safe side.
const STEPS: u32 = 100_000;
/// More nodes than any cluster here has; a set of them is the bits of a number.
const MOST_NODES: usize = 128;

/// What is drawn for, and within which limits.
#[derive(Clone, Copy)]
pub(super) struct Limit<'n> {
    pub nodes: &'n [Name],
    /// The most nodes that may be down at once.
    pub most: Option<usize>,
    /// What can happen at all.
    pub model: Option<SystemModel>,
}

impl Limit<'_> {
    /// Refuses a fault that cannot happen in the run's system model.
    pub(super) fn admit(&self, fault: &dyn Fault) -> Result<(), ScheduleError> {
        match self.model {
            Some(model) if !model.allows(fault.about().assumes) => {
                let (fault, takes) = (fault.name(), fault.about().assumes);
                Err(PlanError::NotAllowed { fault, model, takes }.into())
            }
            _ => Ok(()),
        }
    }

    /// Draws a plan for those nodes that a fault can still harm at that time: those whose database
    /// has not been killed for good.
    pub(super) fn draw(
        &self,
        fault: &dyn Fault,
        options: &Options,
        rng: &mut Rng,
        planned: &[Planned],
        time: Nanos,
    ) -> Result<Plan, ScheduleError> {
        let dead = |node: &&Name| {
            let buried = planned.iter().filter(|it| it.plan.stays_dead() && it.inject <= time);
            buried.into_iter().any(|it| it.plan.nodes.contains(node))
        };
        let plan = if fault.family() == Family::Processes && self.model.is_some() {
            let nodes: Vec<Name> = self.nodes.iter().filter(|node| !dead(node)).cloned().collect();
            faults::plan(fault, &nodes, options, rng)?
        } else {
            faults::plan(fault, self.nodes, options, rng)?
        };
        Ok(self.model.map_or(plan.clone(), |model| fault.within(model, plan)))
    }

    /// A plan of `draw` that keeps the limit beside what is planned already, if one was drawn.
    pub(super) fn fitting(
        &self,
        planned: &[Planned],
        (name, inject, heal): (&Name, Nanos, Nanos),
        mut draw: impl FnMut() -> Result<Plan, ScheduleError>,
    ) -> Result<Option<Plan>, ScheduleError> {
        let Some(most) = self.most else { return draw().map(Some) };
        let mut least = usize::MAX;
        for _ in 0..TRIES {
            let plan = draw()?;
            let fault = Planned { id: 0, name: name.clone(), inject, heal, plan };
            if self.clash(planned, &fault)?.is_none() {
                return Ok(Some(fault.plan));
            }
            least = least.min(down(self.nodes, &[toll(&fault)?]));
        }
        let (fault, of) = (name.to_string(), self.nodes.len());
        if least > most {
            return Err(ScheduleError::TooManyDown { fault, least, of, most });
        }
        Ok(None)
    }

    /// What would keep company with `fault` when too many were down: itself where it is enough.
    pub(super) fn clash<'p>(
        &self,
        planned: &'p [Planned],
        fault: &'p Planned,
    ) -> Result<Option<&'p Planned>, ScheduleError> {
        let Some(most) = self.most else { return Ok(None) };
        let ends = fault.ends();
        let beside = |other: &&Planned| other.inject < ends && fault.inject < other.ends();
        let beside: Vec<&Planned> = planned.iter().filter(beside).collect();
        let begins = beside.iter().map(|other| other.inject);
        let mut moments: Vec<Nanos> = begins.filter(|&at| at > fault.inject).collect();
        moments.push(fault.inject);
        for moment in moments {
            let then = |it: &&&Planned| it.inject <= moment && moment < it.ends();
            let together: Vec<&Planned> = beside.iter().filter(then).copied().collect();
            let mut tolls = vec![toll(fault)?];
            for other in &together {
                tolls.push(toll(other)?);
            }
            if down(self.nodes, &tolls) > most {
                // The one that takes most, where there are several.
                let heaviest = together.into_iter().zip(&tolls[1..]);
                let heaviest =
                    heaviest.max_by_key(|(_, its)| down(self.nodes, std::slice::from_ref(its)));
                return Ok(Some(heaviest.map_or(fault, |(other, _)| other)));
            }
        }
        Ok(None)
    }

    /// The refusal of two faults of a script.
    pub(super) fn refusal(&self, one: &Planned, other: &Planned) -> ScheduleError {
        let of = self.nodes.len();
        let most = self.most.unwrap_or(of);
        ScheduleError::TogetherDown { one: one.to_string(), other: other.to_string(), of, most }
    }
}

fn toll(fault: &Planned) -> Result<Toll, ScheduleError> {
    Ok(faults::find(&fault.name)?.toll(&fault.plan))
}

/// How many of `nodes` are down under all of these at once.
pub fn down(nodes: &[Name], tolls: &[Toll]) -> usize {
    let nodes = &nodes[..nodes.len().min(MOST_NODES)];
    let place = |name: &Name| nodes.iter().position(|node| node == name);
    let mut up: u128 = if nodes.len() == MOST_NODES { u128::MAX } else { (1 << nodes.len()) - 1 };
    // Of each node, those that it hears and is heard by.
    let mut hear: Vec<u128> = (0..nodes.len()).map(|at| up & !(1 << at)).collect();
    for toll in tolls {
        toll.out.iter().filter_map(place).for_each(|at| up &= !(1 << at));
        for (from, to) in &toll.cut {
            if let (Some(from), Some(to)) = (place(from), place(to)) {
                hear[from] &= !(1 << to);
                hear[to] &= !(1 << from);
            }
        }
    }
    let somebody: usize = tolls.iter().map(|toll| toll.somebody).sum();
    let (mut best, mut steps) = (0, STEPS);
    grow(&hear, 0, up, &mut best, &mut steps);
    nodes.len() - best.saturating_sub(somebody)
}

/// Looks for the largest clique that has `chosen` nodes and more of `open`, by branch and bound.
fn grow(hear: &[u128], chosen: usize, mut open: u128, best: &mut usize, steps: &mut u32) {
    *best = chosen.max(*best);
    while open != 0 && chosen + open.count_ones() as usize > *best && *steps > 0 {
        *steps -= 1;
        let at = open.trailing_zeros() as usize;
        open &= !(1 << at);
        grow(hear, chosen + 1, open & hear[at], best, steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<Name> {
        text.split_whitespace().map(Name::from).collect()
    }

    fn out(text: &str) -> Toll {
        Toll { out: names(text), ..Toll::default() }
    }

    fn cut(pairs: &[(&str, &str)]) -> Toll {
        let cut = pairs.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect();
        Toll { cut, ..Toll::default() }
    }

    #[test]
    fn a_node_is_up_among_those_that_hear_each_other() {
        let nodes = names("n1 n2 n3 n4 n5");
        let down = |tolls: &[Toll]| down(&nodes, tolls);
        assert_eq!(down(&[]), 0);
        assert_eq!(down(&[out("n1 n2"), out("n2")]), 2);
        // One way is enough: who is not heard cannot vote.
        assert_eq!(down(&[cut(&[("n1", "n2")])]), 1);
        let halves = cut(&[("n1", "n3"), ("n1", "n4"), ("n1", "n5"), ("n2", "n3"), ("n2", "n4")]);
        assert_eq!(down(&[halves.clone(), cut(&[("n5", "n2")])]), 2);
        assert_eq!(down(&[halves.clone(), cut(&[("n5", "n2")]), out("n3")]), 3);
        assert_eq!(down(&[halves, cut(&[("n5", "n2")]), out("n1")]), 2);
        let ring = [("n1", "n3"), ("n2", "n4"), ("n3", "n5"), ("n4", "n1"), ("n5", "n2")];
        assert_eq!(down(&[cut(&ring)]), 3);
        // Nobody in particular may be one of those that count.
        let somebody = Toll { somebody: 1, ..Toll::default() };
        assert_eq!(down(&[out("n1"), somebody.clone()]), 2);
        assert_eq!(down(&[out("n1 n2 n3 n4 n5"), somebody]), 5);
    }

    #[test]
    fn a_hundred_nodes_are_counted_in_no_time() {
        let nodes: Vec<Name> = (0..100).map(|at| format!("n{at}").into()).collect();
        let far = |one: usize, other: usize| {
            let distance = one.abs_diff(other);
            distance.min(100 - distance) > 25
        };
        let pairs = (0..100).flat_map(|one| (0..100).map(move |other| (one, other)));
        let cut = pairs.filter(|&(one, other)| far(one, other));
        let cut = cut.map(|(one, other)| (nodes[one].clone(), nodes[other].clone())).collect();
        let down = down(&nodes, &[Toll { cut, ..Toll::default() }]);
        assert!((50..=74).contains(&down), "{down}: any 26 in a row hear each other");
    }
}

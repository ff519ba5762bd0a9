//! `partition-primaries`: the nodes that hold themselves primary are cut off from the rest, alone or
//! with some others, who then go on believing them (Redis: a primary, one replica and the clients
//! that still reach them).

use async_trait::async_trait;
use serde_json::json;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Map, Name};

use super::about::About;
use super::given::Given;
use super::partition::{self, apart, read, shuffled, sorted};
use super::{Aim, Fault, FaultOption, Options, Plan, PlanError, Toll, list, ports};
use crate::field::Field;

/// The fault. Who is primary is known only when its time has come: its cuts are told then.
pub(super) struct Primaries;

const WITH: FaultOption = FaultOption::new(
    "with",
    "How many others stay with them; by default drawn so that a majority is left.",
);

const ABOUT: About = partition::about(
    "partition-primaries",
    "Cuts the nodes that hold themselves primary off from the rest, alone or with others beside them.",
    &[WITH, ports::OPTION],
);

#[async_trait]
impl Fault for Primaries {
    fn about(&self) -> &About {
        &ABOUT
    }

    /// One primary and those with it, until it is known who they are.
    fn toll(&self, plan: &Plan) -> Toll {
        let with = if plan.nodes.is_empty() { read::<usize>(plan, "with").unwrap_or(0) } else { 0 };
        let toll = Toll::nodes(plan);
        Toll { somebody: toll.somebody + with, ..toll }
    }

    fn asks_for_primaries(&self) -> bool {
        true
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        if nodes.len() < 2 {
            return Err(PlanError::TooFewNodes { fault: ABOUT.name, needs: 2, has: nodes.len() });
        }
        let given = Given::new(ABOUT.name, options);
        let ports = ports::of(&given)?;
        // One is the primary, and one at least must be on the other side.
        let minority = ((nodes.len() - 1) / 2).max(1);
        let drawn = rng.below(minority as u64) as usize;
        let with = given.count("with", "others", 0, nodes.len() - 2)?.unwrap_or(drawn);
        let order = shuffled(nodes, rng);
        let mut data = Map::from_iter([
            ("with".to_owned(), json!(with)),
            // Of whom the first come first; the very first one where nobody says who is primary.
            ("order".to_owned(), json!(order)),
        ]);
        if !ports.is_empty() {
            data.insert("ports".to_owned(), json!(ports));
        }
        let others = if with > 0 { format!(" and {with} more") } else { String::new() };
        let summary = format!("primaries{others} cut off{}", ports::words(&ports));
        Ok(Plan { nodes: Vec::new(), summary, data })
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (order, with) = (read::<Vec<Name>>(plan, "order")?, read::<usize>(plan, "with")?);
        let ports: Vec<u16> = read(plan, "ports")?;
        let primaries = field.primaries().await?;
        let side = side(&order, &primaries, with);
        let rest: Vec<Name> = order.iter().filter(|node| !side.contains(node)).cloned().collect();
        let cuts = apart(&[&side, &rest]);
        let who: Vec<Name> = primaries.into_iter().filter(|node| side.contains(node)).collect();
        let who = match who.is_empty() {
            true => "no node holds itself primary".to_owned(),
            false => format!("primary: {}", list(&sorted(&who))),
        };
        let sides = format!("{{{} | {}}}", list(&sorted(&side)), list(&sorted(&rest)));
        Ok(Aim {
            harms: partition::harms(field, &cuts, &ports)?,
            nodes: sorted(&side),
            summary: format!("{sides}{} ({who})", ports::words(&ports)),
            learned: Map::from_iter([("cuts".to_owned(), json!(cuts))]),
            ..Aim::default()
        })
    }

    async fn observe(&self, field: &Field, id: u64, aim: &Aim) -> Effect {
        partition::observe(field, id, aim).await
    }
}

/// Who is cut off: all primaries and so many others. Where that would be everybody, one primary and
/// its others.
fn side(order: &[Name], primaries: &[Name], with: usize) -> Vec<Name> {
    let (mut side, mut others): (Vec<Name>, Vec<Name>) =
        order.iter().cloned().partition(|node| primaries.contains(node));
    if side.is_empty() {
        side.push(others.remove(0));
    } else if side.len() + with >= order.len() {
        others.splice(0..0, side.drain(1..));
    }
    side.extend(others.into_iter().take(with));
    side
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::super::plan;
    use super::super::tests::nodes;
    use super::*;

    fn named(names: &[&str]) -> Vec<Name> {
        names.iter().map(|&name| name.into()).collect()
    }

    #[test]
    fn primaries_take_others_with_them_and_leave_somebody() {
        let order = named(&["n3", "n1", "n5", "n2", "n4"]);
        let side = |primaries: &[&str], with| side(&order, &named(primaries), with);
        assert_eq!(side(&["n2"], 0), named(&["n2"]));
        assert_eq!(side(&["n2"], 1), named(&["n2", "n3"]));
        assert_eq!(side(&["n1", "n2"], 2), named(&["n1", "n2", "n3", "n5"]));
        assert_eq!(side(&[], 1), named(&["n3", "n1"]));
        assert_eq!(side(&["n1", "n2", "n4"], 2), named(&["n1", "n2", "n4"]));
        assert_eq!(side(&["n1", "n2", "n3", "n4", "n5"], 0), named(&["n3"]));
    }

    #[test]
    fn a_majority_is_left_unless_it_is_asked_for_otherwise() {
        for (count, seed) in (2..8).flat_map(|count| (0..20).map(move |seed| (count, seed))) {
            let mut rng = Seed(seed).stream("t");
            let plan = plan(&Primaries, &nodes(count), &Options::new(), &mut rng).unwrap();
            let with = plan.data["with"].as_u64().unwrap() as usize;
            assert!(count == 2 || 2 * (with + 1) < count, "{with} of {count}");
        }
        let with = |with| {
            let options = Options::from_iter([("with".to_owned(), json!(with))]);
            plan(&Primaries, &nodes(3), &options, &mut Seed(1).stream("t"))
        };
        assert_eq!(with(1).unwrap().summary, "primaries and 1 more cut off");
        assert_eq!(
            with(2).unwrap_err().to_string(),
            "the fault `partition-primaries` cannot have with = 2: \
             it must be a whole number of others from 0 to 1"
        );
    }
}

//! What holds of every fault; and what the tests of single ones share.

use tribunal_generator::{Rng, Seed};
use tribunal_history::{Name, Value};

use super::given::Given;
use super::{FAULTS, Options, PlanError, find, partition, plan};

/// A shape's draw for these nodes, with nothing chosen.
pub fn drawn(
    draw: fn(&[Name], &Given, &mut Rng) -> Result<partition::Drawn, PlanError>,
    nodes: &[Name],
    seed: u64,
) -> partition::Drawn {
    draw(nodes, &Given::new("t", &Options::new()), &mut Seed(seed).stream("t")).unwrap()
}

pub fn nodes(count: usize) -> Vec<Name> {
    (1..=count).map(|number| format!("n{number}").into()).collect()
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    let error = find("partitoin").err().unwrap().to_string();
    assert!(error.starts_with("there is no fault `partitoin`; there are partition, "), "{error}");
    assert!(error.contains(", pause, freeze, cpu-limit, "), "{error}");
    let options = Options::from_iter([("targt".to_owned(), Value::from("one"))]);
    let mut rng = Seed(1).stream("t");
    let refused = |fault: &str, rng: &mut Rng| {
        plan(find(fault).unwrap(), &nodes(3), &options, rng).unwrap_err().to_string()
    };
    assert_eq!(
        refused("pause", &mut rng),
        "the fault `pause` has no option `targt`; it has target"
    );
    assert_eq!(
        refused("partition-one", &mut rng),
        "the fault `partition-one` has no option `targt`; it has ports"
    );
}

#[test]
fn every_fault_plans_for_every_cluster_that_is_large_enough() {
    for fault in FAULTS {
        for (count, seed) in (1..12).flat_map(|count| (0..20).map(move |seed| (count, seed))) {
            let mut rng = Seed(seed).stream(fault.name());
            let options = fault.example(&nodes(count));
            match plan(*fault, &nodes(count), &options, &mut rng) {
                Ok(plan) => assert!(!plan.summary.is_empty() && !plan.data.is_empty()),
                Err(PlanError::TooFewNodes { needs, has, .. }) => assert!(has < needs),
                Err(other) => panic!("{}: {other}", fault.name()),
            }
        }
    }
}

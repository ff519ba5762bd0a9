//! `partition-non-transitive`: some links are cut, but everybody is reached by everybody through
//! others: one hears a second, which hears a third, which the first does not hear.
//!
//! With one link cut it is the partial partition that most studied systems fail under (Alfatafta
//! et al., "Toward a Generic Fault Tolerance Technique for Partial Network Partitioning", OSDI 2020).

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Drawn, NONE, Partition, about, links, shuffled, sorted};
use super::{FaultOption, PlanError, ports};

pub(super) static FAULT: Partition = Partition {
    about: about(
        "partition-non-transitive",
        "Cuts some pairs of nodes off from each other that still reach each other through others.",
        &[
            FaultOption::new(
                "pairs",
                "How many; by default drawn anew, from one to all but a tree.",
            ),
            ports::OPTION,
        ],
    ),
    needs: 3,
    example: NONE,
    draw,
};

fn draw(nodes: &[Name], given: &Given, rng: &mut Rng) -> Result<Drawn, PlanError> {
    let order = shuffled(nodes, rng);
    // A tree over all nodes stays whole; any other pair may be cut.
    let above: Vec<usize> = (1..order.len()).map(|at| rng.below(at as u64) as usize).collect();
    let pairs = (1..order.len()).flat_map(|high| (0..high).map(move |low| (low, high)));
    let mut others: Vec<_> = pairs.filter(|&(low, high)| above[high - 1] != low).collect();
    rng.shuffle(&mut others);
    let drawn = rng.between(1, others.len() as u64) as usize;
    let count = given.count("pairs", "pairs", 1, others.len())?.unwrap_or(drawn);
    let mut cut: Vec<Vec<Name>> = others[..count]
        .iter()
        .map(|&(low, high)| sorted(&[order[low].clone(), order[high].clone()]))
        .collect();
    cut.sort();
    let directed = cut.iter().flat_map(|pair| [(&pair[0], &pair[1]), (&pair[1], &pair[0])]);
    let told: Vec<String> = cut.iter().map(|pair| pair.join("-")).collect();
    Ok(Drawn::of(links(directed), format!("cut {}", told.join(" "))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{drawn, nodes};
    use super::*;

    #[test]
    fn all_are_reached_and_not_all_are_heard() {
        let mut counts = BTreeSet::new();
        for (count, seed) in (3..8).flat_map(|count| (0..50).map(move |seed| (count, seed))) {
            let nodes = nodes(count);
            let Drawn { cuts, .. } = drawn(draw, &nodes, seed);
            let hears = |one: &Name, other: &Name| {
                !cuts.get(one).is_some_and(|sources| sources.contains(other))
            };
            for (one, other) in nodes.iter().flat_map(|a| nodes.iter().map(move |b| (a, b))) {
                assert_eq!(hears(one, other), hears(other, one));
            }
            // Everybody is reached from the first.
            let mut reached = BTreeSet::from([&nodes[0]]);
            for _ in 0..count {
                let next: Vec<_> = nodes
                    .iter()
                    .filter(|node| reached.iter().any(|other| hears(node, other)))
                    .collect();
                reached.extend(next);
            }
            assert_eq!(reached.len(), count, "{cuts:?}");
            let broken = nodes.iter().any(|a| {
                nodes.iter().any(|b| {
                    nodes.iter().any(|c| a != c && hears(a, b) && hears(b, c) && !hears(a, c))
                })
            });
            assert!(broken, "{cuts:?}");
            counts.insert((count, cuts.values().map(Vec::len).sum::<usize>() / 2));
        }
        assert!(counts.contains(&(5, 1)) && counts.contains(&(5, 6)), "{counts:?}");
    }
}

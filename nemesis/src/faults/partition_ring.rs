//! `partition-ring`: every node hears a majority, no two the same one
//! (Jepsen's "majorities ring").
//!
//! The nodes stand in a ring, in an order of chance. With m a majority, each
//! hears and is heard by m - 1 others, half on either side. Where m - 1 is odd
//! the one that is over is the node opposite, if there is one; in a ring of an odd
//! number there is none, and each hears one node more. Three nodes are too few
//! for any of it: there one link of the triangle is cut.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Cuts, Drawn, NONE, Partition, about, shuffled, sorted};
use super::{PlanError, ports};

pub(super) static FAULT: Partition = Partition {
    about: about(
        "partition-ring",
        "Lets every node hear a majority of the nodes, but no two of them the same one.",
        &[ports::OPTION],
    ),
    needs: 3,
    example: NONE,
    draw,
};

fn draw(nodes: &[Name], _: &Given, rng: &mut Rng) -> Result<Drawn, PlanError> {
    let ring = shuffled(nodes, rng);
    let mut cuts = Cuts::new();
    for (at, node) in ring.iter().enumerate() {
        let deaf_to = |(other, _): &(usize, &Name)| !hears(at, *other, ring.len());
        let sources: Vec<Name> =
            ring.iter().enumerate().filter(deaf_to).map(|(_, node)| node.clone()).collect();
        if !sources.is_empty() {
            cuts.insert(node.clone(), sorted(&sources));
        }
    }
    Ok(Drawn::of(cuts, format!("ring of majorities {}", ring.join("-"))))
}

/// Whether two places of a ring of `count` nodes hear each other.
fn hears(one: usize, other: usize, count: usize) -> bool {
    let distance = one.abs_diff(other).min(count - one.abs_diff(other));
    if count == 3 {
        return (one.min(other), one.max(other)) != (0, 2);
    }
    let others = count / 2; // a majority less the node itself
    let reach = if others % 2 == 1 && count % 2 == 1 { others.div_ceil(2) } else { others / 2 };
    let opposite = others % 2 == 1 && count.is_multiple_of(2) && distance == count / 2;
    distance <= reach || opposite
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{drawn, nodes};
    use super::*;

    #[test]
    fn every_node_hears_a_majority_and_no_two_the_same() {
        for count in 3..16 {
            let nodes = nodes(count);
            let Drawn { cuts, .. } = drawn(draw, &nodes, 7);
            let mut views = BTreeSet::new();
            for node in &nodes {
                let deaf_to = cuts.get(node).cloned().unwrap_or_default();
                assert!(deaf_to.iter().all(|source| cuts[source].contains(node)), "{cuts:?}");
                let view: Vec<_> = nodes.iter().filter(|other| !deaf_to.contains(other)).collect();
                assert!(view.len() > count / 2 && view.contains(&node), "{count}: {view:?}");
                assert!(views.insert(view), "{count}: two nodes have one view: {cuts:?}");
            }
        }
    }
}

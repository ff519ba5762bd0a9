//! `partition-bridge`: two sides that do not hear each other, and one node
//! between them that hears both.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Drawn, NONE, Partition, about, apart, shuffled, sorted};
use super::{PlanError, list, ports};

pub(super) static FAULT: Partition = Partition {
    about: about(
        "partition-bridge",
        "Splits the nodes into two sides that hear each other only through one node between them.",
        &[ports::OPTION],
    ),
    needs: 3,
    example: NONE,
    draw,
};

fn draw(nodes: &[Name], _: &Given, rng: &mut Rng) -> Result<Drawn, PlanError> {
    let order = shuffled(nodes, rng);
    let (bridge, others) = order.split_at(1);
    let (left, right) = others.split_at(others.len() / 2);
    let (left_names, right_names) = (list(&sorted(left)), list(&sorted(right)));
    let summary = format!("{{{left_names} | {right_names}}} bridged by {}", list(bridge));
    Ok(Drawn::of(apart(&[left, right]), summary))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, nodes};
    use super::*;

    #[test]
    fn one_node_hears_and_is_heard_by_all() {
        for count in 3..8 {
            let nodes = nodes(count);
            let Drawn { cuts, .. } = drawn(draw, &nodes, 7);
            let bridge: Vec<_> = nodes.iter().filter(|node| !cuts.contains_key(*node)).collect();
            assert_eq!(bridge.len(), 1);
            assert!(cuts.values().all(|sources| !sources.contains(bridge[0])));
            assert!(cuts.values().all(|sources| !sources.is_empty()));
        }
    }
}

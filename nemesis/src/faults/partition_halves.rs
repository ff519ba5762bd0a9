//! `partition-halves`: two halves that do not hear each other. Of an odd number of nodes one is a
//! majority; of an even number none is.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Drawn, NONE, Partition, about, apart, shuffled, sorted};
use super::{PlanError, list, ports};

pub(super) static FAULT: Partition = Partition {
    about: about(
        "partition-halves",
        "Splits the nodes into two halves that do not hear each other; of an odd number one is a majority.",
        &[ports::OPTION],
    ),
    needs: 2,
    example: NONE,
    draw,
};

fn draw(nodes: &[Name], _: &Given, rng: &mut Rng) -> Result<Drawn, PlanError> {
    let order = shuffled(nodes, rng);
    let (minor, major) = order.split_at(nodes.len() / 2);
    let summary = format!("{{{} | {}}}", list(&sorted(minor)), list(&sorted(major)));
    Ok(Drawn::of(apart(&[minor, major]), summary))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, nodes};
    use super::*;

    #[test]
    fn each_side_drops_all_of_the_other() {
        for count in 2..8 {
            let nodes = nodes(count);
            let Drawn { cuts, .. } = drawn(draw, &nodes, 7);
            assert_eq!(cuts.len(), count);
            let minority = cuts.values().filter(|sources| sources.len() == count.div_ceil(2));
            assert!(minority.count() >= count / 2);
            for (node, sources) in &cuts {
                assert!(sources.iter().all(|source| cuts[source].contains(node)));
                assert!(sources.iter().all(|source| source != node));
            }
        }
    }
}

//! `partition-one`: one node alone, the others together.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::list;
use super::partition::{Drawn, Partition, apart, shuffled, sorted};

pub(super) static FAULT: Partition =
    Partition { name: "partition-one", doc: "Cuts one node off from all others.", needs: 2, draw };

fn draw(nodes: &[Name], rng: &mut Rng) -> Drawn {
    let order = shuffled(nodes, rng);
    let (alone, others) = order.split_at(1);
    let summary = format!("{{{} | {}}}", list(alone), list(&sorted(others)));
    Drawn { nodes: alone.to_vec(), ..Drawn::of(apart(&[alone, others]), summary) }
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::super::tests::nodes;
    use super::*;

    #[test]
    fn one_drops_all_and_all_drop_one() {
        let Drawn { cuts, nodes: harmed, .. } = draw(&nodes(5), &mut Seed(7).stream("t"));
        let [alone] = harmed.as_slice() else { panic!("{harmed:?}") };
        assert_eq!(cuts[alone].len(), 4);
        let others = cuts.iter().filter(|(node, _)| *node != alone);
        assert!(others.into_iter().all(|(_, sources)| *sources == [alone.clone()]));
    }
}

//! `partition-halves`: a minority and a majority that do not hear each other.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::list;
use super::partition::{Drawn, Partition, apart, shuffled, sorted};

pub(super) static FAULT: Partition = Partition {
    name: "partition-halves",
    doc: "Splits the nodes into a minority and a majority that do not hear each other.",
    needs: 2,
    draw,
};

fn draw(nodes: &[Name], rng: &mut Rng) -> Drawn {
    let order = shuffled(nodes, rng);
    let (minor, major) = order.split_at(nodes.len() / 2);
    let summary = format!("{{{} | {}}}", list(&sorted(minor)), list(&sorted(major)));
    Drawn::of(apart(&[minor, major]), summary)
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::super::tests::nodes;
    use super::*;

    #[test]
    fn each_side_drops_all_of_the_other() {
        for count in 2..8 {
            let nodes = nodes(count);
            let Drawn { cuts, .. } = draw(&nodes, &mut Seed(7).stream("t"));
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

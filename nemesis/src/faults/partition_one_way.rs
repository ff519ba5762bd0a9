//! `partition-one-way`: one side hears nothing from the other, which hears it well.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Cuts, Drawn, NONE, Partition, about, shuffled, sorted};
use super::{PlanError, list, ports};

pub(super) static FAULT: Partition = Partition {
    about: about(
        "partition-one-way",
        "Makes one side deaf to the other, which still hears it: half of each connection.",
        &[ports::OPTION],
    ),
    needs: 2,
    example: NONE,
    draw,
};

fn draw(nodes: &[Name], _: &Given, rng: &mut Rng) -> Result<Drawn, PlanError> {
    let order = shuffled(nodes, rng);
    let (minor, major) = order.split_at(nodes.len() / 2);
    let (deaf, silenced) = if rng.below(2) == 0 { (minor, major) } else { (major, minor) };
    let silenced = sorted(silenced);
    let cuts = Cuts::from_iter(deaf.iter().map(|node| (node.clone(), silenced.clone())));
    let summary = format!("{{{}}} deaf to {{{}}}", list(&sorted(deaf)), list(&silenced));
    Ok(Drawn::of(cuts, summary))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, nodes};
    use super::*;

    #[test]
    fn whom_one_does_not_hear_hears_one() {
        for seed in 0..8 {
            let Drawn { cuts, .. } = drawn(draw, &nodes(5), seed);
            assert!(!cuts.is_empty());
            for source in cuts.values().flatten() {
                assert!(!cuts.contains_key(source), "{source} is deaf, too: {cuts:?}");
            }
            let links: usize = cuts.values().map(Vec::len).sum();
            assert_eq!(links, 6, "2 nodes times 3");
        }
    }
}

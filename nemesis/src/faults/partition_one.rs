//! `partition-one`: one node alone, the others together.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Drawn, NONE, Partition, about, apart, shuffled, sorted};
use super::{PlanError, list, ports};

pub(super) static FAULT: Partition = Partition {
    about: about("partition-one", "Cuts one node off from all others.", &[ports::OPTION]),
    needs: 2,
    example: NONE,
    draw,
};

fn draw(nodes: &[Name], _: &Given, rng: &mut Rng) -> Result<Drawn, PlanError> {
    let order = shuffled(nodes, rng);
    let (alone, others) = order.split_at(1);
    let summary = format!("{{{} | {}}}", list(alone), list(&sorted(others)));
    Ok(Drawn { nodes: alone.to_vec(), ..Drawn::of(apart(&[alone, others]), summary) })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, nodes};
    use super::*;

    #[test]
    fn one_drops_all_and_all_drop_one() {
        let Drawn { cuts, nodes: harmed, .. } = drawn(draw, &nodes(5), 7);
        let [alone] = harmed.as_slice() else { panic!("{harmed:?}") };
        assert_eq!(cuts[alone].len(), 4);
        let others = cuts.iter().filter(|(node, _)| *node != alone);
        assert!(others.into_iter().all(|(_, sources)| *sources == [alone.clone()]));
    }
}
